"""What is to be measured: the plan of a run, checked before anything is loaded (Lecture 11)."""

import hashlib
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from course.bench.record import Strict
from course.errors import CourseError
from course.measure.record import Name, Positive, Size


class Plan(Strict):
    """A run.

    Attributes:
        device: "cpu", "cuda", "cuda:N", "auto", or "fake" for the made-up device.
        backends: names; the first is the baseline and the reference of parity.
        batches: sequences side by side, each its own variant, compared with the baseline at the same batch.
        rates: requests a second, of the server scenario, each its own variant.
        prompt, generated: tokens read and written, by every variant.
        rounds: trials of each variant in each process.
        processes: fresh ones.
        window: a warm-up ends where this many trials are not faster than as many before.
        most_warm_ups: after which it is given up; the record then shows that.
        requests: of the server scenario, of each variant in each process.
        objective, share: of the server scenario: seconds that this share of the requests should stay below.
        parity_prompts, parity_steps: of the comparison with the reference.
        ceiling_seconds: for which each ceiling is measured, each time.
        threads: of the processor, in each process.
        shards: processes that share the model, for the backends that split it.
        port: of their group on this machine; None takes a free one.
    """

    device: str
    backends: tuple[Name, ...] = Field(min_length=1)
    model: Name = "smollm2"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    scenario: Literal["single-stream", "offline", "server"] = "single-stream"
    batches: tuple[Size, ...] = (1,)
    rates: tuple[Positive, ...] = ()
    prompt: Size = 128
    generated: int = Field(25, ge=2)
    rounds: Size = 8
    processes: Size = 5
    window: int = Field(3, ge=2)
    most_warm_ups: Size = 30
    requests: Size = 120
    objective: Positive = 1.0
    share: float = Field(0.9, gt=0, lt=1)
    parity_prompts: Size = 4
    parity_steps: Size = 8
    ceiling_seconds: Positive = 0.2
    threads: Size = 1
    shards: Size = 2
    port: int | None = Field(None, ge=1, lt=2**16)
    seed: int = Field(0, ge=0, lt=2**31)
    lab: str = ""
    nonce: str = ""

    @model_validator(mode="after")
    def _makes_sense(self) -> "Plan":
        for name in ("backends", "batches", "rates"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                raise ValueError(f"each of the {name} is named once")
        if (self.scenario == "server") != bool(self.rates):
            raise ValueError("rates are of the server scenario, which takes at least one")
        if self.scenario == "server" and self.batches != (1,):
            raise ValueError("the server scenario serves one request at a time; leave batch at 1")
        if self.scenario == "single-stream" and self.batches != (1,):
            raise ValueError("a single stream has batch 1; take the scenario offline for batches")
        return self

    @classmethod
    def checked(cls, **fields) -> "Plan":
        """A plan; CourseError with the first complaint where it makes no sense."""
        try:
            return cls(**fields)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            message = first["msg"].removeprefix("Value error, ")
            raise CourseError(f"This cannot be measured: {f'{place}: ' if place else ''}{message}.") from error

    @property
    def length(self) -> int:
        """Positions that a cache has to have room for."""
        return self.prompt + max(self.generated, self.parity_steps)

    @property
    def key(self) -> str:
        """Of the folder for partial results: the same plan goes on where it was ended."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def parts(self) -> list["Part"]:
        """The variants, by backend, then batch or rate."""
        loads = [(batch, None) for batch in self.batches] if not self.rates else [(1, rate) for rate in self.rates]
        return [Part(self, backend, batch, rate) for backend in self.backends for batch, rate in loads]


class Part:
    """One variant of a plan: a backend with a batch or a rate.

    Attributes:
        name: the variant's; batch and rate stand in it where the plan has several.
    """

    def __init__(self, plan: Plan, backend: str, batch: int, rate: float | None):
        self.backend, self.batch, self.rate = backend, batch, rate
        of_batch = f", batch {batch}" if len(plan.batches) > 1 else ""
        of_rate = f", {rate:g} a second" if rate is not None and len(plan.rates) > 1 else ""
        self.name = f"{backend}{of_batch}{of_rate}"
        self.reference = f"{plan.backends[0]}{of_batch}{of_rate}"
