"""What the MyST engine hands to a site template, over its content server on loopback."""

import json
import urllib.request


class Content:
    """The engine's content server.

    Args:
        address: the server's address, as the engine gives it in ``CONTENT_CDN``.
    """

    def __init__(self, address: str):
        self.address = address.rstrip("/")

    def bytes(self, path: str) -> bytes:
        """The file at ``path`` (with leading slash)."""
        with urllib.request.urlopen(self.address + path, timeout=60) as response:
            return response.read()

    def json(self, path: str):
        """The JSON document at ``path``."""
        return json.loads(self.bytes(path))

    def project(self) -> dict:
        """The one project of the site: title, index slug, pages in reading order."""
        return self.json("/config.json")["projects"][0]

    def page(self, slug: str) -> dict:
        """A page: ``mdast`` tree, ``frontmatter``, ``references``, ``location``."""
        return self.json(f"/content/{slug}.json")
