"""The inputs on which a mutant is compared with its reference, and which of them a task's text determines.

An input is *documented* if ``@covers`` in the lab's ``checks.py`` does not say otherwise, and it is one that the hidden
checks draw, over many seeds, or

- each of its arguments is of a type, dtype and number of dimensions, and finite or not, as the checks use them, and
- the task's oracle, which was written independently of the reference, answers on it as the reference does (both the
  same value, within the task's latitude, or both the same exception).

All others are *undocumented*: what a right solution does there is nobody's promise.
"""

import copy
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from course.lab.checking import Check, Checks, check_rng
from course.lab.rehearsal import reference_sources, rehearse_task
from course.lab.source import Lab

SEEDS = 12
MOST_DRAWN, MOST_CHANGED = 300, 1200  # inputs that the checks draw, and that are made of them by a change
# Elements of an input, of all drawn and of all changed ones together, so that hundreds of mutants can be asked them.
LARGEST, MOST_ELEMENTS = 50_000, 4_000_000
EDGES = (0, 1, -1, 0.5, -0.5, 100, np.nan, np.inf)
# What becomes of an array, given it and a generator: of its length, its order, its values, its type.
ARRAY_CHANGES = (
    lambda array, rng: array[:0],
    lambda array, rng: array[:1],
    lambda array, rng: array[:2],
    lambda array, rng: array[1:],
    lambda array, rng: array[:-1],
    lambda array, rng: array[: len(array) // 2],
    lambda array, rng: np.concatenate([array, array]),
    lambda array, rng: array[::-1],
    lambda array, rng: np.sort(array, axis=-1),
    lambda array, rng: _scaled(array, _pick([-1, 0, 0.5, 2], rng)),
    lambda array, rng: _scaled(array, 10.0 ** rng.uniform(-4, 4)),
    lambda array, rng: np.full_like(array, _pick([0, 1, -1, 2], rng)),
    lambda array, rng: (np.round(array * 2.0) / 2).astype(array.dtype),
    lambda array, rng: _with_edge(array, _pick(EDGES, rng), rng),
    lambda array, rng: _with_edge(array, _pick(EDGES, rng), rng),
    lambda array, rng: array.tolist(),
    lambda array, rng: array.astype(np.float32),
    lambda array, rng: np.nan_to_num(array).astype(np.int64),
    lambda array, rng: array[np.newaxis],
)


@dataclass(frozen=True)
class Input:
    """The arguments of a call, whether the checks drew them, and whether the task's text determines the answer."""

    arguments: tuple
    drawn: bool
    documented: bool = True


def with_one_check(lab: Lab, task_id: str, function: Any) -> Lab:
    """The lab with ``function(student, rng)`` as the only check of a task."""
    only = {task_id: [Check(task_id, "only", "The only check.", function, 1)]}
    return replace(lab, checks=Checks(lab.checks.path, only, lab.checks.oracles))


def drawn_inputs(lab: Lab, task_id: str, seed: int) -> list[Input]:
    """Inputs that the task's hidden checks put to the reference, over several seeds, without repetitions."""
    calls: dict[bytes, tuple] = {}

    def record(student, _rng):
        for one_seed in range(SEEDS):
            for one in lab.checks.of(task_id):
                one.function(_Recorder(student, calls), check_rng(f"{seed} {one_seed}", task_id, one.name))

    rehearse_task(with_one_check(lab, task_id, record), task_id, reference_sources(lab))
    found = [_affordable(arguments) for arguments in calls.values()]
    order = np.random.default_rng(seed).permutation(len(found))[:MOST_DRAWN]
    together = np.cumsum([_n_elements(found[index].arguments) for index in order])
    return [found[index] for index in order[together <= MOST_ELEMENTS]]


def _affordable(arguments: tuple) -> Input:
    """The input; of one that is too large, the beginning of each of its arrays, which no check has drawn."""
    if _n_elements(arguments) <= LARGEST:
        return Input(arguments, drawn=True)
    return Input(tuple(one[:1000] if isinstance(one, np.ndarray) else one for one in arguments), drawn=False)


def changed_inputs(drawn: list[Input], seed: int) -> list[Input]:
    """Drawn inputs with one or two arguments changed: other lengths, values, scales, edges, types, neighbours."""
    rng = np.random.default_rng([seed, 1])
    known = [
        {_kind(one.arguments[place]) for one in drawn if place < len(one.arguments)}
        for place in range(_most_arguments(drawn))
    ]
    changed: dict[bytes, Input] = {}
    elements = 0
    for _ in range(3 * MOST_CHANGED):
        if len(changed) == MOST_CHANGED or elements > MOST_ELEMENTS:
            break
        arguments = list(copy.deepcopy(drawn[rng.integers(len(drawn))].arguments))
        for place in rng.permutation(len(arguments))[: rng.integers(1, 3)]:
            arguments[place] = _changed(arguments, place, drawn, rng)
        usual = all(_kind(argument) in kinds for argument, kinds in zip(arguments, known, strict=False))
        if _n_elements(arguments) <= LARGEST:
            changed.setdefault(pickle.dumps(arguments), Input(tuple(arguments), False, documented=usual))
            elements += _n_elements(arguments)
    return list(changed.values())


class _Recorder:
    """A student that keeps a copy of the arguments of every call."""

    def __init__(self, student: Any, calls: dict[bytes, tuple]):
        self.student, self.calls = student, calls

    def __call__(self, *arguments: Any, seconds: float | None = None) -> Any:
        self.calls.setdefault(pickle.dumps(arguments), copy.deepcopy(arguments))
        return self.student(*arguments, seconds=seconds)


def _most_arguments(drawn: list[Input]) -> int:
    return max(len(one.arguments) for one in drawn)


def _n_elements(arguments: Any) -> int:
    """How many elements arrays and lists hold together; a list may hold arrays of different lengths."""
    if isinstance(arguments, np.ndarray):
        return arguments.size
    return sum(max(_n_elements(one), 1) for one in arguments) if isinstance(arguments, (list, tuple)) else 0


def _kind(argument: Any) -> tuple:
    """What a task's text says of an argument: its type, of an array dtype and dimensions; whether all is finite."""
    if isinstance(argument, np.ndarray):
        return argument.dtype.str, argument.ndim, bool(np.isfinite(argument).all())
    if isinstance(argument, (list, tuple)):
        return type(argument), *sorted({_kind(one) for one in argument}, key=repr)
    if isinstance(argument, (float, complex)):
        return type(argument), bool(np.isfinite(argument))
    return (type(argument),)


def _changed(arguments: list, place: int, drawn: list[Input], rng: np.random.Generator) -> Any:
    """Another value for one argument: of another drawn input, near one of the other arguments, or made of its own."""
    argument = arguments[place]
    if rng.random() < 0.15:
        other = drawn[rng.integers(len(drawn))].arguments
        return copy.deepcopy(other[place]) if place < len(other) else argument
    if isinstance(argument, np.ndarray) and argument.dtype.kind in "iuf":
        return _other_array(argument, rng)
    if isinstance(argument, (list, tuple)) and all(isinstance(one, (int, float)) for one in argument):
        return type(argument)(np.asarray(_other_array(np.asarray(argument), rng)).tolist())
    if isinstance(argument, (int, float)) and not isinstance(argument, bool):
        neighbours = [one for one in arguments if isinstance(one, (int, float))]
        return _pick(list(_other_numbers(argument, neighbours, rng)), rng)
    return argument


def _pick(values: Sequence, rng: np.random.Generator) -> Any:
    return values[rng.integers(len(values))]


def _other_array(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A variation of an array of numbers: of its length, its values or its type."""
    if array.ndim == 0:
        return array
    return ARRAY_CHANGES[rng.integers(len(ARRAY_CHANGES))](array, rng)


def _scaled(array: np.ndarray, factor: float) -> np.ndarray:
    """The array times a factor, in its own dtype; integers stay within their limits."""
    scaled = array * np.float64(factor)
    if array.dtype.kind in "iu":
        limits = np.iinfo(array.dtype)
        scaled = np.clip(scaled, limits.min, limits.max)
    return scaled.astype(array.dtype)


def _with_edge(array: np.ndarray, edge: float, rng: np.random.Generator) -> np.ndarray:
    """The array with an edge value somewhere; integers have no room for NaN and infinities."""
    spoilt = array.copy()
    if len(array) and (np.isfinite(edge) or array.dtype.kind == "f"):
        spoilt[rng.integers(len(array))] = edge
    return spoilt


def _other_numbers(number: float, neighbours: list[float], rng: np.random.Generator) -> Iterator[float]:
    """Variations of a number, of its own type: steps, multiples, edges, and where it meets another argument."""
    kind = type(number)
    for other in (number + 1, number - 1, 0, 1, -1, 2, -number, number / 2, number * 2, number * rng.uniform(0.5, 2)):
        yield kind(other) if np.isfinite(other) else number
    for neighbour in neighbours:
        for meeting in (neighbour, neighbour / 2, -neighbour, neighbour - number, neighbour / 2 - number):
            other = meeting + _pick([0, 0, 0.25, -0.25, 1, -1], rng)
            yield kind(other) if np.isfinite(other) else number
    if kind is float:
        yield from (np.nextafter(number, np.inf).item(), np.nextafter(number, -np.inf).item(), np.nan, np.inf)
        yield round(number) if np.isfinite(number) else number
