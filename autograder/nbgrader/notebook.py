"""The notebooks in ``autograded``: formgrader shows them to whoever grades, ``generate_feedback`` to the student.

Locked cells are the release's, text and code the student's. Under each check stand its points and what to look at,
in the form from which nbgrader reads a cell's score. Under the student's own code stands what it showed when it was
handed in, as far as that is text or a picture: it helps a person to judge an answer, and no score depends on it.
"""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

from autograder.collection import kept_submissions
from autograder.grading import Assignment
from autograder.intake import Rejected, canonical, graded_notebook, parse
from autograder.nbgrader.notes import write_notes
from autograder.result import Hint, Result, TaskResult
from course.lab.cells import Role
from course.storage import write_atomic

HANDED_IN = "Shown when the notebook was handed in; the grading did not look at it.\n"
CUT = "\n… cut here, because it is long."
OUTPUTS_SHOWN = 12
TEXT_SHOWN = 8_000  # characters in a cell
PICTURE_BYTES = 1 << 20
PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


def write_autograded(root: Path, assignment: Assignment, result: Result, timestamp: str | None) -> None:
    """Write what formgrader shows for a result, and nbgrader's notes beside it."""
    folder = root / "autograded" / result.student / result.lab
    content = None
    if result.submission:
        content = (kept_submissions(root) / f"{result.submission}.ipynb").read_bytes()
    notebook = autograded_notebook(assignment, result, content)
    write_atomic(folder / f"{result.lab}.ipynb", nbformat.writes(notebook) + "\n")
    write_notes(root, folder, result.student, result.lab, timestamp)


def clean_notebook(assignment: Assignment, content: bytes | None) -> NotebookNode:
    """A submission as nbgrader may read it, without any output; the untouched release if it was not accepted."""
    try:
        submission = canonical(parse(content or b""), assignment.lab.id, assignment.released)
    except Rejected:
        return nbformat.from_dict(assignment.release)
    return graded_notebook(submission, assignment.release)


def autograded_notebook(assignment: Assignment, result: Result, content: bytes | None) -> NotebookNode:
    """The notebook to show for a result.

    Args:
        assignment: of the result's lab.
        result: points, hints, and what was special.
        content: the bytes that were handed in; None where intake could not read any.
    """
    notebook = clean_notebook(assignment, content)
    shown = _handed_in_outputs(assignment, content)
    tasks = {
        task.check_cell_id: outcome
        for task in assignment.lab.tasks
        for outcome in result.tasks
        if outcome.id == task.id
    }
    for cell in notebook.cells:
        if cell.id in tasks:
            cell.outputs = _verdict(tasks[cell.id])
        elif cell.cell_type == "code" and (outputs := shown.get(cell.id)):
            cell.outputs = [_text(HANDED_IN), *outputs]
    notebook.cells.insert(0, _head(result))
    return notebook


def _head(result: Result) -> NotebookNode:
    """A cell that says how the grading went."""
    lines = [f"{result.status}: {result.score} of {result.max_score} points for the tasks. {result.sentence}"]
    lines += [*result.notes, *(line for cell in result.cells for line in _lines(cell))]
    source = "# How the grading went. This cell is not the student's."
    return new_code_cell(source, id="how-the-grading-went", outputs=[_text("\n".join(lines) + "\n")])


def _verdict(task: TaskResult) -> list[NotebookNode]:
    """Hints, then the points: nbgrader takes the number in ``text/plain`` for the score of the cell."""
    lines = [line for hint in task.details for line in _lines(hint)] or list(task.hints)
    passed = f"{task.checks_passed} of {task.checks} hidden checks passed." if task.checks else "No check was run."
    points = {"text/plain": str(task.score), "text/html": f"<b>{task.score} of {task.max_score} points</b>"}
    return [_text("\n".join([passed, *lines]) + "\n"), new_output("execute_result", points)]


def _lines(hint: Hint) -> list[str]:
    return [hint.text, *([f"    {hint.error}"] if hint.error else []), *(f"    {line}" for line in hint.lines)]


def _text(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=text)


def _handed_in_outputs(assignment: Assignment, content: bytes | None) -> dict[str, list[NotebookNode]]:
    """What the student's code cells showed when they were handed in, by the id of the cell in the clean notebook."""
    try:
        notebook = parse(content or b"")
    except Rejected:
        return {}
    shown, seen = {}, Counter()
    raw = json.loads(content)["cells"]
    for number, (cell, fields) in enumerate(zip(notebook.cells, raw, strict=True), start=1):
        original = assignment.released.get(cell.name)
        seen[cell.name] += 1
        if original is None:
            shown[f"own-{number}"] = list(_kept_outputs(fields.get("outputs")))
        elif original.role is Role.SOLUTION:
            count = seen[cell.name]
            shown[cell.name if count == 1 else f"{cell.name}-{count}"] = list(_kept_outputs(fields.get("outputs")))
    return shown


def _kept_outputs(outputs: Any) -> Iterator[NotebookNode]:
    """Texts and pictures among the outputs, in their order, as much as a person wants to see."""
    room = TEXT_SHOWN
    for output in outputs[:OUTPUTS_SHOWN] if isinstance(outputs, list) else ():
        output = output if isinstance(output, dict) else {}
        data = output["data"] if isinstance(output.get("data"), dict) else {}
        picture = next((new for kind in PICTURES if (new := _picture(kind, data.get(kind)))), None)
        text = _joined(output.get("text")) or _joined(data.get("text/plain")) or _joined(output.get("evalue"))
        if picture:
            yield picture
        elif text and room > 0:
            yield _text(text if len(text) <= room else text[:room] + CUT)
            room -= len(text)


def _joined(text: Any) -> str:
    """Text, which a notebook may store as a list of lines; what UTF-8 cannot hold becomes a question mark."""
    if isinstance(text, list) and all(isinstance(line, str) for line in text):
        text = "".join(text)
    return text.encode(errors="replace").decode() if isinstance(text, str) else ""


def _picture(kind: str, encoded: Any) -> NotebookNode | None:
    """The picture, if the data begin as one of its kind does and are not too large."""
    encoded = "".join(_joined(encoded).split())
    if not 0 < len(encoded) <= PICTURE_BYTES * 4 // 3 + 4:
        return None
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return new_output("display_data", {kind: encoded}) if decoded.startswith(PICTURES[kind]) else None
