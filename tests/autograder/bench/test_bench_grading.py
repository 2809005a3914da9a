"""`course bench grading`: a real run of a few trials, and verdicts, faults and exits of runs with made-up times."""

import random

import pytest
from click.testing import CliRunner
from nbgrader.api import Gradebook
from rich.console import Console

from autograder.bench import grading as bench_grading
from autograder.bench import recovery
from autograder.bench.classes import Bench
from autograder.bench.command import grading
from autograder.bench.grading import (
    AGAIN,
    CLASS,
    COLD,
    LATENCY,
    MEMORY,
    OURS,
    STOCK,
    THROUGHPUT,
    WARM,
    judge,
    settings_of,
    trials,
)
from autograder.bench.plot import draw
from autograder.class_folder import COURSE_ID
from autograder.scale import bench as scale
from course.bench.record import Record, Sample
from course.bench.report import keep, measure
from course.bench.trials import Trial
from course.errors import CourseError


@pytest.fixture(scope="module")
def real(prepared, tmp_path_factory):
    """A record of real trials: our rate, stock's memory, verdicts warm and cold, a class and its second run."""
    settings = settings_of(quick=True, verdicts=1)
    names = {OURS, "class of 2", f"memory of {STOCK}", WARM, COLD}
    chosen = [trial for trial in trials(prepared, settings) if trial.name in names]
    assert {trial.name for trial in chosen} == names
    record = measure("grading", chosen, 1, settings.model_dump(mode="json"), judge, Console(quiet=True), dict)
    folder = tmp_path_factory.mktemp("out")
    keep(record, draw(record), folder, Console(quiet=True))
    return record, folder


def test_real_trials_grade_as_the_lab_says(real):
    record, _ = real
    assert record.faults == ()
    measured = {(sample.quantity, sample.variant) for sample in record.samples}
    assert {(THROUGHPUT, OURS), (CLASS, "2"), (AGAIN, "2"), (LATENCY, WARM), (LATENCY, COLD)} <= measured
    assert (f"{MEMORY}, shared counted twice", STOCK) in measured


def test_a_warm_up_is_marked_and_does_not_count(real):
    warm = [sample for sample in real[0].samples if sample.variant == WARM]
    assert [sample.warm_up for sample in warm] == [True, False]
    (estimate,) = [one for one in real[0].estimates if one.variant == WARM]
    assert (estimate.median, estimate.trials, estimate.interval) == (warm[1].value, 1, None)


def test_a_few_trials_judge_nothing(real):
    record, _ = real
    assert [verdict.met for verdict in record.verdicts] == [None, None, None]
    assert all(one.value is None and one.refused for one in record.ratios)
    assert record.passed


def test_record_and_plot_are_kept(real):
    record, folder = real
    assert Record.read(folder / "grading.json") == record
    assert (folder / "grading.svg").read_text().count("<svg") == 1
    assert (folder / "grading.png").read_bytes().startswith(b"\x89PNG")


def test_a_class_that_is_graded_otherwise_gives_no_time(prepared):
    """The gate of every trial: nobody graded, or one score of one student changed."""
    with prepared.new_class("stock", 2) as root:
        with pytest.raises(CourseError, match="a0000-reference deserves .* came out with None"):
            prepared.require_right_scores(root)
        lab, tasks = prepared.lab.id, prepared.lab.tasks
        with Gradebook(f"sqlite:///{root / 'gradebook.db'}", COURSE_ID) as gradebook:
            for student, share in (("a0000-reference", 1), ("b0001-untouched", 0)):
                gradebook.add_student(student)
                gradebook.add_submission(lab, student)
                for task in tasks:
                    gradebook.find_grade(task.check_cell_id, lab, lab, student).auto_score = share * task.points
            gradebook.db.commit()
            prepared.require_right_scores(root)
            gradebook.find_grade(tasks[1].check_cell_id, lab, lab, "b0001-untouched").auto_score = 1
            gradebook.db.commit()
        with pytest.raises(CourseError, match="b0001-untouched"):
            prepared.require_right_scores(root)


def made_up(ours, stock, warm, exponent=1.0, fault=False):
    """Trials that take no time and report these numbers, a little scattered; as ``trials`` would give them."""
    drawn = random.Random(2)

    def sample(quantity, variant, unit, value, size=None):
        def report():
            scattered = value * drawn.uniform(0.99, 1.01)
            return [Sample(trial=0, quantity=quantity, variant=variant, unit=unit, value=scattered, size=size)]

        return report

    def fail():
        raise CourseError("a submission came out with other points")

    made = [
        Trial("ours", 6, sample(THROUGHPUT, OURS, "per minute", ours)),
        Trial("stock", 6, sample(THROUGHPUT, STOCK, "per minute", stock)),
        Trial("warm", 6, sample(LATENCY, WARM, "s", warm)),
        *([Trial("broken", 1, fail)] if fault else []),
    ]
    for size in (10, 30, 100, 300, 1000):
        made.append(Trial(f"class {size}", 3, sample(CLASS, str(size), "s", 5 + 0.1 * size**exponent, size)))
    return lambda bench, settings: made


@pytest.fixture
def run(monkeypatch, tmp_path):
    """The command with made-up trials: its exit status, its record and what it printed."""

    def invoke(*arguments, **numbers):
        monkeypatch.setattr(Bench, "prepare", lambda bench: None)
        monkeypatch.setattr(bench_grading, "trials", made_up(**numbers))
        done = CliRunner().invoke(grading, ["-o", str(tmp_path / "out"), *arguments], env={"COLUMNS": "200"})
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, Record.read(tmp_path / "out" / "grading.json"), done.output

    return invoke


def test_bars_that_are_met_exit_with_0(run):
    status, record, printed = run(ours=300, stock=20, warm=0.4)
    assert (status, [verdict.met for verdict in record.verdicts]) == (0, [True, True, True])
    (fast,) = [one for one in record.ratios if (one.quantity, one.denominator) == (THROUGHPUT, STOCK)]
    assert fast.value == pytest.approx(15, rel=0.02)
    assert printed.count("bar met") == 3


def test_what_is_left_out_is_neither_measured_nor_judged_as_met(run):
    status, record, _ = run("--leave-out", "class", ours=300, stock=20, warm=0.4)
    assert (status, [verdict.met for verdict in record.verdicts]) == (0, [True, True, None])
    assert not any(sample.quantity == CLASS for sample in record.samples)


@pytest.mark.parametrize(
    ("numbers", "missed"),
    [
        ({"ours": 190, "stock": 20, "warm": 0.4}, 0),
        ({"ours": 300, "stock": 20, "warm": 1.6}, 1),
        ({"ours": 300, "stock": 20, "warm": 0.4, "exponent": 2.0}, 2),
    ],
)
def test_a_missed_bar_exits_with_1(run, numbers, missed):
    status, record, printed = run(**numbers)
    assert status == 1
    assert [verdict.met for verdict in record.verdicts] == [place != missed for place in range(3)]
    assert printed.count("bar not met") == 1


def test_a_fault_exits_with_1_though_all_bars_are_met(run):
    status, record, printed = run(ours=300, stock=20, warm=0.4, fault=True)
    assert status == 1
    assert len(record.faults) == 1
    assert "came out with other points" in printed


def test_a_slower_grader_is_no_ratio_of_ten(run):
    """No difference: the ratio is refused and the bar missed, rather than a ratio near 1 shown."""
    status, record, printed = run(ours=20, stock=20, warm=0.4)
    assert status == 1
    assert "no ratio, because the interval" in printed


@pytest.mark.parametrize("disagreements", [[], ["the ledger has two lines for one result"]])
def test_a_disagreement_after_a_kill_is_a_missed_bar(run, monkeypatch, disagreements):
    found = {"kills": {"SIGKILL": 3}, "disagreements": disagreements}
    monkeypatch.setattr(recovery, "recovery", lambda kills, seed: found)
    status, record, _ = run("--kills", "3", ours=300, stock=20, warm=0.4)
    assert record.findings["recovery"] == found
    assert (status, record.verdicts[-1].met) == (int(bool(disagreements)), not disagreements)


def test_scale_out_is_asked_for_by_runner_and_shown(run, monkeypatch):
    asked = []

    def scale_out(lab, submissions, runners, workers, seed):
        asked.append((lab.id, submissions, runners, workers))
        numbers = dict.fromkeys(("per_minute", "speedup", "first_seconds", "seconds", "overhead_seconds"), 1.25)
        runs = [{"runner": name, "workers": count, **numbers} for name in runners for count in workers]
        return {"cores": 2, "submissions": submissions, "runs": runs}

    monkeypatch.setattr(scale, "scale_out", scale_out)
    arguments = ("--runners", "local,dask", "--submissions", "20")
    status, record, printed = run(*arguments, ours=300, stock=20, warm=0.4)
    assert status == 0
    assert asked == [("bench-lab", 20, ["local", "dask"], (1, 2))]
    assert len(record.findings["scale-out"]["runs"]) == 4
    assert "dask" in printed and "20 submissions" in printed


def test_settings_of_a_command_line():
    assert settings_of(quick=False).sizes == (10, 30, 100, 300, 1000)
    assert settings_of(quick=False, largest=100, rounds=9).sizes == (10, 30, 100)
    assert settings_of(quick=True, rounds=9).rounds == 9
    assert settings_of(quick=True).submissions < settings_of(quick=False).submissions
