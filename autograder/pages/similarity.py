"""Submissions that resemble each other more than the class's do: leads to look at, never verdicts.

Code is compared as tokens without comments, docstrings, layout and the names that its author chose, so that renaming
hides nothing. Winnowing (Schleimer, Wilkerson, Aiken, "Winnowing: Local Algorithms for Document Fingerprinting",
SIGMOD 2003) picks fingerprints out of the tokens; those of the released notebook count for nobody, and one that half of
the class has weighs little. A pair is reported when it has more in common than either of the two has with the rest of
the class, by so much that the tail of the class's own distribution makes it unlikely. Code is read, never run.
"""

import ast
import builtins
import io
import keyword
import re
import tokenize
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from nbformat import NO_CONVERT, NotebookNode
from nbformat import read as read_notebook
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import TypeAdapter, ValidationError
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree

from autograder.collection import kept_submissions
from autograder.intake import Rejected, parse
from autograder.result import Result, digest
from course.storage import write_atomic

GRAM, WINDOW = 12, 6  # what two share over GRAM + WINDOW - 1 tokens leaves a common fingerprint
READ_CHARACTERS, READ_PARTS = 60_000, 60  # of a cell, and cells of a student
COMPARED_TOKENS = 3000  # of a fragment, when two are laid side by side
MOST_LEADS = 100
FEWEST = 12  # submissions, below which a class has no distribution to speak of
FALSE_LEADS = 0.1  # pairs that a class of which nobody copied brings up, on average
TAIL = 0.05  # share of the pairs that the tail is fitted to
RUN = 8  # tokens in a row that are shown as the same
SHOWN_LINES = 80  # of a fragment
MULTIPLIER = np.uint64(0x100000001B3)
LAYOUT = (tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER, tokenize.ENCODING)
KEPT_NAMES = frozenset(dir(builtins))


@dataclass(frozen=True)
class Part:
    """A code cell of a student: its name in the lab, or its place in the notebook, and its source."""

    name: str
    source: str


@dataclass(frozen=True)
class Line:
    """A line of a fragment; ``same`` if tokens of it stand in the other fragment too, in a row."""

    number: int
    text: str
    same: bool


@dataclass(frozen=True)
class Fragment:
    """What two students wrote for the same cell, or for cells of their own."""

    left_name: str
    right_name: str
    left: tuple[Line, ...]
    right: tuple[Line, ...]
    shared_tokens: int


@dataclass(frozen=True)
class Pair:
    """Two students whose code has ``common`` (0 to 1) of its weight in common; ``usual`` is the most they have with
    the middle of the class."""

    left: str
    right: str
    common: float
    usual: float
    fragments: tuple[Fragment, ...]


@dataclass(frozen=True)
class Similar:
    """The leads of a class, the most striking first, among ``compared`` students.

    ``limit`` is how far ``common`` has to be above ``usual`` for a pair to be one; None where the class is too small.
    """

    pairs: tuple[Pair, ...]
    compared: int
    limit: float | None


SIMILAR = TypeAdapter(tuple[str, Similar])


def similar_in_class(root: Path, lab: str, results: Iterable[Result]) -> Similar | None:
    """The leads in a class folder, kept in ``summary/<lab>-similar.json`` until a submission or the release changes.

    Args:
        root: the class folder.
        lab: the lab's id.
        results: all of the lab.

    Returns:
        None if the class folder has no release of the lab to tell what was given to everybody.
    """
    path, kept = root / "release" / lab / f"{lab}.ipynb", root / "summary" / f"{lab}-similar.json"
    if not path.is_file():
        return None
    submissions = {one.student: one.submission for one in results if one.submission}
    read = [f"{student} {submission}" for student, submission in sorted(submissions.items())]
    key = digest(path.read_bytes(), Path(__file__).read_bytes(), *(line.encode(errors="replace") for line in read))
    known = _kept(kept, key)
    if known is None:
        release = read_notebook(path, as_version=NO_CONVERT)
        files = {student: kept_submissions(root) / f"{name}.ipynb" for student, name in submissions.items()}
        parts = {student: parts_of(file.read_bytes(), release) for student, file in files.items() if file.is_file()}
        known = similar_pairs(parts, release)
        write_atomic(kept, SIMILAR.dump_json((key, known)))
    return known


def _kept(path: Path, key: str) -> Similar | None:
    """What was found before, if it was found in the same submissions."""
    try:
        found, similar = SIMILAR.validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return similar if found == key else None


def parts_of(content: bytes, release: NotebookNode) -> list[Part]:
    """The code cells of a submission that are not as they were released.

    Args:
        content: the submitted notebook.
        release: the released notebook.
    """
    released = {_squeezed(source) for source in _sources(release)}
    try:
        cells = parse(content).cells
    except Rejected:
        return []
    code = [(number, cell) for number, cell in enumerate(cells, start=1) if cell.cell_type == "code"]
    known = {cell.id for cell in release.cells}
    own = (
        Part(cell.name if cell.name in known else f"cell {number}", cell.source)
        for number, cell in code
        if cell.source.strip() and _squeezed(cell.source) not in released
    )
    return list(islice(own, READ_PARTS))


def similar_pairs(parts: Mapping[str, list[Part]], release: NotebookNode) -> Similar:
    """The pairs of students whose code is alike beyond what is usual in their class.

    Args:
        parts: the code of each student (:func:`parts_of`).
        release: the released notebook, whose code is nobody's own.
    """
    given = given_names(release)
    public = frozenset(mark for source in _sources(release) for mark in _all_grams(tokens(source, given)))
    marks = {student: _fingerprints(own, given) - public for student, own in parts.items()}
    students = sorted(student for student, own in marks.items() if own)
    if len(students) < FEWEST:
        return Similar((), len(students), None)
    common = _common([marks[student] for student in students])
    usual = _usual(common)
    excess = common - usual
    limit = _limit(excess[np.triu_indices_from(excess, 1)])
    pairs = []
    for row, column in _leads(excess, limit):
        left, right = students[row], students[column]
        fragments = tuple(_fragments(parts[left], parts[right], given))
        pairs.append(Pair(left, right, float(common[row, column]), float(usual[row, column]), fragments))
    return Similar(tuple(pairs), len(students), float(limit))


def given_names(release: NotebookNode) -> frozenset[str]:
    """The names that the released notebook defines or imports at its top level, and that everybody therefore uses."""
    return frozenset(name for source in _sources(release) for name in _top_names(source))


@dataclass(frozen=True)
class Word:
    """A token as it is compared, and the line that it stands in."""

    text: str
    line: int


def tokens(source: str, given: frozenset[str]) -> tuple[Word, ...]:
    """The tokens of a piece of Python, names that its author chose made one and strings made one.

    Args:
        source: the code; what is no Python is split into words and signs.
        given: names that are kept.
    """
    words: list[Word] = []
    statement_starts, before = True, ""
    for kind, text, line, ends in _raw_tokens(source[:READ_CHARACTERS]):
        if kind == tokenize.STRING and statement_starts and ends:
            continue
        statement_starts = kind == tokenize.NEWLINE
        if statement_starts:
            continue
        words.append(Word(_compared(kind, text, before, given), line))
        before = text
    return tuple(words)


def _raw_tokens(source: str) -> Iterator[tuple[int, str, int, bool]]:
    """Kind, text and line of each token that is not layout, and whether the statement ends behind it."""
    found, reached = [], 1
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            reached = token.end[0]
            if token.type not in LAYOUT:
                found.append((token.type, token.string, token.start[0]))
    except (tokenize.TokenError, SyntaxError):
        # From the line on which Python gave up, words and signs have to do.
        found = [token for token in found if token[2] < reached]
        for number, line in enumerate(source.split("\n")[reached - 1 :], start=reached):
            found += [(tokenize.NAME, text, number) for text in re.findall(r"\w+|[^\w\s]", line)]
    for (kind, text, line), following in pairwise([*found, (tokenize.NEWLINE, "", 0)]):
        yield kind, text, line, following[0] == tokenize.NEWLINE


def _compared(kind: int, text: str, before: str, given: frozenset[str]) -> str:
    if kind == tokenize.STRING:
        return '""'
    if kind == tokenize.NUMBER:
        return text.lower()
    chosen = kind == tokenize.NAME and text.isidentifier() and before != "."
    return "name" if chosen and not (keyword.iskeyword(text) or text in given or text in KEPT_NAMES) else text


def _sources(notebook: NotebookNode) -> Iterator[str]:
    return (cell.source for cell in notebook.cells if cell.cell_type == "code")


def _squeezed(source: str) -> str:
    return " ".join(source.split())


def _top_names(source: str) -> Iterator[str]:
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            yield from ((name.asname or name.name).partition(".")[0] for name in statement.names)
        elif isinstance(statement, ast.Assign):
            yield from (node.id for node in ast.walk(statement) if isinstance(node, ast.Name))


def _grams(words: tuple[Word, ...]) -> np.ndarray:
    """A hash of every run of GRAM tokens: (n - GRAM + 1,) uint64, the same in every process."""
    if len(words) < GRAM:
        return np.empty(0, np.uint64)
    codes = np.array([zlib.crc32(word.text.encode()) for word in words], np.uint64)
    hashes = np.zeros(len(words) - GRAM + 1, np.uint64)
    for offset in range(GRAM):
        hashes = hashes * MULTIPLIER + codes[offset : offset + hashes.size]
    # Spread over all bits, so that the smallest of a window is as good as drawn by lot.
    hashes ^= hashes >> np.uint64(31)
    return hashes * np.uint64(0x9E3779B97F4A7C15)


def _all_grams(words: tuple[Word, ...]) -> list[int]:
    return _grams(words).tolist()


def _fingerprints(parts: Iterable[Part], given: frozenset[str]) -> set[int]:
    """The smallest hash of every window of WINDOW runs, over all parts."""
    found: set[int] = set()
    for part in parts:
        hashes = _grams(tokens(part.source, given))
        if hashes.size:
            windows = sliding_window_view(hashes, min(WINDOW, hashes.size))
            found.update(windows.min(axis=1).tolist())
    return found


def _common(marks: list[set[int]]) -> np.ndarray:
    """The share of their weight that each two have in common (Dice), (n, n), NaN with oneself.

    A fingerprint weighs log((n + 1) / number of students who have it).
    """
    places = {mark: place for place, mark in enumerate(sorted(set().union(*marks)))}
    rows = np.repeat(np.arange(len(marks)), [len(own) for own in marks])
    columns = np.array([places[mark] for own in marks for mark in sorted(own)])
    having = np.bincount(columns, minlength=len(places))
    weights = np.sqrt(np.log((len(marks) + 1) / having))
    table = csr_array((weights[columns], (rows, columns)), shape=(len(marks), len(places)))
    shared = (table @ table.T).toarray()
    own = np.diag(shared)
    common = 2 * shared / np.add.outer(own, own)
    np.fill_diagonal(common, np.nan)
    return common


def _usual(common: np.ndarray) -> np.ndarray:
    """What each two would have in common anyway: the larger of the two's medians over the class, (n, n)."""
    medians = np.nanmedian(common, axis=1)
    return np.maximum.outer(medians, medians)


def _limit(excess: np.ndarray) -> float:
    """The excess that FALSE_LEADS of the pairs would pass by chance.

    An exponential tail over the threshold that TAIL of the pairs pass (peaks over threshold: Coles, "An Introduction
    to Statistical Modeling of Extreme Values", 2001, chapter 4, with shape 0); its scale comes from the median, which
    a few who copied do not move.
    """
    share = max(TAIL, min(0.5, 20 / excess.size))
    threshold = np.quantile(excess, 1 - share)
    scale = np.median(excess[excess > threshold] - threshold) / np.log(2) if excess.max() > threshold else 0.0
    return float(threshold + scale * np.log(share * excess.size / FALSE_LEADS))


def _leads(excess: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """The pairs above the limit, the most striking first; of a group that has all in common, links enough to see it."""
    above = np.where(np.nan_to_num(excess, nan=-1.0) > limit, 2.0 - np.nan_to_num(excess), 0.0)
    links = minimum_spanning_tree(csr_array(above)).tocoo()
    order = np.argsort(links.data, kind="stable")
    return [tuple(sorted((int(links.row[one]), int(links.col[one])))) for one in order[:MOST_LEADS]]


def _fragments(left: list[Part], right: list[Part], given: frozenset[str]) -> Iterator[Fragment]:
    """The cells of two students that have runs in common, side by side, those with most in common first."""
    found = []
    for one in left:
        same_name = [other for other in right if other.name == one.name]
        compared = [_fragment(one, other, given) for other in same_name or right]
        found += [max(compared, key=lambda fragment: fragment.shared_tokens)] if compared else []
    found = [fragment for fragment in found if fragment.shared_tokens]
    yield from sorted(found, key=lambda fragment: -fragment.shared_tokens)


def _fragment(left: Part, right: Part, given: frozenset[str]) -> Fragment:
    words, others = (tokens(part.source, given)[:COMPARED_TOKENS] for part in (left, right))
    matcher = SequenceMatcher(None, [word.text for word in words], [word.text for word in others], autojunk=False)
    runs = [run for run in matcher.get_matching_blocks() if run.size >= RUN]
    here = {word.line for run in runs for word in words[run.a : run.a + run.size]}
    there = {word.line for run in runs for word in others[run.b : run.b + run.size]}
    shared = sum(run.size for run in runs)
    return Fragment(left.name, right.name, _lines(left.source, here), _lines(right.source, there), shared)


def _lines(source: str, same: set[int]) -> tuple[Line, ...]:
    lines = source.split("\n")[:SHOWN_LINES]
    return tuple(Line(number, text[:200], number in same) for number, text in enumerate(lines, start=1))
