"""A student's function as a hidden check sees it: something to call that answers with plain data or with a fault."""

import copy
import signal
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np


class StudentFault(Exception):
    """The student's function gave no answer: it raised, took too long or took its process down."""


class StudentError(StudentFault):
    """The student's function raised an exception.

    Args:
        type_name: name of the exception's type, such as ``ValueError``.
        message: the exception's text.
        traceback_lines: the traceback's lines inside the student's code.
    """

    def __init__(self, type_name: str, message: str, traceback_lines: list[str] | tuple[str, ...] = ()):
        self.type_name, self.message, self.traceback_lines = type_name, message, list(traceback_lines)
        super().__init__(f"{type_name}: {message}")


class StudentTimeout(StudentFault):
    """The student's function gave no answer within ``seconds`` of wall-clock time."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        super().__init__(f"no answer within {seconds:g} s")


class StudentCrash(StudentFault):
    """The student's process ended or ran out of memory during the call."""


def plain_data(value: Any) -> Any:
    """A copy of ``value`` made of plain data only, as a check would receive it from the sandbox.

    Plain data is None, bool, int, float, complex, str, lists and tuples of it, dicts of it with text keys, and NumPy
    arrays of bool, int, uint, float or complex. NumPy scalars become Python's.

    Raises:
        TypeError: the value holds anything else; the sentence names its type.
    """
    if value is None or type(value) in (bool, int, float, complex, str):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return np.array(value, subok=False)
    if type(value) is np.str_:
        return value.item()
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return {"b": bool, "i": int, "u": int, "f": float, "c": complex}[value.dtype.kind](value)
    if type(value) in (list, tuple):
        return type(value)(plain_data(item) for item in value)
    if type(value) is dict and all(type(key) is str for key in value):
        return {key: plain_data(item) for key, item in value.items()}
    raise TypeError(
        f"The function returned {_described(value)}; "
        "return numbers, text, NumPy arrays, or lists, tuples and dicts of them."
    )


class _TimeIsUp(BaseException):
    """No Exception, so that a student's ``except Exception`` does not catch it."""


class LocalStudent:
    """A student's function called in this very process: for authors and tests, never for a submission.

    Args:
        namespace: the globals that the student's cells were executed in.
        task_id: the function under test; a name missing from the namespace is a NameError of the student's.
        stand_ins: functions that replace the other tasks' functions during a call.
        limit: seconds of wall-clock time for a call that names none. The limit interrupts Python code in the main
            thread, not a single long call into a C library.
    """

    def __init__(self, namespace: dict, task_id: str, stand_ins: Mapping[str, Callable], limit: float = 10.0):
        self.namespace, self.task_id, self.limit = namespace, task_id, limit
        self.stand_ins = {name: function for name, function in stand_ins.items() if name != task_id}

    def __call__(self, *args: Any, seconds: float | None = None, **kwargs: Any) -> Any:
        """Call the function on copies of the arguments and return plain data.

        Raises:
            StudentError: the function raised, or returned something that is not plain data.
            StudentTimeout: no answer within ``seconds``.
        RuntimeError: called from another thread than the main one.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("LocalStudent interrupts by a signal and so works only in the main thread.")
        args, kwargs = copy.deepcopy((args, kwargs))
        try:
            with self._replaced(), _time_limit(self.limit if seconds is None else seconds):
                if self.task_id not in self.namespace:
                    raise NameError(f"name '{self.task_id}' is not defined")
                return plain_data(self.namespace[self.task_id](*args, **kwargs))
        except _TimeIsUp as up:
            raise StudentTimeout(up.args[0]) from None
        except (Exception, SystemExit) as error:
            lines = traceback.format_tb(error.__traceback__)[1:]
            raise StudentError(type(error).__name__, str(error), lines) from error

    @contextmanager
    def _replaced(self) -> Iterator[None]:
        before = {name: self.namespace[name] for name in self.stand_ins if name in self.namespace}
        self.namespace.update(self.stand_ins)
        try:
            yield
        finally:
            for name in self.stand_ins:
                self.namespace.pop(name, None)
            self.namespace.update(before)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise _TimeIsUp in the main thread after ``seconds``; a timer that already ran is started again after."""

    def interrupt(_signal, _frame):
        raise _TimeIsUp(seconds)

    handler = signal.signal(signal.SIGALRM, interrupt)
    remaining, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if remaining:
            signal.setitimer(signal.ITIMER_REAL, remaining)


def _described(value: Any) -> str:
    if isinstance(value, (np.ndarray, np.generic)):
        return f"a NumPy value of dtype {value.dtype}"
    if isinstance(value, dict):
        return "a dict whose keys are not all text"
    return f"an object of type {type(value).__name__}"
