"""Grading in the sandbox: the reference earns all points, the release none, each mistake its own task's."""

from dataclasses import replace

import pytest

POINTS = {"rms_level": 4, "normalise": 3, "loud_share": 2}
SAYS_ITS_INPUT = "def rms_level(signal):\n    raise ValueError(float(signal.sum()) if len(signal) else 0)"


def scores(result):
    return {task.id: task.score for task in result.tasks}


@pytest.fixture(scope="module")
def results(lab, submission, grade_many):
    contents = {
        "reference": submission(),
        "untouched": submission(start="release"),
        "noisy": submission(
            added=["import sys, warnings\nprint('x' * 10**7)\nprint('no', file=sys.stderr)\nwarnings.warn('w')"]
        ),
        "warns-when-called": submission(
            {
                "rms_level": "import warnings\ndef rms_level(signal):\n    warnings.warn('careful')\n"
                "    return float(np.sqrt(np.mean(signal ** 2))) if len(signal) else 0.0"
            }
        ),
        "stops-in-between": submission(
            added=["1 / 0", "def (", "import soundfile", "exit()", "loud_share = loud_share"]
        ),
        "asks-a-later-task": submission({"rms_level": "def rms_level(signal):\n    return normalise(signal, 1.0)[0]"}),
        "ada": submission({"rms_level": SAYS_ITS_INPUT}),
        "bob": submission({"rms_level": SAYS_ITS_INPUT}),
        "no-function": submission({"normalise": "normalize = None"}),
        "odd-data": submission({"rms_level": "class Level: pass\ndef rms_level(signal):\n    return Level()"}),
        "subclass": submission(
            {
                "normalise": "class Loud(np.ndarray):\n    def __mul__(self, other):\n        return self\n"
                "def normalise(signal, level):\n    if not np.any(signal):\n        raise ValueError('silence')\n"
                "    return (signal * (level / rms_level(signal))).view(Loud)"
            }
        ),
    }
    contents |= {one.path.stem: submission({one.task: one.source}) for one in lab.wrong}
    return grade_many(contents)


def test_reference_earns_every_point(results):
    assert results["reference"].status == "graded"
    assert scores(results["reference"]) == POINTS
    assert (results["reference"].score, results["reference"].max_score) == (9, 9)
    assert all(not task.hints for task in results["reference"].tasks)
    assert [(one.id, one.answered) for one in results["reference"].manual] == [("judgement", True)]


def test_untouched_release_earns_nothing_and_is_called_unsolved(results):
    untouched = results["untouched"]
    assert (untouched.status, untouched.score) == ("graded", 0)
    assert all(task.unsolved and len(task.hints) == 1 for task in untouched.tasks)
    assert not untouched.manual[0].answered


def test_each_wrong_solution_loses_exactly_its_own_task(lab, results):
    assert len(lab.wrong) == 9
    for wrong in lab.wrong:
        result = results[wrong.path.stem]
        assert scores(result) == POINTS | {wrong.task: 0}, wrong.path.stem
        task = next(task for task in result.tasks if task.id == wrong.task)
        assert wrong.fails in task.failed
        assert task.hints


@pytest.mark.parametrize("student", ["noisy", "warns-when-called"])
def test_output_and_warnings_cost_nothing(results, student):
    assert results[student].status == "graded"
    assert results[student].score == 9


def test_a_cell_that_stops_does_not_stop_the_next(results):
    result = results["stops-in-between"]
    assert result.score == 9
    assert [cell.error.split(":")[0] for cell in result.cells] == [
        "ZeroDivisionError",
        "SyntaxError",
        "ModuleNotFoundError",
    ]
    assert result.cells[0].lines[0].endswith("line 1: 1 / 0")
    assert "while your work is graded" in result.cells[2].error


def test_a_later_task_stands_in_for_nothing(results):
    """The oracle of a later task could compute an earlier one's answer, so the student's own is called instead."""
    assert scores(results["asks-a-later-task"]) == POINTS | {"rms_level": 0}
    assert "RecursionError" in results["asks-a-later-task"].tasks[0].details[0].error


def test_hidden_inputs_are_the_students_own(results):
    told = [results[student].tasks[0].details[0].error for student in ("ada", "bob")]
    assert all(text.startswith("ValueError: ") for text in told)
    assert told[0] != told[1]


def test_a_students_traceback_shows_only_lines_of_the_notebook(results):
    lines = results["ada"].tasks[0].details[0].lines
    assert lines == ("cell rms_level, line 2: raise ValueError(float(signal.sum()) if len(signal) else 0)",)


def test_missing_function_and_odd_data_are_told_in_words(results):
    assert "no cell defines a function normalise" in results["no-function"].tasks[1].details[0].error
    assert "An object of type Level is no plain data" in results["odd-data"].tasks[0].details[0].error


def test_right_data_in_a_subclass_of_ndarray_is_right(results):
    assert scores(results["subclass"]) == POINTS


def test_the_same_submission_gives_the_same_result(results, submission, grade_many):
    again = grade_many({"ada": submission({"rms_level": SAYS_ITS_INPUT})})["ada"]
    assert again.finding() == results["ada"].finding()


def test_the_key_changes_with_whatever_the_result_depends_on(assignment):
    changed = {
        assignment.key("ada", "0" * 64),
        assignment.key("bob", "0" * 64),
        assignment.key("ada", "1" * 64),
        replace(assignment, policy=assignment.policy.model_copy(update={"cell_seconds": 1.0})).key("ada", "0" * 64),
    }
    assert len(changed) == 4
    assert assignment.key("ada", "0" * 64) in changed
