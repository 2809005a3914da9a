"""Mutation operators: what each makes of a line, by hand, and what no operator may do to a lab."""

import ast

import pytest

from autograder.check_grading.mutation import OPERATORS, Text, mutants_of, unified_diff
from course.lab.markers import solution_regions
from course.lab.source import all_labs

BY_HAND = {
    "arithmetic": [
        ("y = a + b", {"y = a - b", "y = a * b"}),
        ("y = (a + b) / c", {"y = (a - b) / c", "y = (a * b) / c", "y = (a + b) * c", "y = (a + b) // c"}),
        ("y += x", {"y = x", "y -= x", "y *= x"}),
        ("y = a @ b", {"y = a * b"}),
    ],
    "operand left out": [
        ("y = (a - b) * 2", {"y = (a - b)", "y = 2", "y = (a) * 2", "y = (b) * 2"}),
        ("y = -a", {"y = a"}),
        ("y = not a", {"y = a"}),
    ],
    "comparison": [
        ("y = 0 < a <= b", {"y = 0 <= a <= b", "y = 0 >= a <= b", "y = 0 < a < b", "y = 0 < a > b"}),
        ("y = a is None", {"y = a is not None"}),
        ("y = a == b", {"y = a != b"}),
    ],
    "condition": [
        ("y = a if b > 0 else c", {"y = a if not (b > 0) else c", "y = a", "y = c"}),
        ("if a:\n    b()", {"if not a:\n    b()"}),
        ("y = [a for a in b if a]", {"y = [a for a in b if not a]"}),
    ],
    "boolean": [
        ("y = a and b", {"y = a or b", "y = a", "y = b"}),
        ("y = a or b > 0", {"y = a and b > 0", "y = a", "y = (b > 0)"}),
    ],
    "constant": [
        ("y = 3", {"y = 4", "y = 2"}),
        ("y = 0.5", {"y = 1.0", "y = 0.25", "y = 0.0"}),
        ("y = True", {"y = False"}),
        ("y = 'text'", set()),
    ],
    "off by one": [
        ("y = a[1:n]", {"y = a[:n]", "y = a[1:]", "y = a[(1 + 1):n]", "y = a[(1 - 1):n]"}
         | {"y = a[1:(n + 1)]", "y = a[1:(n - 1)]"}),
        ("y = a[::2]", {"y = a[:]"}),
        ("y = a[i]", {"y = a[(i + 1)]", "y = a[(i - 1)]"}),
        ("for i in range(n):\n    b()", {"for i in range((n + 1)):\n    b()", "for i in range((n - 1)):\n    b()"}),
        ("y = len(a)", {"y = (len(a) + 1)", "y = (len(a) - 1)"}),
        ("y = a.size", {"y = (a.size + 1)", "y = (a.size - 1)"}),
    ],
    "arguments": [
        ("y = f(a, b)", {"y = f(b, a)", "y = f(a)"}),
        ("y = np.sum(a, axis=0)", {"y = np.sum(a)"}),
        ("y = f(a, b, p=1, q=2)", {"y = f(b, a, p=1, q=2)", "y = f(a, b, q=2)", "y = f(a, b, p=1)"}),
    ],
    "call removed": [
        ("y = np.abs(a - b)", {"y = (a - b)"}),
        ("y = a.astype(int)", {"y = a"}),
        ("y = f()", set()),
    ],
    "name mistaken": [
        ("y = np.sin(a)", {"y = np.cos(a)"}),
        ("y = round(a)", {"y = int(a)"}),
        ("y = np.asarray(a, dtype=float)", {"y = np.asarray(a, dtype=int)"}),
    ],
    "statement left out": [
        ("a = 1\na = 2", {"a = 1\npass"}),
        ("return a", {"return None"}),
        ("for a in b:\n    break", {"for a in ():\n    break", "for a in b:\n    continue"}),
        ("if a:\n    raise ValueError('no')", {"pass", "if a:\n    pass"}),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("operator", "source", "expected"), [(n, *one) for n, all_ in BY_HAND.items() for one in all_])
def test_an_operator_makes_exactly_these_mutants(operator, source, expected):
    text = Text(source, frozenset({"np"}))
    edits = [edit for node in ast.walk(text.tree) for edit in OPERATORS[operator](node, text)]
    assert {source[: edit.start] + edit.text + source[edit.end :] for edit in edits} == expected


def test_every_operator_is_tried_by_hand():
    assert BY_HAND.keys() == OPERATORS.keys()


def test_columns_count_characters_where_python_counts_bytes():
    text = Text("µ = 'ä', a + b")
    (edit, _) = OPERATORS["arithmetic"](text.tree.body[0].value.elts[1], text)
    assert text.source[: edit.start] + edit.text + text.source[edit.end :] == "µ = 'ä', a - b"


FIRST, *OTHERS = (lab.id for lab in all_labs())
LABS = ["small-lab", FIRST, *(pytest.param(name, marks=pytest.mark.thorough) for name in OTHERS)]


@pytest.fixture(scope="module", params=LABS)
def any_lab(request, lab):
    return {one.id: one for one in [lab, *all_labs()]}[request.param]


def test_every_mutant_is_another_program(any_lab):
    for task_id in any_lab.task_ids:
        original = ast.dump(next(cell.tree for cell in any_lab.cells if cell.id == task_id))
        programs = [ast.dump(ast.parse(mutant.source)) for mutant in mutants_of(any_lab, task_id)]
        assert len({original, *programs}) == len(programs) + 1 > 5


def test_only_the_solution_changes_and_no_message(any_lab):
    for task_id in any_lab.task_ids:
        source = next(cell.source for cell in any_lab.cells if cell.id == task_id)
        ((begin, end),) = solution_regions(source)
        lines, messages = source.split("\n"), strings_in(source)
        for mutant in mutants_of(any_lab, task_id):
            changed = mutant.source.split("\n")
            assert changed[:begin] == lines[:begin]
            assert changed[len(changed) - (len(lines) - end) :] == lines[end:]
            assert strings_in(mutant.source) <= messages


def strings_in(source):
    """The texts in a source, but for those that are arguments of a library."""
    return {node.value for node in ast.walk(ast.parse(source)) if isinstance(getattr(node, "value", None), str)}


def test_a_diff_shows_the_line_of_the_file_that_changes(any_lab):
    lines = any_lab.path.read_text(encoding="utf-8").splitlines()
    for mutant in mutants_of(any_lab, any_lab.task_ids[0]):
        removed = [line[1:] for line in unified_diff(any_lab, mutant).splitlines()[3:] if line.startswith("-")]
        assert removed[0] == lines[mutant.line - 1]
