"""Beam's options for the runners that start here, and nothing but options for those that do not (Lecture 8)."""

from collections.abc import Callable

IN_MEMORY = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
THREADS = "course.pipelines.threads.ThreadRunner"


def direct(workers: int) -> list[str]:
    """One process with a thread for each worker: it tests a pipeline, and makes nothing faster."""
    return [f"--runner={THREADS}", f"--direct_num_workers={workers}"]


def multi_process(workers: int) -> list[str]:
    """A process for each worker; all that travels between steps is pickled."""
    return [f"--runner={IN_MEMORY}", "--direct_running_mode=multi_processing", f"--direct_num_workers={workers}"]


def portable(workers: int) -> list[str]:
    """Beam's job service over gRPC, as a cluster has one; this process is the one worker, whatever ``workers`` says."""
    return ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=LOOPBACK"]


RUNNERS: dict[str, Callable[[int], list[str]]] = {
    "direct": direct,
    "multi-process": multi_process,
    "portable": portable,
}


def options_of(runner: str, workers: int) -> list[str]:
    """Beam's options for a runner.

    Args:
        runner: a name in ``RUNNERS``, or the class of a Beam runner ("DataflowRunner", "FlinkRunner"), which has
            options of its own.
        workers: how many; a runner named by its class has an option for it.

    Raises:
        ValueError: fewer than one worker.
    """
    if workers < 1:
        raise ValueError(f"At least one worker was expected and {workers} came.")
    return RUNNERS[runner](workers) if runner in RUNNERS else [f"--runner={runner}"]
