"""A lab's page on the site, made from its release: what an intern gets, not executed."""

from pathlib import Path

import yaml
from nbformat import NotebookNode

from course.lab.build import release_notebook
from course.lab.source import read_lab
from course.site.lines import LineMap


def lab_page(folder: Path) -> tuple[str, LineMap]:
    """MyST text of the lab's page and the map of its lines to ``lab.md``.

    Args:
        folder: the lab's folder.

    Raises:
        SourceError: the lab is not valid.
        CourseError: its release would leak hidden material.
    """
    lab = read_lab(folder)
    origins = {cell.id: cell.body for cell in lab.cells}
    description = f"{lab.title}: {lab.hours:g} hours, {lab.points} points."
    front = yaml.safe_dump({"title": lab.title, "description": description}, allow_unicode=True, width=1000)
    lines, pairs = ["---", *front.splitlines(), "---", ""], [(1, 1)]
    for cell in release_notebook(lab).cells:
        text, offset = cell_text(cell)
        pairs.append((len(lines) + 1 + offset, origins.get(cell.id, pairs[-1][1])))
        lines += [*text, ""]
    return "\n".join(lines) + "\n", LineMap(pairs)


def cell_text(cell: NotebookNode) -> tuple[list[str], int]:
    """The cell as lines of MyST, and how many of them come before the cell's own first line.

    A fallback, which nobody needs to read first, is folded.
    """
    body = cell.source.splitlines()
    if cell.cell_type == "markdown":
        return body, 0
    fence = "`" * 3
    listing = [f"{fence}python", *body, fence]
    if "fallback" not in cell.metadata.get("tags", []):
        return listing, 1
    return [f"{fence}`{{dropdown}} Fallback, used while the task above is not solved", *listing, f"{fence}`"], 2
