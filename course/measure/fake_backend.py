"""A made-up backend on the fake device: right answers at once, and time by the roofline (Lecture 11, *Fast inference*).

Its ``efficiency`` is known, so that what a harness measures can be compared with the truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from course.errors import CourseError
from course.measure.devices import FakeDevice, timed
from course.measure.record import Ceiling
from course.measure.work import Costs, Shape, decode_work, least_seconds, prefill_work

SHAPE = Shape(
    vocab_size=256, hidden_size=512, n_layers=12, n_heads=8, n_kv_heads=4, head_dim=64, intermediate_size=1536
)
FLOPS_PER_SECOND, BYTES_PER_SECOND = 1e12, 1e11
COSTS = Costs(bytes_per_weight=4.0, bytes_per_value=4.0)


@dataclass(frozen=True)
class Kind:
    """A way of running the made-up model.

    Attributes:
        efficiency: share of the roofline that it reaches.
        error: size of a random error of its logits, in units of theirs.
        limits: what parity it is held to.
    """

    efficiency: float
    error: float = 0.0
    limits: Mapping[str, float] = field(default_factory=lambda: {"rel_l2": 1e-4, "top1": 0.999})


KINDS = {
    "slow": Kind(0.25),
    "fast": Kind(0.5),
    "same": Kind(0.25),
    "rounded": Kind(0.7, error=0.01, limits={"kl": 0.1, "top1": 0.9}),
    "wrong": Kind(0.9, error=1.0),
}


class FakeBackend:
    """The backend protocol over :class:`FakeDevice`; tokens and logits are NumPy arrays.

    Args:
        kind: a name in ``KINDS``.
        device: that its kernels are launched on.
        batch, length: sequences side by side, and positions that the cache has room for.

    Attributes:
        prefixes_stay: whether prompts that were read once stay in the cache, so that reading them again costs next to
            nothing; what servers call a prefix cache.
    """

    config = SHAPE

    def __init__(self, kind: str, device: FakeDevice, batch: int, length: int):
        if kind not in KINDS:
            raise CourseError(f"No fake backend is called {kind!r}; there are {', '.join(KINDS)}.")
        self.name, self.device, self.batch, self.length = kind, device, batch, length
        self.prefixes_stay = False
        self._kind, self._cached = KINDS[kind], 0
        self._known: set[bytes] = set()
        random = np.random.default_rng(2026)
        self._table = random.normal(size=(SHAPE.vocab_size, SHAPE.vocab_size))
        self._error = self._kind.error * np.random.default_rng(7).normal(size=self._table.shape)
        device.hold(memory_bytes(batch, length))

    @property
    def limits(self) -> dict[str, float]:
        """What its parity is held to."""
        return dict(self._kind.limits)

    @property
    def cached(self) -> int:
        """Positions in the cache."""
        return self._cached

    def logit_rows(self, n: int) -> int:
        """Rows of logits that a prefill computes."""
        return COSTS.logit_rows

    def true_seconds(self, phase: str, prompt: int, steps: int = 1) -> float:
        """What a phase takes on a device that is warm and has no noise."""
        if phase == "prefill":
            work = prefill_work(SHAPE, self.batch, prompt, COSTS)
        else:
            work = decode_work(SHAPE, self.batch, prompt, steps, COSTS)
        return least_seconds(work, FLOPS_PER_SECOND, BYTES_PER_SECOND) / self._kind.efficiency

    def prefill(self, tokens: np.ndarray) -> np.ndarray:
        """Launch the reading of a prompt ``(batch, n)``; logits ``(batch, vocab)`` come back before it is done."""
        seconds = self.true_seconds("prefill", tokens.shape[1])
        known = self.prefixes_stay and tokens.tobytes() in self._known
        self._known.add(tokens.tobytes())
        self.device.launch(f"{self.name} prefill", seconds / 50 if known else seconds)
        self._cached = tokens.shape[1]
        return self._logits_after(tokens[:, -1])

    def decode(self, tokens: np.ndarray) -> np.ndarray:
        """Launch one step for ``(batch,)`` tokens."""
        if self._cached >= self.length:
            raise ValueError(f"{self.name} has room for {self.length} positions, and all are taken.")
        self.device.launch(f"{self.name} decode", self.true_seconds("decode", self._cached))
        self._cached += 1
        return self._logits_after(tokens)

    def reset(self) -> None:
        """Empty the cache, prefixes included."""
        self._cached = 0
        self._known.clear()

    def close(self) -> None:
        """Give back the memory."""
        self.device.hold(-memory_bytes(self.batch, self.length))

    def _logits_after(self, tokens: np.ndarray) -> np.ndarray:
        return (self._table + self._error)[tokens] if self._kind.error else self._table[tokens]


def memory_bytes(batch: int, length: int) -> int:
    """Bytes of weights and cache, counted before anything is loaded."""
    weights = SHAPE.n_layers * SHAPE.layer_weights + SHAPE.head_weights
    return int(weights * COSTS.bytes_per_weight + batch * SHAPE.cache_values(length) * COSTS.bytes_per_value)


def measured_ceilings(device: FakeDevice, launches: int = 20) -> tuple[Ceiling, ...]:
    """Its limits, measured: launches of a hundredth of a second's work each, the first ones cold."""
    found = []
    for kind, rate in (("flops", FLOPS_PER_SECOND), ("bytes", BYTES_PER_SECOND)):
        seconds = []
        for _ in range(launches):
            _, timing = timed(device, "kernel", 1, lambda kind=kind: device.launch(f"ceiling {kind}", 0.01))
            seconds.append(timing.seconds)
        found.append(Ceiling(kind=kind, dtype="float32", per_second=tuple(rate * 0.01 / one for one in seconds)))
    return tuple(found)
