"""Where a class folder keeps results: ``results/<lab>/<student>/<key>.json``, each whole and under its own key."""

import contextlib
from pathlib import Path

from autograder.result import Result, Status


def result_path(root: Path, lab: str, student: str, key: str) -> Path:
    """The file of the result that has this key."""
    return root / "results" / lab / student / f"{key}.json"


def stored_result(root: Path, lab: str, student: str, key: str) -> Result | None:
    """The result under a key; None where there is none to rely on, so that it has to be made.

    That is so for a file that is missing or torn, that is another's result, or that says that the grading failed.
    """
    with contextlib.suppress(FileNotFoundError, ValueError):
        result = Result.read(result_path(root, lab, student, key))
        if is_of(result, lab, student, key) and result.status is not Status.INFRASTRUCTURE:
            return result
    return None


def is_of(result: Result, lab: str, student: str, key: str) -> bool:
    """Whether a result says that it is the one of this lab, student and key."""
    return (result.lab, result.student, result.key) == (lab, student, key)
