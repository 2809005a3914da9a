"""A real portal with the built views, and a browser."""

import os
import subprocess
import sys
from collections import namedtuple
from contextlib import contextmanager
from pathlib import Path

import pytest

from course.errors import CourseError
from course.site.checks.browser import LIGHT, axe_source, chromium, find_chromium, opened

KIT = Path(__file__).parents[3]
DIST = KIT / "services/portal/frontend/dist"
BUILD = "npm ci --prefix services/portal/frontend --ignore-scripts && npm run build --prefix services/portal/frontend"
PASSWORD = "kestrel over water"
Portal = namedtuple("Portal", "address folder environment")


@pytest.fixture(scope="session")
def portal(tmp_path_factory):
    """A portal in a process of its own, filled by filled.py."""
    assert (DIST / "manifest.json").is_file(), f"The portal's views were expected in {DIST}. Build them: {BUILD}"
    folder = tmp_path_factory.mktemp("portal")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "DJANGO_", "DATABASE_"))
    }
    environment = kept | {
        "PORTAL_DATA": str(folder),
        "PORTAL_CLASS_FOLDER": str(folder / "class"),
        "PORTAL_REMEASURED": str(folder / "again"),
        "PORTAL_LOGIN_RATE": "100/m",
        "PYTHONPATH": str(KIT),
    }
    filler = [sys.executable, str(Path(__file__).parent / "filled.py"), PASSWORD]
    done = subprocess.run(filler, cwd=KIT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    process = subprocess.Popen(
        [sys.executable, "-m", "services.portal", "up", "--port", "0"],
        cwd=KIT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stderr.readline()
        assert "listens on" in line, line
        yield Portal(next(word for word in line.split() if word.startswith("http")).rstrip("/."), folder, environment)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.fixture(scope="module")
def browser():
    """Ends with the module: Playwright takes one at a time in a process."""
    try:
        find_chromium()
    except CourseError as error:
        pytest.skip(str(error))
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def cookies(portal, browser):
    """The cookies of somebody who has logged in."""
    kept = {}

    def of(name):
        if name not in kept:
            with opened(browser, LIGHT) as tab:
                tab.goto(f"{portal.address}/login/")
                tab.fill("#id_username", name)
                tab.fill("#id_password", PASSWORD)
                tab.click("main button[type=submit]")
                tab.wait_for_url(f"{portal.address}/")
                kept[name] = tab.context.cookies()
        return kept[name]

    return of


@pytest.fixture
def visit(portal, browser, cookies):
    """Open a page as somebody; at the end nothing may have been asked of another host, and no console complains."""

    @contextmanager
    def open_(page, name=None, view=LIGHT, expected=()):
        with opened(browser, view) as tab:
            elsewhere, complaints = [], []
            tab.on("request", lambda one: one.url.startswith((portal.address, "data:")) or elsewhere.append(one.url))
            tab.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
            tab.on("pageerror", lambda error: complaints.append(str(error)))
            tab.context.add_cookies(cookies(name) if name else [])
            tab.goto(portal.address + page)
            yield tab
            assert not elsewhere and [one for one in complaints if not one.startswith(tuple(expected) or "\0")] == []
            assert tab.title() != "broken in"

    return open_


@pytest.fixture(scope="session")
def axe():
    """What axe complains of on the page of a tab."""

    def complaints(tab):
        tab.evaluate(axe_source())
        found = tab.evaluate("axe.run({resultTypes: ['violations']}).then(result => result.violations)")
        return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]

    return complaints
