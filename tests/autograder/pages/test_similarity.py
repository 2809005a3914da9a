"""A copied and renamed solution is found among honest ones; what was given to everybody never counts."""

import itertools
import json

import nbformat
import numpy as np
import pytest

from autograder.pages.similarity import FEWEST, Part, parts_of, similar_in_class, similar_pairs, tokens
from course.lab.build import release_notebook

NOTHING = frozenset()


@pytest.fixture(scope="module")
def release(lab01):
    return release_notebook(lab01)


@pytest.fixture(scope="module")
def compare(release, notebook_of):
    def run(sources):
        contents = {student: notebook_of(own) for student, own in sources.items()}
        return similar_pairs({student: parts_of(content, release) for student, content in contents.items()}, release)

    return run


def names(size):
    return [f"student-{number:03}" for number in range(size)]


def texts(source, given=NOTHING):
    return [word.text for word in tokens(source, given)]


@pytest.mark.parametrize(("size", "seed"), [(24, 1), (24, 2), (80, 3)])
def test_a_copied_and_renamed_solution_is_found_and_honest_pairs_are_not(compare, honest_class, disguise, size, seed):
    sources = honest_class(names(size), seed)
    assert compare(sources).pairs == ()
    sources["student-007"] = {task: disguise(source) for task, source in sources["student-003"].items()}
    (pair,) = compare(sources).pairs
    assert (pair.left, pair.right) == ("student-003", "student-007")
    assert pair.common > 0.6 > pair.usual


def test_a_group_is_shown_by_its_strongest_links(compare, honest_class, disguise):
    sources = honest_class(names(40), 4)
    for student in ("student-010", "student-020", "student-030"):
        sources[student] = {task: disguise(source) for task, source in sources["student-001"].items()}
    pairs = compare(sources).pairs
    members = set(itertools.chain.from_iterable((pair.left, pair.right) for pair in pairs))
    assert members == {"student-001", "student-010", "student-020", "student-030"}
    assert len(pairs) == 3


def test_what_the_release_gives_to_everybody_never_counts(compare, honest_class):
    sources = honest_class(names(20), 5)
    sources |= {"untouched-1": {}, "untouched-2": {}}
    found = compare(sources)
    assert found.compared == 20 and found.pairs == ()


def test_given_code_copied_into_an_own_cell_never_counts(release, honest_class, notebook_of):
    given = max((cell.source for cell in release.cells if cell.cell_type == "code"), key=len)
    sources = honest_class(names(20), 6)
    copied = {"student-004", "student-005"}
    contents = {
        student: notebook_of(own, added=[f"# mine\n{given}"] if student in copied else [])
        for student, own in sources.items()
    }
    parts = {student: parts_of(content, release) for student, content in contents.items()}
    assert similar_pairs(parts, release).pairs == ()


def test_the_fragments_are_what_they_wrote(compare, honest_class, disguise):
    sources = honest_class(names(30), 2)
    sources["student-007"] = {task: disguise(source) for task, source in sources["student-003"].items()}
    (pair,) = compare(sources).pairs
    first = pair.fragments[0]
    assert first.left_name == first.right_name
    assert "\n".join(line.text for line in first.left) == sources["student-003"][first.left_name]
    same = [line.text for line in first.right if line.same]
    assert sum(line.lstrip().startswith(("def ", "return")) for line in same) >= 2
    assert not [line for line in first.right if line.same and not line.text.split("#")[0].strip()]


def test_too_small_a_class_has_no_distribution(compare, honest_class):
    sources = honest_class(names(FEWEST - 1), 1)
    found = compare(sources)
    assert (found.pairs, found.limit, found.compared) == ((), None, FEWEST - 1)


def test_everybody_the_same_is_no_lead(compare, honest_class):
    own = honest_class(["one"], 1)["one"]
    assert compare(dict.fromkeys(names(15), own)).pairs == ()


def test_the_result_does_not_depend_on_the_order(compare, honest_class, disguise):
    sources = honest_class(names(30), 1)
    sources["student-007"] = {task: disguise(source) for task, source in sources["student-003"].items()}
    backwards = dict(sorted(sources.items(), reverse=True))
    assert compare(sources) == compare(backwards)


def test_tokens_leave_out_names_comments_layout_and_docstrings():
    one = 'def f(signal):\n    """Doc."""\n    # why\n    level = np.sqrt(signal @ signal)  # root\n    return level\n'
    other = "def f( x ):\n        y=np.sqrt(x@x)\n        return y\n"
    assert texts(one) == texts(other)
    assert "np" in texts(one, frozenset(["np"])) and "np" not in texts(one)
    assert texts("x = 'a'") == texts('y = "bc"') != texts("x = 1")
    assert texts("a.mean()") != texts("a.sum()")


@pytest.mark.parametrize(
    "source", ["def f(:\n  return (", "%matplotlib inline\nx = 1", "'''", "\tx\n y", "\\", "x = 'é", ""]
)
def test_what_is_no_python_is_read_as_words(source):
    assert isinstance(texts(source), list)


@pytest.mark.parametrize("piece", ["(", "'%0", "\t\n", "f'{", '"""', "\\", "x ", "9", "# ", "é", "[" * 10])
def test_hostile_text_is_read_in_one_pass(piece):
    """Lexers with patterns that backtrack need minutes for some of these: 60,000 characters are enough."""
    source = piece * (200_000 // len(piece))
    assert len(tokens(source, NOTHING)) <= 60_000


def test_a_submission_that_is_no_notebook_has_no_code(release):
    assert parts_of(b"{}", release) == parts_of(b"\xff", release) == []


def test_cells_of_ones_own_are_called_by_their_place(release, notebook_of):
    content = notebook_of({}, added=["my_step = 1"])
    assert parts_of(content, release) == [Part(f"cell {len(release.cells) + 1}", "my_step = 1")]


def test_found_in_a_class_folder_once_and_again_when_something_changed(tmp_path, make_class, lab01):
    results = make_class(tmp_path, 40)
    first = similar_in_class(tmp_path, lab01.id, results)
    assert [(pair.left, pair.right) for pair in first.pairs] == [("student-000", "student-001")]
    kept = tmp_path / "summary" / f"{lab01.id}-similar.json"
    stamp = kept.stat().st_mtime_ns
    assert similar_in_class(tmp_path, lab01.id, results) == first
    assert kept.stat().st_mtime_ns == stamp
    fewer = [result for result in results if result.student != "student-001"]
    assert similar_in_class(tmp_path, lab01.id, fewer).pairs == ()
    kept.write_text("torn")
    assert similar_in_class(tmp_path, lab01.id, results) == first


def test_without_a_release_nothing_is_said(tmp_path, make_result):
    assert similar_in_class(tmp_path, "lab01", [make_result("ann", submission="0" * 64)]) is None


def test_common_weight_is_dice_over_rare_fingerprints():
    from autograder.pages.similarity import _common

    marks = [{1, 2, 3}, {2, 3, 4}, {3, 9}]
    weight = {mark: np.log(4 / sum(mark in own for own in marks)) for mark in (1, 2, 3, 4, 9)}
    shared = weight[2] + weight[3]
    expected = 2 * shared / (sum(weight[m] for m in marks[0]) + sum(weight[m] for m in marks[1]))
    assert _common(marks)[0, 1] == pytest.approx(expected)


def test_a_notebook_whose_cells_repeat_an_id_is_read(release):
    notebook = nbformat.from_dict(release)
    code = next(cell for cell in notebook.cells if cell.cell_type == "code" and "def " in cell.source)
    double = nbformat.from_dict(code)
    double.source = "other = 2"
    notebook.cells.append(double)
    content = json.dumps(notebook).encode()
    assert [part.source for part in parts_of(content, release)] == ["other = 2"]
