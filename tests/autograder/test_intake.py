"""Reading hostile files, and making of a notebook what is graded."""

import json
import os
from pathlib import Path

import pytest

from autograder.intake import Rejected, canonical, graded_notebook, parse, read_bytes, store
from course.errors import CourseError
from course.lab.cells import Role

LIMIT = 10_000


@pytest.fixture
def notebook(submission):
    """The reference submission as JSON, to be damaged."""
    return json.loads(submission())


def taken(notebook, assignment):
    return canonical(parse(json.dumps(notebook).encode()), assignment.lab.id, assignment.released)


def make_link(path, target):
    path.symlink_to(target)


def make_hard_link(path, target):
    os.link(target, path)


SPECIAL = {
    "symbolic link": make_link,
    "hard link": make_hard_link,
    "pipe": lambda path, _: os.mkfifo(path),
    "folder": lambda path, _: path.mkdir(),
    "too large": lambda path, _: path.write_bytes(bytes(LIMIT + 1)),
    "sparse": lambda path, _: path.touch() or os.truncate(path, 2**40),
}


@pytest.mark.parametrize("kind", SPECIAL)
def test_a_special_file_is_refused_at_once(tmp_path, kind):
    secret = tmp_path / "instructor.ipynb"
    secret.write_text("{}")
    SPECIAL[kind](tmp_path / "lab.ipynb", secret)
    with pytest.raises(Rejected) as refused:
        read_bytes(tmp_path / "lab.ipynb", LIMIT)
    assert refused.value.status == "refused"
    assert "lab.ipynb" in refused.value.sentence


def test_a_device_is_refused():
    with pytest.raises(Rejected, match="device"):
        read_bytes(Path("/dev/zero"), LIMIT)


def test_a_missing_file_is_the_graders_own_mistake(tmp_path):
    with pytest.raises(CourseError, match="no such file"):
        read_bytes(tmp_path / "nothing.ipynb", LIMIT)


def test_kept_bytes_are_named_by_their_digest_and_never_changed(tmp_path):
    name = store(b"notebook", tmp_path)
    path = tmp_path / f"{name}.ipynb"
    before = path.stat()
    assert store(b"notebook", tmp_path) == name
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert path.read_bytes() == b"notebook"
    assert before.st_mode & 0o222 == 0


MALFORMED = {
    "empty": b"",
    "only spaces": b" \n ",
    "no JSON": b"<html>",
    "no text": bytes(range(256)),
    "cut short": b'{"nbformat": 4, "cells": [',
    "deep": b"[" * 200_000,
    "a list": b"[]",
    "a number": b"4",
    "no cells": b'{"nbformat": 4}',
    "cells that are none": b'{"nbformat": 4, "cells": [1, 2]}',
    "an unknown kind of cell": b'{"nbformat": 4, "cells": [{"cell_type": "spell", "source": ""}]}',
    "a source that is none": b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": {"a": 1}}]}',
    "version 3": b'{"nbformat": 3, "worksheets": [{"cells": []}]}',
    "version 5": b'{"nbformat": 5, "cells": []}',
    "an endless version": b'{"nbformat": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_what_is_no_notebook_is_malformed_with_a_sentence(kind):
    with pytest.raises(Rejected) as rejected:
        parse(MALFORMED[kind])
    assert rejected.value.status == "malformed"
    assert rejected.value.sentence.endswith(".")


def test_the_version_is_named():
    with pytest.raises(Rejected, match="format 3; format 4 was expected"):
        parse(MALFORMED["version 3"])


def test_another_labs_notebook_is_refused_by_name(notebook, assignment):
    notebook["metadata"]["course"]["lab"] = "lab07-attention"
    with pytest.raises(Rejected, match="notebook of lab07-attention, handed in for small-lab"):
        taken(notebook, assignment)


def test_a_notebook_without_the_labs_cells_is_malformed(notebook, assignment):
    notebook["cells"] = [{"cell_type": "code", "source": "1 + 1", "metadata": {}}]
    with pytest.raises(Rejected, match="none of the cells of small-lab"):
        taken(notebook, assignment)


def test_the_reference_needs_no_note_and_runs_no_checks(notebook, assignment):
    found = taken(notebook, assignment)
    assert found.notes == ()
    assert [cell.id for cell in found.code] == ["setup-1", "rms_level", "normalise", "loud_share"]


def test_lines_lists_and_surrogates_are_text(notebook, assignment):
    (cell,) = [cell for cell in notebook["cells"] if cell["id"] == "rms_level"]
    cell["source"] = ["def rms_level(signal):\n", "    return '\ud800'"]
    assert "return '?'" in taken(notebook, assignment).source("rms_level")


def test_changed_locked_cells_are_restored_and_named(notebook, assignment):
    for cell in notebook["cells"]:
        if cell["id"] == "setup-1":
            cell["source"] = "import scipy"
        if cell["id"] == "check-normalise":
            cell["metadata"]["nbgrader"]["points"] = 100
    found = taken(notebook, assignment)
    assert found.notes == ("Locked, but changed; the released cell was used: setup-1, check-normalise.",)
    assert found.code[0].source.startswith("import numpy")


def test_deleted_cells_are_named_and_locked_ones_come_back(notebook, assignment):
    gone = {"setup-1", "rms_level", "check-loud_share", "judgement"}
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] not in gone]
    found = taken(notebook, assignment)
    assert found.notes == (
        "Missing, and so unsolved unless another cell has it: rms_level, judgement.",
        "Missing, and put back from the release: setup-1, check-loud_share.",
    )
    assert [cell.id for cell in found.code] == ["setup-1", "normalise", "loud_share"]


def test_a_cell_twice_runs_twice_in_the_notebooks_order(notebook, assignment):
    place = [cell["id"] for cell in notebook["cells"]].index("rms_level")
    again = json.loads(json.dumps(notebook["cells"][place])) | {"source": "rms_level = None"}
    notebook["cells"].insert(place + 1, again)
    found = taken(notebook, assignment)
    assert found.notes == ("In the notebook more than once: rms_level.",)
    assert [cell.source for cell in found.code][2] == "rms_level = None"
    assert len({cell.id for cell in found.cells}) == len(found.cells)


def test_own_cells_stay_where_they_were(notebook, assignment):
    own = {"cell_type": "code", "source": "helper = 1", "metadata": {"nbgrader": {"grade_id": "bonus", "points": 99}}}
    notebook["cells"].insert(0, own)
    found = taken(notebook, assignment)
    assert found.code[0].source == "helper = 1"
    assert found.code[0].label == "cell 1 of your notebook"
    assert found.notes == ("Not a cell of this lab, and run as one of your own: bonus.",)


def test_ids_are_known_without_nbgraders_metadata(notebook, assignment):
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    del notebook["metadata"]["course"]
    assert taken(notebook, assignment).notes == ()


def test_the_notebook_for_formgrader_has_the_releases_metadata_and_no_outputs(notebook, assignment):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "display_data", "data": {"text/html": "<script>"}, "metadata": {}}]
            cell["metadata"]["nbgrader"] = cell["metadata"].get("nbgrader", {}) | {"points": 7}
    graded = graded_notebook(taken(notebook, assignment), assignment.release)
    assert "<script>" not in json.dumps(graded)
    released = {cell.id: cell for cell in assignment.release.cells}
    assert all(cell.metadata == released[cell.id].metadata for cell in graded.cells)
    assert {cell.id for cell in graded.cells} == set(released)


def test_instructor_cells_are_no_cells_of_the_release(assignment):
    assert Role.INSTRUCTOR not in {cell.role for cell in assignment.released.values()}
