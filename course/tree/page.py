"""A page of its own around the tree in a browser, without a server: for the benchmark, the tests and pictures."""

import json
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Page, Route

from course.tree.widget import module_text

ADDRESS = "http://127.0.0.1:9/tree/"  # answered by the browser's own tools; nothing listens there
HOST = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Conversation tree</title><link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark }
:root[data-theme=light] { color-scheme: light }
:root[data-theme=dark] { color-scheme: dark }
body { margin: 1rem; font-family: sans-serif;
  color: light-dark(#1f2933, #e6e9ef); background: light-dark(#fff, #11151c) }
</style></head>
<body><main><h1>A conversation</h1><div id="tree"></div></main></body></html>
"""
MOUNT = """async ([conversation, options]) => { // as text, which crosses over a hundred times faster
  const { mountTree } = await import("./widget.mjs");
  window.chosen = [];
  const onSelect = (id) => chosen.push(id);
  window.view = mountTree(document.querySelector("#tree"), JSON.parse(conversation), { ...options, onSelect });
}"""
POLICY = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; media-src 'self' data:; img-src data:"


def open_page(tab: Page, files: Mapping[str, tuple[str, bytes]] | None = None) -> None:
    """Lead a tab to the empty page.

    Args:
        tab: of a browser.
        files: what else the page can fetch: name to media type and content.
    """
    known = {
        "": ("text/html; charset=utf-8", HOST.encode()),
        "widget.mjs": ("text/javascript; charset=utf-8", module_text().encode()),
        **(files or {}),
    }

    def answer(route: Route) -> None:
        name = route.request.url.removeprefix(ADDRESS)
        kind, content = known.get(name, ("text/plain", b""))
        headers = {"Content-Type": kind, "Content-Security-Policy": POLICY}
        route.fulfill(status=200 if name in known else 404, headers=headers, body=content)

    tab.route(f"{ADDRESS}**", answer)
    tab.goto(ADDRESS)


def mount(tab: Page, conversation: Mapping[str, Any], **options: Any) -> None:
    """Put the tree onto the page, and wait until it is drawn; ``view`` and ``chosen`` are at hand in the page.

    Args:
        tab: on the page.
        conversation: JSON, version 1.
        options: of ``mountTree``: selected, height.
    """
    tab.evaluate(MOUNT, [json.dumps(conversation), options])
    tab.locator("#tree [role=tree]").wait_for()
    tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
