"""Figures, images and tables."""

import re
import struct
from pathlib import PurePosixPath

from renderer.registry import Page, attributes, escape, renders

# The ink of the course's figures (course.plotting) and what it becomes on a dark page.
DARK_INK = {"#1f2933": "#e6e9ef", "#d5dbe1": "#3a4452"}
UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54}
LENGTH = re.compile(r"^\s*([\d.]+)\s*([a-z]*)\s*$")


def svg_size(svg: str) -> tuple[int, int] | None:
    """Width and height of an SVG in CSS pixels, from its attributes or its view box."""
    head = re.search(r"<svg[^>]*>", svg, re.S)
    if not head:
        return None
    named = {name: value for name, value in re.findall(r'\b(width|height|viewBox)="([^"]*)"', head[0])}
    lengths = [LENGTH.match(named.get(side, "")) for side in ("width", "height")]
    if all(lengths) and all(length[2] in UNITS for length in lengths):
        return tuple(round(float(length[1]) * UNITS[length[2]]) for length in lengths)
    box = named.get("viewBox", "").replace(",", " ").split()
    return (round(float(box[2])), round(float(box[3]))) if len(box) == 4 else None


def png_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG in pixels, from its header chunk."""
    return struct.unpack(">II", data[16:24]) if data[:8] == b"\x89PNG\r\n\x1a\n" else None


def in_dark_ink(svg: str) -> str:
    """The same drawing for a dark page."""
    for light, dark in DARK_INK.items():
        svg = re.sub(light, dark, svg, flags=re.I)
    return svg


def picture(source: str, alt: str, size: tuple[int, int] | None, theme: str | None, page: Page, **extra) -> str:
    width, height = size or (None, None)
    frame = attributes(
        src=page.root + source,
        alt=alt,
        width=width,
        height=height,
        loading="lazy",
        decoding="async",
        class_=theme,
        **extra,
    )
    return f"<img{frame}>"


def svg_picture(svg: str, alt: str, page: Page, **extra) -> str:
    """An SVG figure: one image, or a light and a dark one where its ink has a dark counterpart."""
    size, dark = svg_size(svg), in_dark_ink(svg)
    if size is None:
        return page.problem(
            "an SVG figure has neither width and height nor a viewBox; the page would jump while it loads"
        )
    light = page.assets.add(svg.encode(), ".svg")
    if dark == svg:
        return picture(light, alt, size, None, page, **extra)
    return picture(light, alt, size, "light-only", page, **extra) + picture(
        page.assets.add(dark.encode(), ".svg"), alt, size, "dark-only", page, **extra
    )


@renders("image", "url urlSource alt width")
def image(node: dict, page: Page) -> str:
    alt = (node.get("alt") or "").strip()
    if not alt:
        return page.problem(
            f"the image {node.get('urlSource') or node['url']} has no alt text; say in words what it shows"
        )
    if re.match(r"[a-z]+:", node["url"]):
        return page.problem(f"the image {node['url']} lies on another host; keep it in the page's folder")
    style = f"width:{node['width']}" if node.get("width") else None
    data = page.assets.content.bytes(node["url"])
    suffix = PurePosixPath(node["url"]).suffix.lower()
    if suffix == ".svg":
        return svg_picture(data.decode(), alt, page, style=style)
    return picture(page.assets.add(data, suffix), alt, png_size(data), "paper", page, style=style)


@renders("container", "kind enumerator enumerated class subcontainer align width source noSubcontainers")
def container(node: dict, page: Page) -> str:
    kind = node.get("kind", "figure")
    if kind not in ("figure", "table", "code"):
        return page.problem(f"the theme does not know the container {kind!r}")
    captions = [child for child in node["children"] if child["type"] in ("caption", "legend")]
    others = [child for child in node["children"] if child["type"] not in ("caption", "legend")]
    first, last = (captions, others) if kind != "figure" else (others, captions)
    body = "".join(page.render(child) for child in (*first, *last))
    return f'<figure class="{kind}"{attributes(id=node.get("html_id"))}>{body}</figure>\n'


@renders("caption")
def caption(node: dict, page: Page) -> str:
    return f"<figcaption>{page.children(node)}</figcaption>"


@renders("legend")
def legend(node: dict, page: Page) -> str:
    return f'<div class="legend">{page.children(node)}</div>'


@renders("captionNumber", "kind enumerator template")
def caption_number(node: dict, page: Page) -> str:
    return f'<span class="caption-number">{page.children(node)}</span> '


def scrollable(table: str) -> str:
    """A table that scrolls sideways on its own where the page is narrow, by touch and by keyboard."""
    return f'<div class="scroll" role="group" aria-label="Table" tabindex="0">{table}</div>\n'


@renders("table", "align class width")
def table(node: dict, page: Page) -> str:
    rows = node["children"]
    heads = 0
    while heads < len(rows) and all(cell.get("header") for cell in rows[heads]["children"]):
        heads += 1
    head = "".join(page.render(row) for row in rows[:heads])
    body = "".join(page.render(row) for row in rows[heads:])
    head = f"<thead>{head}</thead>" if head else ""
    return scrollable(f"<table>{head}<tbody>{body}</tbody></table>")


@renders("tableRow")
def table_row(node: dict, page: Page) -> str:
    return f"<tr>{page.children(node)}</tr>\n"


@renders("tableCell", "header align colspan rowspan width class")
def table_cell(node: dict, page: Page) -> str:
    children = node.get("children", [])
    body = page.children(children[0]) if [c["type"] for c in children] == ["paragraph"] else page.children(node)
    # The corner above row names is empty and heads nothing: a screen reader would announce a heading without a name.
    tag = "th" if node.get("header") and body.strip() else "td"
    align = node.get("align")
    extra = attributes(
        scope="col" if tag == "th" else None,
        colspan=node.get("colspan"),
        rowspan=node.get("rowspan"),
        class_=f"align-{escape(align)}" if align in ("center", "right") else None,
    )
    return f"<{tag}{extra}>{body}</{tag}>"
