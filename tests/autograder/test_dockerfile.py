"""The grader's Dockerfile: no linter objects, and what it installs is what the grader asks for."""

import shutil
import subprocess
from pathlib import Path

from autograder.walls import NO_SANDBOX

KIT = Path(__file__).parents[2]
DOCKERFILE = KIT / "autograder" / "Dockerfile"


def test_hadolint_has_no_objection():
    """It has objections to a bad file, so that its silence says something."""
    lint = [shutil.which("hadolint"), "--failure-threshold", "info", "-"]
    assert subprocess.run(lint, input=DOCKERFILE.read_bytes(), capture_output=True).stdout == b""
    bad = subprocess.run(lint, input=b"FROM debian\nRUN sudo apt-get install python3\n", capture_output=True)
    assert bad.returncode == 1
    assert b"DL3004" in bad.stdout


def test_it_installs_what_a_sandbox_needs():
    asked = NO_SANDBOX.partition("apt install ")[2].partition(")")[0].split()
    installed = DOCKERFILE.read_text().partition("apt-get install")[2].partition("&&")[0].split()
    assert asked == ["bubblewrap", "libseccomp2"]
    assert set(asked) <= set(installed)


def test_the_image_takes_no_secrets_and_no_builds_along():
    ignored = (KIT / ".dockerignore").read_text().split()
    assert {".git", ".venv", "build"} <= set(ignored)
