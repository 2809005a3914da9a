"""Building the course site: stage, run the engine, add downloads and slides, swap the new site in."""

import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from rich.console import Console

from course.kit import build_dir, root
from course.site.engine import run_engine
from course.site.stage import Staging, stage, write_manifest
from course.site.stamp import version_stamp
from course.storage import write_atomic

RECORD = "site-build.json"


@dataclass
class Built:
    """What a build did: the site's folder, whether anything had changed, seconds."""

    folder: Path
    changed: bool
    seconds: float


def build_site(console: Console, force: bool = False) -> Built:
    """Build the site into ``build/site``; a build that fails leaves the last good site in place.

    Args:
        console: where progress goes.
        force: build even if nothing changed.

    Raises:
        SourceError: a page has a mistake, or a cell raised.
    """
    started = time.monotonic()
    target, folder = build_dir() / "site", build_dir() / "site-source"
    with FileLock(str(build_dir() / "site.lock")), console.status("Site: reading the pages") as status:
        recover(target)
        staging = stage(root(), folder)
        about = about_site(staging)
        fingerprint = fingerprint_of(staging, about)
        if not force and target.is_dir() and last_fingerprint() == fingerprint:
            return Built(target, False, time.monotonic() - started)
        manifest = build_dir() / "site-manifest.json"
        write_manifest(staging, manifest, about)
        html = run_engine(
            staging, manifest, build_dir() / "site-jupyter", lambda words: status.update(f"Site: {words}")
        )
        swap(html, target)
        write_atomic(build_dir() / RECORD, json.dumps({"fingerprint": fingerprint}))
    return Built(target, True, time.monotonic() - started)


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
