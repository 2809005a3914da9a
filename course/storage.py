"""Writing files so that a reader sees the old content or the new, never half of one, even after a power cut."""

import os
import tempfile
from pathlib import Path
from typing import IO

# Names of files and folders that are being written; a writer that was killed leaves them behind.
PREFIX, SUFFIX = ".write-", ".part"


def write_atomic(path: Path, data: bytes | str, mode: int = 0o644) -> None:
    """Write ``data`` to a temporary file beside ``path``, fsync it, and rename it over ``path``.

    Args:
        path: the file; its parent folder is created.
        data: bytes, or text that is stored as UTF-8.
        mode: permission bits of the new file.
    """
    path = Path(path)
    make_folder(path.parent)
    content = data.encode() if isinstance(data, str) else data
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=PREFIX, suffix=SUFFIX)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def append_line(path: Path, line: bytes) -> None:
    """Append a line to a file, on disk when this returns; a last line that was torn is cut off first.

    Args:
        path: the file; it is created, but not its folder.
        line: without the line feed that ends it.
    """
    new = not path.exists()
    with path.open("ab+", buffering=0) as file:
        end = _end_of_whole_lines(file)
        file.truncate(end)
        try:
            left = line + b"\n"
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise
    if new:
        sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Create a folder and those above it; their names are on disk when this returns."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder written to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_whole(path: Path, end: bytes) -> bool:
    """Whether a text file is there, ends as it should and has no zeros, as one that a power cut tore would.

    Args:
        path: the file.
        end: what it has to end with, but for white space.
    """
    if not path.is_file():
        return False
    content = path.read_bytes()
    return content.rstrip().endswith(end) and b"\0" not in content


def _end_of_whole_lines(file: IO[bytes]) -> int:
    """The position behind the last line feed of an open file."""
    position = file.seek(0, os.SEEK_END)
    while position:
        start = max(position - 4096, 0)
        file.seek(start)
        found = file.read(position - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        position = start
    return 0
