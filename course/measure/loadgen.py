"""The server scenario on a real clock, driven by MLPerf's load generator (Lecture 11, *Fast inference*).

The generator draws Poisson arrivals, hands each request over at its time whether or not the ones before are answered,
and writes down when each was due, handed over and completed. This module queues the requests, serves them one at a
time, and turns the generator's trace into :class:`course.measure.record.Request`.

Source: mlcommons-loadgen; V. J. Reddi et al., MLPerf inference benchmark, 2020.
"""

import json
import queue
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from course.errors import CourseError
from course.measure.record import Request

NANO = 1e-9
TRACE = "mlperf_log_trace.json"
BEGINNING = '{"name":"Sample"'  # of an event's line; the file as a whole need not be JSON, other events break it
Serve = Callable[[int], tuple[float, float, float]]


def serve_load(
    serve: Serve,
    rate: float,
    n: int,
    objective: float,
    share: float,
    seed: int,
    variant: str,
    process: int,
    generated: int,
) -> list[Request]:
    """Let the generator send ``n`` requests and serve them in the order of their arrival.

    Args:
        serve: answers the request of that number; when it began, had a first token, and was done, on ``perf_counter``.
        rate: requests a second, on average.
        objective, share: seconds that this share of the requests should stay below; the generator judges by them, the
            record keeps every request.
        seed: of the arrivals.
        variant, process, generated: for the record.

    Raises:
        CourseError: the load generator is not installed, or its trace does not have every request.
        Exception: whatever ``serve`` raised first; the requests after it are not served.
    """
    server = OneAtATime(_generator(), serve)
    with tempfile.TemporaryDirectory(prefix="course-loadgen-") as folder:
        with server:
            _run(server, _settings(server.generator, rate, n, objective, share, seed), folder)
        if server.failures:
            raise server.failures[0]
        arrivals = read_trace(Path(folder) / TRACE)
    if len(arrivals) != n or len(server.served) != n:
        raise CourseError(
            f"The load generator was asked for {n} requests; its trace has {len(arrivals)}, and "
            f"{len(server.served)} were served."
        )
    requests = []
    for number, ((due, delay), (handed_over, *instants)) in enumerate(zip(arrivals, server.served, strict=True)):
        started, first, completed = (due + delay + instant - handed_over for instant in instants)
        requests.append(
            Request(
                variant=variant,
                process=process,
                number=number,
                due=due,
                started=max(started, due),
                first_token=first,
                completed=completed,
                generated=generated,
            )
        )
    return requests


class OneAtATime:
    """The system under test: a queue, and a thread that answers what is in it, first come, first served.

    Args:
        generator: the module of the load generator.
        serve: as for :func:`serve_load`.

    Attributes:
        served: of each request, when it was handed over, began, had a first token, and was done.
        failures: what ``serve`` raised; no request after it is served, but the generator is told that each is done,
        since
            it waits for all of them.
    """

    def __init__(self, generator, serve: Serve):
        self.generator, self.serve = generator, serve
        self.served: list[tuple[float, float, float, float]] = []
        self.failures: list[Exception] = []
        self._waiting: queue.SimpleQueue = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="server under test")

    def __enter__(self) -> "OneAtATime":
        self._thread.start()
        return self

    def __exit__(self, *failure) -> None:
        self._waiting.put(None)
        self._thread.join()

    def issue(self, samples) -> None:
        """Take requests from the generator, and return at once."""
        now = time.perf_counter()
        for sample in samples:
            self._waiting.put((sample.id, now))

    def _work(self) -> None:
        while (item := self._waiting.get()) is not None:
            identity, handed_over = item
            if not self.failures:
                try:
                    self.served.append((handed_over, *self.serve(len(self.served))))
                except Exception as error:  # raised again by serve_load
                    self.failures.append(error)
            self.generator.QuerySamplesComplete([self.generator.QuerySampleResponse(identity, 0, 0)])


def read_trace(path: Path) -> list[tuple[float, float]]:
    """When each request was due, seconds after the first, and how much later it was handed over, in their order.

    A file without requests gives none.

    Raises:
        CourseError: the file is no trace of the load generator.
    """
    try:
        events = [json.loads(line.rstrip(",")) for line in path.read_text().splitlines() if line.startswith(BEGINNING)]
        begun = sorted((event for event in events if event["ph"] == "b"), key=lambda event: event["args"]["sample_seq"])
        found = [(event["ts"] * 1e-6, event["args"]["issue_start_ns"] * NANO) for event in begun]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{path.name} was expected to be a trace of the load generator: {error!r}.") from error
    origin = found[0][0] if found else 0.0
    return [(due - origin, delay) for due, delay in found]


def _generator():
    try:
        import mlperf_loadgen
    except ImportError as error:
        raise CourseError(
            "The server scenario needs MLPerf's load generator, which is not installed. Install mlcommons-loadgen."
        ) from error
    return mlperf_loadgen


def _settings(generator, rate: float, n: int, objective: float, share: float, seed: int):
    settings = generator.TestSettings()
    settings.scenario, settings.mode = generator.TestScenario.Server, generator.TestMode.PerformanceOnly
    settings.server_target_qps, settings.server_target_latency_ns = rate, round(objective / NANO)
    settings.server_target_latency_percentile = share
    settings.min_query_count = settings.max_query_count = n
    settings.min_duration_ms = 0
    settings.qsl_rng_seed = settings.sample_index_rng_seed = settings.schedule_rng_seed = seed
    return settings


def _run(server: OneAtATime, settings, folder: str) -> None:
    generator = server.generator
    output = generator.LogOutputSettings()
    output.outdir, output.copy_summary_to_stdout = folder, False
    log = generator.LogSettings()
    log.log_output, log.enable_trace = output, True
    system = generator.ConstructSUT(server.issue, lambda: None)
    samples = generator.ConstructQSL(1, 1, lambda names: None, lambda names: None)
    try:
        generator.StartTestWithLogSettings(system, samples, settings, log, "")
    finally:
        generator.DestroyQSL(samples)
        generator.DestroySUT(system)
