"""Copies of a class's gradebook, made before anything is written to it.

A copy has a number in its name, so that the newest is known even when the clock was set back; it is on disk, whole,
before the gradebook changes.
"""

import contextlib
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from course.storage import PREFIX, SUFFIX, make_folder, sync_folder

KEPT, DAYS_KEPT = 10, 30


class Backups:
    """The copies of the gradebook at ``database``, in the folder ``backups`` beside it."""

    def __init__(self, database: Path):
        self.database, self.folder = database, database.parent / "backups"

    def all(self) -> list[Path]:
        """The copies, oldest first."""
        return sorted(self.folder.glob("gradebook-??????-*.db"), key=_number)

    def make(self) -> Path | None:
        """Copy the database, if there is one; drop copies that are no longer wanted; return the new copy.

        Raises:
            sqlite3.Error: another program holds the database, or it is damaged.
        """
        if not self.database.exists():
            return None
        make_folder(self.folder)
        number = _number(self.all()[-1]) + 1 if self.all() else 1
        name = f"gradebook-{number:06d}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"
        part = self.folder / f"{PREFIX}{name}{SUFFIX}"
        part.unlink(missing_ok=True)
        # Unlike sqlite3's backup, which waits for ever, this gives up when another program holds the database.
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            database.execute("VACUUM INTO ?", (str(part),))
        with part.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(part, self.folder / name)
        sync_folder(self.folder)
        self._thin_out()
        return self.folder / name

    def last_good(self) -> Path | None:
        """The newest copy that is a whole database."""
        return next((copy for copy in reversed(self.all()) if damage(copy) is None), None)

    def _thin_out(self) -> None:
        """Keep the newest copies, and of older ones the first of each day: what was there before a bad day."""
        first_of_day: dict[str, Path] = {}
        for copy in self.all():
            first_of_day.setdefault(copy.stem.split("-")[2][:8], copy)
        kept = {*self.all()[-KEPT:], *list(first_of_day.values())[-DAYS_KEPT:]}
        for copy in self.all():
            if copy not in kept:
                copy.unlink()


def damage(path: Path) -> str | None:
    """What is wrong with a database file as such; None if nothing is.

    Raises:
        sqlite3.OperationalError: another program holds it.
    """
    if not path.is_file() or path.stat().st_size == 0:
        return "the file is empty" if path.is_file() else "there is no such file"
    try:
        with contextlib.closing(sqlite3.connect(path)) as database:
            ((answer, *_), *_) = database.execute("PRAGMA quick_check(1)").fetchall()
            return None if answer == "ok" else answer
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        return str(error)


def _number(copy: Path) -> int:
    return int(copy.stem.split("-")[1])
