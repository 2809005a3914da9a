"""What every page owes to readers, search engines and screen readers, read from its HTML."""

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser

from bs4 import BeautifulSoup

from course.site.checks.pages import Page
from course.site.checks.report import CheckResult, Finding

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
MAY_STAY_OPEN = {"p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option"}
LONGEST_DESCRIPTION = 160


def check_markup(pages: list[Page]) -> CheckResult:
    """Titles, descriptions, headings, ids, languages and alternative texts of all pages."""
    findings = [Finding(page=page.path, message=message) for page in pages for message in _page_problems(page)]
    for text, paths in _shared(pages, _title).items():
        findings.append(Finding(page=paths[-1], message=f"has the title of {paths[0]} ({text}): give each its own."))
    for text, paths in _shared(pages, _description).items():
        findings.append(Finding(page=paths[-1], message=f"has the description of {paths[0]} ({text}): write its own."))
    return CheckResult(name="markup", covered=f"{len(pages)} pages", findings=findings)


def _shared(pages: list[Page], read) -> dict[str, list[str]]:
    """Texts that several pages have, with their paths."""
    holders: dict[str, list[str]] = {}
    for page in pages:
        holders.setdefault(read(page.soup), []).append(page.path)
    return {text: paths for text, paths in holders.items() if text and len(paths) > 1}


def _title(soup: BeautifulSoup) -> str:
    return soup.title.get_text(strip=True) if soup.title else ""


def _description(soup: BeautifulSoup) -> str:
    tag = soup.find("meta", attrs={"name": "description"})
    return tag.get("content", "").strip() if tag else ""


def _page_problems(page: Page) -> Iterator[str]:
    if not page.html.lstrip().lower().startswith("<!doctype html>"):
        yield "does not begin with <!doctype html>."
    yield from _balance_problems(page.html)
    yield from _head_problems(page.soup)
    if page.kind != "slides":  # a deck has a heading per slide and no outline
        yield from _heading_problems(page.soup)
    for name, count in Counter(tag["id"] for tag in page.soup.find_all(id=True)).items():
        if count > 1:
            yield f"the id {name} is used {count} times: links to it reach only the first."
    for image in page.soup.find_all("img"):
        decorative = image.get("role") in ("presentation", "none") or image.get("aria-hidden") == "true"
        if not decorative and not image.get("alt", "").strip():
            yield f"the image {image.get('src', '')[:80]} has no alternative text."


def _head_problems(soup: BeautifulSoup) -> Iterator[str]:
    if not soup.html or not soup.html.get("lang"):
        yield "<html> names no language: add lang."
    if not _title(soup):
        yield "has no <title>."
    description = _description(soup)
    if not description:
        yield "has no description: add <meta name=description>."
    elif len(description) > LONGEST_DESCRIPTION:
        yield f"the description has {len(description)} characters, of which search pages show {LONGEST_DESCRIPTION}."
    if not soup.find("meta", attrs={"name": "viewport"}):
        yield "has no <meta name=viewport>: phones would show it shrunk."


def _heading_problems(soup: BeautifulSoup) -> Iterator[str]:
    headings = soup.find_all(["h1", "h2", "h3", "h4", "h5", "h6"])
    tops = sum(tag.name == "h1" for tag in headings)
    if tops != 1:
        yield f"has {tops} h1 headings where one was expected."
    outline = (soup.main or soup).find_all(["h1", "h2", "h3", "h4", "h5", "h6"])
    for before, after in zip(outline, outline[1:], strict=False):
        if int(after.name[1]) > int(before.name[1]) + 1:
            yield f"the heading “{after.get_text(strip=True)}” is an {after.name} right under an {before.name}."


class _Balance(HTMLParser):
    """Follows start and end tags and notes those that do not fit together."""

    def __init__(self):
        super().__init__()
        self.open: list[tuple[str, int]] = []
        self.problems: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag, attrs):
        """``<path/>`` in inline SVG opens nothing."""

    def handle_endtag(self, tag):
        while self.open and self.open[-1][0] != tag and self.open[-1][0] in MAY_STAY_OPEN:
            self.open.pop()
        if self.open and self.open[-1][0] == tag:
            self.open.pop()
        elif tag not in VOID:
            inner = f"<{self.open[-1][0]}> of line {self.open[-1][1]}" if self.open else "nothing"
            self.problems.append(f"line {self.getpos()[0]}: </{tag}> ends while {inner} is open.")


def _balance_problems(html: str) -> list[str]:
    parser = _Balance()
    parser.feed(html)
    parser.close()
    left = [f"<{tag}> of line {line} is never closed." for tag, line in parser.open if tag not in MAY_STAY_OPEN]
    return (parser.problems + left)[:3]  # the first mismatch explains the rest
