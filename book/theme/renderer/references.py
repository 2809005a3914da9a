"""Links, cross-references, citations and footnotes."""

import re

from renderer.registry import Page, attributes, escape, render_nodes, renders

OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
FROM_ENGINE = "url urlSource internal static dataUrl title error protocol kind class"


def address(url: str, page: Page) -> str:
    """A link target of the engine as an address relative to the page."""
    if OUTSIDE.match(url) or url.startswith("#"):
        return url
    path, _, anchor = url.partition("#")
    anchor = f"#{anchor}" if anchor else ""
    if path in page.links:
        return (page.root + page.links[path] or "./") + anchor
    if not path.startswith("/"):
        return page.problem(f"the link target {url} does not exist; correct it, or add it to the table of contents")
    return page.root + page.assets.copy(path) + anchor


@renders("link", FROM_ENGINE)
def link(node: dict, page: Page) -> str:
    target = address(node["url"], page)
    outside = bool(OUTSIDE.match(target)) and not target.startswith("mailto:")
    extra = attributes(href=target, title=node.get("title"), rel="noopener" if outside else None)
    download = attributes(download=True) if node.get("static") else ""
    return f"<a{extra}{download}>{page.children(node)}</a>"


@renders(
    "crossReference",
    "kind template enumerator resolved remote url dataUrl title suffix urlSource internal static protocol",
)
def cross_reference(node: dict, page: Page) -> str:
    where = address(node["url"], page) if node.get("remote") else ""
    name = node.get("html_id") or node["identifier"]
    return f'<a class="ref" href="{escape(where)}#{escape(name)}">{page.children(node)}</a>'


@renders("citeGroup", "kind")
def cite_group(node: dict, page: Page) -> str:
    parts = "; ".join(page.render(child) for child in node["children"])
    return f"({parts})" if node.get("kind") == "parenthetical" else parts


@renders("cite", "kind enumerator prefix suffix partial")
def cite(node: dict, page: Page) -> str:
    key = node["label"]
    if key not in page.citations:
        page.citations.append(key)
    before = f"{escape(node['prefix'])} " if node.get("prefix") else ""
    after = f", {escape(node['suffix'])}" if node.get("suffix") else ""
    return f'{before}<a class="cite" href="#cite-{escape(key)}">{page.children(node)}</a>{after}'


@renders("footnoteReference", "enumerator")
def footnote_reference(node: dict, page: Page) -> str:
    name, number = escape(node["identifier"]), escape(node["enumerator"])
    return (
        f'<sup class="footnote"><a id="fnref-{name}" href="#fn-{name}" '
        f'aria-label="Footnote {number}">{number}</a></sup>'
    )


@renders("footnoteDefinition", "enumerator")
def footnote_definition(node: dict, page: Page) -> str:
    page.footnotes[node["identifier"]] = render_nodes(node["children"], page)
    return ""
