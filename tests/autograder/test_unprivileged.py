"""The same walls, built by a user without privileges: the tests of containment run once more as such a user."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

KIT = Path(__file__).parents[2]
USER = "65533"
# The interpreter may lie in root's home, which others may not enter. This mount is seen by the new namespace alone.
OPEN_THE_WAY = """
set -e
mkdir -p {scratch}/base
mount --bind {base} {scratch}/base
mount -t tmpfs -o mode=755 none {closed}
mkdir -p {base}
mount --bind {scratch}/base {base}
"""
TESTS = "inside or two_submissions or share or crowd or limits"


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: all tests run without privileges anyway")
def test_containment_holds_without_privileges(tmp_path):
    if not shutil.which("setpriv") or not shutil.which("unshare"):
        pytest.skip("no setpriv or unshare (util-linux) to give up privileges with")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        os.chmod(folder, 0o755)
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o777)
    os.chown(scratch, int(USER), int(USER))
    arguments = ["tests/autograder/test_containment.py", "-k", TESTS, "-p", "no:cacheprovider", "--timeout", "300"]
    command = as_user([sys.executable, "-m", "pytest", *arguments], scratch)
    environment = os.environ | {"HOME": str(scratch), "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
    for name in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[name]
    if subprocess.run(as_user(["test", "-r", str(KIT / "labs")], scratch)).returncode:
        pytest.skip("the kit lies in a folder that other users may not enter")
    run = subprocess.run(command, cwd=KIT, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert "passed" in run.stdout
    assert "skipped" not in run.stdout


def as_user(command, scratch):
    """The command, run by a user who has nothing, in a mount namespace in which the interpreter can be reached."""
    base = Path(sys.base_prefix).resolve()
    closed = next((folder for folder in reversed(base.parents) if not folder.stat().st_mode & 0o001), None)
    opening = ""
    if closed:
        opening = OPEN_THE_WAY.format(scratch=scratch, base=base, closed=closed)
    dropping = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    return ["unshare", "-m", "sh", "-c", f"{opening}exec {shlex.join([*dropping, *command])}"]
