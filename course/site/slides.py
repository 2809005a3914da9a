"""A lecture's slides: a reveal.js deck out of the same page, with what the lecturer says as speaker notes.

A lecture holds too much text for a wall. The deck shows headings, questions, code with what it printed or played,
figures, tables, formulas and lists; paragraphs go to the speaker notes, unless they open with a bold word such as
**Question.** A block with ``slideshow: {slide_type: notes}`` is a note for its whole section.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from course.errors import CourseError
from course.storage import write_atomic

STATIC = ("deck.css", "deck.js")
REVEAL = {
    "dist/reveal.css": "reveal.css",
    "dist/reveal.mjs": "reveal.mjs",
    "dist/plugin/notes.mjs": "notes.mjs",
    "LICENSE": "LICENSE",
}
CAPACITY = 17.0  # of a slide, in lines of text 22 px high; what is over is shrunk by deck.js
SHRUNK = 1.1  # how far over capacity two things may be together
CHARACTERS = 80  # of a line
LEAD = '<div class="lead-part">'
PREDICTION = 'class="box predict"'
UNDRAWN = {"comment", "mystTarget", "footnoteDefinition", "bibliography"}
SAME_PAGE = re.compile(r'href="#([^"]+)"')


class PageRenderer(Protocol):
    """What the deck needs of the theme's page (book/theme/renderer/registry.py)."""

    root: str
    url: str

    def render(self, node: dict) -> str: ...


@dataclass
class Frame:
    """One slide.

    ``title`` is the HTML of a section's heading on its first slide; ``parts`` the HTML of what is shown; ``said`` that
    of the speaker notes.
    """

    title: str = ""
    name: str = ""
    parts: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def body(self) -> Markup:
        return Markup("\n".join(self.parts))

    @property
    def notes(self) -> Markup:
        return Markup("\n".join(self.said))

    @property
    def empty(self) -> bool:
        return not self.parts and not self.title


class Deck:
    """Slides in the making: a stack per section, as a lecture has one per experiment."""

    def __init__(self, page: PageRenderer):
        self.page = page
        self.stacks: list[list[Frame]] = [[Frame()]]
        self.asked = False  # whether the slide ends in a prediction, under which the answer must not show

    @property
    def frame(self) -> Frame:
        return self.stacks[-1][-1]

    def add_block(self, block: dict) -> None:
        """Place a block of the page by its slide type; a block without one goes on where the last one ended."""
        kind = ((block.get("data") or {}).get("slideshow") or {}).get("slide_type")
        if kind == "skip" or block.get("visibility") == "remove":
            return
        if kind == "notes":
            self.stacks[-1][0].said[:0] = [self.page.render(child) for child in block.get("children", [])]
            return
        if kind in ("slide", "subslide"):
            self.turn()
        before = self.frame, len(self.frame.parts)
        if block.get("kind") == "notebook-code":
            self.add_cell(block)
        else:
            for node in block.get("children", []):
                self.add_node(node)
        if kind == "fragment" and before[0] is self.frame:
            shown = "\n".join(self.frame.parts[before[1] :])
            self.frame.parts[before[1] :] = [f'<div class="fragment">{shown}</div>']

    def add_node(self, node: dict) -> None:
        if node["type"] == "heading" and node["depth"] <= 2:
            self.open_stack(node)
        elif node["type"] == "paragraph":
            self.add_paragraph(node)
        elif node["type"] not in UNDRAWN:
            self.show(self.page.render(node))

    def add_paragraph(self, node: dict) -> None:
        html = self.page.render(node)
        if node["children"] and node["children"][0]["type"] == "strong":
            self.show(f"{LEAD}{html}</div>")
        else:
            self.frame.said.append(html)

    def add_cell(self, block: dict) -> None:
        """Code and its result on one slide, side by side where the result is a figure."""
        html = [(node["type"], self.page.render(node)) for node in block.get("children", [])]
        body = "".join(text for _, text in html)
        code = any(kind == "code" and text.startswith("<div") for kind, text in html)
        beside = " beside" if code and any(kind == "outputs" and "<img" in text for kind, text in html) else ""
        if body.strip():
            self.show(f'<div class="cell{beside}">{body}</div>')

    def show(self, html: str) -> None:
        """Put something on the slide, or on the next one if this one has no room for it."""
        if not html.strip():
            return
        # To the deck every <section> is a slide, so that those of the page's boxes become groups.
        html = html.replace("<section ", '<div role="group" ').replace("</section>", "</div>")
        taken = sum(map(height, self.frame.parts)) + (3 if self.frame.title else 1)
        if self.frame.parts and (self.asked or taken + height(html) > SHRUNK * CAPACITY):
            self.turn(carry=self.frame.parts[-1].startswith(LEAD) and len(self.frame.parts) > 1)
        self.frame.parts.append(html)
        self.asked = PREDICTION in html

    def turn(self, carry: bool = False) -> None:
        """Go on with an empty slide of the same section; ``carry`` takes the last part along."""
        self.asked = False
        if not self.frame.empty:
            carried = [self.frame.parts.pop()] if carry else []
            self.stacks[-1].append(Frame(name=self.stacks[-1][0].name, parts=carried))

    def open_stack(self, heading: dict) -> None:
        if not self.stacks[-1][0].empty:
            self.stacks.append([Frame()])
        self.frame.title = Markup("".join(self.page.render(child) for child in heading.get("children", [])))
        self.frame.name = self.frame.title.striptags()

    def finished(self) -> Iterator[list[Frame]]:
        """The stacks, without slides on which nothing stands; their notes go to the slide before."""
        for stack in self.stacks:
            shown: list[Frame] = []
            for frame in stack:
                if frame.empty and shown:
                    shown[-1].said += frame.said
                elif not frame.empty:
                    shown.append(frame)
            if len(shown) == 1 and not shown[0].parts:  # a section of prose alone, such as the summary
                shown[0].parts, shown[0].said = shown[0].said, []
            if shown:
                yield shown


def height(html: str) -> float:
    """A guess at what a piece of a slide takes, in lines of text."""
    if "<img" in html:
        return CAPACITY * 0.8
    if 'class="widget"' in html:
        return 1.1 * CAPACITY
    code = re.findall(r"<pre.*?</pre>", html, re.DOTALL)
    text = re.sub(r"<pre.*?</pre>|<details.*?</details>|<math.*?</math>|<[^>]+>", "", html, flags=re.DOTALL)
    lines = 1 + len(text) / CHARACTERS + sum(1 + 0.85 * block.count("\n") for block in code)
    return (
        lines
        + 2 * html.count("<audio")
        + 0.9 * html.count("<tr")
        + html.count("<label")
        + 2.5 * html.count('display="block"')
    )


def has_slides(tree: dict) -> bool:
    """Whether the author marked slides in the page (``tree`` is the engine's ``mdast``)."""
    kinds = (((block.get("data") or {}).get("slideshow") or {}).get("slide_type") for block in tree["children"])
    return any(kind in ("slide", "subslide", "fragment") for kind in kinds)


def write_deck(
    tree: dict, page: PageRenderer, out: Path, theme: Path, *, title: str, subtitle: str, site: dict
) -> None:
    """Write the slides of a lecture to the page's folder, and reveal.js to the site's ``files``.

    Args:
        tree: the lecture as the engine hands it over (``mdast``).
        page: a page of the theme's renderer, with the deck's own URL, ``…/slides/``.
        out: the site's folder.
        theme: book/theme.
        title: the lecture's title.
        subtitle: its description.
        site: the theme's manifest, for the course's title.

    Raises:
        CourseError: reveal.js is not installed.
    """
    deck = Deck(page)
    for block in tree["children"]:
        deck.add_block(block)
    templates = Environment(loader=FileSystemLoader(theme / "slides"), autoescape=True, undefined=StrictUndefined)
    template = templates.get_template("deck.html")
    html = template.render(root=page.root, title=title, subtitle=subtitle, site=site, stacks=list(deck.finished()))
    write_atomic(out / page.url / "index.html", _with_outside_links(html))
    _copy_files(theme, out / "files")


def _with_outside_links(html: str) -> str:
    """Links to what is not on a slide, such as the list of references, lead to the lecture instead."""
    here = set(re.findall(r'\bid="([^"]+)"', html))
    return SAME_PAGE.sub(lambda match: match[0] if match[1] in here else f'href="../#{match[1]}"', html)


def _copy_files(theme: Path, files: Path) -> None:
    reveal = theme / "node_modules" / "reveal.js"
    if not reveal.is_dir():
        raise CourseError(
            f"reveal.js was expected in {reveal}. Install the theme's packages: make site, or npm ci there."
        )
    (files / "reveal").mkdir(parents=True, exist_ok=True)
    for name in STATIC:
        shutil.copyfile(theme / "slides" / name, files / name)
    for source, name in REVEAL.items():
        shutil.copyfile(reveal / source, files / "reveal" / name)
