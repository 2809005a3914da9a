"""What a page is built of: blocks, headings, boxes, tabs, folded parts."""

from renderer.registry import Page, attributes, escape, render_nodes, renders, text_of

ADMONITIONS = {
    "note": "Note",
    "tip": "Tip",
    "hint": "Hint",
    "important": "Important",
    "attention": "Attention",
    "caution": "Caution",
    "warning": "Warning",
    "danger": "Danger",
    "error": "Error",
    "seealso": "See also",
}
CLASSES = {"lead"}
HIDDEN_FROM_PAGE = {"notes"}


@renders("root")
def root(node: dict, page: Page) -> str:
    return page.children(node)


def slide_type(block: dict) -> str | None:
    """The block's ``slideshow.slide_type``, if it has one."""
    return ((block.get("data") or {}).get("slideshow") or {}).get("slide_type")


@renders("block", "kind data visibility class")
def block(node: dict, page: Page) -> str:
    if node.get("kind") == "notebook-code" and "skip-execution" not in (node.get("data") or {}).get("tags", []):
        page.cells += 1
        page.line = f"cell {page.cells}"
    if slide_type(node) in HIDDEN_FROM_PAGE or node.get("visibility") == "remove":
        return ""
    if node.get("kind") != "notebook-code":
        return page.children(node)
    page.cell_tags = (node.get("data") or {}).get("tags", [])
    body = page.children(node)
    if node.get("visibility") == "hide":
        body = f"<details class=fold><summary>Show the cell</summary>{body}</details>"
    return f'<div class="cell"{attributes(id=node.get("html_id"))}>{body}</div>\n' if body.strip() else ""


@renders("heading", "depth enumerator enumerated class")
def heading(node: dict, page: Page) -> str:
    level, content, name = max(2, node["depth"]), page.children(node), node.get("html_id", "")
    number = f'<span class="number">{escape(node["enumerator"])}</span> ' if node.get("enumerator") else ""
    page.contents.append((level, name, number + text_html(node)))
    label = escape(text_of(node))
    anchor = f'<a class="anchor" href="#{escape(name)}" aria-label="Link to “{label}”">#</a>'
    return f"<h{level}{attributes(id=name)}>{number}{content}{anchor}</h{level}>\n"


def text_html(node: dict) -> str:
    return escape(text_of(node))


@renders("admonition", "kind class icon open")
def admonition(node: dict, page: Page) -> str:
    kind = node.get("kind") or "note"
    if kind != "admonition" and kind not in ADMONITIONS:
        return page.problem(f"the theme does not know the admonition {kind!r}; use one of {', '.join(ADMONITIONS)}")
    title, *rest = node["children"]
    if title["type"] != "admonitionTitle":
        title, rest = {"children": [{"type": "text", "value": ADMONITIONS.get(kind, "Note")}]}, node["children"]
    head, body = page.children(title), render_nodes(rest, page)
    if "dropdown" in (node.get("class") or "").split():
        summary = f"<summary>{head}</summary>{body}"
        return f'<details class="box {kind}"{attributes(open=node.get("open"))}>{summary}</details>\n'
    return (
        f'<aside class="box {kind}"{attributes(aria_label=text_of(title))}><p class="title">{head}</p>{body}</aside>\n'
    )


@renders("details", "open class")
def details(node: dict, page: Page) -> str:
    summary, *rest = node["children"]
    body = f"<summary>{page.children(summary)}</summary>{render_nodes(rest, page)}"
    return f'<details class="box"{attributes(id=node.get("html_id"), open=node.get("open"))}>{body}</details>\n'


@renders("aside", "kind class")
def aside(node: dict, page: Page) -> str:
    return f'<aside class="box aside">{page.children(node)}</aside>\n'


@renders("tabSet", "class")
def tab_set(node: dict, page: Page) -> str:
    number, tabs, panels = page.number(), [], []
    for index, item in enumerate(node["children"]):
        name, first = f"tab-{number}-{index}", index == 0
        tabs.append(
            f'<button type="button" role="tab" id="{name}" aria-controls="{name}-panel" '
            f'aria-selected="{str(first).lower()}" tabindex="{0 if first else -1}">{escape(item["title"])}</button>'
        )
        panels.append(
            f'<div role="tabpanel" id="{name}-panel" aria-labelledby="{name}" tabindex="0"'
            f"{attributes(hidden=not first)}>{page.children(item)}</div>"
        )
    return f'<div class="tabs"><div role="tablist">{"".join(tabs)}</div>{"".join(panels)}</div>\n'


@renders("div", "class")
def division(node: dict, page: Page) -> str:
    names = (node.get("class") or "").split()
    for name in names:
        if name not in CLASSES:
            page.problem(f"the theme has no style for the class {name!r}; it knows {', '.join(sorted(CLASSES))}")
    return f"<div{attributes(class_=' '.join(names) or None)}>{page.children(node)}</div>\n"


@renders("syllabus")
def syllabus(node: dict, page: Page) -> str:
    return f'<ol class="syllabus">{page.children(node)}</ol>\n'


@renders("syllabusEntry", "folder lab title")
def syllabus_entry(node: dict, page: Page) -> str:
    lecture = page.sources.get(f"notebooks/{node['folder']}/lecture.md")
    lab = page.sources.get(f"labs/{node['lab']}/lab.md")
    title = escape(node["title"])
    if lecture is None:
        head = f'<span class="planned-title">{title}</span> <span class="tag">planned</span>'
    else:
        head = f'<a href="{page.root}{escape(lecture)}">{title}</a>'
    exercise = f' <a class="lab-link" href="{page.root}{escape(lab)}">Lab</a>' if lab else ""
    state = "ready" if lecture else "planned"
    return f'<li class="{state}"><p class="entry">{head}{exercise}</p><p>{page.children(node)}</p></li>\n'
