"""Mistakes in the sources of lectures and pages, found in a second, before anything is executed."""

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from course.errors import SourceError, shown
from course.site.source import (
    DATA_DIRECTIVES,
    PROSE_DIRECTIVES,
    BrokenFence,
    Cell,
    Directive,
    Heading,
    Image,
    Label,
    Role,
    Source,
    choices,
    question_and_answer,
    read_source,
)

DIRECTIVES = PROSE_DIRECTIVES | DATA_DIRECTIVES
CITATIONS = frozenset({"cite", "cite:p", "cite:t", "cite:year", "cite:author"})
REFERENCES = frozenset({"ref", "eq", "numref"})
INLINE = frozenset({"abbr", "del", "kbd", "keyboard", "math", "sub", "subscript", "sup", "superscript", "u"})
ROLES = CITATIONS | REFERENCES | INLINE | {"eval"}
HIDDEN = {"remove-cell", "remove-input", "hide-input", "hide-cell"}
PARTS = ("summary", "exercises", "further reading")
MEDIAN_LINES, TAIL_LINES = 8, 20
LONGEST_DESCRIPTION = 160


def lint_sources(root: Path) -> list[SourceError]:
    """Every mistake in the lectures (``notebooks/*/lecture.md``) and the pages (``book/**/*.md``) of the kit.

    Args:
        root: the kit's top folder.

    Returns:
        The mistakes in the order of files and lines; none for sound sources.
    """
    errors = [
        SourceError(
            file, None, "notebooks are built, never kept beside sources: remove it, or turn it into lecture.md."
        )
        for room in ("notebooks", "labs", "book")
        for file in _below(root / room, ".ipynb")
    ]
    sources = []
    for path in [*sorted((root / "notebooks").glob("*/lecture.md")), *_below(root / "book", ".md")]:
        try:
            source = read_source(path)
            errors += _page_errors(source)
            sources.append(source)
        except SourceError as error:
            errors.append(error)
    errors += [*_duplicate_labels(sources), *_orphan_solutions(sources)]
    return sorted(errors, key=lambda error: (str(error.path), error.line or 0))


def _below(folder: Path, suffix: str) -> list[Path]:
    """Files with the suffix, those of installed packages and hidden folders left out."""
    files = sorted(folder.rglob(f"*{suffix}"))
    return [
        file for file in files if not any(p == "node_modules" or p[0] == "." for p in file.relative_to(folder).parts)
    ]


def _page_errors(source: Source) -> Iterator[SourceError]:
    for element in source.elements():
        for message in _element_problems(element, source.path.parent):
            yield SourceError(source.path, element.line, message)
    yield from _repeated_ids(source)
    if source.path.name == "lecture.md":
        yield from _lecture_errors(source)


def _element_problems(element, folder: Path) -> Iterator[str]:
    match element:
        case Directive(name=name) if name not in DIRECTIVES:
            yield f"the directive {{{name}}} is not known. Known are: {', '.join(sorted(DIRECTIVES))}."
        case Directive(name="figure" | "image"):
            alt = str(element.options.get("alt") or "")
            yield from _image_problems(element.argument, alt, "add an option `:alt: what it shows`", folder)
        case Directive(name="predict"):
            yield from _predict_problems(element)
        case Directive(name="checkpoint"):
            question, answer, _ = question_and_answer(element)
            if not (element.argument or question.strip()) or not answer.strip():
                yield "checkpoint needs a question, a line `---` and the answer below it."
        case BrokenFence(text=text):
            yield f"“{text[:60]}” opens no directive, as its line holds a backtick: fence it with ::: instead of ```."
        case Image():
            yield from _image_problems(element.source, element.alt, "write ![what it shows](file)", folder)
        case Role(name=name) if name not in ROLES:
            yield f"the role {{{name}}} is not known. Known are: {', '.join(sorted(ROLES))}."


def _image_problems(source: str, alt: str, remedy: str, folder: Path) -> Iterator[str]:
    if source.startswith("#"):  # the output of a cell, which brings its own alternative text
        return
    if not alt.strip():
        yield f"the figure {source} has no alternative text: {remedy}."
    if source.startswith("data:"):
        yield "an image is written out as a data: URI: put it in a file beside the page."
    elif re.match(r"(https?:)?//", source):
        yield f"the image {source} lies on another host: put the file beside the page and name its source."
    elif not (folder / source).is_file():
        yield f"there is no file {source} beside the page."


def _predict_problems(directive: Directive) -> Iterator[str]:
    if "answer" in directive.options:
        if not directive.body.strip():
            yield "predict explains nothing: write below the options why the answer is right."
        return
    offered = choices(directive.body)
    right = sum(choice.right for choice in offered)
    if len(offered) < 2:
        yield f"predict offers {len(offered)} answers where two or more were expected: `- [ ] answer :: why`."
    elif right != 1:
        yield f"predict has {right} right answers where one was expected: mark it `- [x]`."
    for choice in offered:
        if not choice.reason:
            yield f"predict gives no reason for “{choice.answer}”: write `answer :: why`."


def _repeated_ids(source: Source) -> Iterator[SourceError]:
    first: dict[str, int] = {}
    for cell in source.cells:
        name = cell.metadata.get("id") or cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in first:
            yield SourceError(
                source.path, cell.line, f"the cell id {name} is taken by line {first[name]}: choose another."
            )
        elif name:
            first[name] = cell.line


def _duplicate_labels(sources: list[Source]) -> Iterator[SourceError]:
    first: dict[str, tuple[Path, int]] = {}
    for source in sources:
        for element in source.elements():
            if not isinstance(element, Label):
                continue
            name = element.name.lower()
            if name in first:
                path, line = first[name]
                message = f"the label {element.name} is taken by {shown(path)}:{line}: choose another."
                yield SourceError(source.path, element.line, message)
            first.setdefault(name, (source.path, element.line))


def _orphan_solutions(sources: list[Source]) -> Iterator[SourceError]:
    directives = [
        (source, element) for source in sources for element in source.elements() if isinstance(element, Directive)
    ]
    exercises = {str(directive.options.get("label")) for _, directive in directives if directive.name == "exercise"}
    for source, directive in directives:
        if directive.name == "solution" and directive.argument not in exercises:
            known = ", ".join(sorted(exercises - {"None"})) or "none"
            message = (
                f"this solution is for the exercise {directive.argument!r}, which does not exist; labels are: {known}."
            )
            yield SourceError(source.path, directive.line, message)


def _lecture_errors(source: Source) -> Iterator[SourceError]:
    description = str(source.front.get("description") or "")
    if not source.front.get("title") or not description:
        yield SourceError(source.path, 1, "the front matter needs a title and a description.")
    if len(description) > LONGEST_DESCRIPTION:
        yield SourceError(
            source.path, 1, f"the description has {len(description)} of {LONGEST_DESCRIPTION} characters."
        )
    headings = [element.text.lower() for element in source.elements() if isinstance(element, Heading)]
    for part in PARTS:
        if not any(part in heading for heading in headings):
            yield SourceError(source.path, None, f"the lecture has no part “{part}”: add a heading with these words.")
    yield from _length_errors(source)


def _length_errors(source: Source) -> Iterator[SourceError]:
    """AUTHORING's lengths: the median cell that a reader sees has at most 8 lines, nine in ten have at most 20."""
    cells = [cell for cell in source.cells if cell.kind == "code" and not cell.tags & HIDDEN]
    if not cells:
        return
    lengths = list(map(_code_lines, cells))
    longest = max(cells, key=_code_lines)
    if 10 * sum(length > TAIL_LINES for length in lengths) > len(lengths):
        message = f"more than one code cell in ten is over {TAIL_LINES} lines, this one has {_code_lines(longest)}: "
        yield SourceError(source.path, longest.line, message + "split it, or give the course library a function.")
    if median(lengths) > MEDIAN_LINES:
        message = (
            f"the median code cell has {median(lengths):g} lines, {MEDIAN_LINES} are allowed: begin with this one."
        )
        yield SourceError(source.path, longest.line, message)


def _code_lines(cell: Cell) -> int:
    return sum(bool(line.strip()) for line in cell.text.splitlines())
