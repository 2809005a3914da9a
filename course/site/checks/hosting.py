"""The built site under a sub-path of a loopback port, as a project page on a static host serves it."""

import gzip
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

SUB_PATH = "/waveform-to-cloud/"
COMPRESSED = (".html", ".css", ".js", ".mjs", ".json", ".svg", ".xml", ".txt", ".ipynb")


class _SubPathHandler(SimpleHTTPRequestHandler):
    """Serves ``directory`` below SUB_PATH only and compresses text, as static hosts do."""

    protocol_version = "HTTP/1.1"
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {".mjs": "text/javascript", ".js": "text/javascript"}

    def do_GET(self):
        if not self.path.startswith(SUB_PATH):
            self.send_error(HTTPStatus.NOT_FOUND, f"The site lies below {SUB_PATH}")
            return
        self.path = "/" + self.path.removeprefix(SUB_PATH)
        file = Path(self.translate_path(urlsplit(self.path).path))
        if file.is_dir() and self.path.endswith("/"):
            file = file / "index.html"
        if file.suffix in COMPRESSED and file.is_file() and "gzip" in self.headers.get("Accept-Encoding", ""):
            self._send_compressed(file)
        else:
            super().do_GET()

    do_HEAD = do_GET

    def _send_compressed(self, file: Path) -> None:
        body = gzip.compress(file.read_bytes(), mtime=0)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(str(file)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            shutil.copyfileobj(BytesIO(body), self.wfile)

    def log_message(self, format, *args):
        """Requests are not worth a line each."""


@contextmanager
def hosted(site: Path) -> Iterator[str]:
    """Serve the folder while the block runs; yields the URL of the landing page, with its final slash."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_SubPathHandler, directory=str(site)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{SUB_PATH}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
