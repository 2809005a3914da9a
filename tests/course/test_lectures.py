"""Every lecture keeps to its form: its length, its experiments, its cells, and it runs the same way twice, offline."""

import re
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from course.kit import root
from course.site.source import Directive, Heading, read_source

LECTURES = sorted(root().glob("notebooks/*/lecture.md"))
EXPERIMENT = re.compile(r"^\d+\. .+\?$")
SEEN_IN_TEXT = re.compile(r"^(?=```\{(?:figure|anywidget)\}|\|(?: *-+ *\|)+$)", re.MULTILINE)
SPINE = ("**Question.**", "```{predict}", "```{code-cell}", "**Compare.**", "**Explain.**", "```{checkpoint}")
OFFLINE = """
import socket

connect = socket.socket.connect

def refuse(self, address):
    if self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1"):  # a service that the lecture started
        return connect(self, address)
    raise OSError(f"a lecture asked for the network: {address}")

socket.socket.connect = refuse
"""
WITHOUT_RECORDINGS = """
from course.data import CORPORA

CORPORA.locate = lambda name, file: None
"""
SYNTHESISED = "synthesised by espeak-ng"
SPEECH = re.compile(r"from course\.(recordings|listening|data) import")
MEASURED = "measured"  # the tag of a cell that shows how long something took
SEEN_OUTPUTS = {"image/svg+xml", "text/html"}


@pytest.fixture(scope="module", params=LECTURES, ids=lambda path: path.parent.name)
def source(request):
    return read_source(request.param)


@pytest.fixture(scope="module")
def text(source):
    return source.path.read_text(encoding="utf-8")


def run(path: Path, folder: Path, before: str = "") -> list:
    """Execute the lecture in a folder, offline; the outputs of each of its cells in the order of the page."""
    notebook = jupytext.read(path, fmt="md:myst")
    notebook.cells = [nbformat.v4.new_code_cell(OFFLINE + before), *map(with_inline_results, notebook.cells)]
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources, coalesce_streams=True)
    done = client.execute()
    outputs = [cell.get("outputs", []) for cell in done.cells[1:]]
    return [[{**output, "execution_count": None} for output in cell] for cell in outputs]


def with_inline_results(cell):
    """A Markdown cell with {eval} roles as a code cell that prints their values; any other cell as it is."""
    expressions = re.findall(r"\{eval\}`([^`]+)`", cell.source)
    if cell.cell_type == "code" or not expressions:
        return cell
    return nbformat.v4.new_code_cell("\n".join(f"print({expression})" for expression in expressions))


@pytest.fixture(scope="module")
def executed(source, tmp_path_factory):
    """Where a reader may have saved it: not beside its source."""
    return run(source.path, tmp_path_factory.mktemp("reader"))


def prose_words(text: str) -> int:
    """Words that a reader reads: no code, options, displayed formulas, citations or speaker notes."""
    text = re.sub(r'\+\+\+ \{"slideshow": \{"slide_type": "notes"\}\}.*?(?=\n\+\+\+|\Z)', "", text, flags=re.DOTALL)
    text = re.sub(r"```\{(code-cell|math|anywidget)\}.*?\n```", "", text, flags=re.DOTALL)
    text = re.sub(r"^(:[\w-]+:.*|\+\+\+.*|```.*|\|[-|]+\|)$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\{cite:?\w?\}`[^`]*`", "", text)
    text = re.sub(r"\{\w+\}`[^`]*`|\$[^$]*\$", "x", text)
    return len(re.findall(r"[\w’'.,-]*\w", text))


def test_it_is_three_to_four_thousand_words_to_the_end_of_the_summary(text):
    body = text.split("\n---\n", 1)[1]
    read = body[: body.index("## Exercises")]
    assert 3_000 <= prose_words(read) <= 4_000


def test_six_to_ten_experiments_follow_the_spine(text):
    experiments = [part for part in re.split(r"^## ", text, flags=re.MULTILINE) if re.match(r"\d+\. ", part)]
    assert 6 <= len(experiments) <= 10
    for number, experiment in enumerate(experiments, start=1):
        title = experiment.splitlines()[0]
        assert EXPERIMENT.match(title) and title.startswith(f"{number}. "), f"{title!r} asks no question"
        missing = [step for step in SPINE if step not in experiment]
        assert not missing, f"experiment {number} lacks {missing}"
        order = [experiment.index(step) for step in SPINE]
        assert order[0] == min(order) and order[1] < order[3] < order[4] < order[5], f"experiment {number}: {order}"


def test_a_prediction_comes_before_the_code_that_answers_it(text):
    for part in (part for part in re.split(r"^## ", text, flags=re.MULTILINE) if re.match(r"\d+\. ", part)):
        predict = part.index("```{predict}")
        assert "```{code-cell}" in part[predict : part.index("**Compare.**")], part.splitlines()[0]


def test_cells_are_short(source):
    lengths = [
        sum(bool(line.strip()) for line in cell.text.splitlines())
        for cell in source.cells
        if cell.kind == "code" and "remove-cell" not in cell.tags
    ]
    assert np.median(lengths) <= 8 and np.percentile(lengths, 90) <= 20 and max(lengths) <= 20


@pytest.mark.thorough
def test_something_to_see_or_hear_about_every_150_words(source, executed):
    """Words between one figure, table, player or widget and the next, to the end of the summary."""
    words, gaps = 0, []
    for cell, outputs in zip(source.cells, executed, strict=True):
        if cell.text.startswith("## Exercises"):
            break
        if cell.kind == "code":
            kinds = [kind for output in outputs for kind in SEEN_OUTPUTS & set(output.get("data", {}))]
            gaps, words = (gaps + [words] + [0] * (len(kinds) - 1), 0) if kinds else (gaps, words)
        elif cell.slide != "notes":
            before, *after = SEEN_IN_TEXT.split(cell.text)
            words += prose_words(before)
            for piece in after:
                gaps, words = [*gaps, words], prose_words(piece)
    assert sum(gaps) / len(gaps) <= 150 and max(gaps) <= 350, gaps


def test_summary_is_at_most_six_sentences(text):
    summary = re.search(r"^## Summary\n(.*?)^\+\+\+", text, flags=re.DOTALL | re.MULTILINE)[1]
    assert 1 <= len(re.findall(r"[.?](?:\s|$)", summary)) <= 7


def test_odd_exercises_have_solutions_and_later_ones_take_longer(source):
    directives = [element for element in source.elements() if isinstance(element, Directive)]
    exercises = [d.options["label"] for d in directives if d.name == "exercise"]
    solved = {d.argument for d in directives if d.name == "solution"}
    assert len(exercises) >= 6 and set(exercises[::2]) == solved
    first, last = [d.argument for d in directives if d.name == "exercise"][:: len(exercises) - 1]
    assert first == "one minute" and last == "an evening"


def test_slides_have_notes_with_their_minutes_that_fill_an_hour(source):
    notes = [cell.text for cell in source.cells if cell.slide == "notes"]
    minutes = [int(re.search(r"Time: (\d+) minutes", note)[1]) for note in notes]
    experiments = [
        element for element in source.elements() if isinstance(element, Heading) and element.text[0].isdigit()
    ]
    assert len(notes) >= len(experiments) and 50 <= sum(minutes) <= 60
    slides = [cell for cell in source.cells if cell.slide == "slide"]
    assert len(slides) >= 2 * len(experiments)


def test_headings_end_with_where_it_is_used_and_further_reading(source):
    headings = [element.text for element in source.elements() if isinstance(element, Heading)]
    assert headings[-4:] == ["Summary", "Exercises", "Where this is used", "Further reading"]


@pytest.mark.thorough  # `make test` executes each lecture once, when `course up` builds the site
def test_it_runs_offline_and_describes_every_figure(executed):
    figures = [output["data"] for cell in executed for output in cell if "image/svg+xml" in output.get("data", {})]
    assert len(figures) >= 10
    assert all(len(data["text/plain"]) > 40 and "<Figure" not in data["text/plain"] for data in figures)
    assert not any("image/png" in output.get("data", {}) for cell in executed for output in cell)


@pytest.mark.thorough
def test_it_gives_the_same_result_each_time_and_in_any_folder(source, executed):
    """But for what was timed: such a cell says so by its tag."""
    pairs = zip(source.cells, executed, run(source.path, source.path.parent), strict=True)
    changed = [cell.text for cell, first, second in pairs if first != second and MEASURED not in cell.tags]
    assert not changed


@pytest.mark.thorough
def test_it_holds_for_synthesised_speech_too(source, text):
    """Every assertion of the lecture holds without the recordings, and the page says who speaks."""
    if not SPEECH.search(text):
        pytest.skip("there is no speech in this lecture")
    outputs = [output for cell in run(source.path, source.path.parent, WITHOUT_RECORDINGS) for output in cell]
    said = [output.get("text", "") + str(output.get("data", "")) for output in outputs]
    assert any(SYNTHESISED in text for text in said)
