"""The bench lab is graded alike by hidden checks outside and by nbgrader's hidden tests inside the notebook."""

import hashlib

import nbformat
import pytest

from autograder.bench.classes import HALVES, submissions
from autograder.bench.stock import hidden_tests, stock_source
from course.lab.rehearsal import reference_sources, rehearse, untouched_sources


@pytest.fixture(scope="module")
def variants(torch_lab):
    """The solution cells of reference, untouched release and every wrong solution."""
    reference = reference_sources(torch_lab)
    wrong = {one.path.stem: reference | {one.task: one.source} for one in torch_lab.wrong}
    return {"reference": reference, "untouched": untouched_sources(torch_lab), **wrong}


def lost(torch_lab, variant):
    """The tasks that a variant has wrong, by its name."""
    whole = {"reference": set(), "untouched": set(torch_lab.task_ids)}
    return whole[variant] if variant in whole else {variant.partition("--")[0]}


def test_hidden_checks_take_exactly_the_points_of_a_mistake(torch_lab, variants):
    assert len(variants) == 2 + 12
    for seed in range(2):
        for variant, sources in variants.items():
            records = rehearse(torch_lab, sources, seed)
            assert {task for task, one in records.items() if not one.passed} == lost(torch_lab, variant), variant


def test_each_wrong_solution_fails_the_check_that_it_names(torch_lab, variants):
    for wrong in torch_lab.wrong:
        failed = [one for one in rehearse(torch_lab, variants[wrong.path.stem])[wrong.task].records if not one.passed]
        assert wrong.fails in [one.name for one in failed]


def test_hidden_tests_inside_the_notebook_judge_alike(torch_lab, variants, monkeypatch, capsys):
    """Each check cell of the stock variant, executed as nbgrader executes it, raises for exactly the same tasks."""
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    notebook = stock_source(torch_lab)
    for variant, sources in variants.items():
        namespace, failed = {}, set()
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            try:
                exec(compile(sources.get(cell.id, cell.source), cell.id, "exec"), namespace)
            except Exception:
                failed.add(cell.id.removeprefix("check-"))
        assert failed == lost(torch_lab, variant), variant


def test_every_hidden_check_is_a_hidden_test_and_none_is_released(torch_lab, prepared):
    for task in torch_lab.tasks:
        text = hidden_tests(torch_lab, task)
        assert [
            check.name for check in torch_lab.checks.of(task.id) if f"\n    {check.name}(student," not in text
        ] == []
    release = (prepared.folder / "stock" / "release" / torch_lab.id / f"{torch_lab.id}.ipynb").read_text()
    assert "check-attend" in release
    assert "HIDDEN" not in release and "hidden_tests" not in release


def test_submissions_differ_in_their_bytes_and_take_turns(torch_lab):
    made = dict(submissions(torch_lab, 40))
    assert len({hashlib.sha256(content).digest() for content in made.values()}) == 40
    kinds = [student.partition("-")[2] for student in made]
    assert kinds[:14] == kinds[14:28] and len(set(kinds)) == 14
    assert [student[0] for student in made] == list(HALVES) * 20
    for content in made.values():
        nbformat.validate(nbformat.reads(content.decode(), as_version=4))
    assert made == dict(submissions(torch_lab, 40))
