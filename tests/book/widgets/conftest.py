"""A page of its own around a widget in Chromium. A test module says what it needs in constants, all but the first
optional:

* ``MODULE``, the name of the widget's file in book/widgets;
* ``ELEMENTS``, HTML that stands on the page above the widget;
* ``FILES``, what else the page may fetch: names and contents, in bytes;
* ``MISSING``, names that the page asks for in vain, so that the browser's complaint about them is no error;
* ``SWITCHES``, further switches for Chromium.
"""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

from course.site.checks.browser import find_chromium

BOOK = Path(__file__).parents[3] / "book"
AXE = BOOK / "theme" / "node_modules" / "axe-core" / "axe.min.js"

HOST = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Host of the widget</title><link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark } :root[data-theme=dark] { color-scheme: dark }
body { margin: 1rem; color: light-dark(#1f2933, #e6e9ef); background: light-dark(#fff, #11151c) }
</style></head>
<body><main><h1>Host</h1>ELEMENTS<div id="first"></div><div id="second"></div></main>
<script type="module">
import * as widget from "./MODULE";
window.widget = widget;
window.show = (id, model = {}) => {
  const el = document.getElementById(id);
  window[`remove_${id}`] = widget.default.render({ model: { get: (name) => model[name] }, el });
};
</script></body></html>
"""

# Keeps hold of what the widget opens, so that a test can see what was played and whether it was let go.
WITNESS = """
window.contexts = []; window.streams = []; window.played = [];
const Original = window.AudioContext;
window.AudioContext = class extends Original { constructor(...args) { super(...args); window.contexts.push(this); } };
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...args) {
  window.played.push(this.buffer);
  return start.apply(this, args);
};
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await ask(wanted);
  window.streams.push(stream);
  return stream;
};
"""

# Calls a function of the widget; a function that returns nothing has worked on the arrays that it was given.
CALL = """([name, args, typed]) => {
  const given = args.map((arg, i) => (typed[i] ? Float64Array.from(arg) : arg));
  const returned = widget[name](...given), result = returned === undefined ? given : returned;
  const plain = (value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
  const numeric = [result].flat().some(ArrayBuffer.isView);
  return { numeric, result: Array.isArray(result) ? result.map(plain) : plain(result) };
}"""


class Files(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript"}

    def log_message(self, *args):
        """Keeps the test's output for failures."""


@pytest.fixture(scope="module")
def address(request, tmp_path_factory):
    """Where the host page of the module's widget is served."""
    module, folder = request.module.MODULE, tmp_path_factory.mktemp("host")
    host = HOST.replace("ELEMENTS", getattr(request.module, "ELEMENTS", "")).replace("MODULE", module)
    (folder / "index.html").write_text(host)
    (folder / module).write_bytes((BOOK / "widgets" / module).read_bytes())
    for name, content in getattr(request.module, "FILES", {}).items():
        (folder / name).write_bytes(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def launch():
    """Starts Chromium with more switches; one Playwright for the module, as a process drives one at a time."""
    with sync_playwright() as running:
        start = partial(running.chromium.launch, executable_path=find_chromium())
        yield lambda *switches: start(args=["--no-sandbox", *switches])


@pytest.fixture(scope="module")
def browser(request, launch):
    """The module's Chromium."""
    browser = launch(*getattr(request.module, "SWITCHES", ()))
    yield browser
    browser.close()


def arrive(page, address):
    """Opens the host page and waits for the widget's module."""
    page.goto(address)
    page.wait_for_function("window.widget")


@pytest.fixture
def visit(request, browser, address):
    """Opens the host page; in the end nothing may have gone wrong in it or been asked of another host."""
    contexts, problems = [], []
    allowed, missing = (address, f"blob:{address}", "data:"), tuple(getattr(request.module, "MISSING", ()))

    def note(message):
        if message.type == "error" and not message.location["url"].endswith(missing):
            problems.append(message.text)

    def open_page(browser=browser, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", note)
        page.on("request", lambda r: r.url.startswith(allowed) or problems.append(r.url))
        page.add_init_script(WITNESS)
        arrive(page, address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems


@pytest.fixture(scope="module")
def maths(browser, address):
    """Calls an exported function; NumPy's arrays go in as typed arrays, and typed arrays come out as NumPy's."""
    page = browser.new_page()
    arrive(page, address)

    def call(name, *args):
        typed = [isinstance(arg, np.ndarray) for arg in args]
        plain = [arg.tolist() if isinstance(arg, np.ndarray) else arg for arg in args]
        answer = page.evaluate(CALL, [name, plain, typed])
        return np.array(answer["result"]) if answer["numeric"] else answer["result"]

    yield call
    page.close()


@pytest.fixture
def axe():
    """What axe-core finds on a page: each rule that is broken, with an element that breaks it."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run `make test`, which sets up book/theme/node_modules")

    def violations(page):
        page.add_script_tag(path=AXE)
        return page.evaluate(
            "axe.run().then((result) => result.violations.map(({ id, nodes }) => [id, nodes[0].html]))"
        )

    return violations
