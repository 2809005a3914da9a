"""What earns full marks, or somebody else's, from stock nbgrader 0.9.6, earns nothing here.

Each forger hands in the untouched release with one cell added. The tasks stay unsolved, so that any point is forged.
"""

import json
import sqlite3

import pytest

from autograder.policy import Policy
from autograder.sandbox import Trusted
from autograder.session import Cell, Session

FORGERIES = {
    "strips asserts": """
import ast
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
get_ipython().ast_transformers.append(NoAsserts())
""",
    "forges partial credit": """
get_ipython().input_transformers_post.append(lambda lines: ["4\\n"] if "check(" in "".join(lines) else lines)
get_ipython().events.register("post_run_cell", lambda result: None)
""",
    "patches numpy.testing and the checks' names": """
import builtins, sys, numpy.testing
numpy.testing.assert_allclose = lambda *args, **kwargs: None
np.isclose = np.allclose = lambda *args, **kwargs: True
builtins.isinstance = lambda *args: True
sys.modules["course.lab.checking"] = sys.modules["course.lab.expect"] = sys.modules["numpy"]
""",
    "equals everything": """
class Right(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    __hash__ = float.__hash__
    def __array__(self, *args, **kwargs): return np.zeros(1)
    def __float__(self): return 1.0
    def __sub__(self, other): return self
    __rsub__ = __sub__
    def __abs__(self): return 0.0
rms_level = normalise = loud_share = lambda *args: Right(1)
""",
    "is an array that equals everything": """
class Right(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __array_ufunc__(self, *args, **kwargs): return np.zeros(self.shape)
    def __array_function__(self, *args, **kwargs): return True
rms_level = loud_share = lambda *args: np.ones(()).view(Right)
normalise = lambda signal, level: np.ones(signal.shape).view(Right)
""",
    "lies in the driver": """
import sys
driver = sys.modules["__main__"]
driver.describe = lambda error: {"type": "passed", "message": "passed", "places": []}
driver._call = lambda namespace, name, request: True
""",
    "answers for the driver": """
import os, socket, struct, json
def forge(*args):
    text = json.dumps({"call": "0", "value": 1.0}).encode()
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack(">II", len(text), 0) + text)
        except OSError:
            pass
    return 1.0
rms_level = normalise = loud_share = forge
""",
    "asks the oracle for the task itself": """
import sys
from autograder.protocol import receive, send
def ask(name):
    def function(*args):
        frame = sys._getframe()
        while "channel" not in frame.f_locals:
            frame = frame.f_back
        channel = frame.f_locals["channel"]
        send(channel, {"ask": name, "args": args, "kwargs": {}})
        return receive(channel)["value"]
    return function
rms_level, normalise, loud_share = ask("rms_level"), ask("normalise"), ask("loud_share")
""",
    "looks for checks, grades and secrets": """
import os
found = [name for name in os.environ if name.startswith(("COURSE", "PYTEST"))]
for name in ("checks", "labs", "autograder.grading", "course.lab.checking", "course.filters"):
    try:
        __import__(name)
        found.append(name)
    except ModuleNotFoundError:
        pass
for top, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if name not in ("proc", "usr", "site-packages", "lib")]
    found += [os.path.join(top, name) for name in files if name in ("checks.py", "gradebook.db", "lab.md", "wrong")]
if found:
    raise RuntimeError(str(found))
""",
    "takes the answer from where the lab withholds it": """
import importlib, sys
sys.path[:] = [path for path in sys.path if "kit" not in path] + ["/usr/lib/python3/dist-packages"]
import scipy.linalg
rms_level = lambda signal: scipy.linalg.norm(signal) / max(len(signal), 1) ** 0.5
""",
    "redefines what the notebook knows as right": """
import course.lab.visible
course.lab.visible._findings.clear()
check = lambda name: __import__("contextlib").nullcontext()
solved = lambda name: True
""",
    "edits its own tests": "",
}


def with_edited_tests(content):
    """Every check passes at once and is worth a thousand points; nothing is locked any more."""
    notebook = json.loads(content)
    for cell in notebook["cells"]:
        options = cell["metadata"].get("nbgrader", {})
        if options.get("grade") and cell["cell_type"] == "code":
            cell["source"] = "assert True"
            options |= {"points": 1000, "locked": False}
    return json.dumps(notebook).encode()


@pytest.fixture(scope="module")
def results(submission, grade_many):
    contents = {name: submission(added=[source], start="release") for name, source in FORGERIES.items()}
    contents["edits its own tests"] = with_edited_tests(submission(start="release"))
    return grade_many(contents)


@pytest.mark.parametrize("forgery", FORGERIES)
def test_forgery_earns_nothing(results, forgery):
    result = results[forgery]
    assert result.score == 0
    assert result.max_score == 9
    assert result.status in ("graded", "crash")
    assert not any(task.score for task in result.tasks)


def test_nothing_secret_is_found_inside(results):
    assert results["looks for checks, grades and secrets"].cells == ()
    assert not any(
        "RuntimeError" in (hint.error or "") for hint in results["looks for checks, grades and secrets"].cells
    )


def test_withheld_packages_stay_away_when_the_path_is_rewritten(results):
    (cell,) = results["takes the answer from where the lab withholds it"].cells
    assert cell.error.startswith(("ModuleNotFoundError", "ImportError", "AttributeError"))


def test_edited_tests_and_points_are_restored_and_named(results):
    (note,) = results["edits its own tests"].notes
    assert (
        note == "Locked, but changed; the released cell was used: check-rms_level, check-normalise, check-loud_share."
    )
    assert [task.max_score for task in results["edits its own tests"].tasks] == [4, 3, 2]


@pytest.fixture
def gradebook(tmp_path):
    path = tmp_path / "gradebook.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE grade (manual_score FLOAT)")
        database.execute("INSERT INTO grade VALUES (1)")
    return path


def run_cell(runner, assignment, source):
    with runner.start(assignment.supplies, Policy()) as sandbox:
        return Session(sandbox, Policy(), {}).execute(Cell("c", "the cell", source))


def test_writing_the_gradebook_works_without_the_sandbox_and_fails_inside(assignment, gradebook, tmp_path):
    """The same attack against both, so that its failing inside is not the attack's own fault."""
    source = tmp_path / "source"
    source.mkdir()
    attack = (
        f"import shutil, sqlite3\nshutil.rmtree({str(source)!r})\n"
        f"with sqlite3.connect({str(gradebook)!r}) as book:\n    book.execute('UPDATE grade SET manual_score = 100')"
    )
    stopped = run_cell(assignment.runner, assignment, attack)
    assert stopped.type_name == "FileNotFoundError"
    assert source.is_dir()
    assert sqlite3.connect(gradebook).execute("SELECT manual_score FROM grade").fetchall() == [(1,)]
    assert run_cell(Trusted(), assignment, attack) is None
    assert not source.exists()
    assert sqlite3.connect(gradebook).execute("SELECT manual_score FROM grade").fetchall() == [(100,)]
