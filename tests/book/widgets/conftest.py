"""A page of its own around a widget in Chromium: a test module names the widget's file as ``MODULE``."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import sync_playwright

from course.site.checks.browser import find_chromium

HOST = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Host of the widget</title><link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark } :root[data-theme=dark] { color-scheme: dark }
body { margin: 1rem; color: light-dark(#1f2933, #e6e9ef); background: light-dark(#fff, #11151c) }
</style></head>
<body><main><h1>Host</h1><div id="first"></div><div id="second"></div></main>
<script type="module">
import * as widget from "./MODULE";
window.widget = widget;
window.show = (id, model = {}) => {
  const el = document.getElementById(id);
  window[`remove_${id}`] = widget.default.render({ model: { get: (name) => model[name] }, el });
};
</script></body></html>
"""


class Files(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def log_message(self, *args):
        """Keeps the test's output for failures."""


@pytest.fixture(scope="module")
def address(request, tmp_path_factory):
    """Where the host page of the module's widget is served."""
    module, folder = request.module.MODULE, tmp_path_factory.mktemp("host")
    (folder / "index.html").write_text(HOST.replace("MODULE", module.name))
    (folder / module.name).write_bytes(module.read_bytes())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser():
    """Chromium for one module: a second one in the same process would be refused while it is open."""
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, address):
    """Opens the host page; in the end nothing may have gone wrong in it or been asked of another host."""
    contexts, problems = [], []

    def open_page(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: message.type == "error" and problems.append(message.text))
        page.on("request", lambda r: r.url.startswith((address, "data:")) or problems.append(r.url))
        page.goto(address)
        page.wait_for_function("window.widget")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems
