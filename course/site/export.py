"""A page as a notebook for plain JupyterLab and Colab: no MyST in it, no outputs, the same bytes each time."""

import ast
import base64
import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course import __version__, kit
from course.errors import CourseError
from course.site.bibliography import read_bibliography
from course.site.plain import Plain
from course.site.source import Cell, Source, read_source
from course.storage import write_atomic

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
FOLDED_TAGS = {"hide-input", "remove-input", "hide-cell", "remove-cell"}


def export_notebook(source: Path, target: Path, values: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write the page's notebook.

    Speaker notes and instructors' cells are left out; directives and roles become plain Markdown and HTML; pictures
    become attachments; the works cited are listed at the end.

    Args:
        source: the page, a MyST text notebook.
        target: the .ipynb file.
        values: what the page's {eval} expressions gave when it was built (``inline_values``); those not among them are
            shown as code.

    Raises:
        SourceError: something in the page has no plain form, such as an unknown directive, label or citation.
    """
    page = read_source(source)
    bibliography = kit.root() / "book" / "references.bib"
    plain = Plain(page, read_bibliography(bibliography) if bibliography.is_file() else {}, values)
    cells = [_opening(page, source)]
    cells += [_cell(cell, plain) for cell in page.cells if cell.slide != "notes" and "instructor" not in cell.tags]
    if plain.cited:
        cells.append(new_markdown_cell(f"## References\n\n{plain.references()}"))
    cells = [cell for cell in cells if cell.source.strip()]
    for index, cell in enumerate(cells):
        cell["id"] = hashlib.sha256(f"{source.parent.name}/{index}\n{cell.source}".encode()).hexdigest()[:12]
    notebook = new_notebook(cells=cells, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise CourseError(
            f"The notebook of {source} is not valid ({error.message}): report this as a fault."
        ) from error
    write_atomic(target, nbformat.writes(notebook, indent=1) + "\n")


def inline_values(tree: dict) -> dict[str, str]:
    """The results of the {eval} expressions in a built page's tree, as the page shows them, by expression."""
    values = {}
    pending = [tree]
    while pending:
        node = pending.pop()
        pending += node.get("children", [])
        result = node.get("result") or {}
        if node["type"] == "inlineExpression" and result.get("status") == "ok":
            text = result["data"].get("text/plain", "")
            values[node["value"]] = ast.literal_eval(text) if text[:1] in "'\"" else text
    return values


def _opening(page: Source, source: Path) -> dict:
    title, description = page.front.get("title", source.stem), page.front.get("description", "")
    origin = f"From Waveform to Cloud {__version__}. Run it in the course's environment: `make course` sets it up."
    return new_markdown_cell(f"# {title}\n\n{description}\n\n*{origin}*")


def _cell(cell: Cell, plain: Plain) -> dict:
    if cell.kind == "code":
        folded = {"jupyter": {"source_hidden": True}} if cell.tags & FOLDED_TAGS else {}
        return new_code_cell(cell.text, metadata=folded)
    plain.images.clear()
    made = new_markdown_cell(plain.markdown(cell.text, cell.line))
    if plain.images:
        made["attachments"] = {name: _attachment(file) for name, file in plain.images.items()}
    return made


def _attachment(file: Path) -> dict[str, str]:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return {kind: base64.b64encode(file.read_bytes()).decode()}
