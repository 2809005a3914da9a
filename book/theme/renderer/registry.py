"""The table of node types, and the page that a node is rendered for.

A node type joins by ``@renders("type", "option …")``. A type or an option that nobody declared is a problem that stops
the build: what the theme does not know must not vanish from a page.
"""

import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from renderer.assets import Assets

ANYWHERE = {"type", "children", "position", "key", "identifier", "label", "html_id", "implicit"}

Renderer = Callable[[dict, "Page"], str]
RENDERERS: dict[str, tuple[Renderer, set[str]]] = {}


def renders(types: str, options: str = "") -> Callable[[Renderer], Renderer]:
    """Declare the function for the blank-separated node ``types`` and the node fields that it knows."""

    def declare(function: Renderer) -> Renderer:
        for type_name in types.split():
            RENDERERS[type_name] = (function, set(options.split()) | ANYWHERE)
        return function

    return declare


@dataclass(frozen=True)
class Problem:
    """Something in a page that the renderer refuses, at a place in the staged source.

    ``line`` is a line of it, or ``cell 3`` for the third executed code cell, of which the engine tells no line.
    """

    source: str
    line: int | str
    message: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}: {self.message}"


@dataclass
class Page:
    """One page while it is rendered.

    Attributes:
        source: the file's path in the staged project, as the engine names it (without leading slash).
        url: the page's folder in the site, "" for the landing page, else with a trailing slash.
        assets: where bytes of the page (figures, audio) go.
        sources: staged source path → page folder in the site, of every page that exists.
        links: engine path (``/lecture``) → page folder in the site, for links between pages.
        contents: (level, id, HTML) of the headings, filled while rendering.
        footnotes: HTML of the footnote definitions by identifier, filled while rendering.
        problems: what was refused.
        cell_tags: tags of the code cell that is being rendered.
    """

    source: str
    url: str
    assets: Assets
    links: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    contents: list[tuple[int, str, str]] = field(default_factory=list)
    footnotes: dict[str, str] = field(default_factory=dict)
    citations: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    features: set[str] = field(default_factory=set)
    line: int | str | None = None
    counter: int = 0
    checkpoints: int = 0
    cells: int = 0
    cell_tags: list[str] = field(default_factory=list)

    @property
    def root(self) -> str:
        """Relative path from the page to the site's root, "" or "../../"."""
        return "../" * self.url.count("/")

    def problem(self, message: str) -> str:
        """Record a refusal at the place that is being rendered; returns "" so that a renderer can return it."""
        self.problems.append(Problem(self.source, self.line or 1, message))
        return ""

    def number(self) -> int:
        """A number that no other element of the page has."""
        self.counter += 1
        return self.counter

    def render(self, node: dict) -> str:
        """HTML of one node; problems are recorded, never raised."""
        start = node.get("position", {}).get("start", {}).get("line")
        if start and node["type"] not in ("footnoteDefinition",):
            self.line = start
        if node["type"] not in RENDERERS:
            return self.problem(f"the theme does not know the node type {node['type']!r}; write it another way")
        function, known = RENDERERS[node["type"]]
        for option in sorted(node.keys() - known):
            self.problem(f"the theme does not know the option {option!r} of {node['type']!r}; leave it out")
        return function(node, self)

    def children(self, node: dict) -> str:
        """HTML of the node's children, joined."""
        return "".join(self.render(child) for child in node.get("children", []))


def render_nodes(nodes: Iterable[dict], page: Page) -> str:
    """HTML of a list of nodes of the engine's tree, for ``page``; refusals end up in ``page.problems``."""
    return "".join(page.render(node) for node in nodes)


def escape(text: str) -> str:
    """Text for an HTML attribute or element."""
    return html.escape(str(text))


def attributes(**values: object) -> str:
    """HTML attributes of those values that are neither None nor False; ``class_`` and ``aria_label`` style names."""
    parts = []
    for name, value in values.items():
        if value is None or value is False:
            continue
        name = name.rstrip("_").replace("_", "-")
        parts.append(f" {name}" if value is True else f' {name}="{escape(value)}"')
    return "".join(parts)


def text_of(node: dict) -> str:
    """The node's text without markup."""
    if "value" in node:
        return str(node["value"])
    return "".join(text_of(child) for child in node.get("children", []))
