"""The course's bibliography as text: what a page in plain Markdown can show of a citation."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pyparsing as pp

from course.errors import SourceError

ACCENTS = {"`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", '"': "\u0308", "c": "\u0327", "v": "\u030c"}
ACCENTED = re.compile(r"""\\([`'^~"]|[cv](?=\{|\s))\s*\{?\\?([A-Za-z])\}?""")
VENUES = ("journal", "booktitle", "publisher", "institution", "school", "howpublished")


@dataclass(frozen=True)
class Work:
    """One entry of the bibliography; ``authors`` are family names."""

    key: str
    authors: tuple[str, ...]
    year: str
    title: str
    venue: str
    address: str

    @property
    def names(self) -> str:
        """The authors as a sentence names them: one, two with "and", or the first with "et al."."""
        if len(self.authors) > 2 or self.authors[-1] == "others":
            return f"{self.authors[0]} et al."
        return " and ".join(self.authors)

    @property
    def reference(self) -> str:
        """The entry as a line of a list of references, in Markdown."""
        names = ", ".join(self.authors).replace(", others", " et al.")
        parts = [f"{names} ({self.year}).", f"*{self.title}*."]
        return " ".join(
            [*parts, *([f"{self.venue.rstrip('.')}."] if self.venue else []), *([self.address] if self.address else [])]
        )


def read_bibliography(path: Path) -> dict[str, Work]:
    """Works by key.

    Raises:
        SourceError: the file is not BibTeX.
    """
    text = path.read_text(encoding="utf-8")
    try:
        entries = _grammar().parse_string(text, parse_all=True)
    except pp.ParseBaseException as error:
        raise SourceError(path, error.lineno, "BibTeX was expected: @type{key, field = {value}, …}.") from error
    return {entry["key"]: _work(entry["key"], _fields(entry)) for entry in entries}


def _grammar() -> pp.ParserElement:
    braced = pp.original_text_for(pp.nested_expr("{", "}", ignore_expr=None)).add_parse_action(
        lambda found: found[0][1:-1]
    )
    value = braced | pp.QuotedString('"', multiline=True) | pp.Word(pp.alphanums)
    field = pp.Group(pp.Word(pp.alphas + "_-").set_parse_action(pp.common.downcase_tokens) + pp.Suppress("=") + value)
    fields = pp.Optional(pp.DelimitedList(field, allow_trailing_delim=True))
    key = pp.Word(pp.printables, exclude_chars=",{}")("key")
    entry = pp.Group(
        pp.Suppress("@" + pp.Word(pp.alphas) + "{") + key + pp.Suppress(",") + fields("fields") + pp.Suppress("}")
    )
    return pp.ZeroOrMore(entry).ignore(pp.Regex(r"%[^\n]*"))


def _fields(entry: pp.ParseResults) -> dict[str, str]:
    return {name: value for name, value in entry.get("fields", [])}  # dict() would ask the results for their names


def _text(value: str) -> str:
    """BibTeX's way of writing a text, undone: accents, braces, dashes, line breaks."""
    value = ACCENTED.sub(lambda match: unicodedata.normalize("NFC", match[2] + ACCENTS[match[1]]), value)
    value = value.replace("\\&", "&").replace("~", " ").replace("---", "—").replace("--", "–")
    return " ".join(re.sub(r"[{}]", "", value).split())


def _work(key: str, fields: dict[str, str]) -> Work:
    people = re.split(r"\s+and\s+", fields.get("author") or fields.get("editor") or "")
    text = {name: _text(value) for name, value in fields.items()}
    address = f"https://doi.org/{text['doi']}" if "doi" in text else text.get("url", "")
    return Work(
        key=key,
        authors=tuple(_family(name) for name in people if name)
        or (text.get("organization") or text.get("title", key),),
        year=text.get("year") or text.get("date", "")[:4] or "no year",
        title=text.get("title", key),
        venue=next((text[name] for name in VENUES if name in text), ""),
        address=address,
    )


def _family(name: str) -> str:
    """The family name of "Family, Given" or "Given Family"; a name in braces is one of an organisation."""
    if name.startswith("{") and name.endswith("}"):
        return _text(name)
    return _text(name.split(",")[0] if "," in name else name.split()[-1])
