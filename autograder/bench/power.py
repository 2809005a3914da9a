"""What a power cut may leave of the writes of a program: those that were not yet synced are lost, in part or whole.

The model is POSIX's, which promises less than most file systems keep. What was written to a file since its last fsync
may be there in any mixture of old and new blocks, with zeros where the file grew. Names that were made, changed or
removed in a folder may be undone, from the last one back, until the folder's own fsync.
"""

import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.bench.syscalls import Call

BLOCK = 512
CHANGING = ("write", "pwrite64", "writev", "ftruncate", "fallocate", "truncate")
OPENING = ("open", "openat", "creat")
RENAMING = ("rename", "renameat", "renameat2")


@dataclass(frozen=True)
class NameChange:
    """A change of names in a folder that is not on the disk yet, and how to undo it."""

    folder: Path
    undo: Callable[[], None]


class Disk:
    """Which of the writes below ``root`` are on the disk; told of each call before it is made."""

    def __init__(self, root: Path):
        self.root = root
        self.synced: dict[Path, bytes] = {}
        self.names: list[NameChange] = []
        self._then: Callable[[], None] = lambda: None

    def before(self, call: Call) -> None:
        """Take notice of a call that is about to be made; the one before it has been made by now."""
        self.finish()
        path = call.paths[-1]
        if call.name in CHANGING:
            self._remember(path)
        elif call.name in OPENING:
            self._open(path)
        elif call.name in ("fsync", "fdatasync"):
            self._then = lambda: self._sync(path)
        elif call.name in RENAMING and call.paths[0].exists():
            self._rename(call.paths[0], path)
        elif call.name in ("unlink", "unlinkat") and path.is_file():
            self._unlink(path)
        elif call.name in ("mkdir", "mkdirat") and not path.exists():
            self._then = lambda: self._changed(path.parent, lambda: shutil.rmtree(path, ignore_errors=True))

    def finish(self) -> None:
        """Take notice that the last call was made."""
        self._then()
        self._then = lambda: None

    def cut(self, rng: random.Random) -> None:
        """Let the power fail now, the program being dead: lose some of what was not synced."""
        for path, old in self.synced.items():
            if path.is_file():
                path.chmod(0o644)
                path.write_bytes(torn(old, path.read_bytes(), rng))
        lost = []
        for folder in sorted({change.folder for change in self.names}):
            changes = [change for change in self.names if change.folder == folder]
            lost += changes[rng.randint(0, len(changes)) :]
        for change in reversed(self.names):
            if change in lost and change.folder.is_dir():
                change.undo()

    def _remember(self, path: Path) -> None:
        """Keep what the disk has of a file, before it changes."""
        if path not in self.synced and path.is_file():
            self.synced[path] = path.read_bytes()

    def _open(self, path: Path) -> None:
        if path.exists():
            self._remember(path)
            return

        def then() -> None:
            self.synced[path] = b""
            self._changed(path.parent, lambda: path.unlink(missing_ok=True))

        self._then = then

    def _unlink(self, path: Path) -> None:
        content = self.synced.get(path, path.read_bytes())

        def then() -> None:
            self.synced.pop(path, None)
            self._changed(path.parent, lambda: path.write_bytes(content))

        self._then = then

    def _sync(self, path: Path) -> None:
        if path.is_dir():
            self.names = [change for change in self.names if change.folder != path]
        else:
            self.synced.pop(path, None)

    def _rename(self, source: Path, target: Path) -> None:
        replaced = target.read_bytes() if target.is_file() else None

        def undo() -> None:
            os.replace(target, source)
            if replaced is not None:
                target.write_bytes(replaced)

        def then() -> None:
            self.synced.pop(target, None)
            if source in self.synced:
                self.synced[target] = self.synced.pop(source)
            self._changed(target.parent, undo)

        self._then = then

    def _changed(self, folder: Path, undo: Callable[[], None]) -> None:
        self.names.append(NameChange(folder, undo))


def torn(old: bytes, new: bytes, rng: random.Random) -> bytes:
    """A mixture of two contents of a file, block by block; zeros where the one that was drawn has nothing."""
    shortest, longest = sorted((len(old), len(new)))
    length = rng.choice((shortest, longest, rng.randint(shortest, longest)))
    share_of_new = rng.choice((0.0, 0.5, 1.0))
    content = bytearray(length)
    for start in range(0, length, BLOCK):
        source = new if rng.random() < share_of_new else old
        block = source[start : min(start + BLOCK, length)]
        content[start : start + len(block)] = block
    return bytes(content)
