"""Files that pages refer to: figures, audio, widgets. Named by content, so that a changed one gets a new address."""

import hashlib
from pathlib import Path

from course.storage import write_atomic
from renderer.content import Content


class Assets:
    """The site's ``files/`` folder.

    Args:
        out: the folder of the site that is being written.
        content: where files that the engine copied are fetched from.
    """

    def __init__(self, out: Path, content: Content):
        self.out, self.content = out, content

    def add(self, data: bytes, suffix: str) -> str:
        """Store ``data`` under the hash of its bytes; returns the path from the site's root."""
        name = f"files/{hashlib.sha256(data).hexdigest()[:16]}{suffix}"
        target = self.out / name
        if not target.exists():
            write_atomic(target, data)
        return name

    def copy(self, engine_path: str) -> str:
        """Copy a file that the engine published (``/tone-1f2e….svg``); returns the path from the site's root."""
        name = "files/" + engine_path.lstrip("/")
        target = self.out / name
        if not target.exists():
            write_atomic(target, self.content.bytes(engine_path))
        return name
