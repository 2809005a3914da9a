"""What follows from the records of ``course bench inference``: ratios, parity, shares of the roofline, and verdicts.

All numbers are computed by ``course.measure`` from the raw samples of its records; here they meet the bars.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from course.bench.inference_attention import BASELINE, FLASH, FUNCTIONS, quantity
from course.bench.inference_settings import BATCHES, CACHE, GENERATION, Settings
from course.bench.record import Bar, Ratio, Sample, Verdict, ratio
from course.bench.statistics import Interval
from course.measure import statistics
from course.measure.record import Record, Variant
from course.measure.rules import roofline_seconds
from course.measure.statistics import FEWEST_PROCESSES, HAD, Clock, Estimate, no_number, ratio_of_processes

LONGEST = 2048  # positions, of the bar for attention
FLASH_BAR = Bar(f"flash over naive attention at {LONGEST:,} positions", 5.0, "at least")
CACHE_BAR = Bar("a cache over none, the whole answer", 3.0, "at least")
FUSED_BAR = Bar("ONNX Runtime, fused, over PyTorch's SDPA, the whole answer", 1.6, "at least")
INT8_BAR = Bar("int8 over PyTorch's SDPA, the whole answer", 3.0, "at least")
ERROR_LIMIT = 1e-4
ERROR_BAR = f"relative error of the logits in float32: below {ERROR_LIMIT:g}"
ROOF_BAR = Bar("best decode's share of the memory roofline, batch 1, on a GPU", 0.7, "at least")
EAGER_BAR = Bar("best decode over eager, batch 1, on a GPU", 5.0, "at least")
NO_GPU = "not measured here: no CUDA device"
LEFT_OUT = "not measured: left out of this run"
TORCH, FUSED = "sdpa", "onnx-fused"
INT8 = ("onnx-int8-rows", "onnx-int8-blocks")  # which is faster depends on the processor

Records = Mapping[str, Record]
Findings = dict[str, Any]


class Found(NamedTuple):
    """A ratio of a record, as it is kept among the findings."""

    record: str
    name: str
    estimate: Estimate
    clock: Clock = "seconds"

    @property
    def kept(self) -> dict:
        """For JSON."""
        return {"record": self.record, "ratio": self.name, "clock": self.clock} | _kept(self.estimate)


def whole_answer(record: Record, variant: str, baseline: str, clock: Clock = "seconds") -> Estimate:
    """How many times faster than the baseline a variant reads and writes, both phases together.

    Refused as `course.measure.statistics.speed_up` refuses: without parity, with too few processes, or if it may be 1.

    Args:
        record: with both.
        variant, baseline: their names.
        clock: "seconds" of the wall, or "process_seconds", which leave out what other programs took.
    """
    refused = no_number(record, variant) or no_number(record, baseline)
    above, below = (_seconds(record, name, clock) for name in (baseline, variant))
    shared = set(above) & set(below)
    n = sum(len(below[process]) for process in shared)
    if not refused and len(shared) < FEWEST_PROCESSES:
        refused = f"{len(shared)} fresh processes are too few; {FEWEST_PROCESSES} are needed"
    if refused:
        return Estimate(None, None, n, len(shared), refused)
    value, interval = ratio_of_processes(above, below)
    if interval.contains(1.0):
        refused = f"the interval of the ratio, {interval.low:.3g} to {interval.high:.3g}, contains 1"
    return Estimate(None if refused else value, interval, n, len(shared), refused)


def clock_of(record: Record, variants: Iterable[str]) -> Clock:
    """The clock that judges a ratio: the wall's, or the processor's where other programs took more than a tenth."""
    shares = (
        statistics.share_computed(record, name, phase)
        for name in variants
        for phase in statistics.phases_of(record, name)
    )
    return "process_seconds" if any(share is not None and share < HAD for share in shares) else "seconds"


def roof_share(record: Record, variant: Variant) -> Estimate | None:
    """The share of the roofline's speed that decoding reaches; None where the record has no roof for it."""
    middle = statistics.median(record, variant.name, "decode")
    trials = record.measured(variant.name)
    least = roofline_seconds(record, variant, trials[0], "decode") if trials else None
    if least is None:
        return None
    least /= trials[0].timing("decode").steps
    interval = None if middle.interval is None else Interval(least / middle.interval.high, least / middle.interval.low)
    value = None if middle.value is None else least / middle.value
    return Estimate(value, interval, middle.n, middle.processes, middle.refused)


def find(records: Records, missing: Mapping[str, str]) -> Findings:
    """What the records say, as JSON can keep it.

    Args:
        records: by name: the part, with the model where a part was measured with several.
        missing: backends that were to be measured and cannot run here, with the reason.
    """
    return {
        "records": {name: {"digest": record.digest, "faults": list(record.faults)} for name, record in records.items()},
        "ratios": [found.kept for name, record in records.items() for found in _ratios(name, record)],
        "parity": {name: _parity(record) for name, record in records.items()},
        "steps": {name: _steps(record) for name, record in records.items()},
        "memory roofline": {name: _roofs(record) for name, record in records.items()},
        "tokens a second": {name: _throughput(record) for name, record in records.items() if _is(name, BATCHES)},
        "missing": dict(missing),
    }


def judge(settings: Settings, samples: Sequence[Sample], findings: Findings) -> tuple[list[Ratio], list[Verdict]]:
    """Ratios of attention, and the verdict on every bar; what was not measured is not judged."""
    measured = {one.size for one in samples}
    lengths = [length for length in settings.lengths if length in measured]
    names = [name for name in FUNCTIONS if name != BASELINE]
    ratios = [ratio(samples, quantity(length), BASELINE, name) for length in lengths for name in names]
    flash = next((one for one in ratios if (one.quantity, one.denominator) == (quantity(LONGEST), FLASH)), None)
    if settings.kind == "cpu":
        on_cpu, on_gpu = (_judged(findings, *bar) for bar in ON_CPU_BARS), (_not(bar, NO_GPU) for bar in GPU_BARS)
        verdicts = [*on_cpu, _parity_verdict(findings), *on_gpu]
    else:
        verdicts = [_parity_verdict(findings), *_on_gpu(findings)]
    return ratios, [_not(FLASH_BAR, LEFT_OUT) if flash is None else FLASH_BAR.judge(flash.interval), *verdicts]


ON_CPU_BARS = (
    (CACHE_BAR, CACHE, ("eager over uncached",)),
    (FUSED_BAR, GENERATION, (f"{FUSED} over {TORCH}",)),
    (INT8_BAR, GENERATION, tuple(f"{name} over {TORCH}" for name in INT8)),
)
GPU_BARS = (ROOF_BAR, EAGER_BAR)


def _judged(findings: Findings, bar: Bar, part: str, names: Collection[str]) -> Verdict:
    """A bar on the largest of some ratios; without parity it is missed, since then there is no speed to speak of."""
    found = [one for one in findings.get("ratios", ()) if _is(one["record"], part) and one["ratio"] in names]
    if not found:
        return _not(bar, LEFT_OUT)
    equal = [one for one in found if not _parity_of(findings, one).get("failures")]
    if not equal:
        faults = [fault for one in found for fault in _parity_of(findings, one)["failures"]]
        return Verdict(bar=_words(bar), met=False, found=f"without parity no speed: {'; '.join(faults)}")
    best = max(equal, key=lambda one: one["low"] or 0.0)
    verdict, parity = bar.judge(_interval(best)), _parity_of(findings, best)
    words = [verdict.found]
    if best["clock"] == "process_seconds" and best["low"] is not None:
        words = [f"{verdict.found} in processor time, since other programs took part of the processor"]
    if bar is INT8_BAR and parity:
        words.append(
            f"by {_variant(best)}, whose divergence is {parity['kl']:.2g} nats a token and whose best token agrees in "
            f"{parity['top1']:.1%}"
        )
    return verdict.model_copy(update={"found": "; ".join(words)})


def _variant(found: Mapping[str, Any]) -> str:
    return found["ratio"].partition(" over ")[0]


def _parity_of(findings: Findings, found: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is known of the variant of a ratio; nothing where it is the reference of its record."""
    return findings["parity"][found["record"]].get(_variant(found), {})


def _parity_verdict(findings: Findings) -> Verdict:
    """Every float32 variant, in every record."""
    errors = {
        f"{variant} ({name})": parity["rel_l2"]
        for name, parities in findings.get("parity", {}).items()
        for variant, parity in parities.items()
        if parity["dtype"] == "float32" and not parity["reference"]
    }
    if not errors:
        return Verdict(bar=ERROR_BAR, met=None, found="not measured: no variant in float32 beside the baseline")
    worst = max(errors, key=errors.get)
    return Verdict(
        bar=ERROR_BAR, met=errors[worst] < ERROR_LIMIT, found=f"measured {errors[worst]:.2g} at most, by {worst}"
    )


def _on_gpu(findings: Findings) -> list[Verdict]:
    """The bars of a GPU, on the best variant with parity of the best model."""
    roofs = [
        one for name, found in findings.get("memory roofline", {}).items() if _is(name, GENERATION) for one in found
    ]
    faster = [one for one in findings.get("ratios", ()) if one["ratio"].endswith("over eager, decode")]
    verdicts = []
    for bar, found in ((ROOF_BAR, roofs), (EAGER_BAR, faster)):
        known = [one for one in found if one["value"] is not None]
        best = max(known, key=lambda one: one["value"], default=None)
        if best is None:
            verdicts.append(_not(bar, "no variant has a number that may be shown"))
            continue
        verdict = bar.judge(_interval(best))
        who = f"{best.get('variant') or best['ratio']} ({best['record']})"
        verdicts.append(verdict.model_copy(update={"found": f"{verdict.found}, by {who}"}))
    return verdicts


def _ratios(name: str, record: Record) -> Iterable[Found]:
    variants = [variant.name for variant in record.variants]
    if _is(name, CACHE) and {"eager", "uncached"} <= set(variants):
        yield _answered(name, record, "eager", "uncached")
    if not _is(name, GENERATION):
        return
    for baseline in ("eager", TORCH, "transformers-sdpa"):
        for variant in variants:
            if baseline in variants and variant != baseline:
                yield _answered(name, record, variant, baseline)
    for variant in variants:
        if variant != record.baseline:
            found = statistics.speed_up(record, variant, "decode", record.baseline)
            yield Found(name, f"{variant} over {record.baseline}, decode", found)


def _answered(name: str, record: Record, variant: str, baseline: str) -> Found:
    clock = clock_of(record, (variant, baseline))
    return Found(name, f"{variant} over {baseline}", whole_answer(record, variant, baseline, clock), clock)


def _parity(record: Record) -> dict[str, dict]:
    return {
        variant.name: {
            "dtype": variant.dtype,
            "reference": variant.name == variant.parity.reference,
            "rel_l2": max(variant.parity.rel_l2),
            "kl": sum(variant.parity.kl) / len(variant.parity.kl),
            "top1": sum(variant.parity.top1) / len(variant.parity.top1),
            "failures": variant.parity.failures(),
        }
        for variant in record.variants
        if variant.parity is not None
    }


def _steps(record: Record) -> dict[str, dict]:
    """Time to the first token, and for each further one."""
    words = {"prefill": "first token, s", "decode": "further token, s"}
    return {
        variant.name: {words[phase]: _kept(statistics.median(record, variant.name, phase)) for phase in words}
        for variant in record.variants
        if statistics.phases_of(record, variant.name)
    }


def _roofs(record: Record) -> list[dict]:
    if record.scenario != "single-stream":
        return []
    shares = ((variant.name, roof_share(record, variant)) for variant in record.variants)
    model = record.settings.get("model", "")
    return [{"variant": name, "record": model} | _kept(share) for name, share in shares if share is not None]


def _throughput(record: Record) -> dict[str, float]:
    """Tokens a second of all sequences together, while decoding."""
    middles = [(one, statistics.median(record, one.name, "decode")) for one in record.variants]
    return {one.name: one.batch / middle.value for one, middle in middles if middle.value is not None}


def _seconds(record: Record, variant: str, clock: Clock) -> dict[int, list[float]]:
    """Seconds of whole trials, by process; trials without that clock are left out."""
    found: dict[int, list[float]] = {}
    for trial in record.measured(variant):
        seconds = [getattr(timing, clock) for timing in trial.timings]
        if all(seconds):
            found.setdefault(trial.process, []).append(sum(seconds))
    return found


def _kept(found: Estimate) -> dict:
    low, high = found.interval or (None, None)
    return {"value": found.value, "low": low, "high": high, "processes": found.processes, "refused": found.refused}


def _interval(kept: dict) -> Interval | None:
    return None if kept["low"] is None else Interval(kept["low"], kept["high"])


def _is(name: str, part: str) -> bool:
    """Whether a record, named by its part and perhaps its model, is of a part."""
    return name.partition(" ")[0] == part


def _not(bar: Bar, why: str) -> Verdict:
    return Verdict(bar=_words(bar), met=None, found=why)


def _words(bar: Bar) -> str:
    return f"{bar.name}: {bar.side} {bar.limit:g}"
