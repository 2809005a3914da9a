"""The bench lab as stock nbgrader grades it: hidden checks become hidden tests inside the notebook.

The work is the same: the same visible checks, the same oracles on inputs of the same sizes, the same comparisons. What
differs is where it happens, which for nbgrader is the student's own kernel.
"""

import ast
import textwrap
from collections.abc import Iterator

from nbformat import NotebookNode

from course.lab.build import source_notebook
from course.lab.source import Lab
from course.lab.tasks import Task

CHECKING = "course.lab.checking"
# What the bench lab's checks use of course.lab.expect, by NumPy's own assertions.
EXPECT = """
class expect:
    @staticmethod
    def close(got, want, atol=1e-9):
        np.testing.assert_allclose(got, want, rtol=0, atol=atol)

    @staticmethod
    def raises(student, error, *args):
        try:
            student(*args)
        except error:
            return
        raise AssertionError(f"expected {error.__name__}")
"""
HIDDEN = """
### BEGIN HIDDEN TESTS
def hidden_tests(student):
{body}

hidden_tests({function})
### END HIDDEN TESTS
"""


def stock_source(lab: Lab) -> NotebookNode:
    """The source notebook of a lab for ``nbgrader generate_assignment``, with the hidden checks as hidden tests.

    The lab's checks may use ``expect.close`` and ``expect.raises``, and of the drawing only ``rng``.
    """
    notebook = source_notebook(lab)
    tasks = {task.check_cell_id: task for task in lab.tasks}
    for cell in notebook.cells:
        if cell.id in tasks:
            cell.source += "\n" + hidden_tests(lab, tasks[cell.id])
    return notebook


def hidden_tests(lab: Lab, task: Task) -> str:
    """A task's hidden checks as a passage of its check cell; all names stay inside one function."""
    names = [check.name for check in lab.checks.of(task.id)]
    others = {check.name for checks in lab.checks.by_task.values() for check in checks} - set(names)
    parts = [EXPECT.strip(), *_definitions(lab.checks.path.read_text(encoding="utf-8"), others)]
    calls = [f"{name}(student, np.random.default_rng({seed}))" for seed, name in enumerate(names)]
    body = textwrap.indent("\n\n".join([*parts, "\n".join(calls)]), "    ")
    return HIDDEN.strip().format(body=body, function=task.function)


def _definitions(source: str, left_out: set[str]) -> Iterator[str]:
    """The imports and functions of checks.py, without decorators, the kit's checking library and some functions."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name not in left_out:
            node.decorator_list = []
            yield ast.unparse(node)
        elif isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module != CHECKING):
            yield ast.unparse(node)
