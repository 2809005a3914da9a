"""How the script of the night's work is started (Lecture 8)."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from course.errors import CourseError

SCRIPT = Path(__file__).with_name("nightly.sh")
NEEDED = ("bash", "flock", "sha256sum")


def command(folder: Path) -> list[str]:
    """The command line for a folder.

    Raises:
        CourseError: a program that the script needs is missing.
    """
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise CourseError(
            f"{' and '.join(missing)} were expected on the path and are not there; on Debian they are in the packages "
            "bash, util-linux and coreutils."
        )
    return ["bash", str(SCRIPT), str(folder)]


def environment(settings: Mapping[str, str | int]) -> dict[str, str]:
    """This process's environment, with the settings as the script reads them, and this very ``course`` as its own.

    Args:
        settings: "runner", "workers", "candidates", "seed" and "wait"; those left out keep the script's defaults.
    """
    given = {f"NIGHTLY_{name.upper()}": str(value) for name, value in settings.items()}
    return os.environ | given | {"COURSE": str(Path(sys.executable).with_name("course"))}
