"""Stock nbgrader on one case after the other, each in a sandbox of its own that is thrown away afterwards.

The sandbox is there so that nothing happens to this machine. It holds a whole class in a tmpfs: source, release,
gradebook, and a bystander who has been graded before. Within it stock nbgrader has no protection but its own.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from hostile_cases.case import LAB_ID, POINTS, SECRET, Case, Site, as_bytes, notebook

from course.kit import root as kit_root
from stock_nbgrader.assignment import stock_source

INSIDE = Path(__file__).with_name("inside.py")
UID = 59_000
BYSTANDER = "bystander"
CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "stock"\n'
SECONDS, MEMORY, PROCESSES = 150, 4 << 30, 120
# Asked for and never touched, so that it can be granted.
ROOMY = {"8-gib-in-a-cell": 12 << 30, "8-gib-in-a-task": 12 << 30}
HURRIED = {"fork-bomb": 60, "fork-bomb-in-a-task": 60}
EXPECTED = [f"source/{LAB_ID}/{LAB_ID}.ipynb", f"release/{LAB_ID}/{LAB_ID}.ipynb", f"submitted/{BYSTANDER}"]
CAPABILITIES = ("SETUID", "SETGID", "CHOWN", "DAC_OVERRIDE", "FOWNER", "MKNOD", "KILL", "SETPCAP")
ENVIRONMENT = {
    "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "GRADER_SECRET": SECRET,
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class StockOutcome:
    """What stock nbgrader did with a case.

    Attributes:
        score: the points in the gradebook; None where the gradebook has none for the student.
        full: all points that there are.
        ended: whether nbgrader came to an end by itself, and its exit code.
        words: the last error that it printed.
        said: what the attack said about its success.
        harm: what else happened, in words.
    """

    score: float | None
    full: float
    ended: bool
    exit_code: int | None
    words: str
    said: str
    harm: tuple[str, ...]
    seconds: float


@contextlib.contextmanager
def stock_class() -> Iterator[Path]:
    """A class folder of stock nbgrader with a bystander, made ready and graded once.

    Raises:
        RuntimeError: stock nbgrader does not give the reference solution all points.
    """
    with tempfile.TemporaryDirectory(prefix="stock-nbgrader-") as folder:
        root = Path(folder, "class")
        (root / "source" / LAB_ID).mkdir(parents=True)
        nbformat.write(stock_source(), root / "source" / LAB_ID / f"{LAB_ID}.ipynb")
        (root / "nbgrader_config.py").write_text(CONFIG)
        _nbgrader(root, "generate_assignment", LAB_ID)
        submitted = root / "submitted" / BYSTANDER / LAB_ID
        submitted.mkdir(parents=True)
        (submitted / f"{LAB_ID}.ipynb").write_bytes(as_bytes(notebook("solution")))
        _nbgrader(root, "autograde", LAB_ID, "--student", BYSTANDER)
        yield root


def autograded(root: Path, case: Case) -> StockOutcome:
    """Autograde a case beside the bystander, in a copy of the class that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="stock-case-") as folder:
        staged = Path(folder, "class")
        shutil.copytree(root, staged, symlinks=True)
        site = Site(staged, tcp=40_001, udp=40_002, abstract="a-service")
        submission = staged / "submitted" / case.folder / LAB_ID
        submission.mkdir(parents=True)
        case.hand_in(site, submission)
        request = {
            "root": str(staged),
            "assignment": LAB_ID,
            "student": case.folder,
            "uid": UID + os.getpid() % 900,
            "seconds": HURRIED.get(case.name, SECONDS),
            "memory": ROOMY.get(case.name, MEMORY),
            "processes": PROCESSES,
            "expected": EXPECTED,
            "tcp": site.tcp,
            "udp": site.udp,
            "abstract": site.abstract,
        }
        done = subprocess.run(_sandboxed(staged, request), capture_output=True, timeout=SECONDS + 120)
    if done.returncode:
        raise RuntimeError(f"{case.name}: {done.stderr.decode(errors='replace')[-800:]}")
    return _outcome(case, json.loads(done.stdout))


def _nbgrader(root: Path, *arguments: str) -> None:
    program = "import sys; from nbgrader.apps.nbgraderapp import main; sys.exit(main())"
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=root, env=os.environ | ENVIRONMENT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"nbgrader {arguments[0]} failed: {done.stderr[-2000:]}")


def _sandboxed(staged: Path, request: dict) -> list[str]:
    """The command that runs the request in a new sandbox."""
    options = ["bwrap", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--die-with-parent"]
    options += ["--new-session", "--clearenv", "--cap-drop", "ALL"]
    for capability in CAPABILITIES:
        options += ["--cap-add", f"CAP_{capability}"]
    options += ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
    for name in ("bin", "lib", "lib64"):
        options += ["--symlink", f"usr/{name}", f"/{name}"]
    for place in ("/tmp", str(staged)):
        options += [*_folders(Path(place)), "--perms", "0777", "--size", str(1 << 30), "--tmpfs", place]
    options += ["--ro-bind", str(staged), "/staged"]
    for prefix in dict.fromkeys([*map(Path, (sys.base_prefix, sys.prefix)), kit_root()]):
        if not prefix.is_relative_to("/usr"):
            options += [*_folders(prefix), "--ro-bind", str(prefix), str(prefix)]
    for name, value in ENVIRONMENT.items():
        options += ["--setenv", name, value]
    return [*options, sys.executable, str(INSIDE), json.dumps(request)]


def _folders(path: Path) -> list[str]:
    """Make a folder and its parents readable for all."""
    folders = [folder for folder in (*reversed(path.parents), path) if folder not in (Path("/"), Path("/tmp"))]
    return [word for folder in folders for word in ("--perms", "0755", "--dir", str(folder))]


def _outcome(case: Case, found: dict) -> StockOutcome:
    scores, full = found["scores"], float(sum(POINTS.values()))
    harm = [f"deleted {name}" for name in found["missing"]]
    if scores is None:
        harm.append("the gradebook cannot be read any more")
    elif scores.get(BYSTANDER) != full:
        harm.append(f"the bystander's points went from {full:g} to {scores.get(BYSTANDER)}")
    if found["left_behind"] and found["exit_code"] is not None:
        harm.append(f"{found['left_behind']} processes live on")
    if found["start_up_files"]:
        harm.append(f"files that later kernels run: {', '.join(found['start_up_files'])}")
    return StockOutcome(
        score=(scores or {}).get(case.folder),
        full=full,
        ended=found["exit_code"] is not None,
        exit_code=found["exit_code"],
        words=found["words"],
        said=found["said"],
        harm=tuple(harm),
        seconds=found["seconds"],
    )
