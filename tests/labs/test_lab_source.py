"""Reading a lab: what a valid one holds, and that every mistake is named with its file and line."""

import pytest

from course.errors import CourseError, SourceError
from course.lab.cells import Role
from course.lab.source import all_labs, find_lab, read_lab

LONG = "word " * 121


def test_a_valid_lab_is_read(lab, lab_folder):
    assert (lab.id, lab.title, lab.lecture, lab.hours, lab.points) == (
        "lab07-doubling",
        "Lab 7: Doubling",
        "07-doubling",
        1.5,
        12,
    )
    assert lab.without == ["scipy"]
    assert [(task.id, task.points, task.title) for task in lab.tasks] == [
        ("double", 4, "Task 1: Double"),
        ("quadruple", 5, "Task 2: Quadruple"),
    ]
    assert [(task.id, task.points, task.title, task.function) for task in lab.manual] == [
        ("judgement", 3, "Question: Loud enough?", None)
    ]
    assert lab.task("double").fallback_cell_id == "fallback-double"
    assert lab.task("quadruple").fallback_cell_id is None
    assert len(lab.wrong) == 6
    assert [check.name for check in lab.checks.of("double")] == ["doubles_noise", "keeps_empty"]


def test_every_cell_knows_its_lines(lab):
    lines = lab.path.read_text().splitlines()
    assert [cell.role for cell in lab.cells].count(Role.INSTRUCTOR) == 2
    for cell in lab.cells:
        source = cell.source.split("\n")
        assert lines[cell.body - 1 : cell.body - 1 + len(source)] == source
        begins = lines[cell.line - 1]
        assert begins.startswith("```{code-cell}") if cell.cell_type == "code" else begins == source[0]


def test_repeated_cells_keep_their_own_lines(change, lab_folder):
    twice = "```{code-cell} ipython3\n:tags: [demo]\n\nprint(np.arange(3))\n```\n"
    change("lab.md", twice, twice + "\n" + twice)
    demos = [cell for cell in read_lab(lab_folder).cells if cell.role is Role.DEMO]
    assert demos[0].body < demos[1].body
    assert [cell.id for cell in demos] == ["demo-1", "demo-2"]


def test_find_lab_takes_a_unique_prefix(lab_folder):
    assert find_lab("lab07").id == find_lab("lab07-doubling").id == "lab07-doubling"
    assert [lab.id for lab in all_labs()] == ["lab07-doubling"]


def test_find_lab_lists_what_there_is(lab_folder):
    with pytest.raises(CourseError, match="There is no lab 'lab08'. The labs are: lab07-doubling."):
        find_lab("lab08")


def test_find_lab_asks_for_more_of_an_ambiguous_name(lab_folder):
    other = lab_folder.parent / "lab07-twin"
    other.mkdir()
    (other / "lab.md").write_text("")
    with pytest.raises(CourseError, match="fits lab07-doubling, lab07-twin: type more"):
        find_lab("lab07")


SOLUTION_OPTIONS = "nbgrader: {grade_id: double, solution: true}"
CHECK_OPTIONS = "nbgrader: {grade_id: check-double, grade: true, points: 4}"
QUESTION = '+++ {"nbgrader": {"grade_id": "judgement", "grade": true, "solution": true, "points": 3}}'
FALLBACK_START = 'if not solved("double"):\n    import scipy.linalg\n'
DEMO = "```{code-cell} ipython3\n:tags: [demo]\n\nprint(np.arange(3))\n```"
CHECK_CELL = (
    "```{code-cell} ipython3\n---\n" + CHECK_OPTIONS + '\n---\nwith check("double"):\n'
    '    assert np.allclose(double(np.ones(2)), 2), "Two ones become two twos."\n```\n'
)
FALLBACK_CELL = (
    "```{code-cell} ipython3\n:tags: [fallback]\n\n" + FALLBACK_START + "\n    def double(signal):\n"
    "        return scipy.linalg.blas.dscal(2.0, np.array(signal, dtype=float))\n```\n"
)

# name: (passage of lab.md, what replaces it, passage of the line that is named, words of the message)
MISTAKES = {
    "points that do not add up": ("points: 12", "points: 11", "points: 11", "11 points, but its tasks add up to 12"),
    "an unknown key": ("  hours: 1.5", "  hours: 1.5\n  colour: red", "colour: red", "lab.colour: this key is unknown"),
    "an unknown key above": ("lab:\n", "author: me\nlab:\n", "author: me", "author: this key is unknown"),
    "a missing key": ("  hours: 1.5\n", "", "lab:", "lab.hours: this key is missing"),
    "a value of the wrong kind": ("points: 12", "points: many", "points: many", "should be a valid integer"),
    "broken YAML": ("  without: [scipy]", "  without: [scipy", "---", "not valid"),
    "no lecture's name": ("07-doubling", "Doubling", "lecture: Doubling", "lab.lecture: String should match"),
    "broken cell options": (CHECK_OPTIONS, "nbgrader: {grade_id: [}", "```{code-cell}", "not valid"),
    "an unknown tag": (":tags: [demo]", ":tags: [dmeo]", "```{code-cell}", "tags.0: Input should be 'setup'"),
    "an unknown cell option": (
        ":tags: [demo]",
        ":tags: [demo]\n:colour: 1",
        "```{code-cell}",
        "colour: this key is unknown",
    ),
    "outputs in the source": (
        ":tags: [demo]",
        ":tags: [demo]\n:outputs: [1]",
        "```{code-cell}",
        "outputs: this key is un",
    ),
    "a cell without a role": (":tags: [demo]\n", "", "```{code-cell}", "The code cell has no role"),
    "a cell with two roles": (":tags: [demo]", ":tags: [demo, setup]", "```{code-cell}", "the roles demo and setup"),
    "a code cell that is both": (
        "double, solution: true",
        "double, solution: true, grade: true",
        "```{code-cell}",
        "make no role",
    ),
    "a question without solution": ('"solution": true, ', "", "## Question", "make no role"),
    "a raw cell": (DEMO, "```{raw-cell}\ntext\n```", "", "no raw cells"),
    "no Python": ("print(np.arange(3))", "x = 1\nprint(np.arange(3)", "print(np.arange(3)", "no Python"),
    "a magic": ("print(np.arange(3))", "%matplotlib inline", "%matplotlib", "magics are not available"),
    "a grade_id used twice": (
        "grade_id: quadruple",
        "grade_id: double",
        "```{code-cell}",
        "The cell id double is taken by",
    ),
    "a second fallback": (
        FALLBACK_CELL,
        FALLBACK_CELL * 2,
        "```{code-cell}",
        "The cell id fallback-double is taken by",
    ),
    "a setup cell that imports what is missing": (
        "import numpy as np\n\nfrom",
        "import numpy as np\nimport scipy.signal\n\nfrom",
        "import scipy.signal",
        "scipy is in `without`",
    ),
    "a solution that imports what is missing": (
        "    factor = 1.0 + 1.0",
        "    import scipy",
        "    import scipy",
        "scipy is in `without`",
    ),
    "a solution without markers": (
        "    ### BEGIN SOLUTION\n    factor = 1.0 + 1.0\n    return np.asarray(signal) * factor\n    ### END SOLUTION",
        "    return 2 * signal",
        "```{code-cell}",
        "0 pairs of",
    ),
    "markers that do not close": (
        "* factor\n    ### END SOLUTION",
        "* factor",
        "```{code-cell}",
        "BEGIN SOLUTION comes without END SOLUTION",
    ),
    "markers around the function": (
        'def double(signal):\n    """Twice',
        '### BEGIN SOLUTION\n### END SOLUTION\ndef double(signal):\n    """Twice',
        "```{code-cell}",
        "2 pairs of",
    ),
    "markers that leave something": (
        "* factor\n    ### END SOLUTION",
        "* factor\n    ### END SOLUTION\n    return 1",
        "def double",
        "would not end in",
    ),
    "markers outside a solution": (
        "print(np.arange(3))",
        "### BEGIN SOLUTION\n### END SOLUTION",
        "### BEGIN",
        "no place in a demo cell",
    ),
    "a function of another name": (
        'def double(signal):\n    """Twice',
        'def twice(signal):\n    """Twice',
        "def twice",
        "one function, double; it defines twice",
    ),
    "a function without docstring": (
        '    """Twice the signal; signal: (n_samples,) float, any unit."""\n',
        "",
        "def double",
        "has no docstring",
    ),
    "points on a solution": (
        "double, solution: true",
        "double, solution: true, points: 4",
        "```{code-cell}",
        "they belong to its check",
    ),
    "a task without a visible check": (CHECK_CELL, "", "```{code-cell}", "double has no check cell"),
    "a check after the next solution": (
        CHECK_OPTIONS,
        CHECK_OPTIONS.replace("double", "quadruple"),
        "",
        "The cell id check-quadruple is taken",
    ),
    "a check without points": (
        CHECK_OPTIONS,
        CHECK_OPTIONS.replace(", points: 4", ""),
        "```{code-cell}",
        "check-double has no points",
    ),
    "points of nothing": (CHECK_OPTIONS, CHECK_OPTIONS.replace("4", "0"), "```{code-cell}", "greater than 0"),
    "a check of no task": (
        "## Task 2",
        CHECK_CELL.replace("check-double", "check-triple") + "\n## Task 2",
        "```{code-cell}",
        "belongs to a task triple",
    ),
    "a check that names another task": (
        'with check("double")',
        'with check("quadruple")',
        "with check",
        'one `with check("double"):`',
    ),
    "a check that asserts nothing": (
        '    assert np.allclose(double(np.ones(2)), 2), "Two ones become two twos."',
        "    double(np.ones(2))",
        "with check",
        "asserts nothing",
    ),
    "an assertion without a message": (', "Two ones become two twos."', "", "    assert", "has no message"),
    "a fallback missing": (FALLBACK_CELL, "", "```{code-cell}", "This cell uses double"),
    "a fallback that comes too late": (
        FALLBACK_CELL,
        DEMO.replace("np.arange(3)", "double(2)") + "\n\n" + FALLBACK_CELL,
        "```{code-cell}",
        "This cell uses double",
    ),
    "a fallback of another form": ('if not solved("double"):', "if True:", "if True", "one statement `if not solved"),
    "a fallback that could be copied": (
        "import scipy.linalg",
        "import math",
        "if not solved",
        "earns its points when copied",
    ),
    "a fallback of no task": (
        'solved("double"):\n    import scipy.linalg\n\n    def double',
        'solved("triple"):\n    import scipy.linalg\n\n    def triple',
        "```{code-cell}",
        "belongs to a task triple",
    ),
    "a long statement": ("Twice twice.", LONG, "## Task 2", "has 126 words; 120 are allowed"),
    "a task without a heading": ("## Task 2: Quadruple", "Next.", "```{code-cell}", "quadruple has no heading"),
    "a question without points": (', "points": 3', "", "## Question", "judgement has no points"),
    "a question without an answer": ("<!-- END SOLUTION -->", "", "## Question", "BEGIN SOLUTION comes without"),
    "no front matter": ("---\njupytext", "jupytext", "jupytext", "front matter is missing"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_lab_md_is_named_with_its_line(name, lab_folder, change):
    old, new, marked, words = MISTAKES[name]
    path = change("lab.md", old, new)
    with pytest.raises(SourceError) as caught:
        read_lab(lab_folder)
    assert words in caught.value.message
    assert caught.value.path == path
    assert marked in path.read_text().splitlines()[caught.value.line - 1]


def test_a_fallback_may_stand_on_a_demo_that_grading_lacks(change, lab_folder):
    helper = "import scipy.linalg\n\n\ndef twice(signal):\n    return scipy.linalg.blas.dscal(2.0, signal)"
    change("lab.md", "print(np.arange(3))", helper)
    change("lab.md", "    import scipy.linalg\n\n    def double", "    def double")
    change(
        "lab.md",
        "        return scipy.linalg.blas.dscal(2.0, np.array(signal, dtype=float))",
        "        return twice(signal)",
    )
    assert read_lab(lab_folder).task("double").fallback_cell_id == "fallback-double"
    change("lab.md", "import scipy.linalg\n\n\ndef twice", "def twice")
    with pytest.raises(SourceError, match="earns its points when copied"):
        read_lab(lab_folder)


def test_a_check_has_to_follow_its_solution(change, lab_folder):
    change("lab.md", CHECK_CELL, "")
    change("lab.md", "## Task 1: Double", CHECK_CELL + "\n## Task 1: Double")
    with pytest.raises(SourceError, match="check-double has to come after the cell double"):
        read_lab(lab_folder)


def test_a_check_has_to_come_before_the_next_solution(change, lab_folder):
    change("lab.md", CHECK_CELL, "")
    change("lab.md", QUESTION, CHECK_CELL + "\n" + QUESTION)
    with pytest.raises(SourceError, match="before the next solution"):
        read_lab(lab_folder)


def test_tables_formulas_and_code_are_no_words_of_a_statement(change, lab_folder):
    change(
        "lab.md", "Twice twice.", f"$$\n{LONG}\n$$\n\n```\n{LONG}\n```\n\n| a |\n|---|\n| {LONG} |\n\n" + "word " * 110
    )
    assert read_lab(lab_folder).task_ids == ["double", "quadruple"]


ONE_CHECK = '@check("double", hint="An empty signal stays empty.")'
CHECK_MISTAKES = {
    "an unknown task": (ONE_CHECK, ONE_CHECK.replace("double", "triple"), "@check(", "There is no task triple"),
    "an oracle of no task": ('@oracle("quadruple")', '@oracle("triple")', "@oracle(", "There is no task triple"),
    "two oracles": ('@oracle("quadruple")', '@oracle("double")', "@oracle(", "double has two oracles"),
    "no hint": ("An empty signal stays empty.", " ", "@check(", "keeps_empty has no hint"),
    "a name used twice": ("def keeps_empty", "def doubles_noise", "@check(", "The name doubles_noise is taken by"),
    "broken Python": ("def keeps_empty(", "def keeps_empty(:", "def keeps_empty", "does not run: SyntaxError"),
    "code that raises": ("import numpy as np\n", "import numpy as np\n1 / 0\n", "1 / 0", "ZeroDivisionError: division"),
}


@pytest.mark.parametrize("name", CHECK_MISTAKES)
def test_a_mistake_in_checks_py_is_named_with_its_line(name, lab_folder, change):
    old, new, marked, words = CHECK_MISTAKES[name]
    path = change("checks.py", old, new)
    with pytest.raises(SourceError) as caught:
        read_lab(lab_folder)
    assert words in caught.value.message
    assert caught.value.path == path
    assert marked in path.read_text().splitlines()[caught.value.line - 1]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('@check("quadruple", hint="Compare', '@check("double", hint="Compare', None),
        ('@oracle("quadruple")\n', "", "The task quadruple has no oracle"),
    ],
)
def test_a_task_needs_checks_and_an_oracle(old, new, words, lab_folder, change):
    change("checks.py", old, new)
    if words is None:
        change("checks.py", '@check("quadruple", hint="Two', '@check("double", hint="Two')
        words = "The task quadruple has no hidden check"
    with pytest.raises(SourceError, match=words) as caught:
        read_lab(lab_folder)
    assert caught.value.line == 76


def test_three_wrong_solutions_are_needed(lab_folder):
    (lab_folder / "wrong" / "double--negated.py").unlink()
    with pytest.raises(SourceError, match="The task double has 2 wrong solutions and needs 3"):
        read_lab(lab_folder)


WRONG_MISTAKES = {
    "no such check": ("# fails: doubles_noise", "# fails: doubles", 2, "doubles is no check of double; its checks are"),
    "a check of another task": ("doubles_noise", "quadruples_noise", 2, "quadruples_noise is no check of double"),
    "no mark": ("# fails: doubles_noise", "", None, "one line `# fails: <check function>`; there are 0"),
    "no docstring": ('"""The sign is lost on the way."""', "", 1, "docstring whose first line says the mistake"),
    "no Python": ("def double(signal):", "def double(signal)", 5, "no Python"),
}


@pytest.mark.parametrize("name", WRONG_MISTAKES)
def test_a_mistake_in_a_wrong_solution_is_named(name, lab_folder, change):
    old, new, line, words = WRONG_MISTAKES[name]
    path = change("wrong/double--negated.py", old, new)
    with pytest.raises(SourceError) as caught:
        read_lab(lab_folder)
    assert words in caught.value.message
    assert (caught.value.path, caught.value.line) == (path, line)


@pytest.mark.parametrize(
    ("name", "words"),
    [("triple--negated.py", "The file's name says task triple"), ("double-negated.py", "Name the file")],
)
def test_a_wrong_solution_names_its_task(name, words, lab_folder):
    (lab_folder / "wrong" / "double--negated.py").rename(lab_folder / "wrong" / name)
    with pytest.raises(SourceError, match=words):
        read_lab(lab_folder)


@pytest.mark.parametrize("name", ["lab.md", "checks.py", "instructor.md"])
def test_a_missing_file_is_named(name, lab_folder):
    (lab_folder / name).unlink()
    with pytest.raises(SourceError) as caught:
        read_lab(lab_folder)
    assert caught.value.path == lab_folder / name


def test_a_file_that_is_not_text_is_named(lab_folder):
    (lab_folder / "lab.md").write_bytes(b"---\n\xff")
    with pytest.raises(SourceError, match="not UTF-8 text"):
        read_lab(lab_folder)
