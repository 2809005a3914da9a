"""The recovery bench: stop a grading run at any point, let it run again, and compare with one that nobody disturbed.

A small class is brought into the state in which most can go wrong: some students are graded and have marks by hand, a
check was fixed since, some handed in anew, and some for the first time. A run over it is stopped before the n-th
system call that changes a file, by a power cut there, or at a random time; several times in a row, with results that
were graded before; and, less often, while sandboxes grade. Then a run goes to its end, and results, ledger, gradebook
and every file have to equal the undisturbed run's (but for times), and the audit has to find nothing.
"""

import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbformat import NotebookNode
from nbgrader.api import Comment, Grade, SubmittedAssignment
from rich.console import Console
from sqlalchemy import select

from autograder.bench.power import Disk
from autograder.bench.syscalls import trace
from autograder.classroom import LOCK, Grader, grade_class
from autograder.records.backups import damage
from autograder.records.consistency import audit
from autograder.records.ledger import Ledger
from autograder.records.marks import read_marks, reading
from autograder.result import Result
from autograder.sandbox import Bubblewrap, Trusted
from autograder.workers import Job
from course.errors import CourseError
from course.lab.build import release_notebook, solution_notebook
from course.lab.source import Lab, find_lab, read_lab
from course.storage import is_whole

TOO_STRICT = """

from course.lab.checking import check as _check
from course.lab.checking import expect as _expect


@_check("{task}", hint="This check was a mistake of the author's; it was taken out later.")
def asks_for_the_impossible(student, rng):
    _expect.true(False)
"""
STOPS_IN_A_ROW = 4
REAL_SHARE = 0.04  # of the rounds is disturbed while sandboxes grade
ORPHAN_SECONDS = 20.0
TIMED = re.compile(rb"graded in \d+\.\d s")


@dataclass(frozen=True)
class Scenario:
    """A class before a run over it, and after one that nobody disturbed.

    ``results`` are those of the undisturbed run, by key, which took ``grading_seconds``. A run that has them already
    takes ``seconds`` and makes so many system ``calls`` that change files.
    """

    before: Path
    lab: Lab
    runner: Bubblewrap | Trusted
    results: dict[str, Result]
    after: dict[str, Any]
    grading_seconds: float
    calls: int = 0
    seconds: float = 0.0


def recovery(kills: int, seed: int, lab: Lab | None = None) -> dict[str, Any]:
    """Stop runs so many times; return how, how often, and every disagreement afterwards.

    Args:
        kills: how many stops to make.
        seed: draws the points and the ways.
        lab: the lab of the class; the kit's first if not given.
    """
    rng, start = random.Random(seed), time.monotonic()
    counts, disagreements = Counter(), []
    with tempfile.TemporaryDirectory(prefix="recovery-", dir=quick_disk()) as folder:
        scenario = prepare(lab or find_lab("lab01"), Path(folder), Bubblewrap())
        while (done := sum(counts[way] for way in (*STOPS, *REAL_STOPS))) < kills:
            ways = REAL_STOPS if rng.random() < REAL_SHARE else STOPS
            in_a_row = min(rng.randint(1, STOPS_IN_A_ROW), kills - done)
            with copied(scenario) as root:
                disagreements += disturb(scenario, root, ways, in_a_row, rng, counts)
    return {
        "kills": dict(counts),
        "seed": seed,
        "lab": scenario.lab.id,
        "file_changing_calls_of_a_run": scenario.calls,
        "disagreements": disagreements,
        "seconds": round(time.monotonic() - start, 1),
    }


def quick_disk() -> Path | None:
    """A folder whose fsync costs nothing, if there is one: what a power cut loses is simulated, not the disk."""
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else None


def prepare(lab: Lab, folder: Path, runner: Bubblewrap | Trusted) -> Scenario:
    """Make the class and its undisturbed run, with real gradings, in ``folder``."""
    early, now = _versions(lab, folder)
    before, after = folder / "before" / "class", folder / "after" / "class"
    _hand_in(before, now, _first_submissions(now))
    grade_class(before, runner, 2, [early], _nowhere())
    _mark_by_hand(before, now)
    _hand_in(before, now, _later_submissions(now))
    (before / "submitted" / "gus" / now.id).mkdir(parents=True)
    (before / "submitted" / "gus" / now.id / f"{now.id}.ipynb").symlink_to("/etc/hostname")
    shutil.copytree(before, after, symlinks=True)
    start = time.monotonic()
    results = {result.key: result for result in grade_class(after, runner, 2, [now], _nowhere()).results}
    scenario = Scenario(before, now, runner, results, state(after), time.monotonic() - start)
    with copied(scenario) as root:
        calls = sum(1 for _ in trace(lambda: run(scenario, root), root))
    with copied(scenario) as root:
        start = time.monotonic()
        finish(scenario, root)
        return replace(scenario, calls=calls, seconds=time.monotonic() - start)


def run(scenario: Scenario, root: Path) -> None:
    """Run over the class in ``root`` with the results of the undisturbed run in place of gradings."""
    grade_class(root, scenario.runner, 2, [scenario.lab], _nowhere(), replay(scenario))


def disturb(
    scenario: Scenario, root: Path, ways: "dict[str, Stop]", in_a_row: int, rng: random.Random, counts: Counter
) -> list[str]:
    """Stop runs over a copy of the class, let one go to its end, and return what disagrees."""
    done, wrong = [], []
    for _ in range(in_a_row):
        way = rng.choice(list(ways))
        if ways[way](scenario, root, rng):
            counts[way] += 1
            done.append(way)
            wrong += half_files(root)
        else:
            counts["came to its end before the stop"] += 1
    with contextlib.suppress(CourseError):
        finish(scenario, root)
        wrong += audit(root) + differences(scenario.after, state(root))
        return [f"{' then '.join(done)}: {sentence}" for sentence in wrong]
    return [f"{' then '.join(done)}: the run afterwards did not come to its end", *wrong]


def finish(scenario: Scenario, root: Path) -> None:
    """Let a run go to its end, in a process of its own.

    Raises:
        CourseError: it did not.
    """
    status = os.waitpid(forked(lambda: run(scenario, root)), 0)[1]
    if status:
        raise CourseError(f"The run over {root} did not come to its end; what it said is printed above.")


def state(root: Path) -> dict[str, Any]:
    """All that a class folder says, but for times: what has to be equal after any disturbance."""
    with reading(root / "gradebook.db") as session:
        marks = {f"{lab}/{student}": cells for (lab, student), cells in read_marks(session).items()}
        stamps = session.execute(select(SubmittedAssignment.student_id, SubmittedAssignment.timestamp)).all()
    entries = [json.loads(line) for line in (root / "ledger.jsonl").read_bytes().splitlines()]
    return {
        "results": {
            str(path.relative_to(root)): Result.read(path).finding() for path in root.glob("results/*/*/*.json")
        },
        "ledger": [{name: value for name, value in one.items() if name not in ("time", "seconds")} for one in entries],
        "marks": marks,
        "timestamps": dict(map(tuple, stamps)),
        "files": {str(path.relative_to(root)): TIMED.sub(b"", path.read_bytes()) for path in _made(root)},
    }


def differences(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Where two states differ, a line for each."""
    lines = []
    for name, one in expected.items():
        other = found[name]
        if isinstance(one, dict):
            keys = sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
            lines += [f"{name}: {key} differs from the undisturbed run" for key in keys]
        elif one != other:
            lines.append(f"{name}: {len(other)} entries differ from the {len(one)} of the undisturbed run")
    return lines


def half_files(root: Path) -> list[str]:
    """What a reader would find torn, of all that is written whole: JSON, pages, copies; and lines in the ledger."""
    torn = []
    for path in sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink()):
        name, content = path.relative_to(root), path.read_bytes()
        if path.name.startswith(".") or name.parts[0] == "submitted":
            continue
        if path.suffix in (".json", ".ipynb") and "submissions" not in name.parts:
            with contextlib.suppress(ValueError):
                json.loads(content)
                continue
            torn.append(f"{name} is half a file")
        if path.suffix == ".html" and not is_whole(path, b"</html>"):
            torn.append(f"{name} is half a page")
        if name.parts[0] == "backups" and (reason := damage(path)):
            torn.append(f"{name} is no whole copy: {reason}")
    ledger = Ledger(root / "ledger.jsonl")
    lines = ledger.path.read_bytes().count(b"\n") if ledger.path.exists() else 0
    return torn + [f"ledger.jsonl, line {number} is torn" for number in ledger.torn if number <= lines]


Stop = Callable[[Scenario, Path, random.Random], bool]


def at_a_call(scenario: Scenario, root: Path, rng: random.Random) -> bool:
    """Kill a run before one of its system calls; say whether it got there."""
    return stopped_at(scenario, root, rng.randint(1, scenario.calls), None, rng)


def power_cut(scenario: Scenario, root: Path, rng: random.Random) -> bool:
    """Cut the power before one of its system calls: what was not synced is lost, in part or whole."""
    return stopped_at(scenario, root, rng.randint(1, scenario.calls), Disk(root), rng)


def at_a_time(scenario: Scenario, root: Path, rng: random.Random) -> bool:
    """Kill a run at a random time."""
    pid = forked(lambda: run(scenario, root))
    time.sleep(rng.uniform(0, scenario.seconds))
    os.kill(pid, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def all_processes(scenario: Scenario, root: Path, rng: random.Random) -> bool:
    """While sandboxes grade, kill every process of the run at once, as a machine that fails does."""
    return _killed_while_grading(scenario, root, rng, alone=False)


def main_process(scenario: Scenario, root: Path, rng: random.Random) -> bool:
    """While sandboxes grade, kill the main process alone; all others have to end, and nobody may write any more."""
    return _killed_while_grading(scenario, root, rng, alone=True)


STOPS: dict[str, Stop] = {"at a system call": at_a_call, "power cut": power_cut, "at a random time": at_a_time}
REAL_STOPS: dict[str, Stop] = {
    "all processes, while grading": all_processes,
    "the main process, while grading": main_process,
}


def stopped_at(scenario: Scenario, root: Path, last: int, disk: Disk | None, rng: random.Random) -> bool:
    """Kill a run before its system call of that number, cutting the power of ``disk``; say whether it got there."""
    with contextlib.closing(trace(lambda: run(scenario, root), root)) as calls:
        for number, call in enumerate(calls, start=1):
            if disk:
                disk.before(call)
            if number == last:
                break
        else:
            return False
    if disk:
        disk.cut(rng)
    return True


def _killed_while_grading(scenario: Scenario, root: Path, rng: random.Random, alone: bool) -> bool:
    pid = forked(lambda: grade_class(root, type(scenario.runner)(), 2, [scenario.lab], _nowhere()))
    time.sleep(rng.uniform(0, scenario.grading_seconds))
    family = psutil.Process(pid).children(recursive=True)
    for process in [psutil.Process(pid), *(() if alone else family)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    ended = os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    _, orphans = psutil.wait_procs(family, timeout=ORPHAN_SECONDS)
    if orphans:
        raise CourseError(f"{len(orphans)} processes of a killed grader did not end: {orphans[0].cmdline()[:3]}.")
    return ended


def forked(work: Callable[[], None]) -> int:
    """Start work in a forked process; it ends with 0 if the work did."""
    sys.stdout.flush(), sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


@contextlib.contextmanager
def copied(scenario: Scenario) -> Iterator[Path]:
    """The class before the run, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="class-", dir=scenario.before.parent.parent) as folder:
        root = Path(folder).resolve() / "class"
        shutil.copytree(scenario.before, root, symlinks=True)
        yield root


def replay(scenario: Scenario) -> Grader:
    """A grader that has every result already."""

    def again(jobs: Iterable[Job]) -> Iterator[tuple[Job, Result]]:
        for job in jobs:
            name = _sha256(job.content)
            yield job, scenario.results[job.assignment.key(job.student, name)]

    return again


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _made(root: Path) -> Iterator[Path]:
    """The files to compare byte by byte: not those that are compared in another way, copies, locks, or a lab's page for
    the instructor, which draws the times of entries.
    """
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        compared = (name.parts[0], path.suffix) == ("results", ".json") or path.name == "ledger.jsonl"
        left_out = path.name == LOCK or name.parts[0] in ("backups", "gradebook.db", "summary")
        if path.is_file() and not path.is_symlink() and not compared and not left_out:
            yield path


def _versions(lab: Lab, folder: Path) -> tuple[Lab, Lab]:
    """The lab with a check that nobody can pass, and the lab as it is."""
    for version in ("early", "now"):
        shutil.copytree(lab.folder, folder / version / lab.id)
    checks = folder / "early" / lab.id / lab.checks.path.name
    checks.write_text(checks.read_text() + TOO_STRICT.format(task=lab.tasks[0].id))
    return read_lab(folder / "early" / lab.id), read_lab(folder / "now" / lab.id)


def _first_submissions(lab: Lab) -> Iterator[tuple[str, NotebookNode]]:
    """Graded before: all right, untouched, one mistake, and all right with a mark that a person overruled."""
    yield "ana", solution_notebook(lab)
    yield "ben", release_notebook(lab)
    yield "cem", _with_mistake(lab)
    yield "dua", solution_notebook(lab)


def _later_submissions(lab: Lab) -> Iterator[tuple[str, NotebookNode]]:
    """Handed in since: the mistake repaired, and two who are new."""
    yield "cem", solution_notebook(lab)
    yield "eli", solution_notebook(lab)
    yield "fay", nbformat.v4.new_notebook()


def _with_mistake(lab: Lab) -> NotebookNode:
    notebook, wrong = solution_notebook(lab), next(one for one in lab.wrong if one.task == lab.tasks[1].id)
    next(cell for cell in notebook.cells if cell.id == lab.task(wrong.task).solution_cell_id).source = wrong.source
    return notebook


def _hand_in(root: Path, lab: Lab, submissions: Iterable[tuple[str, NotebookNode]]) -> None:
    for student, notebook in submissions:
        folder = root / "submitted" / student / lab.id
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, folder / f"{folder.name}.ipynb")
        # As nbgrader's exchange leaves them.
        (folder / "timestamp.txt").write_text("2026-11-20 09:00:00 UTC\n")
        (folder / "submission_secret.txt").write_text(_sha256(student.encode()))


def _mark_by_hand(root: Path, lab: Lab) -> None:
    """Enter scores and comments, as formgrader does: for the questions, and for all that one student did."""
    with reading(root / "gradebook.db") as session:
        for grade in session.scalars(select(Grade)).all():
            if grade.name in [question.id for question in lab.manual] or grade.student.id == "dua":
                grade.manual_score, grade.needs_manual_grade = 1.5, False
        for comment in session.scalars(select(Comment)).all():
            comment.manual_comment = f"Seen, {comment.student.id}."
        session.commit()


def _nowhere() -> Console:
    return Console(file=open(os.devnull, "w"))
