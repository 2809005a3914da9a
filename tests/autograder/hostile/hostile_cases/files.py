"""Submissions that are broken or hostile as files: what a notebook is called, what it is, and what it holds."""

import copy
import json
import os
import socket
import stat
from pathlib import Path

import nbformat

from hostile_cases.case import (
    ALL,
    LAB_ID,
    STRANGER,
    TARGET,
    Case,
    Site,
    as_bytes,
    as_json,
    damages,
    hands_in,
    notebook,
)

NOTEBOOK = f"{LAB_ID}.ipynb"
ONLY_TARGET = frozenset({TARGET})
REFERENCE = hands_in(lambda site: as_bytes(notebook("solution")))


def _holds(make):
    return hands_in(lambda site: make())


def _version_3(_site: Site) -> bytes:
    return nbformat.writes(nbformat.convert(notebook("solution"), 3), version=3).encode()


def _200_mb(_site: Site, folder: Path) -> None:
    """A valid notebook with one output of 200 MB."""
    document = as_json()
    cell = next(cell for cell in document["cells"] if cell["cell_type"] == "code")
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "@"}]
    before, after = json.dumps(document).encode().split(b'"@"')
    with open(folder / NOTEBOOK, "wb") as file:
        file.write(before + b'"')
        for _ in range(200):
            file.write(b"x" * 1_000_000)
        file.write(b'"' + after)


def _symlink(site: Site, folder: Path) -> None:
    (folder / NOTEBOOK).symlink_to(site.root / "source" / LAB_ID / NOTEBOOK)


def _hard_link(site: Site, folder: Path) -> None:
    os.link(site.root / "source" / LAB_ID / NOTEBOOK, folder / NOTEBOOK)


def _linked_folder(site: Site, folder: Path) -> None:
    folder.rmdir()
    folder.symlink_to(site.root / "source" / LAB_ID)


def _sparse(_site: Site, folder: Path) -> None:
    (folder / NOTEBOOK).write_bytes(as_bytes(notebook("solution")))
    os.truncate(folder / NOTEBOOK, 2**40)


def _socket(_site: Site, folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        # The path of a socket may be no longer than 107 bytes; the file system does not mind where the name goes.
        listening.bind(f"/proc/self/fd/{(opened := os.open(folder, os.O_RDONLY))}/{NOTEBOOK}")
        os.close(opened)


def _duplicate_ids(document: dict) -> None:
    """Every cell twice; the second solution of the target is wrong, and it is the one that counts, as in Run All."""
    again = copy.deepcopy(document["cells"])
    for cell in again:
        if cell["id"] == TARGET:
            cell["source"] = f"def {TARGET}(signal, n_bits):\n    return None"
    document["cells"] += again


def _same_id(document: dict) -> None:
    """One cell id for all cells; nbgrader's names still tell them apart."""
    for cell in document["cells"]:
        cell["id"] = "same"


def _missing_ids(document: dict) -> None:
    for cell in document["cells"]:
        del cell["id"]


def _missing_cell(document: dict) -> None:
    document["cells"] = [cell for cell in document["cells"] if cell["id"] != TARGET]


def _unknown_ids(document: dict) -> None:
    """The solution of one task under a name that the lab does not know, and worth a hundred points."""
    for cell in document["cells"]:
        if cell["id"] == TARGET:
            cell["id"] = "bonus"
            cell["metadata"]["nbgrader"] |= {"grade_id": "bonus", "grade": True, "points": 100}


def _odd_ids(document: dict) -> None:
    """Cells of the student's own with ids that nbformat does not allow."""
    for odd in ("", "a b", "x" * 1000, "../../etc", "\x00", "\ud800", "own-1", "again-1"):
        document["cells"].append({"cell_type": "code", "id": odd, "source": "1", "metadata": {}, "outputs": []})


def _ids_of_other_kinds(document: dict) -> None:
    for cell, odd in zip(document["cells"], (7, None, ["a"], {"b": 1}), strict=False):
        cell["id"] = odd


def _huge_source(document: dict) -> None:
    """A recording pasted into a cell as text: five million characters."""
    cell = {"cell_type": "code", "id": "data", "source": "data = '" + "é" * 5_000_000 + "'", "metadata": {}}
    document["cells"].append(cell | {"outputs": [], "execution_count": None})


def _wrong_kernel(document: dict) -> None:
    document["metadata"]["kernelspec"] = {"name": "../../bin/sh", "display_name": "Julia 1.9", "language": "julia"}


def _other_lab(document: dict) -> None:
    document["metadata"]["course"]["lab"] = "lab07-something-else"


def _odd_metadata(document: dict) -> None:
    for cell in document["cells"]:
        if cell["id"] == TARGET:
            cell["metadata"]["nbgrader"] = ["no", "object"]
        elif cell["id"].startswith("check-"):
            cell["metadata"]["nbgrader"] |= {"points": "NaN", "schema_version": 99, "cell_type": "raw"}


def _markdown_solution(document: dict) -> None:
    for cell in document["cells"]:
        if cell["id"] == TARGET:
            cell["cell_type"] = "markdown"


def _empty_folder(_site: Site, _folder: Path) -> None:
    """Nothing is handed in."""


def _several(site: Site, folder: Path) -> None:
    (folder / "one.ipynb").write_bytes(as_bytes(notebook("solution")))
    (folder / "two.ipynb").write_bytes(as_bytes(notebook("release")))


LONG = "ein sehr langer Name für ein Übungsblatt – " * 5
JUNK = {
    "empty": (lambda: b"", "is empty"),
    "spaces": (lambda: b" \n ", "is empty"),
    "not-a-notebook": (lambda: b"%PDF-1.7\n" + bytes(range(256)), "not a Jupyter notebook"),
    "html": (lambda: b"<!DOCTYPE html><title>Sign in</title>", "not a Jupyter notebook"),
    "cut-short": (lambda: as_bytes(notebook("solution"))[:5000], "not a Jupyter notebook"),
    "another-document": (lambda: b'{"nbformat": 4, "metadata": {}, "cells": []}', "none of the cells"),
    "deep-json": (lambda: b'{"nbformat": 4, "cells": ' + b"[" * 500_000 + b"]" * 500_000 + b"}", "not a Jupyter"),
    "millions-of-cells": (lambda: b'{"nbformat": 4, "cells": [' + b"[]," * 5_000_000 + b"[]]}", "5000001 cells"),
    "huge-integer": (lambda: b'{"nbformat": ' + b"9" * 100_000 + b"}", "not a Jupyter notebook"),
}
NAMES = {
    "unicode-name": "Zoë 名前 🦊 ابن",
    "very-long-name": "n" * 255,
    "quotes-in-a-name": "'; DROP TABLE grade; -- \"",
    "markup-in-a-name": "<img src=x onerror=alert(1)>",
    "format-in-a-name": "{0.__class__} %s $HOME [red]",
}
NAMES_NOT_READ = {
    "newline-in-a-name": "ada\nbob: 26 of 26",
    "turned-round-name": "ada\u202egnp.exe",
    "name-that-is-no-text": os.fsdecode(b"ad\xffa"),
}
RENAMED = {
    "renamed": "Untitled (final) 2.ipynb",
    "renamed-unicode": "übung 名前 🦊.ipynb",
    "renamed-very-long": LONG.encode()[:240].decode(errors="ignore") + ".ipynb",
}
CASES = [
    *(
        Case(f"file-{name}", f"the file is {name.replace('-', ' ')}", _holds(content), ("malformed",), ALL, says)
        for name, (content, says) in JUNK.items()
    ),
    *(
        Case(name, f"the student's folder is called {student[:30]!r}", REFERENCE, student=student)
        for name, student in NAMES.items()
    ),
    *(
        Case(
            name,
            f"the student's folder is called {student!r}",
            REFERENCE,
            (STRANGER,),
            student=student,
            says="not read",
        )
        for name, student in NAMES_NOT_READ.items()
    ),
    *(
        Case(
            name,
            f"the notebook is called {file[:30]}",
            hands_in(lambda site: as_bytes(notebook("solution")), file),
            says="Handed in as",
        )
        for name, file in RENAMED.items()
    ),
    Case("version-3", "a notebook of format 3", hands_in(_version_3), ("malformed",), ALL, "format 3"),
    Case("200-mb", "a notebook of 200 MB", _200_mb, ("refused",), ALL, "MiB"),
    Case("nothing", "an empty folder", _empty_folder, ("malformed",), ALL, "no notebook"),
    Case("two-notebooks", "two notebooks of the lab, neither with its name", _several, ("malformed",), ALL, "several"),
    Case("symlink", "a symbolic link to the instructor's source", _symlink, ("refused",), ALL, "link"),
    Case("linked-folder", "the lab's folder is a link to the instructor's", _linked_folder, ("refused",), ALL, "link"),
    Case("hard-link", "a hard link to the instructor's source", _hard_link, ("refused",), ALL, "link"),
    Case(
        "fifo",
        "a pipe that nobody writes to",
        lambda site, folder: os.mkfifo(folder / NOTEBOOK),
        ("refused",),
        ALL,
        "pipe",
    ),
    Case(
        "device",
        "a device that never ends",
        lambda site, folder: os.mknod(folder / NOTEBOOK, stat.S_IFCHR | 0o666, os.makedev(1, 5)),
        ("refused",),
        ALL,
        "device",
    ),
    Case("socket", "a Unix socket", _socket, ("refused",), ALL, "device"),
    Case(
        "folder",
        "a folder in the place of the file",
        lambda site, folder: (folder / NOTEBOOK).mkdir(),
        ("refused",),
        ALL,
        "folder",
    ),
    Case("sparse", "a sparse file of 1 TiB", _sparse, ("refused",), ALL, "MiB"),
    Case(
        "duplicate-ids",
        "every cell twice, the second solution of a task wrong",
        damages(_duplicate_ids),
        lost=ONLY_TARGET,
        says="more than once",
    ),
    Case("same-ids", "one id for all cells", damages(_same_id)),
    Case("missing-ids", "no cell has an id", damages(_missing_ids)),
    Case("missing-cell", "one solution is missing", damages(_missing_cell), lost=ONLY_TARGET, says="Missing"),
    Case(
        "unknown-ids",
        "a solution under another id, with points of its own",
        damages(_unknown_ids),
        says="Not a cell of this lab",
    ),
    Case("odd-ids", "cells with ids that no notebook may have", damages(_odd_ids)),
    Case("ids-of-other-kinds", "cell ids that are no text", damages(_ids_of_other_kinds), ("malformed",), ALL, "not a"),
    Case("huge-source", "five million characters in a cell", damages(_huge_source), ("malformed",), ALL, "characters"),
    Case("wrong-kernel", "a kernel that is not there", damages(_wrong_kernel)),
    Case("other-lab", "the notebook of another lab", damages(_other_lab), ("refused",), ALL, "lab07"),
    Case("odd-metadata", "metadata of the wrong kinds", damages(_odd_metadata), says="Locked, but changed"),
    Case("markdown-solution", "a solution turned into text", damages(_markdown_solution), lost=ONLY_TARGET),
]
