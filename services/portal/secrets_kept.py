"""The key that signs sessions: made once, kept in the data folder where only its owner may read it."""

import secrets
from pathlib import Path

from course.errors import CourseError, shown
from course.storage import write_atomic

NAME = "secret-key"
SHORTEST = 50  # letters


def kept_key(folder: Path) -> str:
    """The key in the data folder; "" where there is none, with which Django signs nothing."""
    try:
        return (folder / NAME).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"The key of sessions was expected at {shown(folder / NAME)}, readable: {error}") from error


def make_key(folder: Path) -> None:
    """Make the key, unless it is there; the file is its owner's alone.

    Raises:
        CourseError: the folder cannot be written, or the key that is there is too short to sign with.
    """
    path = folder / NAME
    found = kept_key(folder)
    if not found:
        try:
            write_atomic(path, secrets.token_urlsafe(64) + "\n", mode=0o600)
        except OSError as error:
            raise CourseError(
                f"The portal keeps its data in {shown(folder)}, which cannot be written: {error.strerror}. "
                "Set PORTAL_DATA to a folder that can."
            ) from error
    elif len(found) < SHORTEST:
        raise CourseError(f"{shown(path)} has fewer than {SHORTEST} letters; delete it, and a new key is made.")
