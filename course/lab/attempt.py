"""An intern's notebook: reading it, and running a lab's visible checks on it in a process of their own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.errors import CourseError, shown
from course.lab.cells import Role
from course.lab.names import names_bound, names_needed
from course.lab.source import Lab, find_lab
from course.lab.visible import NOT_YET, UNSOLVED, Finding

LOCKED_ROLES = (Role.SETUP, Role.CHECK, Role.FALLBACK)
# Starting Python and IPython takes a second; a machine on which it takes this long is broken.
STARTING_SECONDS = 120.0
POLLING_SECONDS = 0.02
UNANSWERED = "YOUR ANSWER HERE"


@dataclass(frozen=True)
class Attempt:
    """An intern's notebook of a lab, with every cell that the lab's visible checks need."""

    path: Path
    lab: Lab
    notebook: NotebookNode

    def answered(self, grade_id: str) -> bool:
        """Whether the intern wrote something in the cell of a question that a person grades."""
        sources = [cell.source for cell in self.notebook.cells if _grade_id(cell) == grade_id]
        return bool(sources) and UNANSWERED not in sources[0]


@dataclass(frozen=True)
class Outcome:
    """What the visible checks found, a finding per task in the lab's order, and what went wrong beside them."""

    findings: list[Finding]
    notes: list[str]


def read_attempt(path: Path, lab_name: str | None = None) -> Attempt:
    """Read an intern's notebook.

    Args:
        path: the .ipynb file.
        lab_name: the lab it should belong to; where it is None, the notebook's metadata says so.

    Raises:
        CourseError: the file is no notebook, is empty, belongs to another lab, or lacks cells of the lab.
    """
    path = Path(path)
    notebook = _read_notebook(path)
    written = notebook.metadata.get("course", {}).get("lab")
    if written is None and lab_name is None:
        raise CourseError(f"{shown(path)} does not say which lab it belongs to; name the lab with --lab.")
    lab = find_lab(lab_name or written)
    if written not in (None, lab.id):
        raise CourseError(f"{shown(path)} is a notebook of {written}, not of {lab.id}; give the file of {lab.id}.")
    _require_cells(path, lab, notebook)
    return Attempt(path, lab, notebook)


def run_visible_checks(attempt: Attempt, seconds: float) -> Outcome:
    """Run the notebook's cells and the lab's visible checks in a fresh process.

    Demo cells are skipped, but for those that define what a check or a fallback reads.

    Args:
        attempt: the intern's notebook.
        seconds: wall-clock limit of each cell; one that runs longer is named, and the run ends there.
    """
    with tempfile.TemporaryDirectory(prefix="course-check-") as folder:
        home = Path(folder)
        report = home / "report.jsonl"
        report.touch()
        overran = _run(_cells_to_run(attempt), report, attempt.path.resolve().parent, home, seconds)
        entries = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    return _outcome(attempt.lab, entries, f"did not end within {seconds:g} s" if overran else "ended the process")


def _read_notebook(path: Path) -> NotebookNode:
    name = shown(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{name} cannot be read: {error.strerror}.") from error
    if not data.strip():
        raise CourseError(f"{name} is empty; save the notebook in JupyterLab, then try again.")
    try:
        with warnings.catch_warnings(action="ignore"):  # such as cell ids that an older Jupyter did not write
            notebook = nbformat.reads(data.decode("utf-8"), as_version=4)
            nbformat.validate(notebook)
    except Exception as error:  # nbformat raises whatever a malformed document makes its converters trip over
        raise CourseError(f"{name} is not a notebook: expected an .ipynb file that JupyterLab saved.") from error
    return notebook


def _grade_id(cell: NotebookNode) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _require_cells(path: Path, lab: Lab, notebook: NotebookNode) -> None:
    found = Counter(_grade_id(cell) for cell in notebook.cells if cell.cell_type == "code")
    wanted = [cell.id for cell in lab.cells if cell.role in (Role.SOLUTION, *LOCKED_ROLES)]
    missing = [name for name in wanted if not found[name]]
    if missing:
        raise CourseError(
            f"{shown(path)} lacks cells of {lab.id}: {', '.join(missing)}; copy your solutions into a fresh release."
        )
    twice = [name for name in wanted if found[name] > 1]
    if twice:
        raise CourseError(f"{shown(path)} holds these cells more than once: {', '.join(twice)}; delete the copies.")


def _cells_to_run(attempt: Attempt) -> list[tuple[str, str]]:
    """The intern's code cells in order; what the lab locks is the lab's own, and demo cells run only where needed."""
    ours = {cell.id: cell for cell in attempt.lab.cells}
    needed = _demos_needed(attempt.lab)
    cells, before = [], "the top"
    for cell in attempt.notebook.cells:
        name = _grade_id(cell)
        before = name or before
        role = ours[name].role if name in ours else None
        if cell.cell_type != "code" or (role is Role.DEMO and name not in needed):
            continue
        open_to_intern = role in (None, Role.SOLUTION, Role.MANUAL)
        cells.append((name or f"below {before}", cell.source if open_to_intern else ours[name].source))
    return cells


def _demos_needed(lab: Lab) -> set[str]:
    """The ids of the demo cells that define what a visible check or a fallback reads, directly or through others."""
    needed, names = set(), set()
    for cell in reversed(lab.cells):
        if cell.cell_type != "code" or cell.role is Role.INSTRUCTOR:
            continue
        bound = names_bound(cell.tree)
        if cell.role is Role.DEMO:
            if not bound & names:
                continue
            needed.add(cell.id)
        names = (names - bound) | names_needed(cell.tree)
    return needed


def _run(cells: list[tuple[str, str]], report: Path, work: Path, home: Path, seconds: float) -> bool:
    """Run the cells in a child with a process group of its own; True if a cell's limit ended it."""
    listed = home / "cells.json"
    listed.write_text(json.dumps(cells), encoding="utf-8")
    environment = os.environ | {"MPLBACKEND": "Agg", "IPYTHONDIR": str(home)}
    environment.pop("NBGRADER_EXECUTION", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "course.lab.cell_runner", str(listed), str(report)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=work,
        env=environment,
        start_new_session=True,
    )
    try:
        return _overran(process, report, seconds)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _overran(process: subprocess.Popen, report: Path, seconds: float) -> bool:
    """Wait for the child; True if for ``seconds`` it neither ended nor reported another cell."""
    reported, deadline = 0, time.monotonic() + STARTING_SECONDS
    while process.poll() is None:
        size = report.stat().st_size
        if size != reported:
            reported, deadline = size, time.monotonic() + seconds
        if time.monotonic() > deadline:
            return True
        time.sleep(POLLING_SECONDS)
    return False


def _outcome(lab: Lab, entries: list[dict], ending: str) -> Outcome:
    findings = {entry["finding"]["task"]: Finding(**entry["finding"]) for entry in entries if "finding" in entry}
    raised = {entry["raised"]: entry["error"] for entry in entries if "raised" in entry}
    stopped = None if {"done": True} in entries else _last_running(entries)
    notes = [f"The cell {name} raised {error}" for name, error in raised.items() if name not in lab.task_ids]
    if stopped:
        notes.append(f"The run stopped: the cell {stopped} {ending}.")
    return Outcome([_finding(task_id, findings, raised, stopped, ending) for task_id in lab.task_ids], notes)


def _last_running(entries: list[dict]) -> str:
    running = [entry["running"] for entry in entries if "running" in entry]
    return running[-1] if running else "that starts Python"


def _finding(
    task_id: str, findings: dict[str, Finding], raised: dict[str, str], stopped: str | None, ending: str
) -> Finding:
    if task_id in raised:
        return Finding(task_id, NOT_YET, f"The cell stopped with {raised[task_id]}")
    if task_id in findings:
        return findings[task_id]
    if stopped in (task_id, f"check-{task_id}"):
        return Finding(task_id, NOT_YET, f"It {ending}: look for a loop without an end.")
    if stopped:
        return Finding(task_id, UNSOLVED, f"Not reached: the run stopped in the cell {stopped}.")
    return Finding(task_id, NOT_YET, "Its visible check did not run.")
