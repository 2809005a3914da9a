"""Submissions handed in as archives, as learning platforms make them, and as attackers do."""

import gzip
import io
import stat
import tarfile
import warnings
import zipfile
import zlib
from pathlib import Path

from hostile_cases.case import ALL, LAB_ID, Case, Site, as_bytes, hands_in, notebook

NOTEBOOK = f"{LAB_ID}.ipynb"
MIB = 1 << 20


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of the members, whatever their names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def tarred(*members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> bytes:
    """A tar of the members, whatever their kinds."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """A member of a tar."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def solution() -> bytes:
    """The notebook that earns every point."""
    return as_bytes(notebook("solution"))


def link(name: str) -> zipfile.ZipInfo:
    """A member of a zip that says it is a symbolic link."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


def encrypted() -> bytes:
    """A zip whose headers say that its member is encrypted."""
    content = bytearray(zipped((NOTEBOOK, solution())))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


def lying(size: int = 100) -> bytes:
    """A zip whose notebook says that it has 100 bytes and has 64 MiB."""
    content = bytearray(zipped((NOTEBOOK, bytes(64 * MIB))))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = content.index(signature) + offset
        content[start : start + 4] = size.to_bytes(4, "little")
    return bytes(content)


def lying_with_the_right_sum() -> bytes:
    """The same with the check sum of its beginning, so that only the size can give it away."""
    content = bytearray(lying())
    for signature, offset in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        start = content.index(signature) + offset
        content[start : start + 4] = zlib.crc32(bytes(100)).to_bytes(4, "little")
    return bytes(content)


def nested() -> bytes:
    """A zip of zips of zips of zeros."""
    inner = zipped(("zeros.bin", bytes(32 * MIB)))
    for level in range(3):
        inner = zipped(*((f"{level}-{number}.zip", inner) for number in range(10)))
    return inner


def tar_bomb() -> bytes:
    """Eight GiB of zeros in 8 MiB of gzip, as one member before the notebook."""
    info = member("zeros.bin")
    info.size = 8 << 30
    zeros = gzip.compress(bytes(64 * MIB))
    return gzip.compress(info.tobuf()) + zeros * 128 + gzip.compress(bytes(1024))


def pax_bomb() -> bytes:
    """A tar whose extended header says that it has 1 GiB."""
    info = member("header", tarfile.XHDTYPE)
    info.size = 1 << 30
    return gzip.compress(info.tobuf()) + gzip.compress(bytes(64 * MIB)) * 16


def cut() -> bytes:
    """The first half of a zip."""
    content = zipped((NOTEBOOK, solution()))
    return content[: len(content) // 2]


def _takes(name: str, what: str, file: str, make, says: str = "Taken out of") -> Case:
    return Case(f"archive-{name}", what, hands_in(lambda site: make(), file), says=says)


def _refuses(name: str, what: str, file: str, make, says: str, statuses: tuple[str, ...] = ("refused",)) -> Case:
    return Case(f"archive-{name}", what, hands_in(lambda site: make(), file), statuses, ALL, says)


def _two_archives(_site: Site, folder: Path) -> None:
    for name in ("one.zip", "two.zip"):
        (folder / name).write_bytes(zipped((NOTEBOOK, solution())))


MAC = ((f"__MACOSX/lab/._{NOTEBOOK}", b"\0\5\x16\7"), (f"lab/.ipynb_checkpoints/{NOTEBOOK}", b"{}"))
CASES = [
    _takes("zip", "a zip with the notebook", "lab01.zip", lambda: zipped((NOTEBOOK, solution()))),
    _takes(
        "zip-renamed",
        "a zip with the notebook renamed, in a folder",
        "x.zip",
        lambda: zipped(("Ada Lovelace/final 名.ipynb", solution()), ("data.csv", b"1")),
    ),
    _takes(
        "zip-of-a-mac",
        "a zip as a Mac makes it, with copies beside",
        "x.zip",
        lambda: zipped((f"lab/{NOTEBOOK}", solution()), *MAC),
    ),
    _takes("tar", "a tar with the notebook", "lab01.tar", lambda: tarred((member(NOTEBOOK), solution()), mode="w")),
    _takes(
        "tar-gz",
        "a compressed tar with the notebook",
        "lab01.tar.gz",
        lambda: tarred((member(f"lab/{NOTEBOOK}"), solution())),
    ),
    _refuses(
        "path-traversal",
        "a zip whose member goes up the folders",
        "x.zip",
        lambda: zipped((f"../../../source/{NOTEBOOK}", solution())),
        "outside",
    ),
    _refuses(
        "absolute-name",
        "a zip whose member has an absolute name",
        "x.zip",
        lambda: zipped((f"/tmp/{NOTEBOOK}", solution())),
        "outside",
    ),
    _refuses(
        "windows-name",
        "a zip whose member goes up in Windows' way",
        "x.zip",
        lambda: zipped((f"..\\..\\{NOTEBOOK}", solution())),
        "outside",
    ),
    _refuses(
        "tar-traversal",
        "a tar whose member goes up the folders",
        "x.tgz",
        lambda: tarred((member(f"a/../../{NOTEBOOK}"), solution())),
        "outside",
    ),
    _refuses(
        "zip-link",
        "a zip whose notebook is a symbolic link",
        "x.zip",
        lambda: zipped((link(NOTEBOOK), b"/etc/passwd")),
        "link",
    ),
    _refuses(
        "tar-link",
        "a tar whose notebook is a symbolic link",
        "x.tar.gz",
        lambda: tarred((member(NOTEBOOK, tarfile.SYMTYPE, "/etc/passwd"), b"")),
        "link",
    ),
    _refuses(
        "tar-hard-link",
        "a tar whose notebook is a hard link",
        "x.tar.gz",
        lambda: tarred((member(NOTEBOOK, tarfile.LNKTYPE, "/etc/passwd"), b"")),
        "link",
    ),
    _refuses(
        "tar-device",
        "a tar whose notebook is a device",
        "x.tar.gz",
        lambda: tarred((member(NOTEBOOK, tarfile.CHRTYPE), b"")),
        "device",
    ),
    _refuses("encrypted", "an encrypted zip", "x.zip", encrypted, "password"),
    _refuses(
        "bomb",
        "a zip of 64 MiB of zeros called a notebook",
        "x.zip",
        lambda: zipped((NOTEBOOK, bytes(64 * MIB))),
        "MiB",
    ),
    _refuses(
        "bomb-that-lies",
        "the same, declared as 100 bytes",
        "x.zip",
        lying,
        "damaged|more than it says",
        ("refused", "malformed"),
    ),
    _refuses(
        "bomb-that-lies-well",
        "the same with a fitting check sum",
        "x.zip",
        lying_with_the_right_sum,
        "damaged|more than it says|not a Jupyter notebook",
        ("refused", "malformed"),
    ),
    _refuses("bomb-nested", "zips in zips in zips", "x.zip", nested, "archive"),
    _refuses("tar-bomb", "a tar of 8 GiB in 8 MiB", "x.tar.gz", tar_bomb, "MiB"),
    _refuses(
        "tar-header-bomb", "a tar whose header has 1 GiB", "x.tar.gz", pax_bomb, "MiB|damaged", ("refused", "malformed")
    ),
    _refuses(
        "thousands",
        "a zip of 5,000 files",
        "x.zip",
        lambda: zipped((NOTEBOOK, solution()), *((f"{n}.txt", b"") for n in range(5000))),
        "files",
    ),
    _refuses(
        "tar-thousands",
        "a tar of 5,000 files",
        "x.tar.gz",
        lambda: tarred(*((member(f"{n}.txt"), b"") for n in range(5000))),
        "files",
    ),
    _refuses(
        "duplicates",
        "a zip with two members of one name",
        "x.zip",
        lambda: zipped((NOTEBOOK, solution()), (NOTEBOOK, b"{}")),
        "twice",
    ),
    _refuses(
        "several",
        "a zip with several notebooks",
        "x.zip",
        lambda: zipped(("a.ipynb", solution()), ("b.ipynb", solution())),
        "several",
        ("malformed",),
    ),
    _refuses(
        "without",
        "a zip without a notebook",
        "x.zip",
        lambda: zipped(("report.pdf", b"%PDF")),
        "no notebook",
        ("malformed",),
    ),
    _refuses("cut", "half a zip", "x.zip", cut, "damaged", ("malformed",)),
    _refuses(
        "no-archive",
        "a picture called .zip",
        "x.zip",
        lambda: b"\x89PNG\r\n\x1a\n" + bytes(999),
        "damaged",
        ("malformed",),
    ),
    _refuses(
        "lzma",
        "a zip compressed in a rare way",
        "x.zip",
        lambda: zipped((NOTEBOOK, solution()), method=zipfile.ZIP_LZMA),
        "compressed",
    ),
    Case("archive-two", "two zips", _two_archives, ("malformed",), ALL, "several"),
]
