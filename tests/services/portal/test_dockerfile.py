"""The portal's Dockerfile: no linter objects, it is no root's, and what it installs is what the portal imports."""

import importlib.metadata
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from packaging.utils import canonicalize_name

KIT = Path(__file__).parents[3]
FOLDER = KIT / "services" / "portal"
LOADED = """
import json, os, sys

class Without:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in hidden else self.finder.find_spec(name, path, target)

before = set(sys.modules)  # what packages put there as Python starts
hidden = set(json.loads(sys.argv[1]))
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
os.environ["PORTAL_DATA"] = sys.argv[2]
import services.portal.__main__, services.portal.asgi, services.portal.urls
import services.portal.ingestion, services.portal.store, services.inference.command, uvicorn
import uvicorn.protocols.http.httptools_impl
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.test import Client
for address in ("/", "/leaderboard/", "/login/", "/healthz"):
    assert Client().get(address, headers={"Host": "localhost"}).status_code == 200, address
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before} & hidden)))
"""


def test_hadolint_has_no_objection():
    done = subprocess.run(
        [shutil.which("hadolint"), "--failure-threshold", "info", "-"],
        input=(FOLDER / "Dockerfile").read_bytes(),
        capture_output=True,
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_the_last_stage_is_small_has_no_root_and_says_how_it_is():
    text = (FOLDER / "Dockerfile").read_text()
    last = text.rpartition("\nFROM ")[2]
    assert last.startswith("${BASE}\n") and "pip" not in last
    assert re.search(r"^USER 10001$", last, re.M) and "HEALTHCHECK" in last and "/healthz" in last
    assert '"-m", "services.portal"]' in last and text.count("FROM ${BASE}") == 2


def test_only_what_the_portal_needs_is_sent_to_the_builder():
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (FOLDER / "Dockerfile").read_text(), re.M)
    needed = {name.rstrip("/") for line in copied for name in line.split()}
    assert {"services/portal/frontend/src", "course/tree", "**/node_modules", "**/__pycache__"} <= set(ignored)
    assert ignored[0] == "*" and needed <= allowed | {"services/portal/requirements.txt"}


def test_what_the_portal_imports_is_what_the_image_installs(tmp_path):
    """All other packages of this environment are hidden from it."""
    spec = importlib.util.spec_from_file_location("of_inference", KIT / "tests/services/inference/test_dockerfile.py")
    of_inference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(of_inference)
    lines = (FOLDER / "requirements.txt").read_text().splitlines()
    named = {line for line in lines if line and not line.startswith("#")}
    installed = of_inference.closure(named) | {"from-waveform-to-cloud"}
    owners = importlib.metadata.packages_distributions()
    hidden = [name for name, by in owners.items() if not installed & {canonicalize_name(one) for one in by}]
    assert {"apache_beam", "matplotlib", "torch", "nbgrader", "fastapi"} <= set(hidden)
    command = [sys.executable, "-c", LOADED, json.dumps(hidden), str(tmp_path)]
    done = subprocess.run(command, cwd=KIT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["[]"]), done.stderr
