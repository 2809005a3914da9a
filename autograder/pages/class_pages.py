"""The pages of a class made again from what is stored: the ledger's last results, nothing collected, nothing graded."""

import json
from contextlib import suppress
from pathlib import Path

from autograder.class_folder import COURSE_ID
from autograder.classroom import only_one_grader
from autograder.grading import Assignment
from autograder.pages.class_view import lab_view
from autograder.pages.feedback import NOT_READ, similar_page, write_class_pages, write_if_changed
from autograder.pages.similarity import Similar, similar_in_class
from autograder.policy import Policy
from autograder.records.gradebook import ByHand, ClassGradebook
from autograder.records.ledger import Ledger
from autograder.records.result_store import stored_result
from autograder.result import Result
from autograder.sandbox import Trusted
from course.errors import CourseError
from course.lab.source import find_lab


def remake_pages(root: Path) -> tuple[int, list[str]]:
    """Write all pages of the class folder ``root`` that differ from what they would be now.

    Returns:
        how many results there are, and a sentence for each one that the ledger names and that is not there.

    Raises:
        CourseError: the ledger names no result, a grader is at work, or another program holds the gradebook.
    """
    with only_one_grader(root):
        results, missing = last_results(root)
        write_class_pages(root, results, _by_hand(root, {result.lab for result in results}), _not_read(root))
    return len(results), missing


def similar_in(root: Path, lab: str) -> tuple[str, Similar, Path]:
    """The lab's id, the submissions to it that are alike, and the page on which they stand side by side.

    Args:
        root: the class folder.
        lab: the lab's id, or the beginning of it.

    Raises:
        CourseError: the class has no results of that lab, or no release of it to compare with.
    """
    results, _ = last_results(root)
    labs = sorted({result.lab for result in results if result.lab.startswith(lab)})
    if len(labs) != 1:
        known = ", ".join(sorted({result.lab for result in results}))
        raise CourseError(f"{lab!r} fits {len(labs)} of the labs that {root} has results of: {known}.")
    own = [result for result in results if result.lab == labs[0]]
    similar = similar_in_class(root, labs[0], own)
    if similar is None:
        release = root / "release" / labs[0] / f"{labs[0]}.ipynb"
        raise CourseError(f"The released notebook was expected at {release}; `course lab release` makes it.")
    page = root / "summary" / f"{labs[0]}-similar.html"
    write_if_changed(page, similar_page(lab_view(own), similar))
    return labs[0], similar, page


def last_results(root: Path) -> tuple[list[Result], list[str]]:
    """The results that were last entered for each lab and student, and a sentence for each that is not there."""
    ledger, results, missing = Ledger(root / "ledger.jsonl"), [], []
    for (lab, student), entry in sorted(ledger.latest.items()):
        result = stored_result(root, lab, student, entry.key)
        if result:
            results.append(result)
        else:
            missing.append(f"The result of {student} for {lab} is not in results/; run `course grade --class` for it.")
    if not results:
        raise CourseError(f"{root} has no results that its ledger names: run `course grade --class {root}` first.")
    return results, missing


def _not_read(root: Path) -> list[str]:
    """What the last run said about entries that it did not read."""
    return json.loads((root / NOT_READ).read_text(encoding="utf-8")) if (root / NOT_READ).exists() else []


def _by_hand(root: Path, labs: set[str]) -> dict[str, dict[str, dict[str, ByHand]]]:
    """What persons entered; for a lab that the kit has no longer, nothing."""
    known = []
    for lab in sorted(labs):
        with suppress(CourseError):
            source = find_lab(lab)
            known.append(Assignment.of(source, Policy.of(source), Trusted()))
    return ClassGradebook(root, COURSE_ID).by_hand(known) if known and (root / "gradebook.db").exists() else {}
