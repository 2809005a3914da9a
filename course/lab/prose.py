"""Headings and words of a lab's markdown cells."""

from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin


def last_heading(markdown: str) -> str | None:
    """The text of the last heading; None if there is none."""
    tokens = _tokens(markdown)
    titles = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"]
    return titles[-1] if titles else None


def count_words(markdown: str) -> int:
    """Words of prose after the last heading; code blocks, displayed mathematics and tables do not count."""
    tokens = _tokens(markdown)
    last = max((place for place, token in enumerate(tokens) if token.type == "heading_close"), default=-1)
    return sum(len(text.split()) for text in _prose(tokens[last + 1 :]))


def _prose(tokens: Iterable[Token]) -> Iterator[str]:
    in_table = False
    for token in tokens:
        in_table = (in_table or token.type == "table_open") and token.type != "table_close"
        if token.type == "inline" and not in_table:
            yield "".join(child.content or " " for child in token.children)


def _tokens(markdown: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").use(dollarmath_plugin).parse(markdown)
