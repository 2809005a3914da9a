"""Visible checks: what an intern sees below a task while working on it.

``with check("synthesise"):`` runs a few assertions whose messages teach. Whatever goes wrong inside is shown as one
sentence and never stops *Run All*; ``solved("synthesise")`` tells a fallback cell whether it is needed. The state
lives in the kernel's process and is evidence of nothing: points come from the hidden checks.
"""

import html
import linecache
import os
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from types import CodeType, FrameType, TracebackType
from typing import Any

MIME = "application/vnd.course.check+json"
RIGHT, NOT_YET, UNSOLVED = "right", "not yet", "unsolved"
LONGEST_SENTENCE = 600
# Contrast of text on its background is at least 8:1; the words carry the meaning without the colours.
LOOKS = {
    RIGHT: ("Right", "✓", "#14532d", "#e7f6ec", "#15803d"),
    NOT_YET: ("Not yet", "✗", "#5c2e00", "#fff3dd", "#b45309"),
    UNSOLVED: ("Not solved", "○", "#1f2933", "#eef1f5", "#52606d"),
}


@dataclass(frozen=True)
class Finding:
    """What a visible check found: the task, its state (right, not yet, unsolved) and a sentence for the intern."""

    task: str
    state: str
    sentence: str

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        return {"text/plain": str(self), "text/html": self.as_html(), MIME: asdict(self)}

    def __str__(self) -> str:
        return f"{LOOKS[self.state][0]}: {self.task}. {self.sentence}"

    def as_html(self) -> str:
        """A box that says the state in words, with a colour beside them."""
        word, mark, ink, paper, edge = LOOKS[self.state]
        style = f"color:{ink};background:{paper};border-left:0.4em solid {edge};padding:0.6em 1em;margin:0.3em 0"
        return (
            f'<div class="course-check" role="status" style="{style}"><strong>{mark} {word}:</strong> '
            f"<code style='color:inherit;background:none'>{html.escape(self.task)}</code>. "
            f"<span style='white-space:pre-line'>{html.escape(self.sentence)}</span></div>"
        )


_findings: dict[str, Finding] = {}
# For each task, the file and line of every `solved(task)` that said no: a function defined below one is a fallback.
_fallbacks: dict[str, set[tuple[str, int]]] = {}


def solved(task: str) -> bool:
    """Whether the task's visible check was right when it last ran in this kernel; a fallback cell asks this."""
    finding = _findings.get(task)
    if finding and finding.state == RIGHT:
        return True
    caller = sys._getframe(1)
    _fallbacks.setdefault(task, set()).add((caller.f_code.co_filename, caller.f_lineno))
    return False


class check:
    """Run the assertions of a task's visible check and show what they found; never stops the notebook.

    Under nbgrader's own execution (``NBGRADER_EXECUTION``) a failure is raised, as nbgrader expects it.

    Args:
        task: the task's id, which is the name of its function.
    """

    def __init__(self, task: str):
        self.task = task

    def __enter__(self) -> None:
        self.cell = sys._getframe(1)
        _findings.pop(self.task, None)
        if _is_fallback(self.task, self.cell):
            _findings[self.task] = Finding(self.task, UNSOLVED, _FALLBACK_IN_PLACE.format(task=self.task))

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if kind is not None and not issubclass(kind, (Exception, SystemExit)):
            return False
        finding = _findings.get(self.task) or self._judged(error, trace)
        _findings[self.task] = finding
        _show(finding)
        return "NBGRADER_EXECUTION" not in os.environ

    def _judged(self, error: BaseException | None, trace: TracebackType | None) -> Finding:
        if error is None:
            return Finding(self.task, RIGHT, "The visible check passes; the hidden checks look at more.")
        line = self._student_line(trace)
        if isinstance(error, NotImplementedError) and line:
            return Finding(
                self.task, UNSOLVED, f"Write {self.task} in its cell, run that cell, then the check below it."
            )
        return Finding(self.task, NOT_YET, _shortened(self._sentence(error, line)))

    def _sentence(self, error: BaseException, line: str | None) -> str:
        named = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if line:
            return f"Your code stopped with {named}\n{line}"
        if isinstance(error, AssertionError):
            return str(error) or "The check's assertion does not hold."
        if isinstance(error, NameError) and error.name == self.task:
            return f"There is no function {self.task} yet: run the cell that defines it, then the check."
        if isinstance(error, NameError):
            return f"The check needs {error.name}, which is not there yet: run the cells above it first."
        return f"The check could not use what {self.task} returned: {named}"

    def _student_line(self, trace: TracebackType | None) -> str | None:
        """The line of the notebook, outside of this check's cell, in which the error came up; None if there is none."""
        frames = [
            (frame, number) for frame, number in traceback.walk_tb(trace) if frame.f_globals is self.cell.f_globals
        ]
        if not frames or frames[-1][0].f_code in _codes_of(self.cell.f_code):
            return None
        frame, number = frames[-1]
        text = linecache.getline(frame.f_code.co_filename, number).strip()
        return f"in {frame.f_code.co_name}, line {number} of its cell: {text}"


def _codes_of(code: CodeType) -> Iterator[CodeType]:
    """A code and those of the functions that are defined in it."""
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _codes_of(one)


_FALLBACK_IN_PLACE = (
    "The lab's fallback stands in for {task}, and it earns no points. "
    "Run the cell with your own {task}, then the check."
)


def _is_fallback(task: str, cell: FrameType) -> bool:
    """Whether the function of that name was defined below the ``solved(task)`` of a fallback cell."""
    code = getattr(cell.f_globals.get(task), "__code__", None)
    places = _fallbacks.get(task, ())
    return code is not None and any(code.co_filename == name and code.co_firstlineno > line for name, line in places)


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= LONGEST_SENTENCE else sentence[:LONGEST_SENTENCE] + " …"


def _show(finding: Finding) -> None:
    """Display in a notebook, print elsewhere."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display(finding)
    else:
        print(finding)
