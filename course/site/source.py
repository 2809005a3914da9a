"""Reading a page's MyST source: its cells, and the directives, roles, images and labels in them, each with its line."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from jupytext.myst import MystMetadataParsingError, myst_to_notebook
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin
from mdit_py_plugins.myst_role import myst_role_plugin

from course.errors import SourceError

ADMONITIONS = frozenset(
    {"admonition", "attention", "caution", "danger", "error", "hint", "important", "note", "seealso", "tip", "warning"}
)
ASIDES = frozenset({"aside", "margin", "sidebar", "topic"})
QUOTES = frozenset({"blockquote", "epigraph", "pull-quote"})
CONTAINERS = frozenset(
    {"dropdown", "div", "exercise", "solution", "figure", "table", "list-table", "tab-set", "tab-item"}
)
QUESTIONS = frozenset({"predict", "checkpoint"})
# Directives whose body is prose that may hold further directives; the body of the rest is data.
PROSE_DIRECTIVES = ADMONITIONS | ASIDES | QUOTES | CONTAINERS | QUESTIONS
DATA_DIRECTIVES = frozenset(
    {"math", "code", "code-block", "code-cell", "anywidget", "image", "bibliography", "syllabus"}
)

OPTION = re.compile(r"^\s*:(?P<key>[A-Za-z][\w-]*):(?P<value>.*)$")
CHOICE = re.compile(r"^- \[(?P<mark>[ x])\] (?P<answer>.+?)(?:\s+::\s+(?P<reason>.*))?$", re.MULTILINE)


@dataclass(frozen=True)
class Directive:
    """A fenced ``{name} argument`` with its options and body.

    ``line`` is where the fence opens, counted from 1; ``body_line`` where the body begins; ``lines`` how many lines the
    whole takes.
    """

    name: str
    argument: str
    options: dict
    body: str
    line: int
    body_line: int
    lines: int


@dataclass(frozen=True)
class Role:
    """Inline ``{name}`content```; ``line`` is the first line of its paragraph."""

    name: str
    content: str
    line: int


@dataclass(frozen=True)
class Image:
    """``![alt](source)``; ``line`` is the first line of its paragraph."""

    source: str
    alt: str
    line: int


@dataclass(frozen=True)
class Heading:
    """A heading of the page."""

    text: str
    level: int
    line: int


@dataclass(frozen=True)
class BrokenFence:
    """A line that looks like a directive's fence and is text: the fence's first line holds a backtick."""

    text: str
    line: int


@dataclass(frozen=True)
class Label:
    """A name that references can point at; ``kind`` is target (of what follows), equation, option or cell."""

    name: str
    kind: str
    line: int


@dataclass(frozen=True)
class Choice:
    """One answer of a predict directive with its reason."""

    right: bool
    answer: str
    reason: str


Element = Directive | Role | Image | Heading | BrokenFence | Label


@dataclass(frozen=True)
class Cell:
    """A cell of the page as Jupyter would have it.

    ``line`` is the line, counted from 1, of a Markdown cell's first text and of a code cell's opening fence.
    """

    kind: str
    text: str
    line: int
    metadata: dict

    @property
    def tags(self) -> set[str]:
        tags = self.metadata.get("tags", [])
        return {tags} if isinstance(tags, str) else set(tags)

    @property
    def slide(self) -> str | None:
        """The cell's part in the slides: slide, fragment, notes, skip, or None."""
        return self.metadata.get("slideshow", {}).get("slide_type")


@dataclass(frozen=True)
class Source:
    """One page: its front matter and its cells."""

    path: Path
    front: dict
    cells: list[Cell] = field(default_factory=list)

    def elements(self) -> Iterator[Element]:
        """Everything in the Markdown cells, in order, what lies in directives included."""
        for cell in self.cells:
            if "label" in cell.metadata:
                yield Label(str(cell.metadata["label"]), "cell", cell.line)
            if cell.kind == "markdown":
                yield from elements(cell.text, cell.line, self.path)


def read_source(path: Path) -> Source:
    """Read a MyST text notebook or a plain MyST page.

    Raises:
        SourceError: front matter or the options of a cell cannot be read.
    """
    text = path.read_text(encoding="utf-8")
    try:
        notebook = myst_to_notebook(text, add_source_map=True)
    except (MystMetadataParsingError, yaml.YAMLError, json.JSONDecodeError) as error:
        message = " ".join(str(error).split())
        raise SourceError(path, _line_of(error), f"{message}. Correct the YAML or JSON there.") from error
    starts = notebook.metadata.pop("source_map")
    lines = text.splitlines()
    cells = [_cell(cell, start, lines) for cell, start in zip(notebook.cells, starts, strict=True)]
    front = {name: value for name, value in notebook.metadata.items() if name != "jupyter"}
    return Source(path, front, cells)


def _cell(cell: dict, start: int, lines: list[str]) -> Cell:
    """Jupytext's start is the line before a Markdown cell's blank lines, and the fence's line of a code cell."""
    if cell.cell_type == "markdown":
        start = next(index for index in range(start, len(lines)) if lines[index].strip()) + 1
    return Cell(cell.cell_type, cell.source, start, dict(cell.metadata))


def _line_of(error: Exception) -> int | None:
    """The line that jupytext's message names."""
    words = str(error).split()
    for word, number in zip(words, words[1:], strict=False):
        if word == "line" and number.rstrip(":,").isdigit():
            return int(number.rstrip(":,"))
    return None


@cache
def parser() -> MarkdownIt:
    """Markdown with the parts of MyST that the course's pages use."""
    markdown = MarkdownIt("commonmark").enable("table")
    for plugin in (front_matter_plugin, myst_block_plugin, myst_role_plugin, footnote_plugin, deflist_plugin):
        markdown.use(plugin)
    return markdown.use(colon_fence_plugin).use(dollarmath_plugin, double_inline=True)


def elements(text: str, line: int, path: Path) -> Iterator[Element]:
    """The elements of MyST text that begins in ``line`` of the file ``path``, in order.

    Raises:
        SourceError: the options of a directive are not YAML.
    """
    tokens = parser().parse(text)
    for index, token in enumerate(tokens):
        place = line + (token.map[0] if token.map else 0)
        if token.type in ("fence", "colon_fence") and token.info.startswith("{"):
            directive = read_directive(token, place, path)
            yield directive
            if "label" in directive.options:
                yield Label(str(directive.options["label"]), "option", place)
            if directive.name in PROSE_DIRECTIVES:
                yield from elements(directive.body, directive.body_line, path)
        elif token.type == "myst_target":
            yield Label(token.content, "target", place)
        elif token.type == "math_block_label":
            yield Label(token.info, "equation", place)
        elif token.type == "heading_open":
            yield Heading(tokens[index + 1].content, int(token.tag[1]), place)
        elif token.type == "inline":
            yield from _inline(token, place)


def _inline(token: Token, line: int) -> Iterator[Element]:
    for number, text in enumerate(token.content.splitlines()):
        if text.startswith("```{"):
            yield BrokenFence(text, line + number)
    for child in token.children:
        if child.type == "myst_role":
            yield Role(child.meta["name"], child.content, line)
        elif child.type == "image":
            yield Image(child.attrs["src"], child.content, line)
        elif child.type == "math_inline_double" and child.info:
            yield Label(child.info, "equation", line)


def read_directive(token: Token, line: int, path: Path) -> Directive:
    """The directive of a fence that opens in ``line`` of the file ``path``.

    Raises:
        SourceError: its options are not YAML.
    """
    name, _, argument = token.info.removeprefix("{").partition("}")
    lines = token.content.splitlines()
    try:
        options, used = _options(lines)
    except yaml.YAMLError as error:
        raise SourceError(path, line, f"the options of {{{name}}} are not YAML: write :key: value.") from error
    return Directive(
        name=name.strip(),
        argument=argument.strip(),
        options=options,
        body="\n".join(lines[used:]),
        line=line,
        body_line=line + 1 + used,
        lines=token.map[1] - token.map[0],
    )


def _options(lines: list[str]) -> tuple[dict, int]:
    """The options of a directive, as ``:key: text`` lines or YAML between ``---``, and how many lines they take."""
    if lines and lines[0].strip() == "---" and "---" in (line.strip() for line in lines[1:]):
        end = next(index for index, line in enumerate(lines[1:], 1) if line.strip() == "---")
        return yaml.safe_load("\n".join(lines[1:end])) or {}, end + 1
    options = {}
    for used, line in enumerate(lines):
        match = OPTION.match(line)
        if not match:
            return options, used
        options[match["key"]] = match["value"].strip()
    return options, len(lines)


def choices(body: str) -> list[Choice]:
    """The ``- [ ] answer :: reason`` lines in the body of a predict directive; indented lines go on with theirs."""
    joined = re.sub(r"\n(?!- \[)\s*(?=\S)", " ", body.strip())
    return [Choice(match["mark"] == "x", match["answer"], match["reason"] or "") for match in CHOICE.finditer(joined)]


def question_and_answer(checkpoint: Directive) -> tuple[str, str, int]:
    """The body of a checkpoint before and after its line ``---``, and the line in which the answer begins."""
    lines = checkpoint.body.splitlines()
    rule = next((index for index, line in enumerate(lines) if line.strip() == "---"), len(lines))
    return "\n".join(lines[:rule]), "\n".join(lines[rule + 1 :]), checkpoint.body_line + rule + 1
