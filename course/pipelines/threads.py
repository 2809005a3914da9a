"""Beam's runner with a thread for each worker, made safe for elements that take long to write (Lecture 8)."""

from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.transforms.environments import EmbeddedPythonGrpcEnvironment

A_WEEK = 7 * 24 * 3_600_000  # milliseconds


class ThreadRunner(FnApiRunner):
    """As ``FnApiRunner`` with ``--direct_running_mode=multi_threading``, which in Beam 2.77 tears elements apart.

    There each worker's output is sent every second by another thread, which does not wait for the element that is being
    written just then (``data_plane.TimeBasedBufferingClosableOutputStream``). The reader takes the rest of it for a
    length, and asks for tens of gigabytes. Here a stream is sent when it has grown long, between two elements, and
    when it ends.
    """

    def __init__(self):
        super().__init__(default_environment=EmbeddedPythonGrpcEnvironment(data_buffer_time_limit_ms=A_WEEK))
