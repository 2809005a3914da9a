"""MyST turned into Markdown and HTML that JupyterLab and Colab show without knowing MyST."""

import ast
import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from course.errors import SourceError
from course.site.bibliography import Work
from course.site.source import (
    ADMONITIONS,
    ASIDES,
    QUOTES,
    Directive,
    Heading,
    Label,
    Source,
    choices,
    parser,
    question_and_answer,
    read_directive,
    read_source,
)

BLOCKS = ("fence", "colon_fence", "math_block_label")
VERBATIM = ("code_block", "html_block", "math_block", "amsmath")
DROPPED = ("myst_target", "myst_line_comment")
NUMBERED = {"figure": "Figure", "table": "Table", "list-table": "Table", "exercise": "Exercise"}
CITATIONS = {  # what stands before, how each work reads, what stands after
    "cite": ("", "{names} ({year})", ""),
    "cite:t": ("", "{names} ({year})", ""),
    "cite:p": ("(", "{names}, {year}", ")"),
    "cite:author": ("", "{names}", ""),
    "cite:year": ("", "{year}", ""),
}
TAGS = {
    "sub": "sub",
    "subscript": "sub",
    "sup": "sup",
    "superscript": "sup",
    "u": "u",
    "del": "del",
    "kbd": "kbd",
    "keyboard": "kbd",
}
INLINE = re.compile(
    r"""(?P<role>\{(?P<name>[\w:.-]+)\}(?P<tick>`+)(?P<content>.+?)(?<!`)(?P=tick)(?!`))
    | (?P<code>(?P<fence>`+)(?!`).+?(?<!`)(?P=fence)(?!`))
    | (?P<maths>(?<!\\)\$[^$]+?(?<!\\)\$)
    | (?P<image>!\[(?P<alt>[^\]]*)\]\((?P<source>[^)\s]+)[^)]*\))
    | (?P<link>\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^)\s]+)[^)]*\))
    | (?P<cited>\[@(?P<keys>[\w:.;@\s-]+)\])
    | (?P<note>\[\^(?P<mark>[^\]\s]+)\](?P<defined>:[ ])?)""",
    re.VERBOSE | re.DOTALL,
)
WITH_TEXT = re.compile(r"^(?P<text>.+?)\s*<(?P<label>[^>]+)>$", re.DOTALL)


@dataclass
class Plain:
    """A page on its way to plain Markdown.

    Attributes:
        source: the page.
        works: the bibliography by key.
        values: what the {eval} expressions of the page gave, where that is known.
        images: files that the text shows, by the names it shows them under; the caller attaches them.
        cited: keys of the works cited so far.
    """

    source: Source
    works: dict[str, Work]
    values: Mapping[str, str] = field(default_factory=dict)
    images: dict[str, Path] = field(default_factory=dict)
    cited: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self):
        self.names = reference_names(self.source)

    def markdown(self, text: str, line: int) -> str:
        """Plain Markdown of MyST text that begins in ``line`` of the page.

        Raises:
            SourceError: a directive, role, label or citation that is not known.
        """
        lines = text.splitlines()
        pieces, done = [], 0
        for token in parser().parse(text):
            if token.map is None or token.map[0] < done or token.type not in (*VERBATIM, *DROPPED, *BLOCKS):
                continue
            start, end = token.map
            pieces.append(self._prose(lines[done:start], line + done))
            indent = re.match(r"\s*", lines[start])[0]
            pieces += [indent + part if part else part for part in self._block(token, lines, line).splitlines()]
            done = end
        pieces.append(self._prose(lines[done:], line + done))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(pieces)).strip("\n")

    def references(self) -> str:
        """The list of the works cited so far."""
        works = sorted((self.works[key] for key in self.cited), key=lambda work: (work.names, work.year))
        return "\n".join(f"- {work.reference}" for work in works)

    def _block(self, token, lines: list[str], line: int) -> str:
        if token.type in DROPPED:
            return ""
        if token.type == "math_block_label":
            return f"$$\n{token.content.strip()} \\tag{{{self.number_of(token.info, line + token.map[0])}}}\n$$"
        if token.type in ("fence", "colon_fence") and token.info.startswith("{"):
            return self._directive(read_directive(token, line + token.map[0], self.source.path))
        return "\n".join(part.strip() if token.level else part for part in lines[slice(*token.map)])

    def _directive(self, directive: Directive) -> str:
        degrade = DIRECTIVES.get(directive.name)
        if degrade is None:
            raise self._error(directive.line, f"the directive {{{directive.name}}} cannot be written as plain Markdown")
        return degrade(self, directive)

    def _prose(self, lines: list[str], line: int) -> str:
        return INLINE.sub(lambda match: self._inline(match, line), "\n".join(lines))

    def _inline(self, match: re.Match, line: int) -> str:
        if match["role"]:
            return self._role(match["name"], match["content"], line)
        if match["image"]:
            return self.image(match["source"], match["alt"], line)
        if match["link"]:
            return self._link(match["text"], match["target"], line)
        if match["cited"]:
            keys = re.split(r"[;\s]+", match["keys"].replace("@", ""))
            return f"({self._citation(keys, '{names}, {year}', line)})"
        if match["note"]:
            return self._footnote(match["mark"], bool(match["defined"]))
        return match[0]

    def _role(self, name: str, content: str, line: int) -> str:
        if name in TAGS:
            return f"<{TAGS[name]}>{html.escape(content)}</{TAGS[name]}>"
        if name in ("ref", "eq", "numref"):
            return self._reference(content, line)
        if name in CITATIONS:
            before, form, after = CITATIONS[name]
            return before + self._citation(re.split(r"\s*,\s*", content.strip()), form, line) + after
        match name:
            case "math":
                return f"${content}$"
            case "eval":
                return self.values.get(content) or f"`{_shown_expression(content)}`"
            case "abbr":
                return content.partition(" (")[0]
        raise self._error(line, f"the role {{{name}}} cannot be written as plain Markdown")

    def _reference(self, content: str, line: int) -> str:
        match = WITH_TEXT.match(content)
        if not match:
            return self.name(content, line)
        return match["text"].replace("%s", self.number_of(match["label"], line))

    def _link(self, text: str, target: str, line: int) -> str:
        if re.match(r"[a-z]+:", target):
            return f"[{self.inline(text, line)}]({target})"
        if text:
            return self.inline(text, line)
        path, _, label = target.partition("#")
        if not path:
            return self.name(label, line)
        page = self.source.path.parent / path
        if not page.is_file():
            raise self._error(line, f"there is no page {path} to link to")
        return f"“{read_source(page).front.get('title', page.stem)}”"

    def _citation(self, keys: list[str], form: str, line: int) -> str:
        for key in keys:
            if key not in self.works:
                raise self._error(line, f"the bibliography has no work with the key {key}")
            if key not in self.cited:
                self.cited.append(key)
        return "; ".join(form.format(names=self.works[key].names, year=self.works[key].year) for key in keys)

    def _footnote(self, mark: str, defined: bool) -> str:
        if mark not in self.notes:
            self.notes.append(mark)
        return f"<sup>{self.notes.index(mark) + 1}</sup>" + (" " if defined else "")

    def name(self, label: str, line: int) -> str:
        if label.lower() not in self.names:
            raise self._error(line, f"nothing on this page has the label {label}")
        return self.names[label.lower()]

    def number_of(self, label: str, line: int) -> str:
        return self.name(label, line).split(" ")[-1].strip("()")

    def image(self, source: str, alt: str, line: int) -> str:
        """A picture out of a file beside the page."""
        file = self.source.path.parent / source
        if not file.is_file():
            raise self._error(line, f"there is no file {source} beside the page")
        self.images[file.name] = file
        return f"![{alt}](attachment:{file.name})"

    def body(self, directive: Directive) -> str:
        """The directive's body as plain Markdown."""
        return self.markdown(directive.body, directive.body_line)

    def inline(self, text: str, line: int) -> str:
        """One line of MyST as plain Markdown."""
        return self._prose([text], line)

    def count(self, kind: str) -> int:
        """The number of the next figure, table or exercise."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return self.counts[kind]

    def _error(self, line: int, message: str) -> SourceError:
        return SourceError(self.source.path, line, f"{message}: write it another way, or correct it.")


def reference_names(source: Source) -> dict[str, str]:
    """What a reference to each label of the page reads as, such as "Figure 2", "(1)" or a heading's text."""
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    waiting: list[str] = []

    def count(kind: str) -> int:
        counts[kind] = counts.get(kind, 0) + 1
        return counts[kind]

    for element in source.elements():
        match element:
            case Label(name=name, kind="equation"):
                names[name.lower()] = f"({count('Equation')})"
            case Label(name=name, kind="target"):
                waiting.append(name.lower())
            case Heading(text=text):
                names |= dict.fromkeys(waiting, f"“{text}”")
                waiting.clear()
            case Directive():
                labels = [*waiting, *([str(element.options["label"]).lower()] if "label" in element.options else [])]
                names |= dict.fromkeys(labels, _directive_name(element, bool(labels), count))
                waiting.clear()
    return names


def _directive_name(directive: Directive, labelled: bool, count: Callable[[str], int]) -> str:
    if directive.name in NUMBERED:
        return f"{NUMBERED[directive.name]} {count(NUMBERED[directive.name])}"
    if directive.name == "math" and labelled:
        return f"({count('Equation')})"
    return f"“{directive.argument}”" if directive.argument else f"the {directive.name}"


def _shown_expression(code: str) -> str:
    """The expression without the f-string that only formats it."""
    tree = ast.parse(code.strip(), mode="eval").body
    if isinstance(tree, ast.JoinedStr) and len(tree.values) == 1 and isinstance(tree.values[0], ast.FormattedValue):
        return ast.unparse(tree.values[0].value)
    return code


def quoted(title: str, body: str) -> str:
    """A block quote under a bold title."""
    lines = [f"**{title}**", "", *body.splitlines()] if title else body.splitlines()
    return "\n".join(f"> {line}".rstrip() for line in lines)


def folded(summary: str, body: str) -> str:
    """Text that opens on a click."""
    return f"<details><summary>{html.escape(summary)}</summary>\n\n{body}\n\n</details>"


def _admonition(page: Plain, directive: Directive) -> str:
    return quoted(page.inline(directive.argument, directive.line) or directive.name.capitalize(), page.body(directive))


def _aside(page: Plain, directive: Directive) -> str:
    return quoted(page.inline(directive.argument, directive.line), page.body(directive))


def _dropdown(page: Plain, directive: Directive) -> str:
    return folded(directive.argument or "More", page.body(directive))


def _body(page: Plain, directive: Directive) -> str:
    return page.body(directive)


def _tab(page: Plain, directive: Directive) -> str:
    return f"**{directive.argument}**\n\n{page.body(directive)}"


def _exercise(page: Plain, directive: Directive) -> str:
    number = page.count("Exercise")
    title = (
        f"Exercise {number} ({page.inline(directive.argument, directive.line)})"
        if directive.argument
        else f"Exercise {number}"
    )
    return f"**{title}.**\n\n{page.body(directive)}"


def _solution(page: Plain, directive: Directive) -> str:
    return folded(f"Solution to {page.name(directive.argument, directive.line)}", page.body(directive))


def _checkpoint(page: Plain, directive: Directive) -> str:
    body, answer, answer_line = question_and_answer(directive)
    asked = f"{page.inline(directive.argument, directive.line)}\n\n{page.markdown(body, directive.body_line)}".strip()
    return f"{quoted('Checkpoint.', asked)}\n\n{folded('Answer', page.markdown(answer, answer_line))}"


def _predict(page: Plain, directive: Directive) -> str:
    asked = page.inline(directive.argument, directive.line)
    if "answer" in directive.options:
        return f"{quoted('Predict.', asked)}\n\n{folded('Answer', _number_answer(page, directive))}"
    offered = [
        (choice.right, page.inline(choice.answer, directive.body_line), page.inline(choice.reason, directive.body_line))
        for choice in choices(directive.body)
    ]
    question = "\n".join([asked, "", *(f"- {answer}" for _, answer, _ in offered)])
    reasons = "\n".join(
        f"- “{answer}”: {'**right.**' if right else 'wrong.'} {reason}" for right, answer, reason in offered
    )
    return f"{quoted('Predict.', question)}\n\n{folded('Answer', reasons)}"


def _number_answer(page: Plain, directive: Directive) -> str:
    unit, tolerance = directive.options.get("unit", ""), directive.options.get("tolerance")
    number = directive.options["answer"] + (f" ± {tolerance}" if tolerance else "")
    return f"**{number} {unit}".rstrip() + f".** {page.body(directive)}"


def _figure(page: Plain, directive: Directive) -> str:
    picture = ""
    if not directive.argument.startswith("#"):  # the output of a cell is where the cell is
        picture = page.image(directive.argument, directive.options.get("alt", ""), directive.line) + "\n\n"
    caption = " ".join(page.body(directive).split("\n"))
    return f"{picture}*Figure {page.count('Figure')}.* {caption}".rstrip()


def _image(page: Plain, directive: Directive) -> str:
    return page.image(directive.argument, directive.options.get("alt", ""), directive.line)


def _math(page: Plain, directive: Directive) -> str:
    label = directive.options.get("label")
    tag = f" \\tag{{{page.number_of(label, directive.line)}}}" if label else ""
    return f"$$\n{directive.body.strip()}{tag}\n$$"


def _table(page: Plain, directive: Directive) -> str:
    return f"{_table_title(page, directive)}\n\n{page.body(directive)}"


def _table_title(page: Plain, directive: Directive) -> str:
    return f"**Table {page.count('Table')}.** {page.inline(directive.argument, directive.line)}".rstrip()


def _list_table(page: Plain, directive: Directive) -> str:
    """Rows are the outer list's items, cells the inner one's; the first row becomes the heading, as pipes need one."""
    rows: list[list[str]] = []
    for token in parser().parse(directive.body):
        if token.type == "list_item_open" and token.level == 1:
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append(page.inline(token.content.replace("\n", " "), directive.body_line + token.map[0]))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([_table_title(page, directive), "", lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])


def _code(page: Plain, directive: Directive) -> str:
    return f"```{directive.argument}\n{directive.body}\n```"


def _widget(page: Plain, directive: Directive) -> str:
    title = page.source.front.get("title", "")
    return f"*Here the course page “{title}” has an interactive widget, which works in the browser alone.*"


def _bibliography(page: Plain, directive: Directive) -> str:
    return ""  # the notebook ends with the works that it cites


DIRECTIVES: dict[str, Callable[[Plain, Directive], str]] = {
    **dict.fromkeys(ADMONITIONS, _admonition),
    **dict.fromkeys(ASIDES | QUOTES, _aside),
    **dict.fromkeys(("div", "tab-set"), _body),
    **dict.fromkeys(("code", "code-block"), _code),
    "tab-item": _tab,
    "dropdown": _dropdown,
    "exercise": _exercise,
    "solution": _solution,
    "checkpoint": _checkpoint,
    "predict": _predict,
    "figure": _figure,
    "image": _image,
    "math": _math,
    "table": _table,
    "list-table": _list_table,
    "anywidget": _widget,
    "bibliography": _bibliography,
}
