"""A class whose submissions are of all sorts, nbgrader's commands and server beside it, and a browser."""

import base64
import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output
from nbgrader.api import Gradebook

from autograder.class_folder import COURSE_ID, set_up
from autograder.grading import Assignment
from autograder.policy import Policy
from autograder.sandbox import Bubblewrap
from course.lab.build import solution_notebook
from course.site.checks.browser import chromium

LAB = "small-lab"
WRONG = "def normalise(signal, level):\n    return signal * level"
SCRIPT = "<script>document.documentElement.dataset.ran = 'script'</script>"
PICTURE = "<img src=x onerror=\"document.documentElement.dataset.ran = 'picture'\">"
DOT = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
START_SECONDS = 120
# nbgrader's command; several in one process, because it takes seconds to start.
NBGRADER = """
import contextlib, json, sys
from jupyter_core.application import NoStart
from nbgrader.apps import NbGraderApp

for arguments in json.loads(sys.argv[1]):
    app = NbGraderApp.instance()
    with contextlib.suppress(NoStart):
        app.initialize(arguments)
        app.start()
    app.reset()
"""
PATIENCE = 90_000  # milliseconds that a busy machine may take for a page


@dataclass(frozen=True)
class Classroom:
    """A class folder, and the environment that nbgrader's programs get."""

    root: Path
    environment: dict[str, str]

    def nbgrader(self, *commands: str) -> subprocess.CompletedProcess:
        """Run commands of nbgrader's in the class folder, one after the other, until one fails."""
        arguments = json.dumps([command.split(" ") for command in commands])
        program = [sys.executable, "-P", "-c", NBGRADER, arguments]
        return subprocess.run(program, cwd=self.root, env=self.environment, capture_output=True, text=True)

    def file(self, student: str) -> Path:
        """Where a student's notebook lies."""
        path = self.root / "submitted" / student / LAB / f"{LAB}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def configure(self, before: str, after: str) -> None:
        """Change one line of nbgrader's configuration."""
        path = self.root / "nbgrader_config.py"
        text = path.read_text()
        assert text.count(before) == 1
        path.write_text(text.replace(before, after))

    def autograded(self, student: str) -> str:
        """The text of the notebook that formgrader shows."""
        return (self.root / "autograded" / student / LAB / f"{LAB}.ipynb").read_text()

    @contextlib.contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """nbgrader's gradebook of the class."""
        with Gradebook(f"sqlite:///{self.root / 'gradebook.db'}", COURSE_ID) as gradebook:
            yield gradebook

    def marks(self) -> dict[str, dict]:
        """All that the gradebook holds about each student's submission."""
        with self.gradebook() as gradebook:
            return {
                one.student.id: {
                    "grades": {g.name: (g.auto_score, g.manual_score, g.needs_manual_grade) for g in one.grades},
                    "comments": {c.name: (c.auto_comment, c.manual_comment) for c in one.comments},
                    "penalty": one.late_submission_penalty,
                    "handed in": str(one.assignment.timestamp),
                }
                for one in gradebook.notebook_submissions(LAB, LAB)
            }

    def scores(self) -> dict[str, float]:
        """Each student's score in the gradebook."""
        with self.gradebook() as gradebook:
            return {one.student.id: one.score for one in gradebook.assignment_submissions(LAB)}


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    """Make the environment of a person who uses nbgrader: a home and Jupyter folders of their own, the small kit."""
    kit = tmp_path_factory.mktemp("kit")
    for room in ("labs", "notebooks", "book"):
        (kit / room).mkdir()
    (kit / "pyproject.toml").touch()
    (kit / "labs" / LAB).symlink_to(Path(__file__).parents[1] / LAB)

    def environment(person: str) -> dict[str, str]:
        home = tmp_path_factory.mktemp(person)
        folders = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        lab = {f"JUPYTERLAB_{name}_DIR": str(home / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
        no_news = home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
        no_news.parent.mkdir(parents=True)
        no_news.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
        return os.environ | folders | lab | {"HOME": str(home), "COURSE_ROOT": str(kit), "OMP_NUM_THREADS": "1"}

    return environment


@pytest.fixture(scope="session")
def full_assignment(lab):
    """The lab with the limits that nbgrader's programs and ``course grade`` have."""
    return Assignment.of(lab, Policy.of(lab), Bubblewrap())


@pytest.fixture(scope="session")
def new_class(tmp_path_factory, programs, full_assignment):
    """Make a class folder that is set up and has no submissions yet."""

    def make() -> Classroom:
        root = tmp_path_factory.mktemp("class")
        (root / "submitted").mkdir()
        set_up(root, [full_assignment])
        return Classroom(root, programs("instructor"))

    return make


@pytest.fixture(scope="session")
def hand_in_all(lab, submission):
    """Fill a class with submissions that nbgrader can, and cannot, stand."""

    def fill(classroom: Classroom) -> None:
        write = {
            "ada": _with_outputs(lab),
            "bob": submission({"normalise": WRONG}),
            "dan": b"",
            "eve": _with_metadata(submission(), {"schema_version": 1, "grade": True}),
            "gwen": submission(),
            "ida": _doubled(submission()),
            "kim": _with_scripts(lab),
            "mia <b>&": submission(start="release"),
            "nick": submission(added=["import os", "os._exit(0)"]),
            "ole": submission(added=["open('../../../written-by-ole', 'w').write('x')"]),
        }
        for student, content in write.items():
            classroom.file(student).write_bytes(content)
        classroom.file("ada").with_name("timestamp.txt").write_text("2026-11-22 10:00:00 UTC\n")
        classroom.file("cleo").with_name("Untitled 2.ipynb").write_bytes(submission())
        os.mkfifo(classroom.file("finn"))
        classroom.file("gwen").with_name("timestamp.txt").symlink_to("/etc/passwd")
        os.mkfifo(classroom.file("ida").with_name("timestamp.txt"))
        classroom.file("gwen").with_name("answers.py").symlink_to(lab.checks.path)
        with classroom.file("hal").open("wb") as file:
            file.truncate(40 << 20)
        classroom.file("jan").symlink_to(classroom.root / "source" / LAB / f"{LAB}.ipynb")
        classroom.file("jan").with_name("timestamp.txt").write_text("2026-11-22 10:30:00 UTC\n")
        classroom.file("leo").with_name("notes.txt").write_text("I forgot the notebook.")

    return fill


@pytest.fixture(scope="session")
def graded(new_class, hand_in_all):
    """The class, autograded once by nbgrader's command: what it printed is the second of the pair."""
    classroom = new_class()
    hand_in_all(classroom)
    return classroom, classroom.nbgrader(f"autograde {LAB}")


@contextlib.contextmanager
def jupyter(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """A Jupyter server with nbgrader's extensions over a folder; its address with {} where the path comes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    options = {"port": port, "port_retries": 0, "root_dir": folder, "allow_root": True, "open_browser": False}
    arguments = [f"--ServerApp.{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "jupyterlab", *arguments, f"--IdentityProvider.token={token}"]
    log = Path(environment["HOME"], "server.log")
    with log.open("wb") as file:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/status?token={token}", server, log)
        yield f"http://127.0.0.1:{port}/{{}}?token={token}"
    finally:
        server.terminate()
        server.wait(START_SECONDS)


def _wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise AssertionError(log.read_text()[-2000:])


@pytest.fixture(scope="session")
def serve():
    """The context manager that runs a Jupyter server over a folder."""
    return jupyter


@pytest.fixture(scope="module")
def tab():
    """An empty tab of a headless browser that reaches loopback only."""
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        context.set_default_timeout(PATIENCE)
        yield context.new_page()


def _with_outputs(lab) -> bytes:
    """The solution with outputs as a student's JupyterLab saves them, and some that would be dangerous to show."""
    notebook = solution_notebook(lab)
    cell = next(cell for cell in notebook.cells if cell.id == "rms_level")
    cell.outputs = [
        new_output("stream", name="stdout", text="level 0.25\n"),
        new_output("display_data", {"text/html": SCRIPT, "text/plain": "a table"}),
        new_output("display_data", {"image/png": DOT, "text/plain": "a plot"}),
        new_output("display_data", {"application/javascript": "document.title = 'mine'"}),
    ]
    check = next(cell for cell in notebook.cells if cell.id == "check-rms_level")
    check.outputs = [new_output("execute_result", {"text/plain": "4.0"})]
    return nbformat.writes(notebook).encode()


def _with_scripts(lab) -> bytes:
    """The solution with a script wherever there is room for text."""
    notebook = solution_notebook(lab)
    for cell in notebook.cells:
        if cell.id == "judgement":
            cell.source = f"My answer. {SCRIPT} {PICTURE}\n\n[a link](javascript:alert(1))\n\n{SCRIPT}"
        if cell.id == "rms_level":
            cell.source += f"\n# </pre>{SCRIPT}{PICTURE}"
            cell.outputs = [new_output("stream", name="stdout", text=f"{SCRIPT}\n{PICTURE}\n")]
            cell.metadata["tags"] = [SCRIPT]
    notebook.cells.append(nbformat.v4.new_markdown_cell(SCRIPT + PICTURE, id="mine"))
    notebook.cells.append(nbformat.v4.new_raw_cell(SCRIPT + PICTURE, id="raw"))
    error = f"raise ValueError({SCRIPT + PICTURE!r})"
    notebook.cells.append(nbformat.v4.new_code_cell(error, id="stops"))
    notebook.metadata["title"] = SCRIPT
    return nbformat.writes(notebook).encode()


def _with_metadata(content: bytes, nbgrader: dict) -> bytes:
    """A notebook of which each cell has other metadata for nbgrader, so that stock nbgrader stops the whole run."""
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] = nbgrader
    return json.dumps(notebook).encode()


def _doubled(content: bytes) -> bytes:
    notebook = json.loads(content)
    notebook["cells"] *= 2
    return json.dumps(notebook).encode()
