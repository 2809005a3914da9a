"""Running text: words, lists, quotations, and how they are set."""

from renderer.registry import Page, attributes, escape, renders


@renders("text", "value")
def text(node: dict, page: Page) -> str:
    return escape(node["value"]) if '"' not in node["value"] else escape(node["value"]).replace("&quot;", '"')


@renders("paragraph")
def paragraph(node: dict, page: Page) -> str:
    return f"<p>{page.children(node)}</p>\n"


INLINE = {
    "emphasis": "em",
    "strong": "strong",
    "subscript": "sub",
    "superscript": "sup",
    "keyboard": "kbd",
    "underline": "u",
    "delete": "del",
}


@renders("emphasis strong subscript superscript keyboard underline delete")
def inline(node: dict, page: Page) -> str:
    tag = INLINE[node["type"]]
    return f"<{tag}>{page.children(node)}</{tag}>"


@renders("span")
def span(node: dict, page: Page) -> str:
    """What the engine makes of a formula that is only a power: a number and its superscript."""
    return page.children(node)


@renders("abbreviation", "title")
def abbreviation(node: dict, page: Page) -> str:
    return f"<abbr{attributes(title=node['title'])}>{page.children(node)}</abbr>"


@renders("inlineCode", "value")
def inline_code(node: dict, page: Page) -> str:
    return f"<code>{escape(node['value'])}</code>"


@renders("break")
def line_break(node: dict, page: Page) -> str:
    return "<br>"


@renders("comment", "value")
def comment(node: dict, page: Page) -> str:
    return ""


@renders("thematicBreak")
def thematic_break(node: dict, page: Page) -> str:
    return "<hr>\n"


@renders("list", "ordered start spread")
def listing(node: dict, page: Page) -> str:
    tag = "ol" if node.get("ordered") else "ul"
    start = node.get("start") if node.get("ordered") and node.get("start") != 1 else None
    tasks = "tasks" if any("checked" in item for item in node["children"]) else None
    return f"<{tag}{attributes(start=start, class_=tasks)}>\n{page.children(node)}</{tag}>\n"


@renders("listItem", "spread checked")
def list_item(node: dict, page: Page) -> str:
    children = node["children"]
    if len(children) == 1 and children[0]["type"] == "paragraph":
        body = page.children(children[0])
    else:
        body = page.children(node)
    if "checked" not in node:
        return f"<li>{body}</li>\n"
    mark, word = ("☑", "done") if node["checked"] else ("☐", "open")
    return f'<li><span class="task" role="img" aria-label="{word}">{mark}</span> {body}</li>\n'


@renders("definitionList")
def definition_list(node: dict, page: Page) -> str:
    return f"<dl>{page.children(node)}</dl>\n"


@renders("definitionTerm")
def definition_term(node: dict, page: Page) -> str:
    return f"<dt>{page.children(node)}</dt>\n"


@renders("definitionDescription", "spread")
def definition_description(node: dict, page: Page) -> str:
    return f"<dd>{page.children(node)}</dd>\n"


@renders("blockquote")
def blockquote(node: dict, page: Page) -> str:
    return f"<blockquote>{page.children(node)}</blockquote>\n"
