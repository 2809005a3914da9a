"""Files by name, on a disk or in a bucket: Beam's file systems, and atomic writes where there are folders (Lecture 8).

An object store shows an object when all of it is there. On a disk that takes a second name and a rename.
"""

import bz2
import glob
import gzip
from pathlib import Path

from course.errors import CourseError
from course.storage import write_atomic

UNPACKED = {".gz": gzip.open, ".bz2": bz2.open}


def is_local(path: str) -> bool:
    """Whether a name is that of a file on this machine, not ``gs://…`` or another scheme."""
    return "://" not in path


def join(folder: str, *names: str) -> str:
    """A name below a folder."""
    return "/".join([folder.rstrip("/") or "/", *names])


def matching(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """The files that patterns such as ``calls/*.jsonl`` match, sorted, each once.

    Raises:
        CourseError: a pattern that matches nothing.
    """
    found = set()
    for pattern in patterns:
        matched = glob.glob(pattern, recursive=True) if is_local(pattern) else _matching_in_bucket(pattern)
        if not matched:
            raise CourseError(f"Files were expected at {pattern} and there are none.")
        found |= set(matched)
    return tuple(sorted(found))


def _matching_in_bucket(pattern: str) -> list[str]:
    from apache_beam.io.filesystems import FileSystems

    return [file.path for result in FileSystems.match([pattern]) for file in result.metadata_list]


def open_for_reading(path: str):
    """An open binary file; ``.gz`` and ``.bz2`` are unpacked on the way."""
    if is_local(path):
        return UNPACKED.get(Path(path).suffix, open)(path, "rb")
    from apache_beam.io.filesystems import FileSystems

    return FileSystems.open(path)


def read_whole(path: str) -> bytes:
    """The content of a file, as it is stored."""
    if is_local(path):
        return Path(path).read_bytes()
    from apache_beam.io.filesystems import CompressionTypes, FileSystems

    with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        return file.read()


def write_whole(path: str, content: bytes) -> None:
    """Write a file so that nobody sees a part of it."""
    if is_local(path):
        write_atomic(Path(path), content)
        return
    from apache_beam.io.filesystems import CompressionTypes, FileSystems

    with FileSystems.create(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
        file.write(content)


def exists(path: str) -> bool:
    """Whether there is a file of that name."""
    if is_local(path):
        return Path(path).is_file()
    from apache_beam.io.filesystems import FileSystems

    return FileSystems.exists(path)


def names_in(folder: str) -> tuple[str, ...]:
    """The names of the files in a folder, sorted; none where there is no folder."""
    if is_local(folder):
        return tuple(sorted(file.name for file in Path(folder).glob("*") if file.is_file()))
    from apache_beam.io.filesystems import FileSystems

    found = FileSystems.match([join(folder, "*")])[0].metadata_list
    return tuple(sorted(file.path.rsplit("/", 1)[-1] for file in found))


def delete(path: str) -> None:
    """Delete a file that is there."""
    if is_local(path):
        Path(path).unlink()
        return
    from apache_beam.io.filesystems import FileSystems

    FileSystems.delete([path])
