"""Lab 1: right solutions earn its points however they go about it, and each mistake loses its own task's, no more."""

import ast
from pathlib import Path

import numpy as np
import pytest

from course.lab.cells import Role
from course.lab.rehearsal import reference_sources, rehearse
from course.lab.source import read_lab

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "labs" / "lab01-sound-as-numbers"
TASKS = [
    "synthesise",
    "alias_frequency",
    "quantise",
    "snr_db",
    "tone_amplitude",
    "bandpass_kernel",
    "filter_block",
    "find_event",
]


@pytest.fixture(scope="module")
def lab():
    return read_lab(FOLDER)


def failed(record):
    """Names of the checks that a task's record has as failed."""
    return {one.name for one in record.records if not one.passed}


def namespace_of(lab, sources):
    """The globals after the lab's setup cells and these solution cells."""
    namespace = {"__name__": "__main__"}
    for cell in lab.cells:
        if cell.role in (Role.SETUP, Role.SOLUTION):
            exec(sources.get(cell.id, cell.source), namespace)
    return namespace


@pytest.mark.parametrize("seed", range(6))
def test_the_reference_earns_everything_on_any_seed(lab, seed):
    records = rehearse(lab, reference_sources(lab), seed)
    assert {task: failed(record) for task, record in records.items() if not record.passed} == {}


def demo_source(lab, defining):
    """The code of the demo cell that assigns a name."""
    return next(
        cell.source
        for cell in lab.cells
        if cell.role is Role.DEMO
        and any(
            isinstance(node, ast.Name) and node.id == defining and isinstance(node.ctx, ast.Store)
            for node in ast.walk(cell.tree)
        )
    )


def test_stand_ins_spare_a_later_task_from_an_earlier_mistake(lab):
    sources = reference_sources(lab)
    broken = {task: f"def {task}(*arguments):\n    return None" for task in TASKS[:-1]}
    records = rehearse(lab, sources | broken)
    assert [task for task, record in records.items() if record.passed] == ["find_event"]


def test_fallbacks_do_what_their_tasks_ask(lab):
    """Each fallback gives the reference's result where the lab uses it: inside the stated range."""
    namespace = namespace_of(lab, {})
    reference, rng = dict(namespace), np.random.default_rng(5)
    exec(demo_source(lab, defining="quiet"), namespace)
    namespace["solved"] = lambda task: False
    for cell in lab.cells:
        if cell.role is Role.FALLBACK:
            exec(cell.source, namespace)
    signal, taps = rng.uniform(-0.99, 0.99, 640), reference["bandpass_kernel"](1600, 2700, 200, 8000)
    uses = {
        "synthesise": ([300.0, 6090.0], [0.5, 0.2], [np.inf, 0.3], 0.25, 8000),
        "alias_frequency": (rng.uniform(-30000, 30000, 50), 8000),
        "quantise": (signal, 8),
        "snr_db": (signal, signal + 0.01),
        "tone_amplitude": (signal.reshape(2, 320), 1740.0, 8000),
        "filter_block": (signal, taps, None),
    }
    for task, arguments in uses.items():
        got, want = namespace[task](*arguments), reference[task](*arguments)
        first = (got[0], want[0]) if task == "filter_block" else (got, want)
        np.testing.assert_allclose(*first, atol=1e-6, err_msg=task)
    gain = np.abs(np.fft.rfft(namespace["bandpass_kernel"](1600, 2700, 200, 8000), 8000))
    assert gain[1600:2701].min() > 0.98 and gain[2900:].max() < 0.0056
    assert namespace["find_event"](namespace["quiet"], 8000, namespace["CHIME"]) == pytest.approx(3.7, abs=0.03)
    assert namespace["find_event"](namespace["without_chime"], 8000, namespace["CHIME"]) is None
