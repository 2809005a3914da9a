"""Which version of the course a site shows."""

import subprocess
from pathlib import Path

from course import __version__


def version_stamp(root: Path) -> str:
    """``v0.1.0-3-g1f2e3d4, 2026-11-22`` from git; the package's version where there is no repository or no git."""
    described = git(root, "describe", "--tags", "--always", "--dirty")
    date = git(root, "log", "-1", "--format=%cs")
    return f"{described}, {date}" if described and date else f"version {__version__}"


def git(root: Path, *arguments: str) -> str:
    """Output of a git command, "" where it fails."""
    try:
        run = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
