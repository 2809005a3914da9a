"""The record of a measurement: raw samples only, and what they were taken of, in what order, on what (Lecture 11).

Nothing in it is a summary. What somebody concluded may stand in it as :class:`Claim`, which
:mod:`course.measure.verify` computes again. A digest over the content shows that a record was changed after it was
written; whoever changes it and computes the digest anew is found only when the grader measures again.
"""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic_core
from pydantic import AwareDatetime, Field, ValidationError, model_validator

from course.bench.record import Strict
from course.errors import CourseError, shown
from course.measure.work import Costs, Shape
from course.storage import write_atomic

SCHEMA = 1
LARGEST = 64 << 20  # bytes of a record that is read
MOST_VARIANTS, MOST_SAMPLES = 200, 100_000  # so that verifying any record ends soon
CLOCKS_DIFFER = timedelta(minutes=5)

Phase = Literal["prefill", "decode", "kernel"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, le=2**53)]
Size = Annotated[int, Field(ge=1, le=2**40)]
Process = Annotated[int, Field(ge=0, lt=1000)]
Name = Annotated[str, Field(min_length=1, max_length=80)]


class Refused(CourseError):
    """A record that is not taken as evidence, with the reason."""


class Timing(Strict):
    """One phase of one trial.

    Attributes:
        steps: forward passes in it: 1 for a prefill, the tokens of each sequence for a decode, calls for a kernel.
        seconds: of the host's clock, between two synchronisations.
        process_seconds: that this process and those that it started computed, all threads together; None where the
            device has no such clock.
        device_seconds: between two events on the device; None where it has none.
    """

    phase: Phase
    steps: Size
    seconds: Positive
    process_seconds: NotNegative | None = None
    device_seconds: NotNegative | None = None


class Memory(Strict):
    """Bytes: ``allocated`` is the peak of what is in use, ``reserved`` what the process holds of the device."""

    allocated: Count
    reserved: Count


class Trial(Strict):
    """One measurement of one variant.

    Attributes:
        place: in the order of the whole run, warm-ups included.
        process: which of the fresh processes; variants that cannot share a process share its number.
        round: in which each variant comes once; 0 for warm-ups.
        synchronised: whether the clock was read after the device had finished.
        drained: seconds that the device was still at work when the last clock had been read.
        started: seconds after the process began.
        digest: of the prompt's tokens.
        cached_before: positions in the cache when the trial began.
    """

    place: Count
    process: Process
    round: Count
    variant: Name
    warm_up: bool
    synchronised: bool
    batch: Size
    prompt: Size
    generated: Count
    digest: Name
    cached_before: Count
    started: NotNegative
    timings: tuple[Timing, ...] = Field(min_length=1)
    drained: NotNegative
    memory: Memory

    @property
    def seconds(self) -> float:
        """All phases together."""
        return sum(timing.seconds for timing in self.timings)

    def timing(self, phase: Phase) -> Timing | None:
        """The phase's timing, None where the trial had no such phase."""
        return next((timing for timing in self.timings if timing.phase == phase), None)


class Request(Strict):
    """A request of the server scenario; all times are seconds after the first instant of its process's load.

    Attributes:
        due: when it arrived, drawn before the run and independent of it.
        started: when the server began with it.
        first_token: when its first token was there.
        completed: when its last token was there.
    """

    variant: Name
    process: Process
    number: Count
    due: NotNegative
    started: NotNegative
    first_token: NotNegative
    completed: NotNegative
    generated: Size

    @model_validator(mode="after")
    def _in_order(self) -> "Request":
        if not self.due <= self.started <= self.first_token <= self.completed:
            raise ValueError("A request is due, started, has a first token and is completed, in this order.")
        return self

    @property
    def latency(self) -> float:
        """Seconds from when it was due; waiting counts."""
        return self.completed - self.due


class Load(Strict):
    """The load of the server scenario: ``objective`` seconds for ``share`` of the requests."""

    objective: Positive
    share: float = Field(gt=0, lt=1)
    seed: Count


class Parity(Strict):
    """How a variant's answers compare with the reference's, prompt by prompt.

    Attributes:
        rel_l2: of each prompt, the norm of the difference of all logits over the norm of the reference's.
        kl: of each prompt, the mean divergence from the reference, nats a token.
        top1: of each prompt, the share of rows whose best token is the reference's.
        tokens, reference_tokens: of each prompt, what was generated greedily.
        limits: what was allowed; keys "rel_l2", "kl" (at most), "top1", "tokens" (at least).
    """

    reference: Name
    rel_l2: tuple[NotNegative, ...] = Field(min_length=1)
    kl: tuple[NotNegative, ...]
    top1: tuple[Annotated[float, Field(ge=0, le=1)], ...]
    tokens: tuple[tuple[int, ...], ...]
    reference_tokens: tuple[tuple[int, ...], ...]
    limits: dict[Literal["rel_l2", "kl", "top1", "tokens"], NotNegative] = Field(min_length=1)

    @model_validator(mode="after")
    def _as_many(self) -> "Parity":
        lengths = {len(part) for part in (self.rel_l2, self.kl, self.top1, self.tokens, self.reference_tokens)}
        pairs = zip(self.tokens, self.reference_tokens, strict=False)
        if len(lengths) != 1 or any(len(one) != len(other) or not one for one, other in pairs):
            raise ValueError("Parity has one number of each kind for each prompt, and equally many tokens of both.")
        return self

    @property
    def whole(self) -> bool:
        """Whether all probabilities were told; an engine that tells the best alone has no divergence to speak of."""
        return "kl" in self.limits

    @property
    def agreement(self) -> float:
        """Share of greedy tokens that are the reference's."""
        own, wanted = (list(chain.from_iterable(tokens)) for tokens in (self.tokens, self.reference_tokens))
        return sum(one == other for one, other in zip(own, wanted, strict=True)) / len(own)

    def failures(self) -> list[str]:
        """A sentence for each limit that is broken."""
        worst = {"rel_l2": max(self.rel_l2), "kl": sum(self.kl) / len(self.kl)}
        best = {"top1": sum(self.top1) / len(self.top1), "tokens": self.agreement}
        found = []
        for name, limit in self.limits.items():
            if name in worst and worst[name] > limit:
                found.append(f"its {WORDS[name]} is {worst[name]:.2g}, and {limit:.2g} is allowed")
            if name in best and best[name] < limit:
                found.append(f"its {WORDS[name]} is {best[name]:.1%}, and {limit:.1%} is asked for")
        return found


WORDS = {"rel_l2": "relative error of the logits", "kl": "divergence (nats)"} | {
    "top1": "agreement of the best token",
    "tokens": "agreement of the greedy tokens",
}


class Counted(Strict):
    """What the measurer counted for a phase of one trial."""

    phase: Phase
    flops: Positive
    bytes: Positive


class Variant(Strict):
    """What was measured.

    Attributes:
        name: its own in the record; ``backend`` may come with several batches or loads.
        code: SHA-256 of the code that was measured.
        rate: requests a second, of the server scenario.
        memory_predicted: bytes, counted before anything was loaded.
    """

    name: Name
    backend: Name
    dtype: Name
    batch: Size = 1
    rate: Positive | None = None
    shape: Shape | None = None
    bytes_per_weight: Positive = 4.0
    bytes_per_value: Positive = 4.0
    logit_rows: Size = 1
    memory_predicted: Count | None = None
    code: Name
    counted: tuple[Counted, ...] = ()
    parity: Parity | None = None

    @property
    def costs(self) -> Costs:
        """For counting its work again."""
        return Costs(self.bytes_per_weight, self.bytes_per_value, self.logit_rows)


class Ceiling(Strict):
    """A limit of the device, measured: ``kind`` moved or computed per second, each repetition of it."""

    kind: Literal["flops", "bytes"]
    dtype: Name
    per_second: tuple[Positive, ...] = Field(min_length=1)

    @property
    def best(self) -> float:
        """The highest rate that was seen: a ceiling is what the device can do, not what it does on average."""
        return max(self.per_second)


class Device(Strict):
    """What it was measured on, with the versions of all that takes part."""

    kind: Literal["cpu", "cuda", "fake"]
    name: Name
    clock: Name
    memory_bytes: Count
    threads: Size
    driver: str = ""
    versions: dict[str, str]
    state: dict[str, str] = Field({}, description="clocks, temperature, limits: what the driver said at the beginning")


class Claim(Strict):
    """A conclusion, to be computed again from the samples.

    Attributes:
        statistic: "median" and "mean" are of a phase's seconds per step, "percentile" of the latency of requests,
            "speed-up" is the baseline's seconds per step over the variant's.
        level: of a percentile, such as 0.99.
        low, high: the ends of a 95 % interval, where there is one.
    """

    statistic: Literal["median", "mean", "percentile", "speed-up"]
    variant: Name
    phase: Phase | None = None
    baseline: Name | None = None
    level: float | None = Field(None, gt=0, lt=1)
    value: Positive
    low: Positive | None = None
    high: Positive | None = None


class Record(Strict):
    """All of one measurement."""

    schema_version: Literal[1] = SCHEMA
    lab: str = Field(max_length=80)
    nonce: str = Field(max_length=200, description="that the grader gave out, so that an old record is no new one")
    created: AwareDatetime
    kit: str
    scenario: Literal["single-stream", "offline", "server"]
    baseline: Name
    settings: dict[str, Any]
    device: Device
    variants: tuple[Variant, ...] = Field(min_length=1, max_length=MOST_VARIANTS)
    trials: tuple[Trial, ...] = Field(max_length=MOST_SAMPLES)
    requests: tuple[Request, ...] = Field((), max_length=MOST_SAMPLES)
    load: Load | None = None
    ceilings: tuple[Ceiling, ...] = ()
    claims: tuple[Claim, ...] = Field((), max_length=MOST_VARIANTS)
    faults: tuple[str, ...] = ()
    digest: str = ""

    @model_validator(mode="after")
    def _hangs_together(self) -> "Record":
        names = [variant.name for variant in self.variants]
        if len(set(names)) != len(names):
            raise ValueError("Two variants have the same name.")
        used = {self.baseline, *(trial.variant for trial in self.trials), *(one.variant for one in self.requests)}
        used |= {name for claim in self.claims for name in (claim.variant, claim.baseline) if name}
        if used - set(names):
            raise ValueError(f"{sorted(used - set(names))[0]!r} is named and is none of the variants.")
        if [trial.place for trial in self.trials] != list(range(len(self.trials))):
            raise ValueError("Trials stand in the order in which they ran, numbered from 0, and none is left out.")
        if not self.trials and not self.requests:
            raise ValueError("There is no sample in it.")
        if (self.scenario == "server") != (self.load is not None):
            raise ValueError("A load belongs to the server scenario, and the server scenario has one.")
        return self

    def variant(self, name: str) -> Variant:
        """The variant of that name.

        Raises:
            CourseError: there is none.
        """
        for variant in self.variants:
            if variant.name == name:
                return variant
        known = ", ".join(variant.name for variant in self.variants)
        raise CourseError(f"The record has no variant {name!r}; it has {known}.")

    def measured(self, variant: str) -> list[Trial]:
        """The variant's trials without its warm-ups, in the order in which they ran."""
        return [trial for trial in self.trials if trial.variant == variant and not trial.warm_up]

    def ceiling(self, kind: str, dtype: str | None = None) -> float | None:
        """The device's limit per second, for one dtype or for any; None where it was not measured."""
        fitting = [one.best for one in self.ceilings if one.kind == kind and dtype in (None, one.dtype)]
        return max(fitting, default=None)

    def sealed(self) -> "Record":
        """The same with its digest."""
        return self.model_copy(update={"digest": self.content_digest()})

    def content_digest(self) -> str:
        """SHA-256 of all but the digest itself, whatever the spacing or the order of keys in the file."""
        content = self.model_dump(mode="json", exclude={"digest"})
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def write(self, path: Path) -> None:
        """Seal and store the record so that a reader finds all of it or nothing."""
        write_atomic(path, self.sealed().model_dump_json(indent=1) + "\n")


def read(path: Path) -> Record:
    """The record stored at ``path``.

    Raises:
        Refused: it is not there, truncated, of an unknown schema, not a record, or edited.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        raise Refused(f"{shown(path)} cannot be read: {error.strerror}.") from error
    if size > LARGEST:
        raise Refused(f"{shown(path)} has {size:,} bytes; a record has at most {LARGEST:,}.")
    return parse(data, shown(path))


def parse(data: bytes, name: str = "The record") -> Record:
    """The record in the bytes of a file; the errors are those of :func:`read`.

    Args:
        data: JSON.
        name: of the file, for the sentence that refuses it.
    """
    try:
        content = pydantic_core.from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise Refused(f"{name} is not whole: as JSON it breaks off or goes wrong ({error}).") from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA or isinstance(version, bool):
        raise Refused(f"{name} has the schema version {version!r}, and this program knows {SCHEMA}.")
    try:
        record = Record.model_validate_json(data)
    except ValidationError as error:
        raise Refused(f"{name} is no valid record: {_first(error)}") from error
    if record.digest != record.content_digest():
        raise Refused(f"{name} was changed after it was written: its digest is not that of its content.")
    return record


def accept(record: Record, lab: str, nonce: str | None, now: datetime | None = None) -> Record:
    """The record, if it may count for a lab.

    Args:
        record: as it was read.
        lab: the lab's id; "" for none.
        nonce: what the grader gave out; None where none was.
        now: the reader's time; the clock's if not given.

    Raises:
        Refused: it is from another lab, has another nonce, is from the future, or a variant has no parity.
    """
    now = now or datetime.now(UTC)
    if record.lab != lab:
        raise Refused(f"The record is of {_named(record.lab)}, and one of {_named(lab)} was expected.")
    if nonce is not None and record.nonce != nonce:
        raise Refused(f"The record has the nonce {record.nonce!r}, and {nonce!r} was given out: measure again with it.")
    if record.created > now + CLOCKS_DIFFER:
        raise Refused(
            f"The record says that it was made at {record.created:%Y-%m-%d %H:%M %Z}, and now it is "
            f"{now:%Y-%m-%d %H:%M %Z}: set the clock of the machine that measures."
        )
    without = [variant.name for variant in record.variants if variant.parity is None]
    if without:
        raise Refused(f"{_listed(without)} came without parity: a speed counts only with the answers compared.")
    return record


def _first(error: ValidationError) -> str:
    """The first of several complaints, with its place, as one sentence."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{place}: {message}{more}." if place else f"{message}{more}."


def _named(lab: str) -> str:
    return f"the lab {lab!r}" if lab else "no lab"


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
