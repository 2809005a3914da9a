"""Serving the built site on loopback, for reading and for showing: files as they are, nothing more."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from course.errors import CourseError


class Handler(SimpleHTTPRequestHandler):
    """Files of the site, never kept by the browser, so that a reload shows what was just built."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".mjs": "text/javascript",
        ".js": "text/javascript",
        ".ipynb": "application/x-ipynb+json",
    }

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format, *args):
        """A reader's requests are nobody's business."""


def open_server(site: Path, port: int) -> ThreadingHTTPServer:
    """A server for the site on 127.0.0.1; ``serve_forever`` runs it.

    Raises:
        CourseError: there is no built site, or the port is taken.
    """
    if not (site / "index.html").is_file():
        raise CourseError(f"No site in {site}; build it first with `course site build`.")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(site)))
    except OSError as error:
        raise CourseError(f"Port {port} cannot be used ({error.strerror}); try another with --port.") from error
