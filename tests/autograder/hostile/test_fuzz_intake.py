"""Notebooks that no person would write: intake says no in a sentence, or makes of them what can be graded.

``COURSE_FUZZ_EXAMPLES`` sets how many notebooks each property is tried on (150 if not set).
"""

import json
import os
import warnings

import nbformat
import pytest
from hostile_cases import archives
from hostile_cases.case import as_bytes, as_json, notebook, the_lab
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.archive import notebook_in
from autograder.intake import Rejected, canonical, graded_notebook, originals, parse
from autograder.policy import MIB
from autograder.result import Status
from course.lab.build import release_notebook
from course.lab.cells import Role

EXAMPLES = int(os.environ.get("COURSE_FUZZ_EXAMPLES", 150))
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    derandomize="COURSE_FUZZ_EXAMPLES" not in os.environ,
    database=None,
)
LAB = the_lab()
RELEASE = release_notebook(LAB)
RELEASED = originals(LAB, RELEASE)
LOCKED = {cell.id: cell for cell in RELEASED.values() if cell.role in (Role.SETUP, Role.CHECK)}
BYTES = as_bytes(notebook("solution"))

TEXT = st.text(st.characters(), max_size=20)  # lone surrogates and control characters among them
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -1, 2**63, 1e308, float("nan"), float("inf")])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
IDS = st.sampled_from([*RELEASED, "own-1", "again-2", "bonus", "", "../..", "x" * 300]) | TEXT
SOURCES = TEXT | st.lists(TEXT, max_size=4) | st.sampled_from(["\x00", "\ud800", "x = 1\n" * 99, "%%bash\nls", "("])
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "grade_id": IDS | VALUES,
        "points": NUMBERS | VALUES,
        "grade": st.booleans() | VALUES,
        "solution": st.booleans() | VALUES,
        "locked": st.booleans() | VALUES,
        "schema_version": VALUES,
    },
)
METADATA = st.fixed_dictionaries({}, optional={"nbgrader": OPTIONS | VALUES, "tags": VALUES}) | VALUES
CELLS = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"]) | VALUES, "source": SOURCES | VALUES},
    optional={"id": IDS | VALUES, "metadata": METADATA, "outputs": VALUES, "execution_count": VALUES},
)
GOOD_CELLS = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"]), "source": SOURCES, "id": IDS},
    optional={"metadata": st.fixed_dictionaries({}, optional={"nbgrader": OPTIONS, "attachments": VALUES})},
)
NOTEBOOK_METADATA = st.fixed_dictionaries(
    {}, optional={"course": st.fixed_dictionaries({"lab": st.just(LAB.id) | VALUES}) | VALUES, "kernelspec": VALUES}
)
DOCUMENTS = st.fixed_dictionaries(
    {"nbformat": st.just(4) | VALUES, "cells": st.lists(CELLS | VALUES, max_size=6) | VALUES},
    optional={"metadata": NOTEBOOK_METADATA | VALUES, "nbformat_minor": VALUES, "worksheets": VALUES},
)


def require_sound(content: bytes) -> None:
    """Take the bytes in as the grader does, and hold what comes of it to what intake promises.

    Raises:
        AssertionError: a promise was broken; any other exception is one that intake may not raise.
    """
    try:
        submission = canonical(parse(content), LAB.id, RELEASED)
    except Rejected as rejected:
        assert rejected.status in (Status.MALFORMED, Status.REFUSED)
        assert rejected.sentence.isprintable()
        assert len(rejected.sentence) < 500
        return
    assert all(note.isprintable() and len(note) < 1000 for note in submission.notes)
    ids = [cell.id for cell in submission.cells]
    assert len(set(ids)) == len(ids)
    kept = {cell.id: cell for cell in submission.cells}
    for cell_id, original in LOCKED.items():
        assert (kept[cell_id].source, kept[cell_id].cell_type) == (original.source, original.cell_type)
    json.dumps([(cell.id, cell.label, cell.source) for cell in submission.code]).encode()
    _require_valid_notebook(submission)


def _require_valid_notebook(submission) -> None:
    graded = graded_notebook(submission, RELEASE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nbformat.validate(graded)
    nbformat.writes(graded).encode()
    metadata = {cell.id: cell.metadata for cell in RELEASE.cells}
    assert {cell.id for cell in graded.cells} >= set(LOCKED)
    assert all(cell.metadata == metadata.get(cell.id, {}) for cell in graded.cells)
    assert all(not cell.get("outputs") for cell in graded.cells)


@FUZZ
@given(DOCUMENTS)
def test_any_document(document):
    require_sound(json.dumps(document).encode())


@FUZZ
@given(VALUES)
def test_any_json(value):
    require_sound(json.dumps(value).encode())


@FUZZ
@given(st.lists(GOOD_CELLS, max_size=8), st.sampled_from(["solution", "release"]), st.randoms(use_true_random=False))
def test_the_labs_own_cells_among_others(cells, start, random):
    """Cells of the lab, in any order, some missing, some twice, among others that claim their names."""
    document = as_json(start)
    kept = [cell for cell in document["cells"] if random.random() < 0.8]
    mixed = kept + cells + random.sample(kept, k=min(2, len(kept)))
    random.shuffle(mixed)
    require_sound(json.dumps(document | {"cells": mixed}).encode())


@FUZZ
@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(["id", "source", "metadata", "cell_type"]), VALUES)))
def test_a_notebook_with_some_values_replaced(changes):
    document = as_json()
    for place, key, value in changes:
        document["cells"][place % len(document["cells"])][key] = value
    require_sound(json.dumps(document).encode())


def _damaged(content: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    damaged = bytearray(content)
    for kind, place, piece in changes:
        place %= len(damaged) + 1
        if kind == "insert":
            damaged[place:place] = piece
        elif kind == "overwrite":
            damaged[place : place + len(piece)] = piece
        elif kind == "delete":
            del damaged[place : place + 7 * len(piece)]
        else:
            damaged[place:place] = damaged[place // 2 : place // 2 + 50 * len(piece)]
    return bytes(damaged)


PIECES = st.binary(min_size=1, max_size=12) | st.sampled_from(
    [b'"', b"\\", b"\\ud800", b"[", b"{", b"}", b",", b"NaN", b"-Infinity", b"1e999", b'"id": "x",', b"\xff\xfe", b"\0"]
)
CHANGES = st.lists(
    st.tuples(st.sampled_from(["insert", "overwrite", "delete", "repeat"]), st.integers(0, 10**6), PIECES), max_size=8
)


@FUZZ
@given(CHANGES)
def test_a_notebook_with_damaged_bytes(changes):
    require_sound(_damaged(BYTES, changes))


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes(content):
    require_sound(content)


@FUZZ
@given(st.sampled_from(["course", "nbformat", "cells", "metadata"]), VALUES, st.booleans())
def test_keys_that_are_there_twice(key, value, before):
    again = f"{json.dumps(key)}: {json.dumps(value)}".encode()
    content = BYTES.strip()
    require_sound(b"{" + again + b"," + content[1:] if before else content[:-1] + b"," + again + b"}")


@pytest.mark.parametrize("depth", [10, 500, 900, 990, 1000, 5000, 100_000])
def test_nesting_of_any_depth(depth):
    deep = '{"a":' * depth + "1" + "}" * depth
    document = json.dumps(as_json() | {"metadata": "@"}).replace('"@"', deep)
    require_sound(document.encode())
    require_sound(json.dumps(as_json()).replace('"tags": ["setup"]', f'"nbgrader": {deep}').encode())


LIMIT = 32 * MIB
ARCHIVES = {
    "x.zip": archives.zipped((f"{LAB.id}.ipynb", BYTES), ("data.csv", b"1,2\n")),
    "x.tar": archives.tarred((archives.member(f"{LAB.id}.ipynb"), BYTES), mode="w"),
    "x.tar.gz": archives.tarred((archives.member(f"{LAB.id}.ipynb"), BYTES)),
}


@settings(FUZZ, max_examples=max(EXAMPLES // 5, 1))
@given(st.sampled_from(sorted(ARCHIVES)), CHANGES, st.booleans())
def test_an_archive_with_damaged_bytes(name, changes, at_its_end):
    """The ends of an archive hold what a reader trusts most, so half of the damage is done there."""
    content = ARCHIVES[name]
    spread = [(kind, -1 - place % 400 if at_its_end else place, piece) for kind, place, piece in changes]
    try:
        inside, found = notebook_in(_damaged(content, spread), name, f"{LAB.id}.ipynb", LIMIT)
    except Rejected as rejected:
        assert rejected.status in (Status.MALFORMED, Status.REFUSED)
        assert rejected.sentence.isprintable()
    else:
        assert inside
        require_sound(found)
