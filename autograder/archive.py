"""Taking the notebook out of an archive that a student, or a learning platform, made of it.

Nothing is unpacked to the disk: the one notebook is read in memory, in a process of its own with little time and
memory, so that an archive that defeats the library which reads it costs nobody but its author.
"""

import contextlib
import gzip
import io
import json
import multiprocessing
import re
import resource
import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import PurePosixPath

import psutil

from autograder.intake import Rejected, readable
from autograder.policy import MIB
from autograder.result import Status

FORKING = multiprocessing.get_context("fork")
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")
MOST_MEMBERS = 200
CPU_SECONDS, WALL_SECONDS = 10, 60
MEMORY_BYTES = 512 * MIB
CENTRAL_HEADER = b"PK\x01\x02"
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)
# What macOS and Jupyter put beside a notebook: not what was meant to be handed in.
BESIDE = ("__MACOSX", ".ipynb_checkpoints")
ADVICE = "Hand in the .ipynb file itself."


def is_archive(name: str) -> bool:
    """Whether a file's name says that it is an archive which can be read here."""
    return name.lower().endswith(ENDINGS)


def notebook_in(content: bytes, name: str, expected: str, limit: int) -> tuple[str, bytes]:
    """The one notebook in an archive: its name in there, and its bytes.

    Args:
        content: the archive's bytes.
        name: the archive's file name, whose ending tells its format.
        expected: the notebook's name, which decides between several.
        limit: bytes that everything in the archive may have together.

    Raises:
        Rejected: refused or malformed, with what is wrong with it.
    """
    ours, theirs = FORKING.Pipe(duplex=False)
    process = FORKING.Process(target=_answer, args=(theirs, content, name, expected, limit), daemon=True)
    process.start()
    theirs.close()
    try:
        return _told(ours, limit)
    except EOFError:
        raise Rejected(Status.REFUSED, f"The archive takes too long, or too much memory, to read. {ADVICE}") from None
    finally:
        process.kill()
        process.join()
        ours.close()


def _told(answer: Connection, limit: int) -> tuple[str, bytes]:
    """What the reading process found.

    Raises:
        EOFError: it ended, or had to be ended, without an answer.
        Rejected: it rejected the archive.
    """
    if not answer.poll(WALL_SECONDS):
        raise EOFError
    told = json.loads(answer.recv_bytes())
    if "sentence" in told:
        raise Rejected(Status(told["status"]), told["sentence"])
    return told["name"], answer.recv_bytes(limit)


def _answer(answer: Connection, content: bytes, name: str, expected: str, limit: int) -> None:
    """In the reading process: limit it, read, and tell."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    room = psutil.Process().memory_info().vms + MEMORY_BYTES
    with contextlib.suppress(ValueError):  # where the hard limit is lower already
        resource.setrlimit(resource.RLIMIT_AS, (room, room))
    try:
        found, notebook = _read(content, name, expected, limit)
    except MemoryError:
        return
    except Rejected as rejected:
        answer.send_bytes(json.dumps({"status": rejected.status, "sentence": rejected.sentence}).encode())
    else:
        answer.send_bytes(json.dumps({"name": found}).encode())
        answer.send_bytes(notebook)


def _read(content: bytes, name: str, expected: str, limit: int) -> tuple[str, bytes]:
    read = _from_zip if name.lower().endswith(".zip") else _from_tar
    try:
        return read(content, expected, limit)
    except BROKEN as error:
        sentence = f"The archive {readable(name)} is damaged, or is no archive. {ADVICE}"
        raise Rejected(Status.MALFORMED, sentence) from error


def _from_zip(content: bytes, expected: str, limit: int) -> tuple[str, bytes]:
    if content.count(CENTRAL_HEADER) > MOST_MEMBERS:
        raise _too_many()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        for info in members:
            _require_harmless(info)
        if sum(info.file_size for info in members) > limit:
            raise _too_large(limit)
        chosen = _chosen([info.filename for info in members], expected)
        with archive.open(chosen) as file:
            return chosen, file.read(limit)


def _require_harmless(info: zipfile.ZipInfo) -> None:
    _require_inside(info.orig_filename)
    if stat.S_ISLNK(info.external_attr >> 16):
        raise _refused("holds a link")
    if info.flag_bits & 1:
        raise _refused("is locked with a password")
    if info.compress_type not in METHODS:
        raise _refused("is compressed in a way that is not read here")


def _from_tar(content: bytes, expected: str, limit: int) -> tuple[str, bytes]:
    raw = io.BytesIO(content)
    plain = gzip.GzipFile(fileobj=raw) if content.startswith(b"\x1f\x8b") else raw
    notebooks, names = {}, []
    with tarfile.open(fileobj=_Bounded(plain, limit), mode="r|") as archive:
        for member in _plain_members(archive):
            names.append(member.name)
            if member.name.lower().endswith(".ipynb"):
                notebooks[member.name] = archive.extractfile(member).read()
    chosen = _chosen(names, expected)
    return chosen, notebooks[chosen]


def _plain_members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The files of a tar, as long as there is nothing else than files and folders in it, and not too many."""
    for number, member in enumerate(archive):
        if number >= MOST_MEMBERS:
            raise _too_many()
        _require_inside(member.name)
        if member.issym() or member.islnk():
            raise _refused("holds a link")
        if not (member.isfile() or member.isdir()):
            raise _refused("holds a pipe or a device")
        if member.isfile():
            yield member


class _Bounded:
    """A file to read from that refuses to give more than ``limit`` bytes in all."""

    def __init__(self, file: io.BufferedIOBase, limit: int):
        self.file, self.limit, self.left = file, limit, limit

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes."""
        data = self.file.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise _too_large(self.limit)
        return data


def _chosen(names: list[str], expected: str) -> str:
    """The name of the notebook that was meant to be handed in."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise _refused(f"holds {readable(twice[0])} twice")
    notebooks = [name for name in names if name.lower().endswith(".ipynb") and not _is_beside(name)]
    exact = [name for name in notebooks if PurePosixPath(name).name == expected]
    fitting = exact if len(exact) == 1 else notebooks
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise Rejected(Status.MALFORMED, f"The archive holds several notebooks ({_listed(fitting)}). {ADVICE}")
    if any(is_archive(name) for name in names):
        raise _refused("holds another archive and no notebook")
    raise Rejected(Status.MALFORMED, f"The archive holds no notebook ({_listed(names) or 'nothing'}). {ADVICE}")


def _is_beside(name: str) -> bool:
    path = PurePosixPath(name)
    return any(part in BESIDE for part in path.parts) or path.name.startswith("._")


def _require_inside(name: str) -> None:
    """Refuse an archive that would write outside the folder into which somebody unpacks it."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or re.match(r"[A-Za-z]:", name):
        raise _refused(f"holds {readable(name)}, which would land outside the folder that it is unpacked in")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(readable(name) for name in sorted(names)[:5])


def _too_many() -> Rejected:
    return _refused(f"holds more than {MOST_MEMBERS} files")


def _too_large(limit: int) -> Rejected:
    return _refused(f"unpacks to more than the {limit / MIB:.0f} MiB that are accepted")


def _refused(what: str) -> Rejected:
    return Rejected(Status.REFUSED, f"The archive {what}. {ADVICE}")
