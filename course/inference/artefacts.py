"""Folders that take minutes to make and are kept: exported and quantized models, named by what went into them."""

import importlib.metadata
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock

from course.errors import CourseError
from course.inference.models import fingerprint
from course.inference.protocol import Setup
from course.registry import cache
from course.storage import PREFIX, sync_folder

FOLDER = "inference"


def artefact(setup: Setup, kind: str, packages: Sequence[str], make: Callable[[Path], None]) -> Path:
    """The folder for some kind of artefact of a model, made if it is not there; a half-made one is never seen.

    Args:
        setup: the model; its weights, and the versions of what makes the artefact, are part of the folder's name.
        kind: what it is, such as "onnx-fused".
        packages: distributions whose versions matter.
        make: writes the files into the folder that it is given.

    Raises:
        CourseError: the cache cannot be written.
    """
    target = _folder(setup, kind, packages)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(
            f"{target.parent}, where exported models are kept, cannot be made: {error.strerror}. "
            "Set COURSE_DATA_DIR to a folder that can be written."
        ) from error
    with FileLock(f"{target}.lock"):
        if not target.is_dir():
            _make(make, target)
    return target


def is_made(setup: Setup, kind: str, packages: Sequence[str]) -> bool:
    """Whether an artefact is there already, so that asking for it takes no time; the arguments are `artefact`'s."""
    return _folder(setup, kind, packages).is_dir()


def _folder(setup: Setup, kind: str, packages: Sequence[str]) -> Path:
    versions = "-".join(f"{name}{importlib.metadata.version(name)}" for name in packages)
    return cache() / FOLDER / f"{setup.model}-{setup.dtype}-{kind}-{versions}-{fingerprint(setup)[:16]}"


def _make(make: Callable[[Path], None], target: Path) -> None:
    """Make the folder elsewhere and rename it; the caller holds the lock, so what a killed maker left is nobody's."""
    prefix = f"{PREFIX}{target.name}-"
    for left in target.parent.glob(f"{prefix}*"):
        shutil.rmtree(left)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=prefix) as work:
        fresh = Path(work, "artefact")
        fresh.mkdir()
        make(fresh)
        for path in (*fresh.rglob("*"), fresh):
            _to_disk(path)
        os.replace(fresh, target)
    sync_folder(target.parent)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
