"""What an intern sees under a task: one sentence for whatever happens, and a notebook that runs to its end."""

import linecache
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from course.lab import check, solved, visible
from course.lab.build import release_notebook, solution_notebook
from course.lab.visible import MIME, NOT_YET, RIGHT, UNSOLVED

CHECK = 'with check("double"):\n    assert double(2) == 4, "Twice two is four."\n    print("after")'
STUB = "def double(x):\n    raise NotImplementedError()"
FALLBACK = 'if not solved("double"):\n    def double(x):\n        return x + x'


@pytest.fixture
def notebook(monkeypatch):
    """Runs one cell after the other in one namespace, as a kernel does, and answers with the finding for ``double``."""
    monkeypatch.setattr(visible, "_findings", {})
    monkeypatch.setattr(visible, "_fallbacks", {})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    namespace, count = {"check": check, "solved": solved}, 0

    def run(source):
        nonlocal count
        count += 1
        name = f"<cell {count}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec"), namespace)
        return visible._findings.get("double")

    return run


def state_after(notebook, *cells):
    return [notebook(cell) for cell in cells][-1].state


def test_a_right_solution_is_right(notebook, capsys):
    assert state_after(notebook, "def double(x):\n    return 2 * x", CHECK) == RIGHT
    assert "Right: double." in capsys.readouterr().out


def test_an_assertion_teaches(notebook, capsys):
    notebook("def double(x):\n    return x * x * x")
    finding = notebook(CHECK)
    assert (finding.state, finding.sentence) == (NOT_YET, "Twice two is four.")
    assert "Not yet: double. Twice two is four." in capsys.readouterr().out


def test_a_stub_is_unsolved(notebook):
    assert state_after(notebook, STUB, CHECK) == UNSOLVED


def test_an_exception_is_shown_with_the_students_line(notebook):
    notebook("def helper(x):\n    y = 1\n    return x['key']\ndef double(x):\n    return helper(x)")
    finding = notebook(CHECK)
    assert finding.state == NOT_YET
    assert "TypeError: 'int' object is not subscriptable" in finding.sentence
    assert "in helper, line 3 of its cell: return x['key']" in finding.sentence


@pytest.mark.parametrize(
    ("solution", "words"),
    [
        ("pass", "There is no function double yet"),
        ("def double(x):\n    raise SystemExit", "Your code stopped with SystemExit"),
        ("def double(x):\n    assert x > 5, 'my own'", "Your code stopped with AssertionError: my own"),
        ("def double(x):\n    raise ValueError('y' * 5000)", "yyyy …"),
        ("def double(x):\n    return double(x)", "RecursionError"),
    ],
)
def test_whatever_a_student_raises_is_one_sentence(notebook, solution, words):
    notebook(solution)
    finding = notebook(CHECK)
    assert finding.state == NOT_YET and words in finding.sentence + " …"
    assert len(finding.sentence) < 700


def test_a_result_that_the_check_cannot_use_is_told_so(notebook):
    notebook("def double(x):\n    return None")
    finding = notebook('with check("double"):\n    assert double(2) + 0 == 4, "Twice two is four."')
    assert finding.sentence.startswith("The check could not use what double returned: TypeError")


def test_a_name_that_a_cell_above_would_define_is_named(notebook):
    notebook("def double(x):\n    return 2 * x")
    finding = notebook('with check("double"):\n    assert double(ones) == 4, "Twice two is four."')
    assert finding.sentence == "The check needs ones, which is not there yet: run the cells above it first."


def test_an_interrupt_stops_the_cell(notebook):
    notebook("def double(x):\n    raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        notebook(CHECK)


def test_the_fallback_is_no_solution(notebook):
    for cell in (STUB, CHECK, FALLBACK):
        notebook(cell)
    finding = notebook(CHECK)
    assert finding.state == UNSOLVED and "fallback stands in for double" in finding.sentence
    assert state_after(notebook, "def double(x):\n    return 2 * x", CHECK) == RIGHT


def test_the_fallback_is_known_when_other_cells_ask_too(notebook):
    for cell in (STUB, CHECK, FALLBACK, 'print(solved("double"))'):
        notebook(cell)
    assert state_after(notebook, CHECK) == UNSOLVED


def test_the_fallback_stays_out_of_the_way_of_a_solution(notebook):
    for cell in ("def double(x):\n    return 2 * x", CHECK, FALLBACK):
        notebook(cell)
    assert state_after(notebook, "double.__name__ == 'double'", CHECK) == RIGHT


def test_solved_tells_what_the_last_check_found(notebook):
    assert not solved("double")
    notebook("def double(x):\n    return 2 * x")
    notebook(CHECK)
    assert solved("double")
    notebook("def double(x):\n    return 3 * x")
    notebook(CHECK)
    assert not solved("double")


@pytest.mark.parametrize("mode", ["autograde", "validate"])
def test_nbgraders_own_execution_sees_the_failure(notebook, monkeypatch, mode):
    monkeypatch.setenv("NBGRADER_EXECUTION", mode)
    notebook("def double(x):\n    return 3 * x")
    with pytest.raises(AssertionError, match="Twice two is four."):
        notebook(CHECK)


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("state", [RIGHT, NOT_YET, UNSOLVED])
def test_the_box_is_readable_and_says_its_state_in_words(state):
    word, _, ink, paper, _ = visible.LOOKS[state]
    light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 7
    box = visible.Finding("double", state, 'Is 1 < 2 & "so" on?').as_html()
    assert word in box and "1 &lt; 2 &amp; &quot;so&quot;" in box


def test_importing_the_labs_library_stays_light():
    heavy = ["numpy", "scipy", "torch", "nbgrader", "nbformat", "pydantic", "IPython", "jupytext", "matplotlib"]
    code = f"import sys, course.lab; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(("build", "state"), [(release_notebook, UNSOLVED), (solution_notebook, RIGHT)])
def test_run_all_in_a_real_kernel_reaches_the_end(lab, build, state):
    notebook = build(lab)
    notebook.cells.append(nbformat.v4.new_code_cell("print('the end')", id="end"))
    NotebookClient(notebook, timeout=60, coalesce_streams=True).execute()
    outputs = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    assert outputs["end"][0].text == "the end\n"
    for task in ("double", "quadruple"):
        shown = outputs[f"check-{task}"][0].data
        assert shown[MIME]["state"] == state
        assert "course-check" in shown["text/html"] and task in shown["text/plain"]


def test_a_helper_of_the_check_is_not_the_students_code(notebook):
    notebook("def double(x):\n    return 3 * x")
    finding = notebook(
        'with check("double"):\n'
        "    def expect_doubled(x):\n"
        '        assert double(x) == 2 * x, f"Twice {x} is {2 * x}."\n'
        "    expect_doubled(2)"
    )
    assert finding.sentence == "Twice 2 is 4."
