"""The leak scan: a clean release passes, and each kind of leak put into it is found where it is."""

import base64

import nbformat
import pytest

from course.errors import CourseError
from course.lab.build import release_notebook
from course.lab.scan import find_leaks, require_no_leak
from course.lab.source import read_lab

SOLUTION_LINE = "    return np.asarray(signal) * factor"


@pytest.fixture
def release(lab):
    return release_notebook(lab)


def cell(release, name):
    return next(cell for cell in release.cells if cell.id == name)


def test_a_clean_release_passes(lab, release):
    assert find_leaks(lab, release) == []


def append(name, text):
    """A leak: a text appended to a cell's source."""

    def leak(release):
        cell(release, name).source += "\n" + text

    return leak


def give_output(release):
    cell(release, "demo-1").outputs = [nbformat.v4.new_output("stream", text="0 1 2")]


def give_solution_as_output(release):
    cell(release, "demo-1").outputs = [nbformat.v4.new_output("stream", text=SOLUTION_LINE)]


def give_count(release):
    cell(release, "demo-1").execution_count = 3


def give_attachment(release):
    image = base64.b64encode(b"a photo of the solution").decode()
    cell(release, "text-1").attachments = {"solution.png": {"image/png": image}}


def give_cell_metadata(release):
    cell(release, "double").metadata["notes"] = "see the other file"


def give_solution_in_known_metadata(release):
    cell(release, "double").metadata["tags"] = [SOLUTION_LINE]


def give_notebook_metadata(release):
    release.metadata["authors_notes"] = 1


def give_solution_in_notebook_metadata(release):
    release.metadata.course["title"] = SOLUTION_LINE


def give_instructor_cell(release):
    release.cells.append(nbformat.v4.new_markdown_cell("Anything.", id="extra", metadata={"tags": ["instructor"]}))


def give_solution_cell(release):
    release.cells.append(nbformat.v4.new_code_cell(SOLUTION_LINE, id="extra"))


# name: (what puts the leak in, where it is found, what it is called)
LEAKS = {
    "a line of a solution": (append("double", SOLUTION_LINE), "cell double", "the solution of double"),
    "a line in other spacing": (
        append("text-1", "return  np.asarray(signal)   * factor"),
        "cell text-1",
        "the solution",
    ),
    "a commented line": (append("setup-1", "# return np.asarray(signal) * factor"), "cell setup-1", "the solution"),
    "the whole sample answer": (
        append("judgement", "About ten: each doubling is six decibels."),
        "cell judgement",
        "the solution of judgement",
    ),
    "a line for the instructor": (
        append("text-1", "Say aloud that decibels come tomorrow."),
        "cell text-1",
        "a line for the instructor",
    ),
    "an instructor's code": (
        append("text-1", "assert quadruple([1.0])[0] == 4.0"),
        "cell text-1",
        "for the instructor",
    ),
    "an instructor's cell": (give_instructor_cell, "cell extra", "a cell for the instructor"),
    "a line of the checks": (
        append("demo-1", "    expect.close(student(signal), twofold(signal))"),
        "cell demo-1",
        "a line of the hidden checks",
    ),
    "a hint": (
        append("text-1", "An empty signal stays empty."),
        "cell text-1",
        "the hint of the hidden check keeps_empty",
    ),
    "a mistake": (append("text-1", "The sign is lost on the way."), "cell text-1", "the mistake of a wrong solution"),
    "a mark": (append("text-1", "# fails: doubles_noise"), "cell text-1", "the mark of a wrong solution"),
    "the rubric": (
        append("text-1", "One point for each of the three words."),
        "cell text-1",
        "a line of the instructor's page",
    ),
    "a marker": (append("double", "    ### END SOLUTION"), "cell double", "the marker END SOLUTION"),
    "a hidden test": (
        append("check-double", "### BEGIN HIDDEN TESTS"),
        "cell check-double",
        "the marker BEGIN HIDDEN TESTS",
    ),
    "a mark scheme": (append("judgement", "BEGIN MARK SCHEME"), "cell judgement", "the marker BEGIN MARK SCHEME"),
    "a cell": (give_solution_cell, "cell extra", "the solution of double"),
    "an output": (give_output, "cell demo-1", "outputs"),
    "a telling output": (give_solution_as_output, "cell demo-1, outside its source", "the solution of double"),
    "an execution count": (give_count, "cell demo-1", "an execution count"),
    "an attachment": (give_attachment, "cell text-1", "attachments: solution.png"),
    "metadata of a cell": (give_cell_metadata, "cell double", "the unexpected metadata key notes"),
    "a telling tag": (give_solution_in_known_metadata, "cell double, outside its source", "the solution of double"),
    "metadata": (give_notebook_metadata, "the notebook's metadata", "the unexpected key authors_notes"),
    "telling metadata": (give_solution_in_notebook_metadata, "the notebook's metadata", "the solution of double"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_found(name, lab, release):
    leak, where, what = LEAKS[name]
    leak(release)
    found = find_leaks(lab, release)
    assert any(one.where == where and what in one.what for one in found), found
    with pytest.raises(CourseError, match="shows hidden material"):
        require_no_leak(lab, release)


def test_a_leak_names_file_and_line(lab, release):
    append("text-1", SOLUTION_LINE)(release)
    line = lab.path.read_text().splitlines().index("    factor = 1.0 + 1.0") + 1
    with pytest.raises(
        CourseError, match=rf"cell text-1: the solution of double \(labs/lab07-doubling/lab.md:{line}\)"
    ):
        require_no_leak(lab, release)


def test_a_demo_that_the_author_wrote_may_not_show_half_of_a_solution(lab_folder, change):
    change("lab.md", "print(np.arange(3))", "factor = 1.0 + 1.0")
    with pytest.raises(CourseError, match="cell demo-1: the solution of double"):
        release_notebook(read_lab(lab_folder))


def test_lines_that_the_lab_shows_anyway_are_no_leak(lab_folder, change):
    change("lab.md", "    factor = 1.0 + 1.0\n", "    import numpy as np\n    signal = 1 * signal\n    factor = 2.0\n")
    assert release_notebook(read_lab(lab_folder))
