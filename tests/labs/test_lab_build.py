"""The notebooks built from a lab: nbgrader accepts them, and makes the same release itself; bytes do not change."""

import ast
import logging

import jupytext
import nbformat
import pytest
from nbgrader.apps import NbGraderAPI
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import compute_checksum
from traitlets.config import Config

from course.lab.build import release_notebook, solution_notebook, source_notebook, write_notebook
from course.lab.cells import Role
from course.lab.source import read_lab

BUILDERS = (source_notebook, release_notebook, solution_notebook)


def by_id(notebook):
    return {cell.id: cell for cell in notebook.cells}


@pytest.mark.parametrize("build", BUILDERS)
def test_nbgrader_accepts_the_metadata(build, lab):
    notebook = build(lab)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    graded = [cell.metadata.nbgrader for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    assert [(meta.grade_id, meta.points) for meta in graded] == [
        ("check-double", 4),
        ("check-quadruple", 5),
        ("judgement", 3),
    ]


def test_the_release_holds_stubs_and_no_solution(lab):
    cells = by_id(release_notebook(lab))
    for task_id in lab.task_ids:
        function = ast.parse(cells[task_id].source).body[0]
        assert function.name == task_id and ast.get_docstring(function)
        assert ast.unparse(function.body[-1]) == "raise NotImplementedError()"
    assert "YOUR ANSWER HERE" in cells["judgement"].source
    assert "About ten" not in cells["judgement"].source
    assert not any("decibels come tomorrow" in cell.source for cell in cells.values())
    assert "instructor-2" not in cells


def test_the_release_locks_what_an_intern_must_not_edit(lab):
    cells = by_id(release_notebook(lab))
    editable = {name for name, cell in cells.items() if cell.metadata.get("editable", True)}
    assert editable == {"double", "quadruple", "judgement"} | {name for name in cells if name.startswith("text-")}
    assert all(cells[name].metadata.deletable is False for name in ("setup-1", "demo-1", "fallback-double", "double"))
    assert cells["fallback-double"].metadata.jupyter.source_hidden is True
    assert set(cells["fallback-double"].metadata.tags) == {"fallback", "hide-input"}


def test_checksums_are_those_of_the_cells_as_released(lab):
    for cell in release_notebook(lab).cells:
        if "nbgrader" in cell.metadata:
            assert cell.metadata.nbgrader.checksum == compute_checksum(cell)


def test_the_solution_holds_everything(lab):
    cells = by_id(solution_notebook(lab))
    assert list(cells) == [cell.id for cell in lab.cells]
    assert "return np.asarray(signal) * factor" in cells["double"].source
    assert "About ten" in cells["judgement"].source


@pytest.mark.parametrize("build", BUILDERS)
def test_the_same_lab_gives_the_same_bytes(build, lab_folder, tmp_path):
    for name in ("one", "two"):
        write_notebook(build(read_lab(lab_folder)), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_notebook_survives_the_way_to_text_and_back(lab, tmp_path):
    write_notebook(solution_notebook(lab), tmp_path / "solution.ipynb")
    notebook = nbformat.read(tmp_path / "solution.ipynb", as_version=4)
    text = jupytext.writes(notebook, fmt="md:myst")
    again = jupytext.reads(text, fmt="md:myst")
    assert [(cell.cell_type, cell.source, cell.metadata) for cell in again.cells] == [
        (cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells
    ]
    assert [cell.source for cell in again.cells] == [cell.source for cell in lab.cells]


def test_a_hidden_test_in_a_check_cell_is_stripped(lab_folder, change):
    change(
        "lab.md",
        '"Two ones become two twos."\n',
        '"Two ones become two twos."\n    ### BEGIN HIDDEN TESTS\n'
        '    assert double([])[:] == [], "No sample becomes none."\n    ### END HIDDEN TESTS\n',
    )
    lab = read_lab(lab_folder)
    assert "No sample becomes none" in by_id(source_notebook(lab))["check-double"].source
    for build in (release_notebook, solution_notebook):
        assert "No sample becomes none" not in by_id(build(lab))["check-double"].source


def test_every_cell_keeps_its_role(lab):
    roles = {cell.id: cell.role for cell in lab.cells}
    released = release_notebook(lab)
    assert [cell.id for cell in released.cells] == [name for name, role in roles.items() if role is not Role.INSTRUCTOR]
    assert released.metadata.course.lab == lab.id


def test_stock_nbgrader_makes_the_same_release(lab, tmp_path):
    write_notebook(source_notebook(lab), tmp_path / "source" / lab.id / f"{lab.id}.ipynb")
    config = Config()
    config.CourseDirectory.root = str(tmp_path)
    config.Exchange.root = str(tmp_path / "exchange")
    api = NbGraderAPI(config=config)
    api.log.setLevel(logging.ERROR)
    outcome = api.generate_assignment(lab.id, create=True)
    assert outcome["success"], outcome
    stock = nbformat.read(tmp_path / "release" / lab.id / f"{lab.id}.ipynb", as_version=4)
    assert stock == release_notebook(lab)
