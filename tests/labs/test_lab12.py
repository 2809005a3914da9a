"""Lab 12: what only this lab has: oracles against exact fractions and the library, the reference record, forgeries."""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from course.capacity.objectives import Alert, fire
from course.capacity.preemption import expected_seconds, young_interval
from course.capacity.queues import Queue, servers_for
from course.lab.cells import Role
from course.lab.checking import LocalStudent, run_task
from course.lab.rehearsal import reference_sources, rehearse
from course.lab.source import read_lab
from course.measure.record import read

FOLDER = Path(__file__).parents[2] / "labs" / "lab12-capacity-plan"
RECORD = FOLDER.parent / "lab10-fast-inference" / "reference" / "cpu-single-stream.json"


@pytest.fixture(scope="module")
def lab():
    return read_lab(FOLDER)


@pytest.fixture(scope="module")
def reference(lab):
    """The globals after the setup and the reference solutions."""
    namespace = {"__name__": "__main__"}
    for cell in lab.cells:
        if cell.role in (Role.SETUP, Role.SOLUTION):
            exec(cell.source, namespace)
    return namespace


def failed(lab, task, function):
    record = run_task(lab.checks, task, LocalStudent({task: function}, task, {}), seed=4)
    return {one.name for one in record.records if not one.passed}


def test_stand_ins_spare_a_later_task_from_all_earlier_mistakes(lab):
    broken = {task: f"def {task}(*arguments):\n    return None" for task in lab.task_ids if task != "servers_needed"}
    records = rehearse(lab, reference_sources(lab) | broken)
    assert [task for task, record in records.items() if record.passed] == ["servers_needed"]


@pytest.mark.parametrize("servers", [1, 2, 7, 40, 171, 300])
@pytest.mark.parametrize("busy", [0.05, 0.5, 0.93])
def test_erlang_is_right_to_the_last_digits_in_exact_fractions(lab, reference, servers, busy):
    load = Fraction(busy * servers)
    terms = [Fraction(1)]
    for k in range(1, servers + 1):
        terms.append(terms[-1] * load / k)
    over = terms.pop() * servers / (servers - load)
    exact = float(over / (sum(terms) + over))
    for queue in (lab.checks.oracles["queue"], reference["queue"]):
        assert queue(float(load), 1.0, servers, 90)["waits"] == pytest.approx(exact, rel=1e-9)


def test_queues_are_the_librarys(reference):
    rng = np.random.default_rng(12)
    for _ in range(40):
        servers, seconds = int(rng.integers(1, 300)), float(rng.uniform(0.1, 9))
        arrivals, percentile = float(rng.uniform(0.1, 0.99)) * servers / seconds, int(rng.integers(1, 100))
        found, queue = reference["queue"](arrivals, seconds, servers, percentile), Queue(arrivals, seconds, servers)
        assert found["waits"] == pytest.approx(queue.wait_probability, rel=1e-9)
        assert found["wait"] == pytest.approx(queue.mean_wait, rel=1e-9)
        assert found["tail"] == pytest.approx(queue.wait_percentile(percentile / 100), rel=1e-7, abs=1e-12)
        rest = float(rng.uniform(0.01, 2)) * seconds
        needed = reference["servers_needed"](arrivals, seconds, seconds + rest, percentile, 10_000)
        assert needed == servers_for(arrivals, seconds, rest, percentile / 100)


def test_pages_come_when_the_librarys_do(reference):
    rng = np.random.default_rng(3)
    for share in (1.0, 0.05, 0.01, 0.003, 0.0):
        total = rng.poisson(500, 900)
        lost = rng.binomial(total, np.where(np.arange(900) >= 400, share, 0.0003))
        for rule in ((60, 5, 14.4), (360, 30, 6.0)):
            minute = reference["first_page"](total, lost, 0.001, 1e6, [rule])["minute"]
            (told,) = fire([Alert(*rule, "page")], total, lost, 0.999).values()
            assert (minute is None) == (told is None) and (told is None or minute + 1 == told)


def test_checkpoints_take_as_long_as_the_librarys(reference):
    for work, write, restart, between in ((36_000.0, 30.0, 60.0, 7200.0), (4096.0, 5.0, 0.0, 900.0)):
        found = reference["checkpoints"](work, write, restart, between)
        parts = 2 ** round(math.log2(found["parts"]))  # divides the work without a rest
        taken = expected_seconds(work, work / parts, write, restart, between)
        assert found["seconds"] <= taken * (1 + 1e-12)
        assert found["young"] == pytest.approx(young_interval(write, between))
        alone = expected_seconds(work, work / found["parts"] * (1 + 1e-12), write, restart, between)
        assert found["seconds"] == pytest.approx(alone, rel=1e-6)


def test_the_reference_record_can_be_planned_with(reference):
    record = read(RECORD)
    for variant in record.variants:
        samples = [
            {
                "process": one.process,
                "warm_up": one.warm_up,
                "batch": one.batch,
                "read": one.prompt,
                "written": one.generated,
                "prefill": one.timing("prefill").seconds,
                "decode": one.timing("decode").seconds,
            }
            for one in record.trials
            if one.variant == variant.name
        ]
        measured = record.measured(variant.name)
        found = reference["service_time"](samples, measured[0].prompt, measured[0].generated)
        assert found["seconds"] == pytest.approx(np.mean([one.seconds for one in measured]))
        steps = {one.timing("decode").steps for one in measured}
        assert steps == {one.generated - 1 for one in measured}, "the first token comes with the prompt"


def test_answers_in_the_right_form_with_nothing_in_them_earn_nothing(lab):
    """A student who returns the right keys with NaN, infinity, or numbers that always fit."""
    for task, arguments in (
        ("service_time", ([], 1, 1)),
        ("queue", (1.0, 1.0, 2, 90)),
        ("costs", (10.0, 2.0, 4.0, 18_000, 30.0, 20.0, 1.0, 100.0)),
        ("checkpoints", (3600.0, 20.0, 60.0, 1800.0)),
    ):
        keys = {"service_time": ("seconds", "scv", "rate")}.get(task) or lab.checks.oracles[task](*arguments)
        for value in (math.nan, math.inf, 0.0, None, "0", True, [], 10**400):
            assert failed(lab, task, lambda *_, keys=keys, value=value, **__: dict.fromkeys(keys, value))
