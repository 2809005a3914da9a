"""The engines that run the pipeline: Beam's options for each, and the processes that some of them need.

Everything is started by the process that runs the pipeline, and ends with it. Any other runner is named by its class
and configured by options of its own, as Beam documents them.
"""

import contextlib
import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from course.errors import CourseError
from course.pipelines.runners import THREADS

IN_MEMORY = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
ON_DASK = "apache_beam.runners.dask.dask_runner.DaskRunner"
PARTS_PER_WORKER = 2
START_SECONDS = 120.0
END_SECONDS = 10.0


@contextlib.contextmanager
def direct(workers: int, elements: int) -> Iterator[list[str]]:
    """Beam in one process, with a thread for each worker."""
    yield [f"--runner={THREADS}", f"--direct_num_workers={workers}"]


@contextlib.contextmanager
def multi_process(workers: int, elements: int) -> Iterator[list[str]]:
    """Beam on this machine, with a process for each worker."""
    yield [f"--runner={IN_MEMORY}", "--direct_running_mode=multi_processing", f"--direct_num_workers={workers}"]


@contextlib.contextmanager
def portable(workers: int, elements: int) -> Iterator[list[str]]:
    """Beam's job service and a pool of workers outside of it, which are what Flink's and Spark's job servers offer.

    Beam's own job service asks the pool for one worker, whatever ``workers`` is.
    """
    from apache_beam.runners.worker.worker_pool_main import BeamFnExternalWorkerPoolServicer

    address, pool = BeamFnExternalWorkerPoolServicer.start(use_process=True)
    try:
        yield [
            "--runner=PortableRunner",
            "--job_endpoint=embed",
            "--environment_type=EXTERNAL",
            f"--environment_config={address}",
        ]
    finally:
        pool.stop(0)


@contextlib.contextmanager
def dask(workers: int, elements: int) -> Iterator[list[str]]:
    """A Dask cluster: a scheduler and worker processes, each with one thread; what dies is started again.

    Raises:
        CourseError: Dask is not installed, or its scheduler does not start.
    """
    if importlib.util.find_spec("distributed") is None:
        raise CourseError(
            "The runner dask needs Dask's distributed scheduler, which is not installed; "
            "run pip install -c requirements.lock dask distributed."
        )
    with tempfile.TemporaryDirectory(prefix="course-dask-") as folder, contextlib.ExitStack() as cluster:
        address = Path(folder, "scheduler.json")
        file = f"--scheduler-file={address}"
        scheduler = ["--host=127.0.0.1", "--port=0", "--no-dashboard", "--dashboard-address=127.0.0.1:0", file]
        cluster.enter_context(_process("distributed.cli.dask_scheduler", *scheduler))
        _wait_for(address)
        worker = [f"--nworkers={workers}", "--nthreads=1", "--no-dashboard", f"--local-directory={folder}", file]
        cluster.enter_context(_process("distributed.cli.dask_worker", *worker))
        parts = min(elements, PARTS_PER_WORKER * workers)
        yield [f"--runner={ON_DASK}", f"--dask_scheduler_file={address}", f"--dask_npartitions={parts}"]


ENGINES: dict[str, Callable[[int, int], AbstractContextManager[list[str]]]] = {
    "direct": direct,
    "multi-process": multi_process,
    "portable": portable,
    "dask": dask,
}


@contextlib.contextmanager
def started(runner: str, workers: int, elements: int) -> Iterator[list[str]]:
    """Beam's options to use a runner while this context lasts.

    Args:
        runner: a name in ``ENGINES``, or the class of a Beam runner.
        workers: how many submissions to grade at once; a runner named by its class has an option of its own for it.
        elements: how many submissions there are.
    """
    if runner not in ENGINES:
        # Beam knows its other runners by their class alone.
        yield [f"--runner={ON_DASK if runner == 'DaskRunner' else runner}"]
        return
    with ENGINES[runner](workers, elements) as options:
        yield options


@contextlib.contextmanager
def _process(module: str, *arguments: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-P", "-m", module, *arguments], stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(address: Path) -> None:
    """Wait until the scheduler has written where it listens."""
    deadline = time.monotonic() + START_SECONDS
    while not address.exists():
        if time.monotonic() > deadline:
            raise CourseError(f"Dask's scheduler was not ready within {START_SECONDS:g} s; look into the log.")
        time.sleep(0.05)
