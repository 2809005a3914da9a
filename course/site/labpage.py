"""A lab's page on the site, made from its release: what an intern gets, run once with no task solved.

The fallbacks stand in for the tasks, so that the demonstrations show what will work at the end of the lab.
"""

from dataclasses import dataclass
from pathlib import Path

import yaml
from nbformat import NotebookNode

from course.lab.build import release_notebook
from course.lab.source import read_lab
from course.site.lines import LineMap

FENCE = "`" * 3
# What the page makes of a cell's code and outputs. A check of an unsolved task says only that it is unsolved.
TAGS = {
    "setup": ["hide-input", "remove-output"],
    "fallback": ["hide-input", "remove-output"],
    "demo": ["hide-input"],
    "check": ["remove-output"],
}
OPENING = (
    "```{note} The lab is the notebook",
    "This page is the lab's text with its demonstrations, for reading and searching. They were made with fallbacks in",
    "place of the tasks. Download the notebook and open it in JupyterLab: there the checks answer.",
    "```",
)
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


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
    fields = {"title": lab.title, "description": description, "numbering": {"heading_2": False}, "kernelspec": KERNEL}
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
    """The cell as lines of MyST, and how many of them come before the cell's own first line."""
    body = cell.source.splitlines()
    if cell.cell_type == "markdown":
        return body, 0
    tags = [tag for role in roles(cell) if role in TAGS for tag in (role, *TAGS[role])]
    options = [f":tags: [{', '.join(tags)}]"] if tags else []
    opening = [f"{FENCE}{{code-cell}} ipython3", *options, ""]
    return [*opening, *body, FENCE], len(opening)


def roles(cell: NotebookNode) -> list[str]:
    """The cell's own tags, and "check" for a cell that nbgrader calls a test."""
    graded = cell.metadata.get("nbgrader", {})
    test = ["check"] if graded.get("grade") and not graded.get("solution") else []
    return [*cell.metadata.get("tags", []), *test]
