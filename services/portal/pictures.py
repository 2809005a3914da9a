"""Pictures of the running portal, for the README: ``python -m services.portal.pictures FOLDER``.

A portal is started on a data folder of its own and filled as ``course portal demo`` fills one, the views are opened in
a browser as the instructor opens them, and both are ended. The class is in a picture if one has been graded (``course
up`` grades the demonstration's).
"""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from playwright.sync_api import Browser, Page

from course.errors import CourseError, shown
from course.kit import root
from course.site.checks.browser import chromium
from course.storage import write_atomic

WIDTH, HEIGHT, COLOURS = 1240, 960, 128  # as the other pictures in book/images
COMMAND = (sys.executable, "-m", "services.portal")
# Each picture's page, and what has to be on it before it is taken.
PAGES = {
    "conversation": ("/conversations/{conversation}/", "[data-view=conversation-tree] .tree canvas"),
    "leaderboard": ("/leaderboard/", "[data-view=leaderboard] button.sort"),
    "class": ("/class/", "[data-view=class-table] button.sort"),
}
CONVERSATION = "ada~demo-0"  # of those that the demonstration makes: questions with alternatives


@dataclass(frozen=True)
class Running:
    """A portal that answers at ``address``, and an account that sees everything."""

    address: str
    name: str
    password: str


@contextmanager
def demonstration() -> Iterator[Running]:
    """A portal with the demonstration in it, for as long as the block lasts.

    Raises:
        CourseError: the demonstration could not be made, or the portal did not start.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ("PORTAL_DATA", "DATABASE_URL")}
    with tempfile.TemporaryDirectory(prefix="portal-", ignore_cleanup_errors=True) as folder:
        environment = kept | {"PORTAL_DATA": folder}
        done = subprocess.run([*COMMAND, "demo"], cwd=root(), env=environment, capture_output=True, text=True)
        if done.returncode:
            raise CourseError(f"The demonstration was expected and did not come: {done.stderr.strip()[-500:]}")
        name, password = _instructor(done.stdout)
        with _up(environment) as address:
            yield Running(address, name, password)


def _instructor(told: str) -> tuple[str, str]:
    """Name and password of the instructor, as the demonstration tells them."""
    line = next(one for one in told.splitlines() if one.startswith("instructor "))
    who, password = line.removeprefix("instructor ").split(", password ")
    return who, password


@contextmanager
def _up(environment: dict[str, str]) -> Iterator[str]:
    """The address of a portal that serves."""
    process = subprocess.Popen(
        [*COMMAND, "up", "--port", "0"],
        cwd=root(),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        told = []
        for line in process.stderr:
            told.append(line)
            if "listens on" in line:
                yield next(word for word in line.split() if word.startswith("http")).rstrip("/.")
                return
        raise CourseError(f"The portal was expected to serve and ended: {''.join(told).strip()[-500:]}")
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def take(browser: Browser, portal: Running, folder: Path) -> dict[str, bytes | None]:
    """Pictures of the views, as PNG by name; None for the class where none has been graded.

    Args:
        browser: that takes them.
        portal: one that answers.
        folder: where portal-NAME.png is written.

    Raises:
        CourseError: the views have not been built.
    """
    size = {"width": WIDTH, "height": HEIGHT}
    with browser.new_context(viewport=size, color_scheme="light", reduced_motion="reduce") as context:
        tab = context.new_page()
        _log_in(tab, portal)
        taken = {name: _picture(tab, portal.address, name) for name in PAGES}
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in taken.items():
        if picture:
            write_atomic(folder / f"portal-{name}.png", picture)
    return taken


def _log_in(tab: Page, portal: Running) -> None:
    tab.goto(f"{portal.address}/login/")
    tab.fill("#id_username", portal.name)
    tab.fill("#id_password", portal.password)
    tab.click("main button[type=submit]")
    tab.wait_for_url(f"{portal.address}/")


def _picture(tab: Page, address: str, name: str) -> bytes | None:
    page, drawn = PAGES[name]
    tab.goto(address + page.format(conversation=CONVERSATION), wait_until="networkidle")
    if name == "class" and not tab.locator("[data-view]").count():
        return None
    if not tab.locator(drawn).count():
        raise CourseError(f"A view was expected on {page} and the page is plain: build services/portal/frontend first.")
    tab.evaluate("document.fonts.ready")
    return _few_colours(tab.screenshot(type="png"))


def _few_colours(png: bytes) -> bytes:
    """The same picture with a palette: a third of the bytes, and no difference that one sees."""
    from PIL import Image

    made = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS).save(made, "PNG", optimize=True)
    return made.getvalue()


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def pictures(folder: Path) -> None:
    """Start a portal with the demonstration in it and write portal-conversation.png and the others into FOLDER."""
    with chromium() as browser, demonstration() as portal:
        taken = take(browser, portal, folder)
    for name, picture in taken.items():
        if picture:
            click.echo(f"{shown(folder / f'portal-{name}.png')}: {len(picture) / 1024:.0f} KiB")
        else:
            click.echo(f"No picture of the {name}: none has been graded; `course up` grades one.")


if __name__ == "__main__":
    pictures()
