"""The classic mistakes of measuring, planted one by one on the fake device, and the rule that finds each (Lab 10).

:class:`Measurement` is an honest measurement of two made-up backends, of which one is twice as fast as the other. Each
mistake is that measurement with one method done as people do it. Since the device's true latencies are known, each says
what it reports and what is true.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from rich.console import Console
from rich.table import Table

from course.measure import fake_backend, statistics
from course.measure.devices import Behaviour, FakeDevice
from course.measure.fake_backend import FakeBackend
from course.measure.plan import Plan
from course.measure.record import Claim, Load, Record, Request, Timing, Trial, Variant
from course.measure.rules import RULES, latency
from course.measure.scenarios import answer, poisson_arrivals, serve_virtually
from course.measure.sources import FakeSource
from course.measure.trial import Loaded, Place, answers, compare, draw_prompt, take_trial, warm_up
from course.measure.verify import Finding, verify

PROMPT, GENERATED = 128, 9
CREATED = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass(frozen=True)
class Headline:
    """What a measurement reports, and what is true."""

    quantity: str
    reported: float
    true: float


class Measurement:
    """An honest measurement, on a device with noise, drift, outliers and a cold start.

    Args:
        seed: of the device, the prompts and the order.
    """

    title = "honest"
    caught_by = ""
    behaviour = Behaviour()
    backends: tuple[str, ...] = ("slow", "fast")
    processes, rounds, window = 3, 8, 3
    scenario, rates = "single-stream", ()

    def __init__(self, seed: int = 0):
        self.seed = seed
        self.plan = Plan.checked(
            device="fake",
            backends=self.backends,
            scenario=self.scenario,
            rates=self.rates,
            prompt=PROMPT,
            generated=GENERATED,
            rounds=self.rounds,
            processes=self.processes,
            window=self.window,
            seed=seed,
        )

    def record(self) -> Record:
        """Measure, and conclude."""
        trials: list[Trial] = []
        requests: list[Request] = []
        variants, ceilings = (), ()
        for process in range(self.processes):
            device = FakeDevice(1000 * self.seed + process, self.behaviour)
            if process == 0:
                ceilings = fake_backend.measured_ceilings(device)
            loaded = self.load(device)
            if process == 0:
                variants = self.described(loaded)
            trials += self.warm_up(loaded, device, process)
            trials += self.trials(loaded, device, process)
            requests += self.requests(loaded, device, process)
        record = Record(
            lab="",
            nonce="",
            created=CREATED,
            kit="",
            scenario=self.scenario,
            baseline=self.backends[0],
            settings=self.plan.model_dump(mode="json"),
            device=device.describe(),
            variants=variants,
            trials=tuple(trial.model_copy(update={"place": place}) for place, trial in enumerate(trials)),
            requests=tuple(requests),
            load=Load(objective=self.plan.objective, share=self.plan.share, seed=self.seed) if requests else None,
            ceilings=ceilings,
        )
        return record.model_copy(update={"claims": self.claims(record)}).sealed()

    def load(self, device: FakeDevice) -> list[Loaded]:
        """The backends on a device."""
        return [FakeSource().load(self.plan, part, device) for part in self.plan.parts()]

    def described(self, loaded: Sequence[Loaded]) -> tuple[Variant, ...]:
        """The variants with parity and counted work."""
        prompts = [self.prompt(2**20, 0, number) for number in range(2)]
        reference = answers(loaded[0], prompts, 4)
        return tuple(
            one.variant.model_copy(
                update={
                    "parity": compare(
                        self.backends[0], reference, answers(one, prompts, 4, forced=reference), one.backend.limits
                    )
                }
            )
            for one in loaded
        )

    def prompt(self, process: int, number: int, index: int) -> np.ndarray:
        """The prompt of a trial: new in each round, the same for all variants."""
        return draw_prompt(fake_backend.SHAPE.vocab_size, 1, PROMPT, self.seed, process, number, index)

    def warm_up(self, loaded: Sequence[Loaded], device: FakeDevice, process: int) -> Iterator[Trial]:
        """Each variant until it no longer gets faster."""
        for one in loaded:
            yield from warm_up(lambda number, one=one: self.trial(one, device, process, 0, number), self.window, 30)

    def trials(self, loaded: Sequence[Loaded], device: FakeDevice, process: int) -> Iterator[Trial]:
        """Rounds in which each variant comes once, in an order drawn by lot."""
        drawn = random.Random(f"{self.seed} {process}")
        for number in range(1, self.rounds + 1):
            for one in drawn.sample(loaded, len(loaded)):
                yield self.trial(one, device, process, number, 0)

    def trial(self, one: Loaded, device: FakeDevice, process: int, number: int, index: int) -> Trial:
        """One trial; number 0 is that of the warm-ups."""
        place = Place(process, number, warm_up=number == 0)
        return take_trial(one, device, place, self.prompt(process, number, index), GENERATED)

    def requests(self, loaded: Sequence[Loaded], device: FakeDevice, process: int) -> list[Request]:
        """None: a single stream."""
        return []

    def claims(self, record: Record) -> tuple[Claim, ...]:
        """Medians of all phases, and the speed-ups that the samples carry."""
        found = []
        for variant in record.variants:
            for phase in statistics.phases_of(record, variant.name):
                middle = statistics.median(record, variant.name, phase)
                found.append(_claim("median", variant.name, middle, phase=phase))
                ratio = statistics.speed_up(record, variant.name, phase)
                if ratio.value is not None:
                    found.append(_claim("speed-up", variant.name, ratio, phase=phase, baseline=record.baseline))
        return tuple(claim for claim in found if claim is not None)

    def headline(self, record: Record) -> Headline:
        """The number that would be shown, and the truth."""
        return Headline(
            "speed-up of a step",
            _median(record, "slow", "decode") / _median(record, "fast", "decode"),
            _true("slow", "decode") / _true("fast", "decode"),
        )


class NoSynchronisation(Measurement):
    """The clock is read as soon as the work has been launched."""

    title, caught_by = "no synchronisation", "synchronised"

    def trial(self, one: Loaded, device: FakeDevice, process: int, number: int, index: int) -> Trial:
        """The honest trial with a stopwatch that does not wait, by someone who believes that it does."""
        place = Place(process, number, warm_up=number == 0)
        prompt = self.prompt(process, number, index)
        taken = take_trial(one, device, place, prompt, GENERATED, take=launches_only)
        return taken.model_copy(update={"synchronised": True})

    def headline(self, record: Record) -> Headline:
        """A step takes as long as its launch."""
        return Headline("milliseconds a step", 1e3 * _median(record, "fast", "decode"), 1e3 * _true("fast", "decode"))


class NoWarmUp(Measurement):
    """The first call of each variant is timed, once."""

    title, caught_by = "no warm-up", "warm"
    rounds = 1

    def warm_up(self, loaded: Sequence[Loaded], device: FakeDevice, process: int) -> Iterator[Trial]:
        """Nothing."""
        yield from ()

    def headline(self, record: Record) -> Headline:
        """A prefill has the cold start in it."""
        return Headline(
            "milliseconds a prefill", 1e3 * _median(record, "fast", "prefill"), 1e3 * _true("fast", "prefill")
        )


class WrongFlopCount(Measurement):
    """A multiplication with its addition is counted as two operations, and then doubled once more."""

    title, caught_by = "wrong FLOP count", "work counted"

    def described(self, loaded: Sequence[Loaded]) -> tuple[Variant, ...]:
        """Honest but for the count of operations."""
        return tuple(
            variant.model_copy(
                update={
                    "counted": tuple(
                        counted.model_copy(update={"flops": 2 * counted.flops}) for counted in variant.counted
                    )
                }
            )
            for variant in super().described(loaded)
        )

    def headline(self, record: Record) -> Headline:
        """Operations a second are twice what they are."""
        counted = record.variant("fast").counted[0].flops
        seconds = _median(record, "fast", "prefill")
        return Headline("GFLOP/s of a prefill", counted / seconds / 1e9, counted / 2 / seconds / 1e9)


class UnequalWork(Measurement):
    """The new variant stops at an end-of-text token after half of the tokens."""

    title, caught_by = "unequal work", "equal work"

    def trial(self, one: Loaded, device: FakeDevice, process: int, number: int, index: int) -> Trial:
        """Nine tokens of one variant, five of the other."""
        generated = GENERATED if one.variant.name == "slow" else GENERATED // 2 + 1
        place = Place(process, number, warm_up=number == 0)
        return take_trial(one, device, place, self.prompt(process, number, index), generated)

    def headline(self, record: Record) -> Headline:
        """Whole requests are compared."""
        reported = _median_request(record, "slow") / _median_request(record, "fast")
        return Headline("speed-up of a request", reported, 2.0)


class WarmCache(Measurement):
    """The same prompt each time, and the cache is not emptied: after the first trial the prompt is known."""

    title, caught_by = "cache left warm", "fresh cache"

    def load(self, device: FakeDevice) -> list[Loaded]:
        """Backends that keep what they read, as servers with a prefix cache do."""
        loaded = super().load(device)
        for one in loaded:
            one.backend.prefixes_stay = True
            one.backend.reset = lambda: None
        return loaded

    def prompt(self, process: int, number: int, index: int) -> np.ndarray:
        """Always the same one."""
        return super().prompt(0, 0, 0)

    def headline(self, record: Record) -> Headline:
        """A prefill that has nothing to do."""
        return Headline(
            "milliseconds a prefill", 1e3 * _median(record, "fast", "prefill"), 1e3 * _true("fast", "prefill")
        )


class ErrorNotAskedFor(Measurement):
    """The kernels of the new variant fail as soon as they start, and nobody asks the device whether they did."""

    title, caught_by = "error not asked for", "possible"

    def load(self, device: FakeDevice) -> list[Loaded]:
        """The fast backend launches kernels that end at once."""
        loaded = super().load(device)
        loaded[1].backend.device = Failing(device)
        return loaded

    def headline(self, record: Record) -> Headline:
        """Nothing is fast."""
        return Headline("milliseconds a step", 1e3 * _median(record, "fast", "decode"), 1e3 * _true("fast", "decode"))


@dataclass(frozen=True)
class Failing:
    """A device on which kernels end in a microsecond without having done their work."""

    device: FakeDevice

    def launch(self, kernel: str, seconds: float) -> None:
        """Put the failing kernel into the queue."""
        self.device.launch(kernel, min(seconds, 1e-6))


class MeanOfTwoModes(Measurement):
    """The card runs in one of two power states; the mean of all trials is a time that none of them took."""

    title, caught_by = "mean of two modes", "one number"
    behaviour = Behaviour(slow_mode=0.45, slow_factor=2.0)

    def claims(self, record: Record) -> tuple[Claim, ...]:
        """A mean."""
        mean = float(np.mean(_pooled(record, "fast", "decode")))
        return (Claim(statistic="mean", variant="fast", phase="decode", value=mean),)

    def headline(self, record: Record) -> Headline:
        """Against the faster state."""
        return Headline("milliseconds a step", 1e3 * record.claims[0].value, 1e3 * _true("fast", "decode"))


class Server(Measurement):
    """Honest: requests come as a Poisson process, whatever the server does."""

    title = "honest server"
    backends = ("slow",)
    scenario, rates = "server", (6.0,)

    def trials(self, loaded: Sequence[Loaded], device: FakeDevice, process: int) -> Iterator[Trial]:
        """None beside the warm-ups."""
        yield from ()

    def requests(self, loaded: Sequence[Loaded], device: FakeDevice, process: int) -> list[Request]:
        """An open loop."""
        due = poisson_arrivals(self.rates[0], self.plan.requests, self.seed, process)
        return serve_virtually(loaded[0], device, due, self._prompt_of(process), GENERATED, process)

    def claims(self, record: Record) -> tuple[Claim, ...]:
        """A percentile that the samples carry."""
        found = latency(record, "slow", 0.9)
        return (Claim(statistic="percentile", variant="slow", level=0.9, value=found.value),)

    def headline(self, record: Record) -> Headline:
        """The ninetieth percentile, against that of an honest server with many more requests."""
        return Headline("p90 latency, ms", 1e3 * record.claims[0].value, 1e3 * _true_percentile(self.rates[0], 0.9))

    def _prompt_of(self, process: int) -> Callable[[int], np.ndarray]:
        return lambda number: self.prompt(process, 1, number)


class CoordinatedOmission(Server):
    """The client sends a request, waits for the answer, and only then draws when the next one comes."""

    title, caught_by = "coordinated omission", "open loop"

    def requests(self, loaded: Sequence[Loaded], device: FakeDevice, process: int) -> list[Request]:
        """A closed loop: what would have waited is never sent."""
        gaps = np.diff(poisson_arrivals(self.rates[0], self.plan.requests, self.seed, process), prepend=0.0)
        origin, prompt, served = device.now(), self._prompt_of(process), []
        for number, gap in enumerate(gaps):
            device.wait_until(device.now() + gap)
            due = device.now() - origin
            began, first, completed = (at - origin for at in answer(loaded[0], device, prompt(number), GENERATED))
            served.append(
                Request(
                    variant="slow",
                    process=process,
                    number=number,
                    due=due,
                    started=began,
                    first_token=first,
                    completed=completed,
                    generated=GENERATED,
                )
            )
        return served


class OneAfterTheOther(Measurement):
    """All trials of one variant, then all of the other, on a card that gets warmer and slower."""

    title, caught_by = "one after the other", "interleaved"
    behaviour = Behaviour(drift=1.0, heating=3.0)
    rounds = 16

    def trials(self, loaded: Sequence[Loaded], device: FakeDevice, process: int) -> Iterator[Trial]:
        """In blocks."""
        for one in reversed(loaded):
            for number in range(1, self.rounds + 1):
                yield self.trial(one, device, process, number, 0)


class OneProcess(Measurement):
    """Many trials in a single process, where the memory's layout happens to suit one variant or not."""

    title, caught_by = "one process", "processes"
    behaviour = Behaviour(between_processes=0.15)
    processes, rounds = 1, 24

    def headline(self, record: Record) -> Headline:
        """A step of this process."""
        return Headline("milliseconds a step", 1e3 * _median(record, "fast", "decode"), 1e3 * _true("fast", "decode"))


class NoParity(Measurement):
    """The fastest variant gives other answers, and nobody looked."""

    title, caught_by = "no parity", "parity"
    backends = ("slow", "wrong")

    def described(self, loaded: Sequence[Loaded]) -> tuple[Variant, ...]:
        """Variants as they were loaded."""
        return tuple(one.variant for one in loaded)

    def headline(self, record: Record) -> Headline:
        """No speed-up counts where the answers are others."""
        return Headline(
            "speed-up of a step", _median(record, "slow", "decode") / _median(record, "wrong", "decode"), 0.0
        )


class PercentileOfFew(Server):
    """The 99th percentile of 360 requests: about four of them lie beyond it."""

    title, caught_by = "percentile of few", "percentiles"

    def claims(self, record: Record) -> tuple[Claim, ...]:
        """The largest but three."""
        ordered = sorted(request.latency for request in record.requests)
        return (Claim(statistic="percentile", variant="slow", level=0.99, value=ordered[int(0.99 * len(ordered))]),)

    def headline(self, record: Record) -> Headline:
        """Against many more requests."""
        return Headline("p99 latency, ms", 1e3 * record.claims[0].value, 1e3 * _true_percentile(self.rates[0], 0.99))


class NoDifference(Measurement):
    """Two variants that are equally fast; the better median is announced."""

    title, caught_by = "speed-up that may be 1", "conclusions"
    backends = ("slow", "same")

    def claims(self, record: Record) -> tuple[Claim, ...]:
        """The ratio of medians, without its interval."""
        value = _median(record, "slow", "decode") / _median(record, "same", "decode")
        return (Claim(statistic="speed-up", variant="same", phase="decode", baseline="slow", value=value),)

    def headline(self, record: Record) -> Headline:
        """They are the same."""
        return Headline("speed-up of a step", record.claims[0].value, 1.0)


HONEST: tuple[type[Measurement], ...] = (Measurement, Server)
BUGS: tuple[type[Measurement], ...] = (
    NoSynchronisation,
    NoWarmUp,
    WrongFlopCount,
    UnequalWork,
    WarmCache,
    ErrorNotAskedFor,
    MeanOfTwoModes,
    CoordinatedOmission,
    OneAfterTheOther,
    OneProcess,
    NoParity,
    PercentileOfFew,
    NoDifference,
)


@dataclass(frozen=True)
class Row:
    """One measurement of the matrix: what it reports, and what each rule says of it."""

    measurement: type[Measurement]
    headline: Headline
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the rules that it breaks."""
        return tuple(finding.rule.name for finding in self.findings if finding.held is False)


def rehearse(seed: int = 0) -> list[Row]:
    """Take every measurement, the honest ones first, and let every rule judge it."""
    rows = []
    for kind in (*HONEST, *BUGS):
        measurement = kind(seed)
        record = measurement.record()
        rows.append(Row(kind, measurement.headline(record), verify(record)))
    return rows


def show_matrix(rows: Sequence[Row], console: Console) -> None:
    """Print mistakes against rules: a cross where the rule finds it, in brackets where another rule was meant to."""
    table = Table(title="Planted mistakes on the fake device, and the rules that find them")
    table.add_column("Mistake", no_wrap=True)
    for column in ("Reports", "True"):
        table.add_column(column, justify="right")
    table.add_column("Of what")
    table.add_column("Found by", min_width=22)
    for row in rows:
        headline, meant = row.headline, row.measurement.caught_by
        found = [f"[bold]{name}[/]" if name == meant else name for name in row.broken]
        missed = [f"[red]not {meant}[/]"] if meant and meant not in row.broken else []
        table.add_row(
            row.measurement.title,
            f"{headline.reported:.3g}",
            f"{headline.true:.3g}" if headline.true else "none",
            headline.quantity,
            ", ".join(found + missed) or "[green]nothing: it is right[/]",
        )
    console.print(table)
    console.print(f"Rules: {', '.join(rule.name for rule in RULES)}. Bold is the rule that is meant for the mistake.")


def launches_only(device: FakeDevice, phase: str, steps: int, work: Callable) -> tuple[object, Timing]:
    """The stopwatch of someone who forgets that a launch returns before the work is done."""
    began = device.now()
    result = work()
    return result, Timing(phase=phase, steps=steps, seconds=device.now() - began)


def _claim(statistic: str, variant: str, found: statistics.Estimate, **more) -> Claim | None:
    if found.value is None:
        return None
    ends = {} if found.interval is None else {"low": found.interval.low, "high": found.interval.high}
    return Claim(statistic=statistic, variant=variant, value=found.value, **ends, **more)


def _pooled(record: Record, variant: str, phase: str) -> list[float]:
    return [value for values in statistics.per_step(record, variant, phase).values() for value in values]


def _median(record: Record, variant: str, phase: str) -> float:
    return float(np.median(_pooled(record, variant, phase)))


def _median_request(record: Record, variant: str) -> float:
    return float(np.median([trial.seconds for trial in record.measured(variant)]))


def _true(kind: str, phase: str) -> float:
    """True seconds per step, averaged over the steps of a trial."""
    backend = FakeBackend(kind, FakeDevice(), 1, PROMPT + GENERATED)
    steps = GENERATED - 1 if phase == "decode" else 1
    if phase == "prefill":
        return backend.true_seconds("prefill", PROMPT)
    return sum(backend.true_seconds("decode", PROMPT + step) for step in range(steps)) / steps


def _true_percentile(rate: float, level: float) -> float:
    """The percentile of the latency in the same queue, by Lindley's recursion over very many requests."""
    service = _true("slow", "prefill") + (GENERATED - 1) * _true("slow", "decode")
    gaps = np.random.default_rng(1).exponential(1 / rate, size=200_000)
    work = service - gaps
    level_of_queue = np.cumsum(work)
    waiting = level_of_queue - np.minimum.accumulate(np.minimum(level_of_queue, 0.0))
    return float(np.quantile(waiting + service, level))
