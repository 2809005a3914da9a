"""The rules of a measurement, each recomputed from the raw samples of a record (Lecture 11, *Fast inference*).

A rule looks at what the samples show rather than at what their taker says, as far as that can be: a clock that was read
too early left work behind it, a cold start is slower than what follows, a closed loop never meets its own queue.

Sources: G. Tene, How not to measure latency, 2013 (coordinated omission); R. Wolff, Poisson arrivals see time averages,
1982 (the rule for open loops).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import scipy.stats

from course.measure import statistics
from course.measure.record import Claim, Record, Request, Trial, Variant
from course.measure.statistics import FEWEST_PROCESSES, Estimate, cold_starts, is_warm, no_number, two_modes
from course.measure.work import Work, decode_work, least_seconds, prefill_work

LEFT_SHARE, LEFT_SECONDS = 0.02, 1e-4  # work that a trial may leave behind it: the cost of an empty synchronisation
COLD = 1.25  # a first measured trial that is slower than the rest by this factor was a warm-up
USUAL_WINDOW = 3  # of a warm-up's trials, where the settings do not say
COUNT_SHARE = 0.02  # by which counted work may differ: norms, embeddings and activations are counted or left out
FASTER = 0.9  # of the roofline's time; ceilings are measured, too, and vary
LARGER_THAN_CACHES = 128 << 20  # bytes of weights, below which a processor need not fetch them each time
OUT_OF_PLACE = 1 / 6  # of all trials, by which a variant's mean place may differ from the middle
ENOUGH_ROUNDS = 16  # that drawing the same order in all of them by lot is out of the question
FEWEST_ARRIVALS = 30
VALUE_SHARE, END_SHARE = 0.005, 0.05  # by which a claim may differ from what the samples give, for three digits
RATIO_SHARE = 0.02  # by which a speed-up may: it can be the ratio of medians over all processes, too
SHOWN = 3


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes:
        name: in a word or two.
        states: what has to hold.
        check: from a record to a sentence for each breach; None where the record has nothing that it could judge.
    """

    name: str
    states: str
    check: Callable[[Record], list[str] | None]


def _parity(record: Record) -> list[str]:
    return [sentence for variant in record.variants if (sentence := no_number(record, variant.name))]


def _equal_work(record: Record) -> list[str]:
    found = []
    for trial in record.trials:
        asked = record.variant(trial.variant).batch
        decoded = trial.timing("decode")
        if trial.batch != asked or (decoded and decoded.steps != trial.generated - 1):
            found.append(f"trial {trial.place} of {trial.variant} has another batch, or other steps, than it says.")
    done: dict[tuple[int, int], set[str]] = {}
    for trial in record.trials:
        done.setdefault((trial.prompt, trial.generated), set()).add(trial.variant)
    for request in record.requests:
        done.setdefault((-1, request.generated), set()).add(request.variant)
    for served in (False, True):
        kinds = {work: names for work, names in done.items() if (work[0] == -1) == served}
        if len(kinds) > 1:
            each = "; ".join(f"{', '.join(sorted(names))}: {_work_words(work)}" for work, names in kinds.items())
            found.append(f"what is compared did not do the same work ({each}).")
    return found


def _counted(record: Record) -> list[str] | None:
    found, judged = [], False
    for variant in record.variants:
        first = next((trial for trial in record.trials if trial.variant == variant.name), None)
        if variant.shape is None or first is None or not variant.counted:
            continue
        for counted in variant.counted:
            work = work_of(variant, first, counted.phase)
            if work is None:
                continue
            judged = True
            least, most = work.flops * (1 - COUNT_SHARE), work.flops_unmasked * (1 + COUNT_SHARE)
            if not least <= counted.flops <= most:
                ratio = counted.flops / work.flops
                found.append(
                    f"{variant.name}, {counted.phase}: {counted.flops:.4g} operations were counted, and its shape has "
                    f"{work.flops:.4g}: {ratio:.2g} times as many."
                )
            if abs(counted.bytes / work.bytes - 1) > COUNT_SHARE:
                found.append(
                    f"{variant.name}, {counted.phase}: {counted.bytes:.4g} bytes were counted, and its shape has "
                    f"{work.bytes:.4g}."
                )
    return found if judged else None


def _synchronised(record: Record) -> list[str] | None:
    if not record.trials:
        return None
    found = []
    for trial in record.trials:
        allowed = LEFT_SECONDS + LEFT_SHARE * trial.seconds
        on_device = sum(timing.device_seconds or 0.0 for timing in trial.timings)
        if not trial.synchronised:
            found.append(f"trial {trial.place} of {trial.variant} says itself that it did not wait for the device.")
        elif trial.drained > allowed:
            found.append(
                f"trial {trial.place} of {trial.variant} was timed at {trial.seconds:.3g} s, and the device was at "
                f"work for {trial.drained:.3g} s more."
            )
        elif on_device > trial.seconds * (1 + LEFT_SHARE) + LEFT_SECONDS:
            found.append(
                f"trial {trial.place} of {trial.variant} took {on_device:.3g} s on the device and "
                f"{trial.seconds:.3g} s by the host."
            )
    return found


def _warm(record: Record) -> list[str] | None:
    if not record.trials:
        return None
    window = record.settings.get("window")
    window = window if isinstance(window, int) and window >= 2 else USUAL_WINDOW
    found = []
    for variant in record.variants:
        of_variant = [trial for trial in record.trials if trial.variant == variant.name]
        for process, trials in _by_process(of_variant):
            measured = [trial for trial in trials if not trial.warm_up]
            before = [one for one in trials if one.warm_up and (not measured or one.place < measured[0].place)]
            where = f"{variant.name}, process {process}"
            if not before:
                found.append(f"{where}: measured without a warm-up.")
            elif not is_warm([trial.seconds for trial in before], window):
                found.append(f"{where}: still getting faster after {len(before)} warm-ups.")
        cold, judged = cold_starts(record.measured(variant.name), COLD)
        if cold >= 2 and cold > judged / 2:
            found.append(
                f"{variant.name}: in {cold} of {judged} processes the first measured trial was the slowest by far."
            )
    return found


def _fresh(record: Record) -> list[str] | None:
    if not record.trials:
        return None
    found = []
    for variant in record.variants:
        trials = record.measured(variant.name)
        full = [trial for trial in trials if trial.cached_before]
        if full:
            found.append(
                f"{variant.name}: {len(full)} of {len(trials)} trials began with a cache that was not empty, the first "
                f"with {full[0].cached_before} positions."
            )
        for process, of_process in _by_process(trials):
            again = len(of_process) - len({trial.digest for trial in of_process})
            if again:
                found.append(f"{variant.name}, process {process}: {again} of its prompts had been read before.")
    return found


def _interleaved(record: Record) -> list[str] | None:
    measured = [trial for trial in record.trials if not trial.warm_up]
    names = [variant.name for variant in record.variants]
    if len(names) < 2 or not measured:
        return None
    found, middle = [], (len(measured) - 1) / 2
    for name in names:
        places = [rank for rank, trial in enumerate(measured) if trial.variant == name]
        if places and abs(np.mean(places) - middle) > OUT_OF_PLACE * len(measured):
            found.append(
                f"{name} was measured {'before' if np.mean(places) < middle else 'after'} the others, not among them."
            )
    orders: dict[tuple[int, int], list[str]] = {}
    for trial in measured:
        orders.setdefault((trial.process, trial.round), []).append(trial.variant)
    whole = [tuple(order) for order in orders.values() if len(order) == len(names)]
    if len(whole) >= ENOUGH_ROUNDS and len(set(whole)) == 1:
        found.append(f"all {len(whole)} rounds have the same order, {', '.join(whole[0])}: it was not drawn by lot.")
    return found


def _processes(record: Record) -> list[str]:
    found = []
    for variant in record.variants:
        seen = {trial.process for trial in record.measured(variant.name)}
        seen |= {request.process for request in record.requests if request.variant == variant.name}
        if len(seen) < FEWEST_PROCESSES:
            found.append(
                f"{variant.name} was measured in {len(seen)} process{'es' if len(seen) != 1 else ''}; "
                f"{FEWEST_PROCESSES} are needed to speak for the next one."
            )
    return found


def _possible(record: Record) -> list[str] | None:
    found, judged = [], False
    for variant in record.variants:
        for trial in record.measured(variant.name):
            for timing in trial.timings:
                least = roofline_seconds(record, variant, trial, timing.phase)
                if least is None:
                    continue
                judged = True
                if timing.seconds < FASTER * least:
                    found.append(
                        f"trial {trial.place}, {variant.name}: a {timing.phase} in {timing.seconds:.3g} s, and the "
                        f"device's measured ceilings allow none below {least:.3g} s."
                    )
    return found if judged else None


def _one_number(record: Record) -> list[str] | None:
    claims = [claim for claim in record.claims if claim.statistic in ("mean", "median") and claim.phase]
    found = []
    for claim in claims:
        samples = statistics.per_step(record, claim.variant, claim.phase)
        modes = two_modes([value for values in samples.values() for value in values])
        if modes:
            found.append(
                f"{claim.variant}, {claim.phase}: the {claim.statistic} {claim.value:.3g} s stands for two modes, "
                f"{modes.low:.3g} s and {modes.high:.3g} s ({modes.share_high:.0%} of the trials); say both."
            )
    return found if claims else None


def _open_loop(record: Record) -> list[str] | None:
    found, judged = [], False
    for (name, process), requests in _loads(record):
        if len(requests) < FEWEST_ARRIVALS:
            continue
        judged = True
        busy, met = _seen_busy(requests)
        chance = scipy.stats.binom.cdf(round(met * len(requests)), len(requests), busy)
        if met < busy / 2 and chance < 1e-4:
            found.append(
                f"{name}, process {process}: the server was busy {busy:.0%} of the time, and {met:.0%} of the requests "
                "found it busy: they waited for the answers before them, which leaves out the waiting."
            )
    return found if judged else None


def _percentiles(record: Record) -> list[str] | None:
    claims = [claim for claim in record.claims if claim.statistic == "percentile"]
    found = []
    for claim in claims:
        n = sum(request.variant == claim.variant for request in record.requests)
        if claim.level is None:
            found.append(f"{claim.variant}: a percentile is claimed without saying which.")
        elif n < statistics.needed_for(claim.level):
            found.append(
                f"{claim.variant}: percentile {100 * claim.level:g} is claimed from {n} requests; it takes "
                f"{statistics.needed_for(claim.level):,}."
            )
    return found if claims else None


def _conclusions(record: Record) -> list[str] | None:
    found = []
    for claim in record.claims:
        name = f"{claim.variant}, {claim.phase or 'latency'}: the {claim.statistic} {claim.value:.4g}"
        try:
            recomputed = recompute(record, claim)
        except ValueError as error:
            found.append(f"{name} cannot be computed again: {error}")
            continue
        if recomputed.value is None:
            found.append(f"{name} is not carried by its samples: {recomputed.refused}")
        elif abs(claim.value / recomputed.value - 1) > (RATIO_SHARE if claim.statistic == "speed-up" else VALUE_SHARE):
            found.append(f"{name} does not follow from the samples; they give {recomputed.value:.4g}.")
        elif not _ends_agree(claim, recomputed):
            low, high = recomputed.interval
            found.append(f"{name} has another interval than its samples give, {low:.4g} to {high:.4g}.")
    return found if record.claims else None


RULES = (
    Rule("parity", "the answers are those of the reference, within the stated limits", _parity),
    Rule("equal work", "all variants read and wrote equally many tokens", _equal_work),
    Rule("work counted", "operations and bytes are those of the model's shape", _counted),
    Rule("synchronised", "no work was left when a clock was read", _synchronised),
    Rule("warm", "each process was warmed up until it no longer got faster", _warm),
    Rule("fresh cache", "each trial began with an empty cache and a prompt not seen before", _fresh),
    Rule("interleaved", "variants took turns, in an order drawn by lot", _interleaved),
    Rule("processes", f"at least {FEWEST_PROCESSES} fresh processes", _processes),
    Rule("possible", "no time is below what the measured ceilings allow", _possible),
    Rule("one number", "no single number stands for two modes", _one_number),
    Rule("open loop", "requests came without waiting for answers", _open_loop),
    Rule("percentiles", "each percentile has ten samples beyond it", _percentiles),
    Rule("conclusions", "each claim follows from the samples", _conclusions),
)


def recompute(record: Record, claim: Claim) -> Estimate:
    """What the samples give for a claim.

    Raises:
        ValueError: the claim lacks a phase or a level.
    """
    if claim.statistic == "percentile":
        if claim.level is None:
            raise ValueError("it does not say which percentile it is.")
        return latency(record, claim.variant, claim.level)
    if claim.phase is None:
        raise ValueError("it does not say of which phase it is.")
    if claim.statistic == "speed-up":
        return statistics.speed_up(record, claim.variant, claim.phase, claim.baseline)
    middle = statistics.median(record, claim.variant, claim.phase)
    if claim.statistic == "median" or middle.value is None:
        return middle
    samples = statistics.per_step(record, claim.variant, claim.phase)
    return middle._replace(
        value=float(np.mean([value for values in samples.values() for value in values])), interval=None
    )


def latency(record: Record, variant: str, level: float) -> Estimate:
    """The percentile of a variant's latencies in the server scenario, or why there is none."""
    own = [request for request in record.requests if request.variant == variant]
    refused = no_number(record, variant)
    if refused:
        return Estimate(None, None, len(own), 0, refused)
    found = statistics.percentile([request.latency for request in own], level)
    return found._replace(processes=len({request.process for request in own}))


def roofline_seconds(record: Record, variant: Variant, trial: Trial, phase: str) -> float | None:
    """The least time of a phase under the record's ceilings; None where they do not bound it."""
    work = work_of(variant, trial, phase)
    if work is None:
        return None
    flops = record.ceiling("flops", variant.dtype)
    weights = variant.shape.n_layers * variant.shape.layer_weights + variant.shape.head_weights
    fits = weights * variant.bytes_per_weight < LARGER_THAN_CACHES
    moved = None if fits else record.ceiling("bytes")
    if flops is None and moved is None:
        return None
    return least_seconds(work, flops or float("inf"), moved or float("inf"))


def work_of(variant: Variant, trial: Trial, phase: str) -> Work | None:
    """The least work of a phase of one trial, counted from the variant's shape; None where it has none."""
    if variant.shape is None or phase == "kernel":
        return None
    if phase == "prefill":
        return prefill_work(variant.shape, trial.batch, trial.prompt, variant.costs)
    if trial.generated < 2:
        return None
    return decode_work(variant.shape, trial.batch, trial.prompt, trial.generated - 1, variant.costs)


def _loads(record: Record) -> Iterator[tuple[tuple[str, int], list[Request]]]:
    """The requests of each variant in each process, in the order in which they were due."""

    def key(request: Request) -> tuple[str, int]:
        return request.variant, request.process

    for name, requests in groupby(sorted(record.requests, key=key), key):
        yield name, sorted(requests, key=lambda request: request.due)


def _seen_busy(requests: list[Request]) -> tuple[float, float]:
    """The share of the time in which a request was there, and the share of the requests that found one there.

    Poisson arrivals see time averages: in an open loop the two agree but for chance.
    """
    busy, until, met = 0.0, requests[0].due, 0
    for request in requests:
        met += until > request.due
        busy += max(request.completed - max(request.due, until), 0.0)
        until = max(until, request.completed)
    return busy / (until - requests[0].due), met / len(requests)


def _by_process(trials: list[Trial]) -> list[tuple[int, list[Trial]]]:
    found: dict[int, list[Trial]] = {}
    for trial in trials:
        found.setdefault(trial.process, []).append(trial)
    return sorted(found.items())


def _ends_agree(claim: Claim, recomputed: Estimate) -> bool:
    if claim.low is None and claim.high is None:
        return True
    if claim.low is None or claim.high is None or recomputed.interval is None:
        return False
    near = END_SHARE * recomputed.value
    return abs(claim.low - recomputed.interval.low) <= near and abs(claim.high - recomputed.interval.high) <= near


def _work_words(work: tuple[int, int]) -> str:
    prompt, generated = work
    return f"{generated} tokens a request" if prompt == -1 else f"{prompt} tokens read and {generated} written"
