"""A class before and after a run that nobody disturbed, and ways to change a copy of it."""

import io
import tempfile
from pathlib import Path

import pytest
from rich.console import Console

from autograder.bench import recovery
from autograder.sandbox import Bubblewrap


@pytest.fixture(scope="session")
def scenario(lab):
    with tempfile.TemporaryDirectory(dir=recovery.quick_disk()) as folder:
        yield recovery.prepare(lab, Path(folder).resolve(), Bubblewrap())


@pytest.fixture
def before(scenario):
    """The class before the run: four students graded, of whom one handed in anew, and three who are new."""
    with recovery.copied(scenario) as root:
        yield root


@pytest.fixture
def after(scenario, before):
    """The class after an undisturbed run."""
    recovery.finish(scenario, before)
    return before


@pytest.fixture
def console():
    """A wide terminal; ``console.file.getvalue()`` is what was printed."""
    return Console(file=io.StringIO(), width=200)
