"""The child process of ``course lab check``: runs a notebook's cells in one IPython shell and reports as it goes.

Started as ``python -m course.lab.cell_runner CELLS REPORT``: the file CELLS is a JSON list of pairs ``[cell id,
source]``. Each line appended to the file REPORT is one JSON object: ``{"running": id}`` before a cell,
``{"finding": …}`` for what a visible check shows, ``{"raised": id, "error": …}`` after a cell that raised,
``{"done": true}`` at the end.
"""

import json
import sys
from pathlib import Path
from typing import Any

from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from traitlets import Type
from traitlets.config import Config

from course.lab.visible import MIME


class Report:
    """Appends JSON lines to a file, which is closed after each, so that nothing is lost when the process is ended."""

    def __init__(self, path: Path):
        self.path = path

    def write(self, **entry: Any) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


class FindingPublisher(DisplayPublisher):
    """Passes on what the visible checks display and drops every other output."""

    def publish(self, data: dict, *args: Any, **kwargs: Any) -> None:
        if MIME in data:
            self.parent.report.write(finding=data[MIME])


class CellShell(InteractiveShell):
    """A shell without history and without a screen."""

    display_pub_class = Type(FindingPublisher)
    report: Report

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        """The error is reported by its cell; the traceback is for the notebook."""


def run_cells(cells: list[tuple[str, str]], report: Report) -> None:
    """Run the cells in order; a cell that raises does not stop the next one."""
    shell = CellShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.report = report
    for name, source in cells:
        report.write(running=name)
        error = _error(shell.run_cell(source))
        if error is not None:
            report.write(raised=name, error=_told(error))
    report.write(done=True)


def _error(result: ExecutionResult) -> BaseException | None:
    return result.error_before_exec or result.error_in_exec


def _told(error: BaseException) -> str:
    line = error.lineno if isinstance(error, SyntaxError) else None
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {text}" + (f" (line {line} of the cell)" if line else "")


if __name__ == "__main__":
    run_cells(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Report(Path(sys.argv[2])))
