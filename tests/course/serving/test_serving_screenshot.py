"""A picture of a page that is served here: taken, described, refused where nothing comes."""

import http.server
import threading
import xml.etree.ElementTree

import pytest

from course.errors import CourseError
from course.serving import screenshot as module
from course.serving.screenshot import Screenshot, screenshot


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    (folder / "index.html").write_text("<!doctype html><title>Page</title><p>Here.")
    handler = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: handler(*args, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_page_is_taken_as_a_jpeg(address):
    shown = screenshot(f"{address}/index.html", 'A page that says "Here".')._repr_mimebundle_()
    assert shown["text/plain"] == 'A page that says "Here".'
    picture = xml.etree.ElementTree.fromstring(shown["image/svg+xml"])
    assert picture.get("aria-label") == shown["text/plain"]
    assert picture[0].get("href").startswith("data:image/jpeg;base64,/9j/")


def test_a_page_that_does_not_come_is_told(address):
    with pytest.raises(CourseError, match="came with status 404"):
        screenshot(f"{address}/none.html", "Nothing.")
    with pytest.raises(CourseError, match="did not come. Does the service run"):
        screenshot("http://127.0.0.1:1/", "Nothing.")


def test_a_machine_without_a_browser_says_so(monkeypatch):
    monkeypatch.setattr("course.site.checks.browser.NAMES", ("no-such-browser",))
    shown = screenshot("http://127.0.0.1:1/", "Nothing.")._repr_mimebundle_()
    assert shown["text/plain"] == module.NO_BROWSER and "no Chromium" in shown["text/html"]


def test_a_picture_has_to_be_described():
    with pytest.raises(ValueError, match="came without"):
        Screenshot(b"", " ")
