"""One trial of one variant, its warm-up, and the comparison of its answers with the reference's (Lecture 11)."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from course.measure.devices import Device, timed
from course.measure.record import Parity, Timing, Trial, Variant
from course.measure.statistics import is_warm

STRAY = 1e-12  # added to a norm that may be 0


@dataclass(frozen=True)
class Loaded:
    """A variant that is loaded.

    Attributes:
        variant: its description.
        backend: with ``prefill``, ``decode``, ``reset``, ``cached`` and ``limits`` (course/inference/protocol.py).
        as_tokens: from an int64 array to what the backend takes.
    """

    variant: Variant
    backend: Any
    as_tokens: Callable[[np.ndarray], Any] = np.asarray


@dataclass(frozen=True)
class Place:
    """Where a trial stands: its process and its round in it, and whether it is a warm-up."""

    process: int
    round: int
    warm_up: bool


def draw_prompt(vocab_size: int, batch: int, length: int, *key: int) -> np.ndarray:
    """Random tokens ``(batch, length)`` int64; the same for the same key, whichever variant gets them."""
    return np.random.default_rng([20261123, *key]).integers(vocab_size, size=(batch, length))


def generate_timed(
    loaded: Loaded, device: Device, prompt: np.ndarray, generated: int, take: Callable = timed
) -> tuple[Timing, ...]:
    """Read a prompt and generate greedily, each phase between two synchronisations.

    The best token stays on the device; nothing is copied to the host, which would wait for it.

    Args:
        prompt: ``(batch, n)``.
        generated: tokens of each sequence; the first comes out of the prefill.
        take: how the time of a phase is taken.
    """
    backend = loaded.backend
    tokens = loaded.as_tokens(prompt)
    best, prefill = take(device, "prefill", 1, lambda: backend.prefill(tokens).argmax(-1))
    if generated == 1:
        return (prefill,)

    def decode():
        token = best
        for _ in range(generated - 1):
            token = backend.decode(token).argmax(-1)

    return prefill, take(device, "decode", generated - 1, decode)[1]


def take_trial(
    loaded: Loaded, device: Device, place: Place, prompt: np.ndarray, generated: int, take: Callable = timed
) -> Trial:
    """Empty the cache, run, and look how long the device was still at work when the last clock had been read."""
    loaded.backend.reset()
    device.synchronize()
    device.reset_peak()
    cached, started = loaded.backend.cached, device.now()
    with _no_collection():
        timings = generate_timed(loaded, device, prompt, generated, take)
    stopped = device.now()
    device.synchronize()
    drained = device.now() - stopped
    return Trial(
        place=0,
        process=place.process,
        round=place.round,
        variant=loaded.variant.name,
        warm_up=place.warm_up,
        synchronised=take is timed,
        batch=prompt.shape[0],
        prompt=prompt.shape[1],
        generated=generated,
        digest=sha256(np.ascontiguousarray(prompt).tobytes()).hexdigest()[:16],
        cached_before=cached,
        started=max(started, 0.0),
        timings=timings,
        drained=max(drained, 0.0),
        memory=device.memory(),
    )


def warm_up(take: Callable[[int], Trial], window: int, most: int) -> Iterator[Trial]:
    """Trials until the last ``window`` are not faster than those before by more than 5 %, or there are ``most``.

    Args:
        take: takes the warm-up trial of that number, from 0.
    """
    seconds: list[float] = []
    while len(seconds) < most and not is_warm(seconds, window):
        trial = take(len(seconds))
        seconds.append(trial.seconds)
        yield trial


@dataclass(frozen=True)
class Answers:
    """What a variant says: logits ``(steps, batch, vocab)`` for each prompt, and the greedy tokens of each sequence."""

    logits: tuple[np.ndarray, ...]
    tokens: tuple[tuple[int, ...], ...]


def answers(loaded: Loaded, prompts: Sequence[np.ndarray], steps: int, forced: Answers | None = None) -> Answers:
    """What a variant says to prompts, through the same prefill and decode that are timed.

    Args:
        prompts: each ``(batch, n)``.
        steps: tokens of each sequence.
        forced: the reference's answers; their tokens are fed for the logits, so that one different token does not make
            all later logits incomparable. The variant's own greedy tokens come from a second pass.
    """
    logits, tokens = [], []
    for number, prompt in enumerate(prompts):
        own, chosen = _walk(loaded, prompt, steps)
        if forced is not None:
            given = np.array(forced.tokens[number * len(prompt) : (number + 1) * len(prompt)])
            own, _ = _walk(loaded, prompt, steps, given)
        logits.append(own)
        tokens += [tuple(int(token) for token in sequence) for sequence in chosen.T]
    loaded.backend.reset()
    return Answers(tuple(logits), tuple(tokens))


def compare(name: str, reference: Answers, other: Answers, limits: dict[str, float]) -> Parity:
    """Parity of a variant with the reference ``name``, raw: prompt by prompt.

    Raises:
        ValueError: a logit is not finite, or the shapes differ.
    """
    rel_l2, kl, top1 = [], [], []
    for wanted, found in zip(reference.logits, other.logits, strict=True):
        if wanted.shape != found.shape or not (np.isfinite(wanted).all() and np.isfinite(found).all()):
            raise ValueError(
                f"Finite logits of the shape {wanted.shape} were expected from both; {found.shape} came, "
                f"{int((~np.isfinite(found)).sum())} of them not finite."
            )
        for sequence in range(wanted.shape[1]):
            p, q = (_log_softmax(one[:, sequence]) for one in (wanted, found))
            difference = np.linalg.norm(found[:, sequence] - wanted[:, sequence])
            rel_l2.append(float(difference / (np.linalg.norm(wanted[:, sequence]) + STRAY)))
            kl.append(max(float((np.exp(p) * (p - q)).sum(-1).mean()), 0.0))
            top1.append(float((p.argmax(-1) == q.argmax(-1)).mean()))
    return Parity(
        reference=name,
        rel_l2=tuple(rel_l2),
        kl=tuple(kl),
        top1=tuple(top1),
        tokens=other.tokens,
        reference_tokens=reference.tokens,
        limits=limits,
    )


def _walk(loaded: Loaded, prompt: np.ndarray, steps: int, given=None) -> tuple[np.ndarray, np.ndarray]:
    """Logits ``(steps, batch, vocab)`` and best tokens ``(steps, batch)``; fed its own, or ``given (batch, n)``."""
    backend = loaded.backend
    backend.reset()
    rows = [_as_array(backend.prefill(loaded.as_tokens(prompt)))]
    for step in range(steps - 1):
        token = rows[-1].argmax(-1) if given is None else given[:, step]
        rows.append(_as_array(backend.decode(loaded.as_tokens(token))))
    logits = np.stack(rows)
    return logits, logits.argmax(-1)


def _as_array(logits) -> np.ndarray:
    """Logits of either library, copied to the host, which waits for them."""
    on_host = logits.detach().cpu().numpy() if hasattr(logits, "detach") else logits
    return np.array(on_host, dtype=np.float64)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


@contextmanager
def _no_collection() -> Iterator[None]:
    """No garbage collection while a clock runs."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
