"""The matrix of known solutions of the small lab, and the command that prints it."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from autograder.check_grading.command import check_grading
from autograder.check_grading.matrix import REFERENCE, UNTOUCHED, graded_solutions
from autograder.check_grading.report import Report
from course.lab.command import lab as lab_group
from course.lab.rehearsal import reference_sources

TASKS = ["rms_level", "normalise", "loud_share"]
FULL = {"rms_level": 4, "normalise": 3, "loud_share": 2}


@pytest.fixture(scope="module")
def rows(lab):
    """Rows by solution: those of the lab, and two that say of themselves what is not so."""
    right = replace(lab.wrong[0], path=lab.folder / "rms_level--right.py", task="rms_level")
    right = replace(right, source=reference_sources(lab)["rms_level"], fails="agrees_on_noise")
    mislabelled = next(one for one in lab.wrong if one.fails == "empty_signal_is_silent")
    mislabelled = replace(mislabelled, path=lab.folder / "rms_level--mislabelled.py", fails="agrees_on_noise")
    with_liars = replace(lab, wrong=[*lab.wrong, right, mislabelled], checks=patient(lab.checks))
    return {row.solution: row for row in graded_solutions(with_liars, TASKS, seed=4, jobs=2)}


def patient(checks):
    """Each check four times: on one signal, overlapping frames may give the right share of loud ones by chance."""

    def repeated(one):
        return replace(one, function=lambda student, rng: [one.function(student, rng) for _ in range(4)])

    by_task = {task: [repeated(one) for one in ones] for task, ones in checks.by_task.items()}
    return replace(checks, by_task=by_task)


def test_the_reference_earns_all_and_the_release_nothing(rows):
    assert rows[REFERENCE].points == FULL and rows[REFERENCE].problems == []
    assert rows[UNTOUCHED].points == dict.fromkeys(TASKS, 0) and rows[UNTOUCHED].problems == []


def test_each_wrong_solution_loses_its_own_task(lab, rows):
    assert len(lab.wrong) == 9
    for wrong in lab.wrong:
        row = rows[wrong.path.stem]
        assert row.points == FULL | {wrong.task: 0}
        assert row.fails in row.failed[wrong.task] and row.problems == []


def test_a_wrong_solution_that_is_right_is_a_problem(rows):
    assert rows["rms_level--right"].problems == ["rms_level--right earns rms_level, which it should lose."]


def test_a_wrong_solution_that_fails_another_check_is_a_problem(rows):
    (problem,) = rows["rms_level--mislabelled"].problems
    assert "says that it fails agrees_on_noise, but what fails is: empty_signal_is_silent" in problem


def test_the_command_prints_json_and_writes_it(small_kit, tmp_path):
    output = tmp_path / "report.json"
    arguments = ["small-lab", "--task", "rms_level", "--no-mutants", "--json", "-o", str(output)]
    done = CliRunner().invoke(check_grading, arguments)
    assert done.exit_code == 0, done.output
    report = Report.model_validate(json.loads(output.read_text()))
    assert [row.task for row in report.solutions].count("rms_level") == 3 and report.mutants is None
    assert Report.model_validate_json(done.stdout) == report


def test_the_command_fails_where_mutants_get_through(small_kit, lab):
    """The small lab's checks of loud_share leave holes, which the command lists with file, line and diff."""
    done = CliRunner().invoke(check_grading, ["small-lab", "--task", "loud_share"])
    assert done.exit_code == 1
    assert "wrong and not caught" in done.stdout and "-    return float(np.mean(np.sqrt" in done.stdout
    assert "not yet as it should be" in done.stdout


def test_an_unknown_task_is_refused(small_kit):
    done = CliRunner().invoke(check_grading, ["small-lab", "--task", "louder"])
    assert done.exit_code == 2 and "rms_level, normalise, loud_share" in done.output


def test_course_lab_has_the_command():
    assert lab_group.get_command(None, "check-grading") is check_grading
