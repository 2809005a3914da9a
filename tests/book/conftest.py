"""A small kit for the site's tests: a page with every kind of node, and a lecture and a lab from the templates."""

import importlib
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser
from rich.console import Console

from course.lab.new import new_lab
from course.site.build import Built, build_site
from course.site.checks.browser import chromium
from course.site.new import new_lecture

ROOT = Path(__file__).parents[2]
FIXTURE = Path(__file__).parent / "fixtures" / "kit"


@dataclass
class Kit:
    """A checkout of a tiny course in a temporary folder."""

    root: Path

    @property
    def site(self) -> Path:
        return self.root / "build" / "site"

    @property
    def lecture(self) -> Path:
        return self.root / "notebooks" / "01-tone" / "lecture.md"

    def build(self, **options) -> Built:
        """Run the site build in this kit."""
        with self.chosen():
            return build_site(Console(file=io.StringIO()), **options)

    @contextmanager
    def chosen(self) -> Iterator[None]:
        """A block in which the ``course`` library takes this kit for the course."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COURSE_ROOT", str(self.root))
            patch.delenv("COURSE_BUILD", raising=False)
            yield

    def page(self, address: str) -> BeautifulSoup:
        """A built page, parsed."""
        return BeautifulSoup((self.site / address / "index.html").read_text(), "html.parser")


def make_kit(root: Path) -> Kit:
    """A kit around the fixture's pages, with the course's own theme and plugin."""
    shutil.copytree(FIXTURE, root)
    (root / "pyproject.toml").touch()
    (root / "labs").mkdir()
    shutil.copytree(ROOT / "book" / "plugins", root / "book" / "plugins")
    (root / "book" / "theme").symlink_to(ROOT / "book" / "theme")
    return Kit(root)


@pytest.fixture(scope="session")
def kit(tmp_path_factory) -> Kit:
    """The fixture's kit, built once. Tests that change it use ``changed``."""
    kit = make_kit(tmp_path_factory.mktemp("site") / "kit")
    with kit.chosen():
        new_lab("lab01-tone")
        new_lecture("02-peaks")
    kit.build()
    return kit


@pytest.fixture
def changed(kit: Kit) -> Iterator[Kit]:
    """The built kit, whose sources a test may change: they and the site are put back afterwards."""
    sources = [*kit.root.glob("notebooks/*/*"), *kit.root.glob("book/*.*"), *kit.root.glob("book/plugins/*")]
    before = {path: path.read_bytes() for path in sources}
    yield kit
    for path, data in before.items():
        if path.read_bytes() != data:
            path.write_bytes(data)
    kit.build()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium that reaches loopback only. A process drives one at a time: it is closed with the module."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def theme():
    """The theme's renderer, imported as its render.py imports it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "book" / "theme")
        return importlib.import_module("renderer.registry")
