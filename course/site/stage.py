"""Laying the rooms' text out as one MyST project, from which the engine builds the site.

The engine wants one folder; the rooms are several, and a lab's source holds what no intern may see. So every build
brings ``build/site-source`` up to date: the text of ``book/`` and ``notebooks/`` as it is, and for each lab a page made
from its *release*. Files that have not changed are not touched, so that the engine's caches hold.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import yaml
from nbformat import NotebookNode

from course.errors import SourceError
from course.site.labpage import lab_page
from course.site.library import CODE_CELL, library_hash
from course.site.lines import LineMap
from course.storage import write_atomic

CONFIG = "book/myst.yml"
LEFT_OUT = {"theme", "node_modules", "myst.yml", "__pycache__", ".ipynb_checkpoints"}
LAB_FIGURES = {".svg", ".png"}
TREE = "course/tree/dist/widget.mjs"  # made by set-up
ERROR_RULES = (
    "reference-target-resolves",
    "link-resolves",
    "link-text-exists",
    "identifier-is-unique",
    "citation-is-unique",
    "reference-syntax-valid",
    "role-known",
    "directive-known",
    "directive-argument-correct",
    "directive-options-correct",
    "directive-body-correct",
    "footnote-references-definition",
    "image-exists",
    "image-copied",
    "math-renders",
    "block-metadata-loads",
    "code-metadata-loads",
)


@dataclass
class StagedPage:
    """One page of the site.

    Attributes:
        source: its path in the staged project, e.g. ``notebooks/01-sound-as-numbers/lecture.md``.
        url: its folder in the site, with a trailing slash; "" for the landing page.
        origin: the file that its author wrote.
        lines: staged line → line in ``origin``.
        notebook: name of the .ipynb that readers download beside the page, or None.
        release: of a lab, the notebook that interns get.
    """

    source: str
    url: str
    origin: Path
    lines: LineMap
    notebook: str | None = None
    release: NotebookNode | None = None


@dataclass
class Staging:
    """The staged project: where it came from, where it is, its pages, and what its cached outputs depend on."""

    root: Path
    folder: Path
    config: dict
    pages: dict[str, StagedPage] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


def stage(root: Path, folder: Path) -> Staging:
    """Bring the staged project in ``folder`` up to date with the rooms under ``root``.

    Raises:
        SourceError: book/myst.yml is not YAML, has no table of contents, or names a page that does not exist.
    """
    config = read_config(root)
    staging = Staging(root, folder, config)
    files = room_files(root)
    for source in contents(config["project"]["toc"], root):
        page, text = stage_page(root, source, staging)
        staging.pages[page.source] = page
        files[page.source] = text.encode()
    files["myst.yml"] = yaml.safe_dump(engine_config(config, root), sort_keys=False, allow_unicode=True).encode()
    bring_up_to_date(folder, files)
    return staging


def read_config(root: Path) -> dict:
    """``book/myst.yml`` as a dictionary."""
    path = root / CONFIG
    try:
        config = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise SourceError(path, mark.line + 1 if mark else None, f"expected YAML: {error}") from error
    if not isinstance(config, dict) or not (config.get("project") or {}).get("toc"):
        raise SourceError(
            path, None, "expected `project: toc:` with a list of pages; every page of the site is named there"
        )
    return config


def contents(entries: list[dict], root: Path) -> list[str]:
    """Paths of all pages in the table of contents, in reading order, relative to the kit's root."""
    found = []
    for entry in entries:
        if "file" in entry:
            found.append(from_book(entry["file"], root))
        found += contents(entry.get("children") or [], root)
    return found


def from_book(name: str, root: Path) -> str:
    """A path written in book/myst.yml (relative to book/) as a path relative to the kit's root."""
    path = (root / "book" / name).resolve()
    if not path.is_file():
        raise SourceError(
            root / CONFIG, line_of(root / CONFIG, name), f"{name} does not exist; correct the path or remove it"
        )
    return path.relative_to(root.resolve()).as_posix()


def line_of(path: Path, text: str) -> int | None:
    """The first line of the file that contains ``text``."""
    lines = path.read_text().splitlines()
    return next((number for number, line in enumerate(lines, 1) if text in line), None)


def room_files(root: Path) -> dict[str, bytes]:
    """Everything beside the pages that they may refer to: figures, widgets, plugins, the bibliography."""
    found = {}
    for room in ("book", "notebooks"):
        for path in sorted((root / room).rglob("*")):
            parts = path.relative_to(root / room).parts
            if path.is_file() and path.suffix != ".md" and not LEFT_OUT.intersection(parts) and parts[0][0] != ".":
                found[path.relative_to(root).as_posix()] = path.read_bytes()
    for path in sorted((root / "labs").glob("*/*")):
        if path.suffix in LAB_FIGURES:
            found[path.relative_to(root).as_posix()] = path.read_bytes()
    if (root / TREE).is_file():
        found[TREE] = (root / TREE).read_bytes()
    return found


def stage_page(root: Path, source: str, staging: Staging) -> tuple[StagedPage, str]:
    """The page and its staged text."""
    origin, path = root / source, PurePosixPath(source)
    page = StagedPage(source, site_folder(source), origin, LineMap())
    if path.parts[0] == "labs":
        lab = lab_page(origin.parent)
        page.lines, page.release, page.notebook = lab.lines, lab.release, f"{path.parts[1]}.ipynb"
        return page, lab.text
    text = origin.read_text()
    if path.parts[0] == "notebooks":
        page.notebook = f"{path.parts[1]}.ipynb"
    if CODE_CELL.search(text):
        variable = f"COURSE_LIBRARY_{len(staging.pages)}"
        staging.environment[variable] = library_hash(root, text)
        text, page.lines = depending_on(text, variable, origin)
    return page, text


def depending_on(text: str, variable: str, origin: Path) -> tuple[str, LineMap]:
    """The text with a front matter line that makes the engine's cache of its outputs depend on ``variable``."""
    if not text.startswith("---\n"):
        raise SourceError(origin, 1, "expected front matter (a block between `---` lines with title and kernelspec)")
    added = f"execute: {{depends_on_env: [{variable}]}}\n"
    return "---\n" + added + text[4:], LineMap([(1, 1), (2, 1), (3, 2)])


def site_folder(source: str) -> str:
    """Where a page lives in the site: readable, and the same whatever its file is called inside its folder."""
    path = PurePosixPath(source)
    if source == "book/index.md":
        return ""
    if path.parts[0] == "book":
        return "/".join((*path.parts[1:-1], path.stem)) + "/"
    room = {"notebooks": "lectures"}.get(path.parts[0], path.parts[0])
    return "/".join((room, *path.parts[1:-1])) + "/"


def engine_config(config: dict, root: Path) -> dict:
    """``book/myst.yml`` as the engine reads it: paths from the project's top, our template, what counts as an error."""
    project = dict(config["project"])
    project["toc"] = engine_toc(project["toc"], root)
    for key in ("bibliography", "plugins"):
        project[key] = [from_book(name, root) for name in project.get(key) or []]
    numbering = {"predict": {"enabled": True, "template": "Prediction %s"}}
    project["numbering"] = numbering | (project.get("numbering") or {})
    project["error_rules"] = [{"rule": rule, "severity": "error"} for rule in ERROR_RULES]
    # Resolved, because the engine takes a link to a folder for the name of a template to download.
    site = dict(config.get("site") or {}) | {"template": str((root / "book" / "theme").resolve())}
    return {"version": 1, "project": project, "site": site}


def engine_toc(entries: list[dict], root: Path) -> list[dict]:
    """The table of contents with paths from the project's top."""
    result = []
    for entry in entries:
        entry = dict(entry)
        if "file" in entry:
            entry["file"] = from_book(entry["file"], root)
        if "children" in entry:
            entry["children"] = engine_toc(entry["children"] or [], root)
        result.append(entry)
    return result


def bring_up_to_date(folder: Path, files: dict[str, bytes]) -> None:
    """Make ``folder`` hold exactly ``files`` (beside the engine's ``_build``), writing only what differs."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] == "_build" or name in files:
            continue
        if path.is_file() or path.is_symlink():
            path.unlink()
        elif not any(path.iterdir()):
            path.rmdir()
    for name, data in files.items():
        target = folder / name
        if not target.is_file() or target.read_bytes() != data:
            write_atomic(target, data)


def write_manifest(staging: Staging, path: Path, about: dict) -> None:
    """The JSON that tells the theme how pages are addressed and what the site says about itself."""
    pages = {
        page.source: {"url": page.url, "notebook": page.notebook, "source": page.source}
        for page in staging.pages.values()
    }
    write_atomic(path, json.dumps(about | {"pages": pages}, indent=1, sort_keys=True))
