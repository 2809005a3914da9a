"""Intervals against simulated coverage, percentiles against brute force, and what is refused."""

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from course.bench.statistics import median_interval
from course.measure import statistics
from course.measure.record import Trial
from course.measure.statistics import (
    cold_starts,
    is_warm,
    median,
    median_of_processes,
    needed_for,
    percentile,
    ratio_of_processes,
    speed_up,
    two_modes,
)

SIMULATIONS = 300


def made_up(random, processes, rounds, between, within, centre=1.0):
    """Samples with a level of each process."""
    levels = centre * np.exp(random.normal(0, between, processes))
    return {p: list(level * np.exp(random.normal(0, within, rounds))) for p, level in enumerate(levels)}


@pytest.mark.parametrize(("processes", "between", "within"), [(3, 0.05, 0.01), (5, 0.05, 0.01), (5, 0.01, 0.05)])
def test_the_interval_of_a_median_covers_the_truth(processes, between, within):
    """At least nine times in ten, where a plain bootstrap of all trials would cover it far too seldom."""
    random = np.random.default_rng(5)
    covered = plain = 0
    for _ in range(SIMULATIONS):
        samples = made_up(random, processes, 8, between, within)
        covered += median_of_processes(samples).contains(1.0)
        if between > within:
            reach = 1.96 * 1.2533 * np.std(np.concatenate(list(samples.values()))) / math.sqrt(8 * processes)
            plain += abs(np.median(np.concatenate(list(samples.values()))) - 1.0) < reach
    assert 0.9 < covered / SIMULATIONS < 0.99
    if between > within:
        assert plain / SIMULATIONS < 0.85


@pytest.mark.parametrize("processes", [3, 5])
def test_the_interval_of_a_ratio_covers_the_truth_and_uses_the_pairs(processes):
    """What a process adds to both variants cancels; the ratio's own spread from process to process does not."""
    random = np.random.default_rng(6)
    covered, widths = 0, []
    for _ in range(SIMULATIONS):
        levels = np.exp(random.normal(0, 0.3, processes))
        own = 2.0 * np.exp(random.normal(0, 0.02, processes))
        above = {p: list(levels[p] * own[p] * np.exp(random.normal(0, 0.01, 8))) for p in range(processes)}
        below = {p: list(levels[p] * np.exp(random.normal(0, 0.01, 8))) for p in range(processes)}
        value, interval = ratio_of_processes(above, below)
        assert interval.contains(value)
        covered += interval.contains(2.0)
        widths.append(math.log(interval.high / interval.low))
    assert 0.9 < covered / SIMULATIONS < 0.99
    if processes == 5:
        assert np.median(widths) < 0.3  # levels that did not cancel would give more than 1


def test_a_single_process_gets_the_plain_interval_and_two_get_none():
    values = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6]
    assert median_of_processes({4: values}) == median_interval(values)
    assert median_of_processes({4: values[:3]}) is None
    assert median_of_processes({0: values, 1: values}) is None
    with pytest.raises(ValueError, match="At least 3 processes with both were expected; 2 came"):
        ratio_of_processes({0: values, 1: values, 2: values}, {0: values, 1: values, 7: values})


def test_the_same_samples_have_a_ratio_of_one():
    samples = {p: [1.0 + 0.1 * p, 1.2, 1.4] for p in range(4)}
    value, (low, high) = ratio_of_processes(samples, samples)
    assert (value, low, high) == pytest.approx((1.0, 1.0, 1.0))


@pytest.mark.parametrize(("level", "needed"), [(0.5, 20), (0.9, 100), (0.95, 200), (0.99, 1000), (0.999, 10_000)])
def test_how_many_samples_a_percentile_needs(level, needed):
    """Exactly, although 1 - 0.99 is not 0.01 in binary."""
    assert needed_for(level) == needed
    few = percentile(range(1, needed), level)
    assert few.value is None and f"it takes {needed:,}" in few.refused
    assert percentile(range(1, needed + 1), level).value is not None


@given(st.lists(st.floats(0, 1e6), min_size=20, max_size=60), st.sampled_from([0.05, 0.25, 0.4, 0.5]))
def test_a_percentile_is_the_smallest_value_that_enough_samples_do_not_exceed(values, level):
    wanted = min(v for v in values if sum(w <= v for w in values) >= Fraction(str(level)) * len(values))
    found = percentile(values, level)
    assert found.value == wanted
    assert found.interval.contains(found.value)


def test_the_interval_of_a_percentile_by_brute_force():
    """Ranks enclose the percentile with probability 0.95 or more, summed term by term; one rank less would not do."""
    n, level = 200, 0.9
    low, high = (int(round(end)) for end in percentile(range(1, n + 1), level).interval)

    def probability(first, last):
        return sum(math.comb(n, k) * level**k * (1 - level) ** (n - k) for k in range(first, last))

    assert probability(low, high) >= 0.95
    assert min(probability(low + 1, high), probability(low, high - 1)) < 0.96
    random = np.random.default_rng(1)
    truth = scipy.stats.expon.ppf(level)
    hits = sum(percentile(random.exponential(size=n), level).interval.contains(truth) for _ in range(400))
    assert hits / 400 > 0.92


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 99])
def test_a_level_that_is_none(level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        percentile([1.0] * 1000, level)


def test_samples_that_are_none():
    with pytest.raises(ValueError, match="Finite samples"):
        percentile([1.0] * 1000 + [math.inf], 0.5)
    assert percentile([], 0.5).value is None


def test_two_modes_are_found_and_one_is_not_split():
    random = np.random.default_rng(2)
    even = [two_modes(random.uniform(1, 3, 24)) for _ in range(200)]
    assert sum(modes is not None for modes in even) <= 10
    for _ in range(200):
        assert two_modes(random.lognormal(0, 0.3, 24)) is None
        with_outliers = np.concatenate([random.lognormal(0, 0.01, 22), [3.0, 3.1]])
        assert two_modes(with_outliers) is None
        pair = np.concatenate([random.lognormal(0, 0.02, 16), 2 * random.lognormal(0, 0.02, 8)])
        modes = two_modes(random.permutation(pair))
        assert modes.low == pytest.approx(1, rel=0.05) and modes.high == pytest.approx(2, rel=0.05)
        assert modes.share_high == pytest.approx(1 / 3)
    assert two_modes([1.0] * 6 + [2.0] * 5) is None  # eleven samples show nothing
    assert two_modes([1.0] * 12 + [1.05] * 12) is None  # closer than one number can bear
    assert two_modes([1.0] * 24) is None


@settings(max_examples=40)
@given(st.lists(st.floats(1e-3, 1e3), min_size=12, max_size=40))
def test_the_cut_between_two_modes_by_brute_force(values):
    """Otsu's cut: the one with the least sum of squares within, over all cuts that leave each part its share."""
    logs = np.sort(np.log(values))
    n = len(logs)
    fewest = max(2, math.ceil(statistics.SMALLEST_MODE * n))
    sums = {cut: cut * logs[:cut].var() + (n - cut) * logs[cut:].var() for cut in range(fewest, n - fewest + 1)}
    least = min(sums.values())
    modes = two_modes(values)
    if modes is not None:
        cut = round(n * (1 - modes.share_high))
        assert sums[cut] == pytest.approx(least, abs=1e-9)
        assert (modes.low, modes.high) == (np.median(sorted(values)[:cut]), np.median(sorted(values)[cut:]))
    else:
        best = [cut for cut in sums if sums[cut] <= least + 1e-9]
        apart = [
            logs[cut:].mean() - logs[:cut].mean() < statistics.SEPARATED * max(math.sqrt(least / n), 1e-3) + 1e-6
            or logs[cut:].mean() - logs[:cut].mean() < math.log(statistics.FURTHER) + 1e-6
            for cut in best
        ]
        assert any(apart)


def test_many_samples_of_one_process_have_the_interval_of_order_statistics():
    random = np.random.default_rng(8)
    hits = 0
    for _ in range(200):
        interval = median_of_processes({0: list(random.normal(5, 1, statistics.MOST_DRAWN + 1))})
        hits += interval.contains(5.0)
    assert 0.9 < hits / 200 < 1


def test_a_warm_up_goes_on_while_it_gets_faster():
    assert not is_warm([], 3) and not is_warm([1.0] * 5, 3)
    assert is_warm([1.0] * 6, 3)
    assert not is_warm([5, 4, 3, 2, 1.5, 1.2], 3)
    assert is_warm([5, 4, 3, 2, 1.5, 1.2, 1.0, 1.01, 0.99, 1.0, 1.0, 1.0], 3)
    assert is_warm([1.0, 1.3, 0.9, 1.1, 1.0, 1.2], 3)  # noise is no trend


def test_cold_starts_are_counted_by_process(record):
    template = record.measured("slow")[0]

    def trials(process, seconds):
        for place, value in enumerate(seconds):
            timing = template.timings[0].model_copy(update={"seconds": value})
            yield template.model_copy(update={"process": process, "place": place, "timings": (timing,)})

    found: list[Trial] = [
        *trials(0, [2.0, 1.0, 1.0, 1.0]),
        *trials(1, [1.0, 1.0, 2.0, 1.0]),
        *trials(2, [1.1, 1.0, 1.0, 1.0]),
        *trials(3, [9.0, 1.0, 1.0]),
    ]
    assert cold_starts(found, 1.25) == (1, 3)


def test_numbers_are_refused_without_parity(record):
    bare = record.model_copy(
        update={"variants": tuple(variant.model_copy(update={"parity": None}) for variant in record.variants)}
    )
    assert "came without parity" in median(bare, "fast", "decode").refused
    assert "came without parity" in speed_up(bare, "fast", "decode").refused
    worse = record.variants[1].parity.model_copy(update={"rel_l2": (0.5, 0.5)})
    other = record.model_copy(
        update={"variants": (record.variants[0], record.variants[1].model_copy(update={"parity": worse}))}
    )
    found = median(other, "fast", "decode")
    assert found.value is None and "does not give the answers of slow" in found.refused
    assert "does not give the answers" in speed_up(other, "slow", "decode", "fast").refused


def test_a_speed_up_that_may_be_one_and_few_processes_are_refused(record):
    same = speed_up(record, "slow", "decode", "slow")
    assert same.value is None and "contains 1" in same.refused and same.interval is not None
    one = record.model_copy(update={"trials": tuple(trial for trial in record.trials if trial.process == 0)})
    assert "1 process is too few" in speed_up(one, "fast", "decode").refused
    assert speed_up(record, "fast", "decode").value == pytest.approx(2.0, rel=0.02)


def test_a_shared_machine_is_said(record):
    """A process that had half of the processor: the wall clock is doubted, the process's own clock is not."""

    def halved(trial):
        timings = tuple(one.model_copy(update={"process_seconds": one.seconds / 2}) for one in trial.timings)
        return trial.model_copy(update={"timings": timings})

    device = record.device.model_copy(update={"kind": "cpu", "threads": 1})
    busy = record.model_copy(update={"trials": tuple(map(halved, record.trials)), "device": device})
    assert "had the processor 50% of the time" in median(busy, "fast", "decode").doubt
    assert median(record, "fast", "decode").doubt == ""
    assert speed_up(busy, "fast", "decode", clock="process_seconds").value == pytest.approx(2.0, rel=0.02)
