"""A lab's hidden checks tried on known solutions in this process: for authors and tests, never for a submission."""

import builtins
import contextlib
from collections.abc import Callable, Mapping

from course.lab.cells import Role
from course.lab.checking import LocalStudent, TaskRecord, run_task
from course.lab.markers import with_stub
from course.lab.source import Lab


def reference_sources(lab: Lab) -> dict[str, str]:
    """The source of each task's solution cell, as the author solved it."""
    return {cell.id: cell.source for cell in lab.cells if cell.role is Role.SOLUTION}


def untouched_sources(lab: Lab) -> dict[str, str]:
    """The source of each task's solution cell, as an intern receives it."""
    return {task_id: with_stub(source) for task_id, source in reference_sources(lab).items()}


def rehearse(lab: Lab, sources: Mapping[str, str], seed: str | int = "rehearsal") -> dict[str, TaskRecord]:
    """Judge the solution cells of all tasks by the lab's hidden checks.

    Args:
        lab: a valid lab.
        sources: the source of the solution cell of every task. A cell that raises leaves its function undefined.
        seed: what the hidden inputs are drawn from.

    Returns:
        The record of each task, in the lab's order.
    """
    return {task_id: rehearse_task(lab, task_id, sources, seed) for task_id in lab.task_ids}


def rehearse_task(lab: Lab, task_id: str, sources: Mapping[str, str], seed: str | int = "rehearsal") -> TaskRecord:
    """Judge one task: the setup and solution cells run in a fresh namespace, without the packages that grading lacks,
    and oracles stand in for the other tasks' functions."""
    namespace = {"__name__": "__main__", "__builtins__": vars(builtins) | {"__import__": _import_without(lab.without)}}
    for cell in lab.cells:
        if cell.role is Role.SETUP:
            exec(compile(cell.source, f"<{lab.id}: {cell.id}>", "exec"), namespace)
        elif cell.role is Role.SOLUTION:
            with contextlib.suppress(Exception):
                exec(compile(sources[cell.id], f"<{lab.id}: {cell.id}>", "exec"), namespace)
    return run_task(lab.checks, task_id, LocalStudent(namespace, task_id, lab.checks.stand_ins(task_id)), seed)


def _import_without(packages: list[str]) -> Callable:
    def import_but(name: str, *args, **kwargs):
        if name.partition(".")[0] in packages:
            raise ModuleNotFoundError(f"No module named {name!r}: this lab is graded without it", name=name)
        return __import__(name, *args, **kwargs)

    return import_but
