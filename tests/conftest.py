"""How tests are dealt out to processes: what shares fixtures stays together, and what takes longest begins first."""

import re

from xdist.scheduler import LoadScopeScheduling

# Minutes each; begun last, one of them would run on alone.
LONGEST = (
    "tests/kit/test_up.py",
    "tests/course/test_lectures.py",
    "tests/autograder/check_grading/test_lab_mutants.py",
    "tests/labs/test_every_lab_graded.py",
    "tests/labs/test_lab_rehearsal.py",
    "tests/labs/test_every_lab.py",
    "tests/autograder/scale/test_scale_faults.py",
    "tests/autograder/recovery/test_recovery.py",
)
# Their fixtures are made for one lecture or lab, so that each of these may go to another process.
DIVIDED = LONGEST[1:5]
WHICH = re.compile(r"\[.*?((?:lab)?\d\d-)")


class Dealer(LoadScopeScheduling):
    """A module at a time, or a lecture or a lab of it.

    xdist's own groups are ignored under pytest 9.2 (pytest-dev/pytest-xdist, issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        which = WHICH.search(nodeid) if module in DIVIDED else None
        return f"{module} {which[1]}" if which else module


def pytest_xdist_make_scheduler(config, log):
    return Dealer(config, log)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: place(item.nodeid.partition("::")[0]))


def place(module: str) -> int:
    return LONGEST.index(module) if module in LONGEST else len(LONGEST)
