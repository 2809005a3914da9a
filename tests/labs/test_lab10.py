"""Lab 10: what only this lab has: its devices against each other, oracles against the library, forgeries, coverage."""

from pathlib import Path

import numpy as np
import pytest

from course.lab.cells import Role
from course.lab.checking import LocalStudent, run_task
from course.lab.rehearsal import reference_sources, rehearse
from course.lab.source import read_lab
from course.measure import rehearsal
from course.measure.work import Costs, Shape, decode_work, least_seconds, prefill_work

FOLDER = Path(__file__).parents[2] / "labs" / "lab10-fast-inference"


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


@pytest.fixture(scope="module")
def inside(lab):
    """The globals of checks.py."""
    return lab.checks.oracles["predict"].__globals__


def failed(lab, task, function):
    record = run_task(lab.checks, task, LocalStudent({task: function}, task, {}), seed=4)
    return {one.name for one in record.records if not one.passed}


def test_stand_ins_spare_a_later_task_from_all_earlier_mistakes(lab):
    broken = {task: f"def {task}(*arguments):\n    return None" for task in lab.task_ids if task != "choose"}
    records = rehearse(lab, reference_sources(lab) | broken)
    assert [task for task, record in records.items() if record.passed] == ["choose"]


@pytest.mark.parametrize("kind", [rehearsal.Measurement, *rehearsal.BUGS], ids=lambda kind: kind.title)
@pytest.mark.parametrize("seed", [1, 5])
def test_the_courses_planted_mistakes_are_found(reference, kind, seed):
    record = kind(seed).record()
    if record.scenario != "single-stream":
        pytest.skip("requests, which Task 1 does not have")
    shape = record.variants[0].shape
    trials = [
        {
            "process": t.process,
            "variant": t.variant,
            "warm_up": t.warm_up,
            "prompt": t.digest,
            "read": t.prompt,
            "written": t.generated,
            "cached": t.cached_before,
            "seconds": t.seconds,
            "left": t.drained,
        }
        for t in record.trials
    ]
    plain = {"weights": shape.n_layers * shape.layer_weights, "trials": trials}
    plain["flops"] = {one.name: one.counted[0].flops for one in record.variants}
    plain["shown"] = {one.name: [1.0] for one in record.variants}
    found = reference["find_mistakes"](plain)
    wanted = {kind.title} & set(reference["MISTAKES"])
    assert wanted <= set(found)
    assert set(found) - wanted <= ({"mean of two modes"} if kind is rehearsal.NoWarmUp else set())


def test_predictions_are_those_of_the_library(lab, inside):
    rng = np.random.default_rng(2)
    for _ in range(30):
        model, batch, length = inside["_model"](rng), int(rng.integers(1, 9)), int(rng.integers(2, 300))
        shape, costs = Shape(**model), Costs(*inside["_settings"](rng))
        for phase, work in (
            ("prefill", prefill_work(shape, batch, length, costs)),
            ("decode", decode_work(shape, batch, length - 1, 1, costs)),
        ):
            asked = (model, phase, batch, length, costs.bytes_per_weight, costs.bytes_per_value, inside["DEVICE"])
            got = lab.checks.oracles["predict"](*asked)
            assert got["flops"] == pytest.approx(work.flops) and got["bytes"] == pytest.approx(work.bytes)
            assert got["seconds"] == pytest.approx(least_seconds(work, 1e12, 2e10))


def test_the_checkers_device_is_the_labs_device(reference, inside):
    rng = np.random.default_rng(3)
    restless = {"cold": 5.0, "drift": 0.5, "noise": 0.1, "outliers": 0.3, "between": 0.2, "loading": 0.1}
    for process in range(3):
        machine, names = inside["_machine"](rng, 3, **restless)
        device, again = reference["FakeDevice"](machine, process), inside["_Device"](machine, process)
        for prompt in rng.integers(0, 9, 60).tolist():
            device.synchronize()
            began = device.now()
            device.launch(names[prompt % 3], prompt)
            device.synchronize()
            assert device.now() - began == pytest.approx(again.sample(names[prompt % 3], prompt), rel=1e-9)


def test_whoever_returns_the_true_seconds_earns_nothing(lab, reference):
    """The machine's own numbers are in the arguments; samples made of them are no samples."""

    def forged(machine, variants, processes, rounds, seed):
        rows = reference["take_samples"](machine, variants, processes, rounds, seed)
        return [row | {"seconds": machine["seconds"][row["variant"]]} for row in rows]

    assert {"warms_up_as_long_as_it_takes", "measures_a_restless_device"} <= failed(lab, "take_samples", forged)


def test_whoever_reorders_the_samples_afterwards_is_found(lab, reference):
    """Blocks of one variant after the other, told as if they had taken turns."""

    def shuffled(machine, variants, processes, rounds, seed):
        rows = reference["take_samples"](machine, variants, processes, rounds, seed)
        rng, kept = np.random.default_rng(seed), []
        for process in range(processes):
            own = [row for row in rows if row["process"] == process]
            kept += [row for row in own if not row["round"]]
            for number in range(1, rounds + 1):
                turn = [row for row in own if row["round"] == number]
                kept += [turn[place] for place in rng.permutation(len(turn)).tolist()]
        return kept

    assert "measures_a_restless_device" in failed(lab, "take_samples", shuffled)


def test_intervals_hold_the_truth(lab, inside):
    """Five processes that differ by 2 %: 95 of 100 intervals; over 1,000 chance moves that by 0.7 points."""
    rng, held = np.random.default_rng(7), 0
    for _ in range(1000):
        samples = inside["_samples"](rng, 1.5 * np.exp(0.02 * rng.normal(size=5)), rounds=3, spread=0.001)
        found = lab.checks.oracles["speed_up"](samples, "base", "new")
        held += found["low"] <= 1.5 <= found["high"]
    assert 0.92 <= held / 1000 <= 0.98


def test_folded_tiles_are_the_attention_of_the_library(lab):
    import torch

    from course.inference.attention import naive_attention

    rng = np.random.default_rng(1)
    queries, keys, values = rng.normal(size=(5, 8)), rng.normal(size=(17, 8)), rng.normal(size=(17, 3))
    state = None
    for start in (8, 0, 12, 4, 16):
        tile = slice(start, start + 4)
        state = lab.checks.oracles["fold"](state, queries, keys[tile], values[tile], 12, start)
    got = state["weighted"] / state["total"][:, np.newaxis]
    theirs = naive_attention(*(torch.as_tensor(one) for one in (queries, keys, values)), causal=True)
    np.testing.assert_allclose(got, theirs.numpy(), atol=1e-12)


def test_what_is_sent_is_what_the_library_counts(lab, inside):
    from course.inference.tensor_parallel import communication
    from course.language.model import LlamaConfig

    config = LlamaConfig(64, 16, 3, 4, 4, 24)
    for world, batch in ((1, 1), (2, 1), (4, 6)):
        block = inside["_block"](np.random.default_rng(0), 24, 16, 4, 4, 4)
        sent = lab.checks.oracles["share_block"](block, world, batch, inside["LINK"])["sent"]
        assert config.n_layers * sent == communication(config, world, batch).sent


def test_percentiles_need_as_many_samples_as_in_the_library(lab):
    from course.measure.statistics import needed_for

    for percent in (50, 55, 90, 95, 99):
        needed, logits = needed_for(percent / 100), np.zeros((1, 2))
        for n, reason in ((needed - 1, "samples"), (needed, "")):
            one = {"name": "a", "logits": logits, "latencies": np.ones(n), "cost": 1.0}
            found = lab.checks.oracles["choose"]([one], {"kl": 1.0, "top1": 0.0}, percent, 2.0)
            assert found["reasons"] == {"a": reason}
