"""A class of Lab 1 made up without grading: results as its wrong solutions bring them, notebooks in many hands."""

import ast
import hashlib
import json
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest

from autograder.pages.feedback import write_class_pages
from autograder.records.gradebook import ByHand
from autograder.result import SENTENCES, Hint, Question, Result, Status, TaskResult
from course.lab.build import release_notebook, solution_notebook, write_notebook
from course.lab.source import read_lab
from course.site.checks.browser import chromium

ROOT = Path(__file__).parents[3]
ALTERNATIVES = ROOT / "tests" / "labs" / "alternatives" / "lab01"
EVIL = "</style><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"
UNSOLVED = "The task is not solved yet: its function still raises NotImplementedError."
ODD_NAMES = [
    "<script>alert(1)</script>"[:-9],
    "=cmd|' /C calc'!A0",
    "Zoë Ångström-李雷",
    "\u202egnp.exe",
    "a&b \"quoted\" 'name'",
    "x" * 240,
    "{{ 7 * 7 }}",
    "%2e%2e%2f",
]
FLIPPED = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq}
HAS_SCOPE = (ast.ListComp, ast.GeneratorExp, ast.Lambda, ast.IfExp)


class Handwriting(ast.NodeTransformer):
    """One person's way to write the same thing: operands the other way round, steps and results with names."""

    def __init__(self, rng):
        self.rng, self.names = rng, 0

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult | ast.Add) and self.rng.random() < 0.5:
            node.left, node.right = node.right, node.left
        if isinstance(node.op, ast.Pow) and self.rng.random() < 0.3:
            power = ast.Attribute(ast.Name("np", ast.Load()), "power", ast.Load())
            return ast.Call(power, [node.left, node.right], [])
        return node

    def visit_Compare(self, node):
        self.generic_visit(node)
        if len(node.ops) == 1 and type(node.ops[0]) in FLIPPED and self.rng.random() < 0.5:
            return ast.Compare(node.comparators[0], [FLIPPED[type(node.ops[0])]()], [node.left])
        return node

    def generic_visit(self, node):
        super().generic_visit(node)
        for field in ("body", "orelse"):
            if isinstance(getattr(node, field, None), list):
                setattr(node, field, self.statements(getattr(node, field)))
        return node

    def statements(self, old):
        new = []
        for statement in old:
            if isinstance(statement, ast.Return | ast.Assign) and statement.value is not None:
                self.take_out_steps(statement.value, new)
            if isinstance(statement, ast.Return) and statement.value is not None and self.rng.random() < 0.5:
                statement = ast.Return(self.named(statement.value, new))
            new.append(statement)
        return new

    def take_out_steps(self, value, new):
        if any(isinstance(node, HAS_SCOPE) for node in ast.walk(value)):
            return
        for call in [node for node in ast.walk(value) if isinstance(node, ast.Call)]:
            for place, argument in enumerate(call.args):
                if isinstance(argument, ast.BinOp | ast.Call) and self.rng.random() < 0.35:
                    call.args[place] = self.named(argument, new)

    def named(self, value, new):
        self.names += 1
        new.append(ast.Assign([ast.Name(f"step{self.names}", ast.Store())], value))
        return ast.Name(f"step{self.names}", ast.Load())


class Disguise(ast.NodeTransformer):
    """A copy with other names for all variables and arguments."""

    def __init__(self, names):
        self.names = {name: f"thing_{place}" for place, name in enumerate(sorted(names))}

    def visit_Name(self, node):
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node):
        node.arg = self.names.get(node.arg, node.arg)
        return node


def written_by_hand(source, rng):
    return ast.unparse(ast.fix_missing_locations(Handwriting(rng).visit(ast.parse(source))))


def disguised(source):
    """The source copied: other names, no docstring, comments of the copyist's own, other layout."""
    tree = ast.parse(source)
    stored = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    arguments = {argument.arg for function in functions for argument in function.args.args}
    for function in functions:
        if ast.get_docstring(function) and len(function.body) > 1:
            function.body = function.body[1:]
    lines = ast.unparse(Disguise(stored | arguments).visit(tree)).splitlines()
    return "\n".join(f"{line}  # my own idea {number}\n" for number, line in enumerate(lines))


@pytest.fixture(scope="session")
def lab01():
    return read_lab(ROOT / "labs" / "lab01-sound-as-numbers")


@pytest.fixture(scope="session")
def variants(lab01):
    """Sources by task: the reference, its wrong solutions, other right ways."""
    found = defaultdict(list)
    for cell in solution_notebook(lab01).cells:
        if cell.id in lab01.task_ids:
            found[cell.id].append(cell.source)
    for wrong in lab01.wrong:
        found[wrong.task].append(wrong.source)
    for path in sorted(ALTERNATIVES.glob("*.py")):
        found[path.stem.partition("--")[0]].append(path.read_text())
    return dict(found)


@pytest.fixture(scope="session")
def honest_class(variants):
    """Make the code of a class in which everybody writes in a hand of their own: by student, the source by task."""

    def make(students, seed):
        rng = random.Random(seed)
        return {
            student: {
                task: written_by_hand(rng.choice(sources), rng)
                for task, sources in variants.items()
                if rng.random() < 0.85
            }
            for student in students
        }

    return make


@pytest.fixture(scope="session")
def disguise():
    """Copy a source as somebody would who wants nobody to see it."""
    return disguised


@pytest.fixture(scope="session")
def notebook_of(lab01):
    """Make a submitted notebook from sources by task."""
    release = release_notebook(lab01)

    def make(sources, added=()):
        notebook = nbformat.from_dict(release)
        for cell in notebook.cells:
            cell.source = sources.get(cell.id, cell.source)
        notebook.cells += [nbformat.v4.new_code_cell(source, id=f"own-{n}") for n, source in enumerate(added)]
        return nbformat.writes(notebook).encode()

    return make


@pytest.fixture(scope="session")
def make_result(lab01):
    """Make a result of Lab 1: which wrong solution each task has, or "unsolved"; right if it is not named."""

    def task_result(task, wrong):
        checks = lab01.checks.of(task.id)
        values = {"id": task.id, "title": task.title, "max_score": task.points, "checks": len(checks)}
        if wrong is None:
            return TaskResult(**values, score=task.points, checks_passed=len(checks))
        if wrong == "unsolved":
            details, failed = (Hint(text=UNSOLVED),), tuple(check.name for check in checks)
        else:
            hint = next(check.hint for check in checks if check.name == wrong.fails)
            details, failed = (Hint(text=hint),), (wrong.fails,)
        return TaskResult(
            **values,
            score=0,
            checks_passed=len(checks) - len(failed),
            unsolved=wrong == "unsolved",
            hints=tuple(detail.text for detail in details),
            details=details,
            failed=failed,
        )

    def make(student, wrong=None, status=Status.GRADED, submission=None, **more):
        tasks = tuple(task_result(task, (wrong or {}).get(task.id)) for task in lab01.tasks)
        values = {
            "key": hashlib.sha256(student.encode(errors="replace")).hexdigest(),
            "parts": {},
            "lab": lab01.id,
            "lab_title": lab01.title,
            "student": student,
            "submission": submission,
            "status": status,
            "sentence": SENTENCES[status],
            "score": sum(task.score for task in tasks),
            "max_score": sum(task.max_score for task in tasks),
            "tasks": tasks,
            "manual": tuple(
                Question(id=one.id, title=one.title, max_score=one.points, answered=True) for one in lab01.manual
            ),
            "seconds": 2.5,
            "environment": {"python": "3.11.7", "numpy": "2.4.6", "sandbox": "bubblewrap 0.8.0"},
        }
        known = set(Result.model_fields)
        return Result(**{name: value for name, value in (values | more).items() if name in known})

    return make


@pytest.fixture(scope="session")
def wrong_of(lab01):
    """The wrong solutions of Lab 1 by task."""
    found = defaultdict(list)
    for wrong in lab01.wrong:
        found[wrong.task].append(wrong)
    return dict(found)


@pytest.fixture(scope="session")
def make_class(lab01, make_result, wrong_of, honest_class, notebook_of):
    """Write a class folder of ``size`` students and return their results: skills differ, some try again, some fail."""

    def make(root, size, seed=1):
        rng = random.Random(seed)
        students = [*ODD_NAMES, *(f"student-{number:03}" for number in range(size - len(ODD_NAMES)))]
        sources = honest_class(students, seed)
        sources["student-001"] = {task: disguised(source) for task, source in sources["student-000"].items()}
        write_notebook(release_notebook(lab01), root / "release" / lab01.id / f"{lab01.id}.ipynb")
        results, lines = [], []
        for place, student in enumerate(students):
            content = notebook_of(sources[student])
            submission = hashlib.sha256(content).hexdigest()
            path = root / "results" / "submissions" / f"{submission}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            results.append(_drawn(make_result, lab01, wrong_of, student, submission, place, rng))
            lines += _lines(results[-1], rng)
        (root / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return results

    return make


@pytest.fixture(scope="session")
def shared_class(tmp_path_factory, make_class, make_result, lab01, wrong_of):
    """A class folder with all its pages, and its results, which tests read; ``full`` has all that feedback can have."""
    root = tmp_path_factory.mktemp("class")
    results = make_class(root, 60)
    wrong = {task.id: wrong_of[task.id][0] for task in lab01.tasks[::2]} | {lab01.tasks[1].id: "unsolved"}
    full = make_result("full", wrong, Status.TIMEOUT, notes=("Handed in as other.ipynb.",))
    lines = ("cell synthesise, line 3: " + "x" * 140,)
    hints = (Hint(text="Look at both ends.", error="ValueError: " + "y" * 150, lines=lines),)
    task = full.tasks[0].model_copy(update={"details": (*hints, *full.tasks[0].details)})
    results.append(full.model_copy(update={"tasks": (task, *full.tasks[1:]), "cells": hints}))
    person = {"judgement": ByHand(2.5, f"Say why {EVIL}.\nThen compare."), lab01.tasks[0].id: ByHand(None, "Nearly.")}
    write_class_pages(root, results, {lab01.id: {"full": person}}, [f"submitted/{EVIL}: not read"])
    return root, results


def _drawn(make_result, lab, wrong_of, student, submission, place, rng):
    """A result: harder tasks are missed more often, weaker students miss more, and some mistakes are popular."""
    skill, wrong = rng.random(), {}
    for number, task in enumerate(lab.tasks):
        if rng.random() > 1.15 * skill + 0.35 - 0.06 * number:
            popular = wrong_of[task.id][0] if rng.random() < 0.5 else rng.choice(wrong_of[task.id])
            wrong[task.id] = "unsolved" if rng.random() < 0.06 * number else popular
    if place % 29 == 11:
        sentence = "The file is empty. Save the notebook in JupyterLab and hand it in again."
        everything = {task.id: "unsolved" for task in lab.tasks}
        return make_result(student, everything, Status.MALFORMED, None, sentence=sentence)
    if place % 41 == 17:
        sentence = f"The file {lab.id}.ipynb is a link to another file. Hand in the notebook itself."
        everything = {task.id: "unsolved" for task in lab.tasks}
        return make_result(student, everything, Status.REFUSED, None, sentence=sentence)
    status = {13: Status.TIMEOUT, 19: Status.CRASH}.get(place % 37, Status.GRADED)
    return make_result(student, wrong, status, submission)


def _lines(result, rng):
    """The ledger's lines of a student: one to four notebooks over a fortnight, the last one the result's."""
    attempts, end = rng.choice([1, 1, 1, 2, 2, 3, 4]), datetime(2026, 11, 20, 18, tzinfo=UTC)
    for left in reversed(range(attempts)):
        time = end - timedelta(hours=rng.expovariate(1 / 40) + 30 * left)
        yield {
            "time": (time + timedelta(minutes=20)).isoformat(timespec="seconds"),
            "handed_in": time.isoformat(timespec="seconds"),
            "lab": result.lab,
            "student": result.student,
            "key": f"{result.key}-{left}",
            "submission": result.submission if left == 0 else f"earlier-{left}",
            "status": str(result.status),
            "score": max(0, result.score - 4 * left),
            "max_score": result.max_score,
        }


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium that reaches loopback only. A process drives one at a time: it is closed with the module."""
    with chromium() as browser:
        yield browser
