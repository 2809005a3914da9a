"""``course site pdf``: the whole course as one tagged PDF, printed by Chromium from the pages of the built site.

The pages become one document, so that a reference from one lecture to another is a link inside the file, and pages are
numbered through. It is printed twice: the first print tells on which page each chapter begins, the second says so in
the table of contents.
"""

import io
import posixpath
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag
from pypdf import PdfReader

from course.errors import CourseError
from course.site.checks.browser import chromium
from course.site.checks.hosting import hosted
from course.site.checks.pages import Page
from course.storage import write_atomic

PATIENCE = 600_000  # milliseconds; a lecture has forty figures
PAPER = {"format": "A4", "margin": {"top": "18mm", "bottom": "20mm", "left": "20mm", "right": "20mm"}}
FOOTER = """<div style="width: 100%; margin: 0 20mm; font: 8pt serif; display: flex; justify-content: space-between">
<span>{title}</span><span class="pageNumber"></span></div>"""
NAMES_OF_OTHERS = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "aria-owns", "headers", "list")
ADDRESSES = ("href", "src", "poster", "srcset")
ON_SCREEN_ONLY = ".actions, details.contents, script, .copy, .anchor, .back, .skip"
STYLE = """
.chapter { break-before: page; }
.front { break-after: page; padding-top: 60mm; }
.front h1 { font-size: 30pt; }
.listing { list-style: none; padding: 0; }
.listing li { display: flex; gap: 1em; justify-content: space-between; }
.listing .part { font-weight: 600; margin-top: 1em; }
.on-site { font-style: italic; }
"""


def print_site(site: Path, file: Path) -> int:
    """Print a built site.

    Args:
        site: the folder that it was built into.
        file: the PDF to write; a good one that is there stays until the new one is whole.

    Returns:
        How many pages of paper it has.

    Raises:
        CourseError: there is no site, or no browser.
    """
    if not (site / "index.html").is_file():
        raise CourseError(f"A built site with an index.html was expected in {site}. Build it first: course site build.")
    chapters = Chapters(site)
    first = print_document(site, chapters, {})
    starts = chapter_pages(first)
    whole = print_document(site, chapters, starts)
    if chapter_pages(whole) != starts:  # the numbers themselves have moved a chapter
        whole = print_document(site, chapters, chapter_pages(whole))
    write_atomic(file, whole)
    return len(PdfReader(io.BytesIO(whole)).pages)


class Chapters:
    """The pages of the site in the order of its navigation, as parts of one document."""

    def __init__(self, site: Path):
        self.site = site
        landing = Page(site, "index.html")
        self.title = landing.soup.select_one(".brand span").get_text()
        self.description = landing.soup.find("meta", attrs={"name": "description"})["content"]
        self.version = _text(landing.soup.select_one(".commit"))
        self.head = "".join(str(style) for style in landing.soup.head.find_all("style"))
        self.parts: list[tuple[str, str]] = []  # what the table of contents lists: the name of a chapter, or "", title
        self.names: dict[str, str] = {}  # address below the site -> name in the document
        for entry in landing.soup.select("nav.book h2, nav.book a"):
            if entry.name == "h2":
                self.parts.append(("", entry.get_text()))
            else:
                address = entry["href"].removeprefix("./")
                self.names[address] = "page-" + (address.strip("/").replace("/", "-") or "home")
                self.parts.append((self.names[address], entry.get_text()))

    def articles(self) -> str:
        """All pages' articles, one after the other."""
        return "".join(self.article(address, name) for address, name in self.names.items())

    def article(self, address: str, name: str) -> str:
        """One page's article, its names and addresses made those of the whole document."""
        soup = BeautifulSoup((self.site / unquote(address) / "index.html").read_text(encoding="utf-8"), "html.parser")
        article = soup.article
        for tag in article.select(ON_SCREEN_ONLY):
            tag.decompose()
        for tag in article.select("audio, .widget"):
            tag.replace_with(_note(soup, tag))
        for tag in article.find_all("details"):
            tag["open"] = ""
        for tag in article.find_all(True):
            self.rename(tag, address, name)
        return f'<section class="chapter" id="{name}">{article}</section>'

    def rename(self, tag: Tag, address: str, name: str) -> None:
        """Make a tag's ids, and what points at ids and files, right in the whole document."""
        if tag.has_attr("id"):
            tag["id"] = f"{name}--{tag['id']}"
        if tag.has_attr("loading"):
            del tag["loading"]  # on paper nothing is scrolled into view
        for key in NAMES_OF_OTHERS:
            if tag.has_attr(key):
                words = tag[key] if isinstance(tag[key], list) else tag[key].split()
                tag[key] = " ".join(f"{name}--{word}" for word in words)
        for key in ADDRESSES:
            if tag.has_attr(key):
                tag[key] = self.moved(tag[key], address, name)

    def moved(self, target: str, address: str, name: str) -> str:
        """Where something that the page at ``address`` points at is, for the whole document below the landing page."""
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            return target
        if not parts.path:
            return f"#{name}--{parts.fragment}" if parts.fragment else f"#{name}"
        path = posixpath.normpath(posixpath.join(address, parts.path))
        folder = "" if path == "." else path.removesuffix("index.html").rstrip("/") + "/"
        if folder in self.names:
            return f"#{self.names[folder]}" + (f"--{parts.fragment}" if parts.fragment else "")
        return path

    def document(self, starts: dict[str, int]) -> str:
        """The whole document; ``starts`` are the first pages of chapters, by title, as far as they are known."""
        rows = "".join(self.row(name, title, starts) for name, title in self.parts)
        return (
            f'<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{self.title}</title>'
            f"{self.head}<style>{STYLE}</style></head><body><main>"
            f'<section class="front"><h1>{self.title}</h1><p>{self.description}</p><p>{self.version}</p></section>'
            f'<section class="chapter"><h1>Contents</h1><ul class="listing">{rows}</ul></section>'
            f"{self.articles()}</main></body></html>"
        )

    def row(self, name: str, title: str, starts: dict[str, int]) -> str:
        """One line of the table of contents."""
        if not name:
            return f'<li class="part">{title}</li>'
        heading = self.headings[name]
        return f'<li><a href="#{name}">{title}</a><span>{starts.get(_closed(heading), "")}</span></li>'

    @property
    def headings(self) -> dict[str, str]:
        """Each chapter's own title, which the PDF's outline has."""
        return {
            name: _text(Page(self.site, f"{address}index.html").soup.select_one("article h1"))
            for address, name in self.names.items()
        }


def print_document(site: Path, chapters: Chapters, starts: dict[str, int]) -> bytes:
    """The PDF of the whole document."""
    html = chapters.document(starts)
    with hosted(site) as address, chromium() as browser:
        tab = browser.new_page(color_scheme="light")
        tab.set_default_timeout(PATIENCE)
        tab.route(f"{address}whole.html", lambda route: route.fulfill(body=html, content_type="text/html"))
        tab.goto(f"{address}whole.html", wait_until="networkidle")
        tab.emulate_media(media="print")
        footer = FOOTER.format(title=chapters.title)
        return tab.pdf(
            **PAPER,
            tagged=True,
            outline=True,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=footer,
        )


def chapter_pages(pdf: bytes) -> dict[str, int]:
    """The page, counted from 1, on which each entry at the top of the PDF's outline begins, by its title.

    Titles are without spaces: where a heading is broken into lines, Chromium's outline has lost them.
    """
    reader = PdfReader(io.BytesIO(pdf))
    return {
        _closed(entry.title): reader.get_destination_page_number(entry) + 1
        for entry in reader.outline
        if not isinstance(entry, list)
    }


def _note(soup: BeautifulSoup, tag: Tag) -> Tag:
    """What paper has in the place of something that plays or moves."""
    label = tag.get("aria-label") or tag.get("title") or ""
    what = "A recording" if tag.name == "audio" else "An interactive figure"
    note = soup.new_tag("p", attrs={"class": "on-site"})
    note.string = f"{what}, on the site{': ' + label if label else ''}."
    return note


def _closed(title: str) -> str:
    return re.sub(r"\s+", "", title)


def _text(tag: Tag | None) -> str:
    return re.sub(r"\s+", " ", tag.get_text()).strip() if tag else ""
