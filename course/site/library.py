"""Which modules of ``course`` a lecture stands on: it is executed again when one of them changes, and only then."""

import ast
import hashlib
import os
import re
from pathlib import Path

CODE_CELL = re.compile(r"^(`{3,}|:{3,})\{code-cell\}[^\n]*\n(.*?)^\1", re.M | re.S)
REGISTRIES = (".json", ".toml", ".yaml", ".yml", ".csv", ".tsv", ".txt", ".safetensors")
INSTALLED = ("node_modules", "dist", "__pycache__")  # made by set-up from what the lock names
LADDER = "course/ladder/records.py"
SERVED, SERVICE = "course/serving/process.py", "services/inference"
OTHER_ROOMS = re.compile(r"labs/[\w-]+/reference|services(?:/[\w-]+)+(?:\.\w+)?")


def library_hash(root: Path, lecture: str) -> str:
    """A hash of the course modules that the lecture imports, directly or not, of the registries and of the lock; and
    of the ladder's records, a lab's reference results and the services, where it shows them."""
    digest = hashlib.sha256()
    for path in sorted({*imported_files(root, lecture), *other_inputs(root), *other_rooms(root, lecture)}):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    if shows_ladder(root, lecture):
        from course.ladder import ladder_digest

        digest.update(ladder_digest().encode())
    return digest.hexdigest()[:16]


def shows_ladder(root: Path, lecture: str) -> bool:
    """Whether a page's code cells reach the records of the ladder, which are measured before pages are executed."""
    return root / LADDER in imported_files(root, lecture)


def other_rooms(root: Path, lecture: str) -> set[Path]:
    """Reference records and files of services that the lecture names; and the service itself, where it starts it."""
    named = {root / name for name in OTHER_ROOMS.findall(lecture)}
    if root / SERVED in imported_files(root, lecture):
        named.add(root / SERVICE)
    return {path for place in named for path in (place, *place.rglob("*")) if path.is_file() and path.suffix != ".pyc"}


def other_inputs(root: Path) -> list[Path]:
    """What a lecture may depend on without importing it: the lock, registries and manifests beside the modules."""
    beside = []
    for folder, below, names in os.walk(root / "course"):
        below[:] = [name for name in below if name not in INSTALLED]
        beside += [Path(folder, name) for name in names if name.endswith(REGISTRIES)]
    return [path for path in (root / "requirements.lock", *beside) if path.is_file()]


def imported_files(root: Path, lecture: str) -> set[Path]:
    """Files of the course modules that the lecture's code cells reach."""
    sources = [re.sub(r"^:[\w-]+:.*$|^[%!].*$", "", cell[2], flags=re.M) for cell in CODE_CELL.finditer(lecture)]
    queue = [name for source in sources for name in imported_names(source)]
    found: set[Path] = set()
    while queue:
        for path in module_files(root, queue.pop()):
            if path not in found:
                found.add(path)
                queue += imported_names(path.read_text())
    return found


def imported_names(source: str) -> list[str]:
    """Dotted names of the ``course`` modules that a piece of Python imports; none if it is not Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.split(".")[0] == "course"]


def module_files(root: Path, name: str) -> list[Path]:
    """The file of a dotted module name and those of the packages around it."""
    parts = name.split(".")
    candidates = [root.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    return [path for path in (*candidates, root.joinpath(*parts).with_suffix(".py")) if path.is_file()]
