"""Numbers that a formula of this package can take, or the sentence that says why not."""

import math
import operator

import numpy as np


def positive(what: str, value: float) -> float:
    """A finite number above 0.

    Raises:
        TypeError, ValueError: it is none.
    """
    return _number(what, value, "above 0", lambda number: number > 0)


def not_negative(what: str, value: float) -> float:
    """A finite number, 0 or more.

    Raises:
        TypeError, ValueError: it is none.
    """
    return _number(what, value, "of 0 or more", lambda number: number >= 0)


def share(what: str, value: float) -> float:
    """A number between 0 and 1, and neither of them.

    Raises:
        TypeError, ValueError: it is none.
    """
    return _number(what, value, "between 0 and 1, such as 0.99,", lambda number: 0 < number < 1)


def whole(what: str, value: int, least: int = 1) -> int:
    """A whole number of ``least`` or more.

    Raises:
        TypeError, ValueError: it is none.
    """
    try:
        number = operator.index(value)
    except TypeError as error:
        raise TypeError(f"A whole number of {what} was expected; {value!r} came.") from error
    if number < least:
        raise ValueError(f"{least} or more of {what} were expected; {number} came.")
    return number


def instants(what: str, values) -> np.ndarray:
    """Seconds ``(n,)``, finite, 0 or more, none before the one in front of it.

    Raises:
        TypeError, ValueError: they are not.
    """
    times = durations(what, values)
    if np.any(np.diff(times) < 0):
        raise ValueError(f"Rising instants were expected as {what}, and one comes before its predecessor. Sort them.")
    return times


def durations(what: str, values) -> np.ndarray:
    """Seconds ``(n,)``, finite, 0 or more.

    Raises:
        TypeError, ValueError: they are not.
    """
    try:
        seconds = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"A list of seconds was expected as {what}; {type(values).__name__} came.") from error
    if seconds.ndim != 1 or not np.all(np.isfinite(seconds)) or np.any(seconds < 0):
        raise ValueError(f"A list of finite seconds of 0 or more was expected as {what}, and something else came.")
    return seconds


def as_many(first: np.ndarray, second: np.ndarray) -> None:
    """Whether two lists are equally long.

    Raises:
        ValueError: they are not.
    """
    if first.shape != second.shape:
        raise ValueError(f"As many arrivals as requests were expected; {first.size} and {second.size} came.")


def _number(what: str, value: float, wanted: str, fits) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"A number was expected as {what}; {value!r} came.") from error
    if not (math.isfinite(number) and fits(number)):
        raise ValueError(f"A number {wanted} was expected as {what}; {value!r} came.")
    return number
