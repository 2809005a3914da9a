"""A lab's page on the site, made from its release: what an intern gets, not executed."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from nbformat import NotebookNode

from course.lab.build import release_notebook
from course.lab.source import read_lab
from course.site.lines import LineMap

FENCE = "`" * 3
FOLDED = {
    "setup": "Code that prepares the lab",
    "fallback": "Fallback: used while the task above is not solved, and worth no points",
    "demo": "Code of this demonstration",
}
OPENING = (
    "```{note} The lab is the notebook",
    "This page is the lab's text, for reading and searching; nothing runs on it. Download the notebook, open it in",
    "JupyterLab, and the demonstrations play and the checks answer.",
    "```",
)


@dataclass(frozen=True)
class LabPage:
    """The page's MyST text, the map of its lines to ``lab.md``, and the released notebook that it shows."""

    text: str
    lines: LineMap
    release: NotebookNode


def lab_page(folder: Path) -> LabPage:
    """The page of a lab.

    Args:
        folder: the lab's folder.

    Raises:
        SourceError: the lab is not valid.
        CourseError: its release would leak hidden material.
    """
    lab = read_lab(folder)
    origins = {cell.id: cell.body for cell in lab.cells}
    tasks = ", ".join(task.id.replace("_", " ") for task in lab.tasks)
    description = f"Graded, {lab.points} points, about {lab.hours:g} hours: {tasks}."
    fields = {"title": lab.title, "description": description, "numbering": {"heading_2": False}}
    front = yaml.safe_dump(fields, allow_unicode=True, width=1000)
    lines, pairs = ["---", *front.splitlines(), "---", "", *OPENING, ""], [(1, 1)]
    release = release_notebook(lab)
    for cell in release.cells:
        text, offset = cell_text(cell)
        if text[:1] == [f"# {lab.title}"]:  # the page has its title from the front matter
            text, offset = text[1:], offset - 1
        pairs.append((len(lines) + 1 + offset, origins.get(cell.id, pairs[-1][1])))
        lines += [*text, ""]
    return LabPage("\n".join(lines) + "\n", LineMap(pairs), release)


def cell_text(cell: NotebookNode) -> tuple[list[str], int]:
    """The cell as lines of MyST, and how many of them come before the cell's own first line.

    Code that nobody has to read is folded.
    """
    body = cell.source.splitlines()
    if cell.cell_type == "markdown":
        return body, 0
    listing = [f"{FENCE}python", *body, FENCE]
    folded = [title for tag, title in FOLDED.items() if tag in cell.metadata.get("tags", [])]
    if not folded:
        return listing, 1
    return [f"{FENCE}`{{dropdown}} {folded[0]}", *listing, f"{FENCE}`"], 2
