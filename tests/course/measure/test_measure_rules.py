"""Rules on records that break one thing each, and on records that have nothing to judge."""

import numpy as np
import pytest

from course.measure.record import Claim
from course.measure.rules import RULES, recompute
from course.measure.verify import Finding, holds, verify


def broken(record):
    return {finding.rule.name for finding in verify(record) if finding.held is False}


def with_trials(record, change):
    """The record with other trials; ``change`` gets one and returns another."""
    return record.model_copy(update={"trials": tuple(change(trial) for trial in record.trials)})


def test_an_honest_record_breaks_nothing(record, server_record):
    assert broken(record) == broken(server_record) == set()
    assert holds(verify(record))


def test_one_trial_in_a_thousand_is_enough(record):
    chosen = record.measured("fast")[5].place

    def change(trial):
        return trial.model_copy(update={"drained": 0.01}) if trial.place == chosen else trial

    assert broken(with_trials(record, change)) == {"synchronised"}


def test_a_device_that_worked_longer_than_the_host_saw(record):
    def change(trial):
        timings = tuple(one.model_copy(update={"device_seconds": 2 * one.seconds}) for one in trial.timings)
        return trial.model_copy(update={"timings": timings})

    assert broken(with_trials(record, change)) == {"synchronised"}


def test_times_that_no_device_has(record):
    def change(trial):
        timings = tuple(
            one.model_copy(update={"seconds": one.seconds / 10, "device_seconds": None}) for one in trial.timings
        )
        return trial.model_copy(update={"timings": timings})

    assert "possible" in broken(with_trials(record, change).model_copy(update={"claims": ()}))


def test_without_ceilings_nothing_is_said_about_what_is_possible(record):
    finding = next(one for one in verify(record.model_copy(update={"ceilings": ()})) if one.rule.name == "possible")
    assert finding.held is None
    assert holds((finding,))


def test_a_small_model_may_live_in_the_caches(record):
    """Then its bytes are no bound, and the ceiling of operations still is."""
    small = tuple(
        variant.model_copy(update={"shape": variant.shape.model_copy(update={"n_layers": 1}), "counted": ()})
        for variant in record.variants
    )
    slow = record.model_copy(update={"variants": small, "claims": ()})
    assert broken(slow) == set()


def test_a_count_left_out_a_mask_or_a_row_of_logits(record):
    """Counting all scores or those that the mask leaves is right; counting logits that are not computed is not."""
    variant = record.variant("fast")
    trial = record.measured("fast")[0]
    from course.measure.work import prefill_work

    work = prefill_work(variant.shape, 1, trial.prompt, variant.costs)
    prefill, decode = variant.counted

    def judged(**fields):
        changed = variant.model_copy(update={"counted": (prefill.model_copy(update=fields), decode)})
        return broken(record.model_copy(update={"variants": (record.variants[0], changed)}))

    assert judged(flops=work.flops) == judged(flops=work.flops_unmasked) == set()
    assert judged(flops=work.flops / 2) == judged(bytes=prefill.bytes / 4) == {"work counted"}


def test_a_fixed_order_is_no_lot(record):
    names = [variant.name for variant in record.variants]
    measured = sorted(
        (trial for trial in record.trials if not trial.warm_up),
        key=lambda trial: (trial.process, trial.round, names.index(trial.variant)),
    )
    warm = [trial for trial in record.trials if trial.warm_up]
    trials = [trial.model_copy(update={"place": place}) for place, trial in enumerate([*warm, *measured])]
    assert broken(record.model_copy(update={"trials": tuple(trials)})) == {"interleaved"}


def claim(**fields):
    return Claim(**{"statistic": "median", "variant": "fast", "phase": "decode", "value": 1.0} | fields)


@pytest.mark.parametrize(
    ("made", "rule", "words"),
    [
        (claim(), "conclusions", "does not follow from the samples"),
        (claim(phase=None), "conclusions", "does not say of which phase"),
        (claim(phase="kernel"), "conclusions", "has no trial with a kernel"),
        (claim(statistic="speed-up", value=5.0), "conclusions", "does not follow from the samples; they give"),
        (claim(statistic="percentile", level=0.9), "percentiles", "from 0 requests; it takes 100"),
        (claim(statistic="percentile"), "percentiles", "without saying which"),
    ],
)
def test_claims_that_the_samples_do_not_carry(record, made, rule, words):
    finding = next(one for one in verify(record.model_copy(update={"claims": (made,)})) if one.rule.name == rule)
    assert finding.held is False and words in finding.summary


def test_a_claim_may_be_rounded_to_three_digits_and_not_to_two(record):
    right = next(one for one in record.claims if one.statistic == "speed-up" and one.phase == "prefill")
    for digits, found in ((3, set()), (1, {"conclusions"})):
        other = 1.13 * right.value if digits == 1 else float(f"{right.value:.{digits}g}")
        rounded = right.model_copy(update={"value": other})
        assert broken(record.model_copy(update={"claims": (rounded,)})) == found
    narrow = right.model_copy(update={"low": 0.999 * right.value, "high": 1.2 * right.value})
    assert broken(record.model_copy(update={"claims": (narrow,)})) == {"conclusions"}
    half = right.model_copy(update={"high": None})
    assert broken(record.model_copy(update={"claims": (half,)})) == {"conclusions"}


def test_a_mean_is_recomputed(record):
    samples = [t.timing("decode").seconds / t.timing("decode").steps for t in record.measured("fast")]
    assert recompute(record, claim(statistic="mean")).value == pytest.approx(np.mean(samples))


def test_settings_that_are_nonsense_are_no_way_out(record):
    """The window of the warm-up stands in the settings, which anybody may write."""
    for window in (0, -5, "3", None, 1.5, True):
        odd = record.model_copy(update={"settings": {"window": window}})
        assert broken(odd) == set()


def test_many_sentences_are_cut_to_three():
    finding = Finding(RULES[0], False, tuple(f"Sentence {n}." for n in range(9)))
    assert finding.summary == "Sentence 0. Sentence 1. Sentence 2. And 6 more."
