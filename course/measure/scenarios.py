"""How requests come (Lecture 11, *Fast inference*), under the names of MLPerf's load generator.

* single stream: one request after the other; what counts is the time of each.
* offline: all requests are there at once; what counts is how many tokens a second come out of batches.
* server: requests come when they come, as a Poisson process, and wait; what counts is the latency that a share of them
stays
  below.

Source: V. J. Reddi et al., MLPerf inference benchmark, 2020, section IV.
"""

from collections.abc import Callable, Sequence

import numpy as np

from course.errors import CourseError
from course.measure.devices import Device, FakeDevice
from course.measure.record import Request
from course.measure.trial import Loaded

SINGLE_STREAM, OFFLINE, SERVER = SCENARIOS = ("single-stream", "offline", "server")


def poisson_arrivals(rate: float, n: int, *key: int) -> np.ndarray:
    """When ``n`` requests are due, seconds ``(n,)``, rising: independent gaps of ``1 / rate`` seconds on average.

    Args:
        rate: requests a second.
        key: of the random numbers; the same key draws the same arrivals.

    Raises:
        ValueError: the rate is not positive and finite, or no request is asked for.
    """
    if not (rate > 0 and np.isfinite(rate)):
        raise ValueError(f"A rate above 0 was expected, in requests a second; {rate} came.")
    if n < 1:
        raise ValueError(f"At least one request was expected; {n} came.")
    return np.cumsum(np.random.default_rng([20261123, *key]).exponential(1 / rate, size=n))


def answer(loaded: Loaded, device: Device, prompt: np.ndarray, generated: int) -> tuple[float, float, float]:
    """Serve one request; when it began, when its first token was there, and when its last, on the host's clock."""
    backend = loaded.backend
    backend.reset()
    device.synchronize()
    began = device.now()
    token = backend.prefill(loaded.as_tokens(prompt)).argmax(-1)
    device.synchronize()
    first = device.now()
    for _ in range(generated - 1):
        token = backend.decode(token).argmax(-1)
    device.synchronize()
    return began, first, device.now()


def serve_virtually(
    loaded: Loaded,
    device: FakeDevice,
    due: Sequence[float],
    prompt: Callable[[int], np.ndarray],
    generated: int,
    process: int,
) -> list[Request]:
    """Serve requests on the virtual clock, first come, first served, one at a time.

    Args:
        due: when each request arrives, seconds after the beginning, rising.
        prompt: from a request's number to its tokens ``(1, n)``.
    """
    origin, served = device.now(), []
    for number, instant in enumerate(due):
        device.wait_until(origin + instant)
        began, first, completed = (at - origin for at in answer(loaded, device, prompt(number), generated))
        served.append(
            Request(
                variant=loaded.variant.name,
                process=process,
                number=number,
                due=instant,
                started=max(began, instant),
                first_token=max(first, instant),
                completed=max(completed, instant),
                generated=generated,
            )
        )
    return served


def check_scenario(name: str) -> str:
    """The name, if it is one.

    Raises:
        CourseError: it is none.
    """
    if name not in SCENARIOS:
        raise CourseError(f"No scenario is called {name!r}; there are {', '.join(SCENARIOS)}.")
    return name
