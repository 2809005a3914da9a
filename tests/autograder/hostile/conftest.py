"""A class of hostile submissions and honest neighbours, graded once for all tests."""

import contextlib
import os
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hostile_cases import CASES
from hostile_cases.case import LAB_ID, SECRET, Case, Site, as_bytes, notebook, the_lab

from autograder.classroom import ClassReport, grade_class
from autograder.grading import Assignment
from autograder.policy import Policy
from autograder.sandbox import Bubblewrap

WRONG = "def quantise(signal, n_bits):\n    return np.floor(np.asarray(signal) * 2 ** (n_bits - 1)).astype(int)"
NEIGHBOURS = {
    "0-honest-and-right": lambda: as_bytes(notebook("solution")),
    "honest-with-a-mistake": lambda: as_bytes(notebook("solution", {"quantise": WRONG})),
    "zz-honest-and-untouched": lambda: as_bytes(notebook("release")),
}


@dataclass(frozen=True)
class GradedClass:
    """A class after grading: its folder, what the run reported, and each student's result by name."""

    site: Site
    report: ClassReport

    @property
    def root(self) -> Path:
        return self.site.root

    @property
    def results(self) -> dict:
        return {result.student: result for result in self.report.results}


def hand_in(root: Path, student: str) -> Path:
    """The new, empty folder in which a student's submission goes."""
    folder = root / "submitted" / student / LAB_ID
    folder.mkdir(parents=True)
    return folder


def hand_in_neighbours(root: Path) -> None:
    for student, content in NEIGHBOURS.items():
        (hand_in(root, student) / f"{LAB_ID}.ipynb").write_bytes(content())


def _echo(listening: socket.socket) -> None:
    """Answer whoever connects, or sends a packet, until the socket is closed."""
    with contextlib.suppress(OSError):
        while True:
            if listening.type == socket.SOCK_DGRAM:
                listening.sendto(*listening.recvfrom(16))
            else:
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(connection.recv(16))


@pytest.fixture(scope="session")
def services():
    """What listens on the machine that grades: a TCP port, a UDP port, the name of an abstract socket."""
    abstract = f"hostile-test-{os.getpid()}"
    addresses = [
        (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{abstract}"),
    ]
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket(family, kind)) for family, kind, _ in addresses]
        for one, (_, kind, address) in zip(sockets, addresses, strict=True):
            one.bind(address)
            if kind == socket.SOCK_STREAM:
                one.listen()
            threading.Thread(target=_echo, args=(one,), daemon=True).start()
        yield sockets[0].getsockname()[1], sockets[1].getsockname()[1], abstract


@pytest.fixture(scope="session")
def runner():
    return Bubblewrap()


@pytest.fixture(scope="session")
def hostile_assignment(runner):
    return Assignment.of(the_lab(), Policy.of(the_lab()), runner)


@pytest.fixture(scope="session")
def grade_hostile_class(runner):
    """Grade a class folder in Lab 1, with a secret in the grader's environment."""

    def grade(root: Path) -> ClassReport:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GRADER_SECRET", SECRET)
            return grade_class(root, runner, 2, [the_lab()])

    return grade


@pytest.fixture(scope="session")
def honest_class(tmp_path_factory, services, grade_hostile_class):
    """The neighbours by themselves: what their grades have to be in any company."""
    root = tmp_path_factory.mktemp("honest")
    hand_in_neighbours(root)
    return GradedClass(Site(root, *services), grade_hostile_class(root))


@pytest.fixture(scope="session")
def hostile_class(tmp_path_factory, services, grade_hostile_class, honest_class):
    """Every case of the corpus and the neighbours in one class, whose gradebook and source exist already."""
    root = tmp_path_factory.mktemp("hostile")
    site = Site(root, *services)
    hand_in_neighbours(root)
    grade_hostile_class(root)
    for case in CASES.values():
        _hand_in_case(site, case)
    return GradedClass(site, grade_hostile_class(root))


def _hand_in_case(site: Site, case: Case) -> None:
    folder = hand_in(site.root, case.folder)
    try:
        case.hand_in(site, folder)
    except PermissionError:
        # Only root can make a device; the case's test is skipped where there is none.
        folder.rmdir()
