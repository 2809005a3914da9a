"""The notes that nbgrader keeps beside a submission, and reads without looking what they are.

``timestamp.txt`` says when it was handed in; formgrader's table reads it. ``submission_secret.txt`` names the file in
which the student finds the feedback; ``nbgrader release_feedback`` reads it.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbgrader.utils import parse_utc

from autograder.collection import FOLDER, TIMESTAMP_LIMIT, Handed
from autograder.intake import Rejected, read_entry
from course.storage import write_atomic

TIMESTAMP, SECRET = "timestamp.txt", "submission_secret.txt"
SET_ASIDE = "timestamp-that-is-none.txt"
SECRET_LIMIT = 256
TOKEN = re.compile(rb"[0-9a-f]{32,256}")


def write_notes(root: Path, folder: Path, student: str, lab: str, timestamp: str | None) -> None:
    """Write nbgrader's notes about a submission into ``folder``, if it was handed in through nbgrader.

    Where the student's secret is missing or none, a new one keeps the release of everybody's feedback from stopping.
    """
    if timestamp:
        write_atomic(folder / TIMESTAMP, timestamp)
        write_atomic(folder / SECRET, _secret(root, student, lab) or secrets.token_hex(64))


def set_aside_unreadable(root: Path, handed: Iterable[Handed]) -> None:
    """Rename what is called ``timestamp.txt`` and holds no time, in the class folder ``root``.

    One that is a link to another text, or just says "today", would leave formgrader's whole table empty; a pipe would
    stop the Jupyter server.
    """
    for one in handed:
        # A folder that is a link is left alone.
        with contextlib.suppress(OSError), _opened(root, one.student, one.lab) as folder:
            if not _is_time(folder):
                os.rename(TIMESTAMP, SET_ASIDE, src_dir_fd=folder, dst_dir_fd=folder)


def _is_time(folder: int) -> bool:
    """Whether the note about the time, if there is one, can be read as nbgrader does."""
    try:
        parse_utc(read_entry(folder, TIMESTAMP, TIMESTAMP_LIMIT).decode().strip())
    except FileNotFoundError:
        return True
    except (Rejected, ValueError, OverflowError):
        return False
    return True


def _secret(root: Path, student: str, lab: str) -> bytes | None:
    with contextlib.suppress(OSError, Rejected), _opened(root, student, lab) as folder:
        secret = read_entry(folder, SECRET, SECRET_LIMIT)
        return secret if TOKEN.fullmatch(secret) else None
    return None


@contextlib.contextmanager
def _opened(root: Path, student: str, lab: str) -> Iterator[int]:
    """The open folder of a submission, on a way without links."""
    with contextlib.ExitStack() as opened:
        folder = os.open(root / "submitted", FOLDER)
        opened.callback(os.close, folder)
        for name in (student, lab):
            folder = os.open(name, FOLDER, dir_fd=folder)
            opened.callback(os.close, folder)
        yield folder
