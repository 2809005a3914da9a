"""Lab 1: right solutions earn its points however they go about it, and each mistake loses its own task's, no more."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from nbclient import NotebookClient

from course.lab.build import release_notebook, solution_notebook
from course.lab.cells import Role
from course.lab.checking import LocalStudent, run_task
from course.lab.rehearsal import reference_sources, rehearse
from course.lab.source import read_lab
from course.lab.tasks import with_stub

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "labs" / "lab01-sound-as-numbers"
ALTERNATIVES = sorted((Path(__file__).parent / "alternatives" / "lab01").glob("*.py"))
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


def test_points_are_26_by_checks_and_4_by_a_person(lab):
    assert [task.id for task in lab.tasks] == TASKS
    assert sum(task.points for task in lab.tasks) == 26
    assert [task.points for task in lab.manual] == [4]


@pytest.mark.parametrize("seed", range(6))
def test_the_reference_earns_everything_on_any_seed(lab, seed):
    records = rehearse(lab, reference_sources(lab), seed)
    assert {task: failed(record) for task, record in records.items() if not record.passed} == {}


@pytest.mark.parametrize("path", ALTERNATIVES, ids=lambda path: path.stem)
def test_another_right_way_earns_full_marks(lab, path):
    task = path.stem.partition("--")[0]
    namespace = namespace_of(lab, {task: path.read_text(encoding="utf-8")})
    for seed in range(3):
        student = LocalStudent(namespace, task, lab.checks.stand_ins(task))
        assert failed(run_task(lab.checks, task, student, seed)) == set()


def test_every_task_has_another_right_way():
    assert {path.stem.partition("--")[0] for path in ALTERNATIVES} == set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_the_oracles_keep_the_contract_that_they_judge_by(lab, task):
    student = LocalStudent({task: lab.checks.oracles[task]}, task, {})
    assert failed(run_task(lab.checks, task, student, seed=1)) == set()


@pytest.mark.parametrize("task", TASKS)
def test_whoever_knows_only_the_visible_inputs_earns_nothing(lab, task, monkeypatch):
    """A parrot repeats the reference's answers to the visible check and has none for other inputs."""
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    namespace, answers = namespace_of(lab, {}), {}
    reference = namespace[task]

    def recorded(*arguments):
        answers[repr(arguments)] = reference(*arguments)
        return answers[repr(arguments)]

    namespace[task] = recorded
    if task == "find_event":
        exec(demo_source(lab, defining="quiet"), namespace)
    exec(check_source(lab, task), namespace)
    parrot = {task: lambda *arguments: answers.get(repr(arguments), next(iter(answers.values())))}
    assert answers
    assert failed(run_task(lab.checks, task, LocalStudent(parrot, task, {}), seed=2))


def check_source(lab, task):
    """The code of a task's visible check."""
    return next(cell.source for cell in lab.cells if cell.id == lab.task(task).check_cell_id)


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


@pytest.mark.parametrize("task", TASKS)
def test_the_visible_check_passes_the_reference_and_stops_two_mistakes(lab, task, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    demo = demo_source(lab, defining="quiet") if task == "find_event" else ""
    namespace = namespace_of(lab, {})
    exec(demo + "\n" + check_source(lab, task), namespace)
    messages = []
    for wrong in (one for one in lab.wrong if one.task == task):
        exec(wrong.source, namespace)
        try:
            exec(check_source(lab, task), namespace)
        except Exception as error:
            messages.append(str(error))
    assert len(messages) >= 2
    assert all(len(message.split()) >= 5 for message in messages)


def test_hints_differ_and_do_not_quote_the_visible_checks(lab):
    hints = [one.hint for checks in lab.checks.by_task.values() for one in checks]
    assert len(set(hints)) == len(hints)
    shown = "\n".join(with_stub(cell.source) for cell in lab.cells)
    assert [hint for hint in hints if hint in shown] == []


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


def test_the_rubric_shares_out_the_points_of_the_question(lab):
    page = (FOLDER / "instructor.md").read_text(encoding="utf-8")
    rubric = page.partition("## Rubric")[2].partition("\n## ")[0]
    shares = [int(share) for share in re.findall(r"^\| \d \| (\d) \|", rubric, re.MULTILINE)]
    assert sum(shares) == lab.manual[0].points


@pytest.mark.parametrize("build", [release_notebook, solution_notebook])
def test_the_notebook_runs_to_its_end(lab, build, tmp_path):
    notebook = build(lab)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    states = defaultdict(list)
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", output.text
        finding = output.get("data", {}).get("application/vnd.course.check+json")
        if finding:
            states[finding["state"]].append(finding["task"])
    assert states == {"right" if build is solution_notebook else "unsolved": TASKS}
