"""Code, and what came out when the build ran it."""

import ast
import base64
import io
import mimetypes
import re
import wave
from html.parser import HTMLParser

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from renderer.figures import picture, png_size, scrollable, svg_picture
from renderer.registry import Page, attributes, escape, renders

FIGURES = ("image/svg+xml", "image/png")
MIME_TYPES = {*FIGURES, "text/html", "text/plain"}
NOT_ALT = re.compile(r"^\s*$|^<Figure size|^<.* object at 0x", re.S)
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
DATA_URI = re.compile(r'src="data:([\w./+-]+);base64,([^"]+)"')
PLAYER = re.compile(r'<figure class="player"((?:(?!</figure>).)*?src="data:audio/(?:x-)?wav;base64,([^"]+)")', re.S)
SUFFIXES = {"audio/wav": ".wav", "audio/x-wav": ".wav"}
# What a cell may show as HTML: players (course.listening) and plain tables.
HTML_TAGS = {
    *("figure", "figcaption", "audio", "table", "thead", "tbody", "tr", "th", "td", "caption"),
    *("p", "div", "span", "b", "strong", "em", "i", "code", "pre", "br", "ul", "ol", "li"),
}
HTML_ATTRIBUTES = {
    *("class", "controls", "preload", "aria-label", "src", "scope", "colspan", "rowspan", "role", "tabindex"),
    *("lang", "border", "style", "title"),
}
# What is folded away says what it is for, by the role that a lab gives the cell.
FOLD_TITLES = {
    "setup": "Code that prepares the lab",
    "fallback": "Fallback: stands in while the task above is not solved, and earns no points",
}
LANGUAGES = {"ipython3": "python", "mystnb": "text", "ipython": "python"}


def highlighted(source: str, language: str, page: Page, **options) -> str:
    """Source code with token classes (static/site.css holds the colours)."""
    try:
        lexer = get_lexer_by_name(LANGUAGES.get(language, language) or "text")
    except ClassNotFound:
        return page.problem(f"no highlighter for the language {language!r}; use a Pygments name, or 'text'")
    return highlight(source, lexer, HtmlFormatter(nowrap=True, **options)).rstrip("\n")


@renders(
    "code",
    "lang value executable enumerator visibility emphasizeLines showLineNumbers startingLineNumber class filename",
)
def code(node: dict, page: Page) -> str:
    if node.get("visibility") == "remove":
        return ""
    language = node.get("lang") or "text"
    lines = highlighted(node["value"], language, page).split("\n")
    if node.get("emphasizeLines") or node.get("showLineNumbers"):
        lines = [numbered(node, index, line) for index, line in enumerate(lines, 1)]
    name = "Code" if node.get("executable") else f"{language} source"
    head = f'<div class="filename">{escape(node["filename"])}</div>' if node.get("filename") else ""
    body = "\n".join(lines)
    frame = (
        f'<div class="code"{attributes(id=node.get("html_id"))}>{head}'
        f'<pre tabindex="0" role="group" aria-label="{escape(name)}"><code>{body}</code></pre></div>\n'
    )
    if node.get("visibility") == "hide":
        title = next((FOLD_TITLES[tag] for tag in page.cell_tags if tag in FOLD_TITLES), "Show the code")
        return f'<details class="fold"><summary>{title}</summary>{frame}</details>\n'
    return frame


def numbered(node: dict, index: int, line: str) -> str:
    """One line of a listing with its number or its emphasis."""
    number = index + node.get("startingLineNumber", 1) - 1
    strong = "line strong" if index in (node.get("emphasizeLines") or []) else "line"
    return (
        f'<span class="{strong}"{attributes(data_number=number if node.get("showLineNumbers") else None)}>{line}</span>'
    )


@renders("outputs", "id visibility")
def outputs(node: dict, page: Page) -> str:
    if node.get("visibility") == "remove":
        return ""
    body = page.children(node)
    return f'<div class="outputs"{attributes(id=node.get("html_id"))}>{body}</div>\n' if body else ""


@renders("output", "jupyter_data id")
def output(node: dict, page: Page) -> str:
    data = node["jupyter_data"]
    kind = data["output_type"]
    if kind == "stream":
        label = "Printed output" if data["name"] == "stdout" else "Warnings"
        return printed(stored(data, "text", page), label)
    if kind == "error":
        trace = data["traceback"]
        return printed("\n".join(trace) if isinstance(trace, list) else stored(data, "traceback", page), "Error")
    if kind in ("display_data", "execute_result"):
        return bundle(data["data"], page)
    return page.problem(f"the theme does not know the output type {kind!r}")


def stored(data: dict, name: str, page: Page) -> str:
    """A text of the engine's outputs, which it moves to a file when it is long."""
    return page.assets.content.bytes(data["path"]).decode() if "path" in data else data[name]


def printed(text: str, label: str) -> str:
    body = escape(ANSI.sub("", text).rstrip("\n"))
    kind = "printed" if label == "Printed output" else "printed loud"
    return f'<pre class="{kind}" tabindex="0" role="group" aria-label="{label}">{body}</pre>\n' if body else ""


def bundle(data: dict, page: Page) -> str:
    """The richest form of a displayed value that a page can show."""
    unknown = sorted(data.keys() - MIME_TYPES)
    if unknown:
        return page.problem(
            f"a cell shows {', '.join(unknown)}, which a static page cannot; show a figure, a player or text"
        )
    alt = content(data["text/plain"], page).decode() if "text/plain" in data else ""
    for mime in FIGURES:
        if mime in data:
            return figure(mime, content(data[mime], page), alt, page)
    if "text/html" in data:
        return safe_html(content(data["text/html"], page).decode(), page)
    return printed(alt, "Printed output")


def content(entry: dict, page: Page) -> bytes:
    """Bytes of one representation, inline or in a file of the engine's."""
    if "path" in entry:
        return page.assets.content.bytes(entry["path"])
    text = entry["content"]
    return base64.b64decode(text) if entry["content_type"] == "image/png" else text.encode()


def figure(mime: str, data: bytes, alt: str, page: Page) -> str:
    if NOT_ALT.match(alt):
        return page.problem('figure without alt text: end the cell in described(ax, "what the figure shows")')
    if mime == "image/svg+xml":
        shown = svg_picture(data.decode(), alt, page)
    else:
        shown = picture(page.assets.add(data, ".png"), alt, png_size(data), "paper", page)
    return f'<div class="plot">{shown}</div>\n'


class TagScan(HTMLParser):
    """Collects what a page must not contain from a piece of HTML."""

    def __init__(self):
        super().__init__()
        self.refused: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in HTML_TAGS:
            self.refused.append(f"<{tag}>")
        self.refused += [f"{name}=" for name, _ in attrs if name not in HTML_ATTRIBUTES]


def safe_html(html: str, page: Page) -> str:
    """A cell's HTML, data: URIs moved to files; tags and attributes that the theme does not know are refused."""
    scan = TagScan()
    scan.feed(html)
    if scan.refused:
        return page.problem(
            f"a cell shows HTML with {', '.join(sorted(set(scan.refused)))}, which the theme does not allow"
        )

    def to_file(match: re.Match) -> str:
        suffix = SUFFIXES.get(match[1]) or mimetypes.guess_extension(match[1]) or ".bin"
        return f'src="{page.root}{page.assets.add(base64.b64decode(match[2]), suffix)}"'

    html = DATA_URI.sub(to_file, with_durations(html))
    wide = scrollable(html) if "<table" in html else html
    return f'<div class="shown">{wide}</div>\n'


def with_durations(html: str) -> str:
    """Players with their length in seconds, which a browser learns only by loading the sound."""

    def timed(match: re.Match) -> str:
        with wave.open(io.BytesIO(base64.b64decode(match[2]))) as sound:
            return f'<figure class="player" data-seconds="{sound.getnframes() / sound.getframerate():.3f}"{match[1]}'

    return PLAYER.sub(timed, html)


@renders("inlineExpression", "value result identifier")
def inline_expression(node: dict, page: Page) -> str:
    result = node.get("result") or {}
    if result.get("status") != "ok":
        return page.problem(f"the inline value {node['value']!r} was not computed")
    shown = result["data"].get("text/plain", "")
    if shown[:1] in "'\"":
        shown = ast.literal_eval(shown)
    return f'<span class="value">{escape(shown)}</span>'
