"""Whether a mutant behaves otherwise than its reference, and whether a task's text forbids it to.

Both answer the same inputs in the same order, in one process each, so that memory between calls shows as well. An
answer is the value, the arguments as they are afterwards, or the type of the exception. Equal means equal up to the
noise of floating point; *as good* means within the latitude that the task leaves: what ``@latitude`` in its
``checks.py`` says, or values within 1e-6 of the largest.
"""

import copy
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from autograder.check_grading.children import run_each
from autograder.check_grading.inputs import Input, changed_inputs, drawn_inputs, with_one_check
from course.errors import CourseError
from course.lab.checking import LocalStudent, StudentError, StudentFault
from course.lab.rehearsal import reference_sources, rehearse_task
from course.lab.source import Lab

NOISE, CLOSE = 1e-9, 1e-6
CALL_SECONDS, COSTLY_SECONDS, MAKING_SECONDS = 5.0, 0.5, 600.0


class Difference(StrEnum):
    """What was found between a mutant that no check fails and its reference, from the worst to none."""

    WRONG = "wrong"
    UNDOCUMENTED = "undocumented"
    LATITUDE = "latitude"
    NONE = "none"


@dataclass(frozen=True)
class Answer:
    """What a call came to: a value and the arguments afterwards, or the kind of fault."""

    value: Any = None
    arguments: tuple = ()
    fault: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """A task's inputs with the reference's answers; the reference took so many seconds for all of them."""

    inputs: tuple[Input, ...]
    answers: tuple[Answer, ...]
    seconds: float


def comparisons(lab: Lab, task_ids: list[str], seed: int, jobs: int) -> dict[str, Comparison]:
    """The inputs and the reference's answers for tasks, made in children of their own.

    Raises:
        CourseError: the reference of a task ends its process or stumbles on inputs that its checks draw.
    """
    made = {}
    for child in run_each(lambda task_id, say: say(_comparison(lab, task_id, seed)), task_ids, jobs, MAKING_SECONDS):
        if child.ended != "done":
            raise CourseError(
                f"The reference of {child.task} could not be tried on inputs like those of its hidden checks "
                f"({child.error or child.ended}); run it on such inputs yourself."
            )
        made[child.task] = child.said[0]
    return made


def _comparison(lab: Lab, task_id: str, seed: int) -> Comparison:
    drawn = drawn_inputs(lab, task_id, seed)
    judged = [
        replace(one, documented=_is_documented(lab, task_id, one, answer))
        for one, answer in _answered(lab, task_id, drawn + changed_inputs(drawn, seed))
        if not _costly(answer)
    ]
    # The documented inputs first: whoever differs there need not be asked further.
    judged.sort(key=lambda one: not one.documented)
    start = time.perf_counter()
    answers = tuple(answer for _, answer in _answered(lab, task_id, judged))
    return Comparison(tuple(judged), answers, time.perf_counter() - start)


def _is_documented(lab: Lab, task_id: str, given: Input, answer: Answer) -> bool:
    """Whether the text covers an input: the checks draw it, or the oracle answers it as the reference does."""
    if not given.documented or not lab.checks.covers.get(task_id, lambda *_: True)(*given.arguments):
        return False
    oracle = LocalStudent({task_id: lab.checks.oracles[task_id]}, task_id, {}, CALL_SECONDS)
    return given.drawn or _agree(answer, _asked(oracle, given.arguments), given, latitude_of(lab, task_id))


def _answered(lab: Lab, task_id: str, inputs: list[Input]) -> Iterator[tuple[Input, Answer]]:
    return zip(inputs, asking(lab, task_id, reference_sources(lab)[task_id], inputs), strict=True)


def _costly(answer: Answer) -> bool:
    """Whether a call asks for more time or memory than hundreds of them may."""
    return answer.seconds > COSTLY_SECONDS or answer.fault in ("StudentTimeout", "StudentCrash", "MemoryError")


def latitude_of(lab: Lab, task_id: str) -> Callable[[tuple, Any, Any], bool]:
    """The rule ``(arguments, reference, given)`` by which an answer is as good as the reference's."""
    return lab.checks.latitudes.get(task_id, _close)


def asking(lab: Lab, task_id: str, source: str, inputs: Iterable[Input]) -> Iterator[Answer]:
    """The answers of a solution to all inputs, one by one."""
    caught: list[LocalStudent] = []
    sources = reference_sources(lab) | {task_id: source}
    rehearse_task(with_one_check(lab, task_id, lambda student, _rng: caught.append(student)), task_id, sources)
    student = caught[0]
    student.limit = CALL_SECONDS
    return (_asked(student, given.arguments) for given in inputs)


def difference(
    compared: Comparison, answers: Iterator[Answer], as_good: Callable, note: Callable[[str], None]
) -> tuple[Difference, int, str]:
    """How answers differ from the reference's: the worst, on how many documented inputs it is wrong, and an example.

    ``note`` is told once the documented inputs are through; of the others, one that shows a difference is enough.
    """
    counts, examples = Counter(), {}
    noted = False
    for given, want, got in zip(compared.inputs, compared.answers, answers, strict=True):
        if not given.documented and not noted:
            note("documented inputs answered")
            noted = True
        kind = _difference(given, want, got, as_good)
        counts[kind] += 1
        if kind not in examples and kind is not Difference.NONE:
            examples[kind] = f"{_brief(given.arguments)}: expected {_told(want)}, got {_told(got)}"
        if noted and counts.keys() & {Difference.WRONG, Difference.UNDOCUMENTED}:
            break
    worst = min(counts, key=list(Difference).index, default=Difference.NONE)
    return worst, counts[Difference.WRONG], examples.get(worst, "")


def _difference(given: Input, want: Answer, got: Answer, as_good: Callable) -> Difference:
    if want.fault == got.fault and _same((want.value, want.arguments), (got.value, got.arguments), NOISE):
        return Difference.NONE
    if _agree(want, got, given, as_good):
        return Difference.LATITUDE
    return Difference.WRONG if given.documented else Difference.UNDOCUMENTED


def _agree(want: Answer, got: Answer, given: Input, as_good: Callable) -> bool:
    if want.fault or got.fault:
        return want.fault == got.fault
    if not _same(want.arguments, got.arguments, NOISE):
        return False
    try:
        return bool(as_good(given.arguments, want.value, got.value))
    except Exception:  # a latitude is written for answers of the right kind; any other is not as good
        return False


def _close(_arguments: tuple, reference: Any, given: Any) -> bool:
    return _same(reference, given, CLOSE)


def _asked(student: LocalStudent, arguments: tuple) -> Answer:
    """One call; the function is wrapped so that its copies of the arguments can be looked at afterwards."""
    after: list[tuple] = []
    function = student.namespace.get(student.task_id)

    def watched(*copies):
        try:
            return function(*copies)
        finally:
            after.append(copies)

    student.namespace[student.task_id] = watched
    start = time.perf_counter()
    try:
        value = student(*arguments)
        return Answer(value, copy.deepcopy(after[0]), seconds=time.perf_counter() - start)
    except StudentError as error:
        return Answer(fault=error.type_name if error.message.strip() else f"{error.type_name} without a message")
    except StudentFault as fault:
        return Answer(fault=type(fault).__name__)
    finally:
        student.namespace[student.task_id] = function


def _same(want: Any, got: Any, tolerance: float) -> bool:
    """Whether two plain values are of one kind, and equal within ``tolerance`` of 1, or of the largest number."""
    if isinstance(want, np.ndarray):
        if not isinstance(got, np.ndarray) or want.shape != got.shape:
            return False
        return want.dtype.kind == got.dtype.kind and _near(want, got, tolerance)
    if type(want) is not type(got):
        return False
    if isinstance(want, (list, tuple)):
        return len(want) == len(got) and all(_same(*pair, tolerance) for pair in zip(want, got, strict=True))
    if isinstance(want, dict):
        return want.keys() == got.keys() and all(_same(want[key], got[key], tolerance) for key in want)
    if isinstance(want, (float, complex)):
        return _near(np.asarray(want), np.asarray(got), tolerance)
    return want == got


def _near(want: np.ndarray, got: np.ndarray, tolerance: float) -> bool:
    if want.dtype.kind not in "fc":
        return bool(np.array_equal(want, got))
    finite = np.isfinite(want)
    scale = np.abs(want[finite]).max() if finite.any() else 0.0
    with np.errstate(invalid="ignore"):
        near = np.abs(want - got) <= tolerance * max(scale, 1.0)
    return bool(np.all(np.where(finite, near, (want == got) | (np.isnan(want) & np.isnan(got)))))


def _brief(arguments: tuple) -> str:
    return ", ".join(_told_value(argument) for argument in arguments)


def _told(answer: Answer) -> str:
    return answer.fault or _told_value(answer.value)


def _told_value(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=4, threshold=4, edgeitems=2).replace("\n", "") + f" {value.dtype}"
    if isinstance(value, (list, tuple)):
        shown = [_told_value(one) for one in value[:4]] + ["..."] * (len(value) > 4)
        return f"{type(value).__name__}({', '.join(shown)})"
    return f"{value:.6g}" if isinstance(value, float) else repr(value)[:60]
