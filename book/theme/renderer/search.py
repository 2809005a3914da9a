"""The search index: one record per section, built from the text that the page shows."""

from renderer.structure import HIDDEN_FROM_PAGE, slide_type

SKIPPED = {
    "output",
    "outputs",
    "captionNumber",
    "predictReason",
    "checkpointAnswer",
    "solution",
    "anywidget",
    "comment",
}
BREAKS = {
    *("paragraph", "heading", "tableCell", "listItem", "code", "math", "caption", "admonitionTitle"),
    *("definitionTerm", "definitionDescription", "syllabusEntry", "predictQuestion", "predictAnswer"),
}


def words(node: dict) -> str:
    """Visible text of a node; blocks are separated by blanks."""
    if node["type"] in SKIPPED or node.get("visibility") == "remove" or slide_type(node) in HIDDEN_FROM_PAGE:
        return ""
    if node["type"] == "inlineExpression":
        return str((node.get("result") or {}).get("data", {}).get("text/plain", ""))
    text = str(node["value"]) if "value" in node else "".join(words(child) for child in node.get("children", []))
    return f" {text} " if node["type"] in BREAKS else text


def records(tree: dict, entry: dict, links: dict[str, str]) -> list[dict]:
    """Search records of a page: ``{"id", "title", "section", "url", "text"}``."""
    url, title = entry["about"]["url"], entry["title"]
    sections = [{"section": "", "anchor": "", "text": []}]
    for block in tree["children"]:
        if slide_type(block) in HIDDEN_FROM_PAGE:
            continue
        for node in block["children"] if block["type"] == "block" else [block]:
            if node["type"] == "heading":
                anchor = f"#{node['html_id']}" if node.get("html_id") else ""
                sections.append({"section": words(node).strip(), "anchor": anchor, "text": []})
            else:
                sections[-1]["text"].append(words(node))
    return [
        {
            "id": url + section["anchor"],
            "title": title,
            "section": section["section"],
            "url": url + "index.html" + section["anchor"],
            "text": " ".join(" ".join(section["text"]).split()),
        }
        for section in sections
        if section["section"] or any(text.strip() for text in section["text"])
    ]
