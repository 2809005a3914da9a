"""What a hidden check expects of the data that a student's function returned.

Each expectation either returns (often the validated value) or raises :class:`CheckFailed`. The data is hostile until
proven otherwise: ``None``, text, ragged lists, NaN, the wrong shape and numbers too large for any dtype all fail the
check and never raise anything else, because any other exception inside a check counts as a fault of the check.
"""

import builtins
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from course.lab.student import StudentError

KINDS = {"bool": "b", "int": "iu", "float": "f", "complex": "c", "number": "iufc"}
NUMBERS = (builtins.bool, builtins.int, builtins.float, builtins.complex, np.generic)


class CheckFailed(Exception):
    """The student's function did not do what the check expects.

    Args:
        detail: what was found, for the instructor; never shown to a student.
        hint: a hint more specific than the check's own, shown in its place.
    """

    def __init__(self, detail: str, hint: str | None = None):
        self.detail, self.hint = detail, hint
        super().__init__(detail)


def true(condition: Any, hint: str | None = None) -> None:
    """Expect ``condition`` to hold; an array holds if it is not empty and all of its elements do."""
    if isinstance(condition, np.ndarray):
        held = condition.dtype.kind in "biuf" and condition.size > 0 and builtins.bool(condition.all())
    else:
        held = condition is True or (isinstance(condition, np.bool_) and builtins.bool(condition))
    if not held:
        raise CheckFailed(f"the condition is {_brief(condition)}", hint)


def array(
    got: Any,
    shape: tuple[int | None, ...] | None = None,
    dtype: str | None = None,
    finite: bool = True,
    hint: str | None = None,
) -> np.ndarray:
    """Expect a NumPy array and return it, safe to compute with.

    Args:
        got: what the student's function returned.
        shape: the shape; None stands for any length but zero along that axis, and no shape for any shape.
        dtype: one of ``bool``, ``int``, ``float``, ``complex``, ``number`` or an exact name such as ``float32``.
        finite: whether NaN and infinities fail.
        hint: shown in place of the check's hint.
    """
    if not isinstance(got, np.ndarray):
        raise CheckFailed(f"expected an array, got {_brief(got)}", hint)
    if got.dtype.kind not in "biufc":
        raise CheckFailed(f"expected an array of numbers, got dtype {got.dtype}", hint)
    if shape is not None:
        _shape(got.shape, shape, hint)
    if dtype is not None:
        _dtype(got.dtype, dtype, hint)
    if finite and not np.isfinite(got).all():
        raise CheckFailed(f"{int((~np.isfinite(got)).sum())} of {got.size} values are not finite", hint)
    return got


def number(got: Any, finite: bool = True, hint: str | None = None) -> float:
    """Expect one real number (a Python or NumPy scalar or a 0-d array, but no bool) and return it as a float."""
    if isinstance(got, np.ndarray) and got.shape == ():
        got = got[()]
    is_number = isinstance(got, (builtins.int, builtins.float, np.integer, np.floating))
    if not is_number or isinstance(got, builtins.bool):
        raise CheckFailed(f"expected one real number, got {_brief(got)}", hint)
    try:
        value = builtins.float(got)
    except OverflowError as overflow:
        raise CheckFailed("expected one real number, got an integer beyond float64", hint) from overflow
    if finite and not np.isfinite(value):
        raise CheckFailed(f"expected a finite number, got {value}", hint)
    return value


def shape(got: Any, expected: tuple[int | None, ...], hint: str | None = None) -> None:
    """Expect an array of that shape; None stands for any length but zero. A bare number has the shape ``()``."""
    if isinstance(got, NUMBERS):
        got = np.empty(())
    array(got, expected, finite=False, hint=hint)


def dtype(got: Any, expected: str, hint: str | None = None) -> None:
    """Expect an array or number of a kind (``bool``, ``int``, ``float``, ``complex``, ``number``) or an exact dtype."""
    if isinstance(got, NUMBERS):
        got = _number_array(got, hint)
    array(got, dtype=expected, finite=False, hint=hint)


def close(got: Any, want: Any, atol: float = 1e-9, rtol: float = 0.0, hint: str | None = None) -> None:
    """Expect ``|got - want| <= atol + rtol * |want|`` for every element, with equal shapes and no broadcasting.

    A list or tuple of numbers is taken as the array that it spells. NaN fails unless ``want`` has NaN at the same
    place; an infinity fails unless ``want`` has the same one there. Complex values are compared by the absolute
    value of their difference, so that a stray imaginary part fails. All comparisons are made in 64 bits a part.
    """
    expected = _as_numbers(want)
    if expected is None:
        raise TypeError(f"expect.close: the check's own value is no array of numbers: {_brief(want)}")
    given = _as_numbers(got)
    if given is None:
        raise CheckFailed(f"expected numbers of shape {expected.shape}, got {_brief(got)}", hint)
    _shape(given.shape, expected.shape, hint)
    wrong = ~_within(_widest(given), _widest(expected), atol, rtol)
    if wrong.any():
        place = tuple(int(axis[0]) for axis in np.nonzero(wrong)) if wrong.ndim else ()
        raise CheckFailed(
            f"{int(wrong.sum())} of {wrong.size} values differ by more than allowed; the first at {place}: "
            f"expected {expected[place]}, got {given[place]}",
            hint,
        )


def equal(got: Any, want: Any, hint: str | None = None) -> None:
    """Expect the same data: equal numbers, text, None, or lists, tuples, dicts and arrays of these, NaN equal to NaN.

    A list and a tuple of equal items are equal; an array equals only an array; a bool equals only a bool.
    """
    if not _same(got, want):
        raise CheckFailed(f"expected {_brief(want)}, got {_brief(got)}", hint)


def raises(student: Callable, error: type[BaseException], *args: Any, hint: str | None = None, **kwargs: Any) -> None:
    """Expect the student's function, called with these arguments, to raise exactly ``error`` with a message.

    Args:
        student: the student object that the check received.
        error: a built-in exception type; a subclass of it does not count.
        hint: shown in place of the check's hint.
        args, kwargs: the arguments of the call.
    """
    try:
        got = student(*args, **kwargs)
    except StudentError as raised:
        if raised.type_name != error.__name__:
            raise CheckFailed(f"expected {error.__name__}, got {raised.type_name}", hint) from raised
        if not raised.message.strip():
            raise CheckFailed(f"the {error.__name__} has no message", hint) from raised
        return
    raise CheckFailed(f"expected {error.__name__}, got a result: {_brief(got)}", hint)


def _shape(given: tuple[int, ...], expected: tuple[int | None, ...], hint: str | None) -> None:
    fits = len(given) == len(expected) and all(
        have == want or (want is None and have > 0) for have, want in zip(given, expected, strict=True)
    )
    if not fits:
        raise CheckFailed(f"expected shape {expected}, got {given}", hint)


def _dtype(given: np.dtype, expected: str, hint: str | None) -> None:
    fits = given.kind in KINDS[expected] if expected in KINDS else given == np.dtype(expected)
    if not fits:
        raise CheckFailed(f"expected dtype {expected}, got {given}", hint)


def _number_array(got: Any, hint: str | None) -> np.ndarray:
    values = _as_numbers(got)
    if values is None:
        raise CheckFailed(f"expected a number, got {_brief(got)}", hint)
    return values


def _as_numbers(value: Any) -> np.ndarray | None:
    """The array that a number, an array or a nested list of numbers spells; None if it spells none."""
    if not isinstance(value, (np.ndarray, list, tuple, *NUMBERS)):
        return None
    try:
        values = np.asarray(value)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    return values if values.dtype.kind in "biufc" else None


def _widest(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)


def _within(given: np.ndarray, expected: np.ndarray, atol: float, rtol: float) -> np.ndarray:
    finite = np.isfinite(given) & np.isfinite(expected)
    alike = (given == expected) | (np.isnan(given) & np.isnan(expected))
    with np.errstate(over="ignore", invalid="ignore"):
        near = np.abs(given - expected) <= atol + rtol * np.abs(expected)
    return np.where(finite, near, alike)


def _same(got: Any, want: Any) -> bool:
    if isinstance(want, np.ndarray) or isinstance(got, np.ndarray):
        return _same_arrays(got, want)
    if isinstance(want, Mapping):
        return isinstance(got, Mapping) and got.keys() == want.keys() and all(_same(got[k], want[k]) for k in want)
    if isinstance(want, Sequence) and not isinstance(want, (str, bytes)):
        return (
            isinstance(got, (list, tuple))
            and len(got) == len(want)
            and all(_same(have, expected) for have, expected in zip(got, want, strict=True))
        )
    if isinstance(want, NUMBERS):
        return _same_numbers(got, want)
    return type(got) is type(want) and got == want


def _same_arrays(got: Any, want: Any) -> bool:
    if not (isinstance(got, np.ndarray) and isinstance(want, np.ndarray)) or got.shape != want.shape:
        return False
    if got.dtype.kind not in "biufc" or (got.dtype.kind == "b") != (want.dtype.kind == "b"):
        return False
    floats = got.dtype.kind in "fc" and want.dtype.kind in "fc"
    return builtins.bool(np.array_equal(got, want, equal_nan=floats))


def _same_numbers(got: Any, want: Any) -> bool:
    if not isinstance(got, NUMBERS):
        return False
    if isinstance(got, (builtins.bool, np.bool_)) != isinstance(want, (builtins.bool, np.bool_)):
        return False
    both_nan = got != got and want != want
    return builtins.bool(got == want or both_nan)


def _brief(value: Any) -> str:
    """The value's type and the start of it, short enough for one line of an instructor's report."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}, dtype {value.dtype}"
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = "too large to print"
    return f"{type(value).__name__} {text[:60]}"
