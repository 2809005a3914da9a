"""Every lab of the kit: right solutions earn its points however they go about it, and its pages keep their promises.

`test_lab_rehearsal` holds the grading of known solutions; what only one lab has is in that lab's own file.
"""

import re
from collections import defaultdict
from pathlib import Path

import psutil
import pytest
from nbclient import NotebookClient

from course.lab.build import release_notebook, solution_notebook
from course.lab.cells import Role
from course.lab.checking import LocalStudent, run_task
from course.lab.markers import with_stub
from course.lab.names import names_bound, names_needed
from course.lab.source import lab_folders, read_lab

FOLDERS = {folder.name: folder for folder in lab_folders()}
LABS = {name: read_lab(folder) for name, folder in FOLDERS.items()}
TASKS = [(name, task.id) for name, lab in LABS.items() for task in lab.tasks]
ALTERNATIVES = Path(__file__).parent / "alternatives"
OTHER_WAYS = [(name, path) for name in LABS for path in sorted((ALTERNATIVES / name.partition("-")[0]).glob("*.py"))]

each_lab = pytest.mark.parametrize("name", LABS)
each_task = pytest.mark.parametrize(("name", "task"), TASKS)


@pytest.fixture(autouse=True)
def services_end():
    """A demonstration may start a service that ends with its program; this program goes on."""
    yield
    for child in psutil.Process().children():
        if "services.inference" in child.cmdline():
            child.terminate()
            child.wait(60)


def failed(record):
    """Names of the checks that a task's record has as failed."""
    return {one.name for one in record.records if not one.passed}


def namespace_of(lab, sources, for_cell=None):
    """The globals after the lab's setup and solution cells, and the demonstrations whose names a cell needs."""
    namespace = {"__name__": "__main__"}
    demonstrations = demos_for(lab, for_cell) if for_cell else []
    for cell in lab.cells:
        if cell.role in (Role.SETUP, Role.SOLUTION) or cell in demonstrations:
            exec(sources.get(cell.id, cell.source), namespace)
    return namespace


def demos_for(lab, cell):
    """The demonstration cells above a cell that bind what it reads, directly or through one another."""
    needed, found = names_needed(cell.tree), []
    for above in reversed(lab.cells[: lab.cells.index(cell)]):
        if above.role is Role.DEMO and needed & names_bound(above.tree):
            found.append(above)
            needed |= names_needed(above.tree)
    return found


def check_cell(lab, task):
    """The cell of a task's visible check."""
    return next(cell for cell in lab.cells if cell.id == lab.task(task).check_cell_id)


@each_lab
def test_points_are_26_by_checks_and_4_by_a_person(name):
    lab = LABS[name]
    assert 4 <= len(lab.tasks) <= 8
    assert sum(task.points for task in lab.tasks) == 26
    assert [task.points for task in lab.manual] == [4]


@pytest.mark.parametrize(("name", "path"), OTHER_WAYS, ids=lambda value: getattr(value, "stem", value))
def test_another_right_way_earns_full_marks(name, path):
    lab, task = LABS[name], path.stem.partition("--")[0]
    namespace = namespace_of(lab, {task: path.read_text(encoding="utf-8")})
    for seed in range(3):
        student = LocalStudent(namespace, task, lab.checks.stand_ins(task))
        assert failed(run_task(lab.checks, task, student, seed)) == set()


@each_lab
def test_every_task_has_another_right_way_and_three_wrong_ones(name):
    lab = LABS[name]
    assert {path.stem.partition("--")[0] for other, path in OTHER_WAYS if other == name} == set(lab.task_ids)
    assert all(sum(one.task == task for one in lab.wrong) >= 3 for task in lab.task_ids)


@each_task
def test_the_oracles_keep_the_contract_that_they_judge_by(name, task):
    checks = LABS[name].checks
    assert failed(run_task(checks, task, LocalStudent({task: checks.oracles[task]}, task, {}), seed=1)) == set()


@pytest.mark.thorough
@each_task
def test_points_do_not_depend_on_what_is_drawn(name, task):
    """A right report in Lab 8 once lost its points where the hidden data came out badly."""
    checks = LABS[name].checks
    student = LocalStudent({task: checks.oracles[task]}, task, checks.stand_ins(task))
    assert {seed: lost for seed in range(100, 125) if (lost := failed(run_task(checks, task, student, seed)))} == {}


@each_task
def test_whoever_knows_only_the_visible_inputs_earns_nothing(name, task, monkeypatch):
    """A parrot repeats the reference's answers to the visible check and has none for other inputs."""
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    lab, answers = LABS[name], {}
    visible = check_cell(lab, task)
    namespace = namespace_of(lab, {}, visible)
    reference = namespace[task]

    def recorded(*arguments, **named):
        answers[repr((arguments, named))] = reference(*arguments, **named)
        return answers[repr((arguments, named))]

    namespace[task] = recorded
    exec(visible.source, namespace)
    assert answers
    first = next(iter(answers.values()))
    parrot = {task: lambda *arguments, **named: answers.get(repr((arguments, named)), first)}
    assert failed(run_task(lab.checks, task, LocalStudent(parrot, task, {}), seed=2))


@each_task
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_visible_check_passes_the_reference_and_stops_two_mistakes(name, task, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    lab = LABS[name]
    visible = check_cell(lab, task)
    namespace = namespace_of(lab, {}, visible)
    exec(visible.source, namespace)
    messages, stopped = [], 0
    for wrong in (one for one in lab.wrong if one.task == task):
        exec(wrong.source, namespace)
        try:
            exec(visible.source, namespace)
        except AssertionError as error:
            messages.append(str(error))
        except Exception:
            stopped += 1  # in the intern's own line, which `check` then shows with its error
    assert len(messages) + stopped >= 2
    assert all(len(message.split()) >= 5 for message in messages)


@each_lab
def test_hints_differ_and_do_not_quote_the_visible_checks(name):
    lab = LABS[name]
    hints = [one.hint for checks in lab.checks.by_task.values() for one in checks]
    assert len(set(hints)) == len(hints)
    shown = "\n".join(with_stub(cell.source) for cell in lab.cells)
    assert [hint for hint in hints if hint in shown] == []


@each_lab
def test_the_instructor_page_says_time_failures_rubric_and_solution(name):
    page = (FOLDERS[name] / "instructor.md").read_text(encoding="utf-8")
    assert all(heading in page for heading in ("Time", "## Common failures", "## Rubric", "orked solution"))
    rubric = page.partition("## Rubric")[2].partition("\n## ")[0]
    shares = [int(share) for share in re.findall(r"^\| \d \| (\d) \|", rubric, re.MULTILINE)]
    assert sum(shares) == LABS[name].manual[0].points


@pytest.mark.thorough  # `course up` executes the releases, and the grader what is not a demonstration
@each_lab
@pytest.mark.parametrize("build", [release_notebook, solution_notebook])
def test_the_notebook_runs_to_its_end(name, build, tmp_path):
    notebook = build(LABS[name])
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    states = defaultdict(list)
    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", output.text
        finding = output.get("data", {}).get("application/vnd.course.check+json")
        if finding:
            states[finding["state"]].append(finding["task"])
    expected = "right" if build is solution_notebook else "unsolved"
    assert states == {expected: [task.id for task in LABS[name].tasks]}
