"""Building the course site: stage, run the engine, add downloads and slides, swap the new site in."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from rich.console import Console

from course.errors import CourseError
from course.kit import build_dir, root
from course.site.downloads import write_downloads
from course.site.engine import run_engine
from course.site.library import shows_ladder
from course.site.lint import lint_sources
from course.site.stage import Staging, contents, read_config, stage, write_manifest
from course.site.stamp import version_stamp
from course.storage import write_atomic

RECORD = "site-build.json"


@dataclass
class Built:
    """What a build did: the site's folder, whether anything had changed, seconds."""

    folder: Path
    changed: bool
    seconds: float


def build_site(console: Console, force: bool = False, quick: bool = False) -> Built:
    """Build the site into ``build/site``; a build that fails leaves the last good site in place.

    Args:
        console: where progress goes.
        force: build even if nothing changed.
        quick: measure a small ladder, where none is there yet.

    Raises:
        CourseError: pages have mistakes or a cell raised; every mistake with its file and line.
    """
    started = time.monotonic()
    target = build_dir() / "site"
    require_sound_sources()
    measure_what_pages_show(console, quick)
    with FileLock(str(build_dir() / "site.lock")), console.status("Site: reading the pages") as status:
        recover(target)
        staging = stage(root(), build_dir() / "site-source")
        about = about_site(staging)
        fingerprint = fingerprint_of(staging, about)
        changed = force or not target.is_dir() or last_fingerprint() != fingerprint
        if changed:
            write_site(staging, about, target, lambda words: status.update(f"Site: {words}"))
            write_atomic(build_dir() / RECORD, json.dumps({"fingerprint": fingerprint}))
    return Built(target, changed, time.monotonic() - started)


def require_sound_sources() -> None:
    """Stop before anything is executed if the sources have mistakes that can be seen by reading them."""
    mistakes = lint_sources(root())
    if mistakes:
        raise CourseError("The site was not built:\n" + "\n".join(map(str, mistakes)))


def measure_what_pages_show(console: Console, quick: bool) -> None:
    """Measure what the ladder lacks, if a page shows it: a page's cells read the records, and measure nothing."""
    pages = [root() / name for name in contents(read_config(root())["project"]["toc"], root())]
    if any(shows_ladder(root(), page.read_text()) for page in pages):
        from course.ladder import ensure

        ensure(console, quick)


def write_site(staging: Staging, about: dict, target: Path, tell: Callable[[str], None]) -> None:
    """Run the engine, add the downloads, and put the new site in the old one's place."""
    manifest = build_dir() / "site-manifest.json"
    write_manifest(staging, manifest, about)
    html = run_engine(staging, manifest, build_dir() / "site-jupyter", tell)
    tell("writing the notebooks")
    write_downloads(staging, html)
    swap(html, target)


def about_site(staging: Staging) -> dict:
    """What the site says about itself, for the theme's manifest."""
    project, course = staging.config["project"], staging.config.get("course") or {}
    return {
        "title": project["title"],
        "description": project.get("description", ""),
        "stamp": version_stamp(root()),
        "launch": course.get("launch") or {},
    }


def fingerprint_of(staging: Staging, about: dict) -> str:
    """A hash of everything that the site is made from: staged files, theme, course modules behind lectures, version."""
    digest = hashlib.sha256(json.dumps([about, staging.environment], sort_keys=True).encode())
    theme = root() / "book" / "theme"
    for folder, skipped in ((staging.folder, "_build"), (theme, "node_modules")):
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            if parts[0] != skipped and "__pycache__" not in parts and path.is_file():
                digest.update("/".join(parts).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def last_fingerprint() -> str | None:
    """The fingerprint of the build that made the present site."""
    path = build_dir() / RECORD
    return json.loads(path.read_text())["fingerprint"] if path.is_file() else None


def recover(target: Path) -> None:
    """Finish a swap that was cut off: the old site, set aside, comes back if there is no new one."""
    aside = target.with_name("site.old")
    if aside.exists() and not target.exists():
        os.rename(aside, target)
    shutil.rmtree(aside, ignore_errors=True)


def swap(new: Path, target: Path) -> None:
    """Put the new site in the old one's place."""
    aside = target.with_name("site.old")
    if target.exists():
        os.rename(target, aside)
    os.rename(new, target)
    shutil.rmtree(aside, ignore_errors=True)
