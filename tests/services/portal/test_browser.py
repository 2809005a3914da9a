"""The pages in headless Chromium: axe has no complaint, nothing is wider than a phone, all comes from the portal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Error

from course.errors import CourseError
from course.site.checks.browser import DARK, LIGHT, PHONE, axe_source, chromium, find_chromium, opened

KIT = Path(__file__).parents[3]
PASSWORD = "kestrel over water"
# Everything that the portal shows, in a folder of its own: a demonstration without the service, and a password to know.
FILL = """
import json, sys
from services.portal.command import prepare
prepare()
from pathlib import Path
from services.portal.configuration import configuration
from services.portal.demo import call_with_problems, hand_in_records
from services.portal.ingestion import ingest_in_a_loop
from services.portal.made_up import entries
from services.portal.models import Account
folder = configuration().folder
log = folder / "calls.jsonl"
log.write_text("".join(json.dumps(one) + "\\n" for one in [*call_with_problems(), *entries(30, 6)]))
ingest_in_a_loop([str(log)], folder / "dead", owner="ada")
Account.objects.create_user("iris", password=sys.argv[1], is_staff=True)
hand_in_records()
"""
PAGES = ("/", "/leaderboard/", "/conversations/", "/conversations/ada~demo-call/", "/conversations/ada~call-0-3/") + (
    "/records/",
    "/class/",
    "/account/",
    "/account/password/",
    "/nothing/",
)
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A portal with something in it."""
    try:
        find_chromium()
        axe_source()
    except CourseError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("portal")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "DJANGO_", "DATABASE_"))
    }
    environment = kept | {"PORTAL_DATA": str(folder), "PORTAL_CLASS_FOLDER": str(folder / "class")}
    done = subprocess.run(
        [sys.executable, "-c", FILL, PASSWORD], cwd=KIT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    process = subprocess.Popen(
        [sys.executable, "-m", "services.portal", "up", "--port", "0"],
        cwd=KIT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stderr.readline()
    assert "listens on" in line, line
    try:
        yield next(word for word in line.split() if word.startswith("http")).rstrip("/.")
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def browser(address):
    with chromium() as found:
        yield found


def log_in(tab, address):
    tab.goto(f"{address}/login/")
    tab.fill("#id_username", "iris")
    tab.fill("#id_password", PASSWORD)
    tab.click("main button[type=submit]")
    tab.wait_for_url(f"{address}/")


@pytest.mark.parametrize("view", [LIGHT, DARK, PHONE], ids=lambda view: view.name)
def test_pages_are_for_everybody(address, browser, view):
    with opened(browser, view) as tab:
        elsewhere, complaints = [], []
        tab.on(
            "request", lambda request: elsewhere.append(request.url) if not request.url.startswith(address) else None
        )
        tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        found = {}
        for page in ("/login/", *PAGES):
            if page == "/":
                log_in(tab, address)
            tab.goto(address + page)
            tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
            assert tab.evaluate(WIDER) <= 0, page
            found[page] = violations(tab)
        assert found == dict.fromkeys(found, [])
        expected = "Failed to load resource: the server responded with a status of 404"
        assert not elsewhere and [one for one in complaints if not one.startswith(expected)] == []


def violations(tab):
    """What axe complains of. Its script comes by the browser's own tools, which a page's policy does not bind."""
    tab.evaluate(axe_source())
    found = tab.evaluate("axe.run({resultTypes: ['violations']}).then(result => result.violations)")
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found]


def test_the_theme_is_the_readers(address, browser):
    with opened(browser, LIGHT) as tab:
        tab.goto(f"{address}/")
        light = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        tab.click(".theme")
        dark = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        tab.goto(f"{address}/leaderboard/")
        assert light != dark == tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert tab.get_attribute(".theme", "aria-pressed") == "true"


def test_without_scripts_everything_can_be_reached_by_links(address, browser):
    context = browser.new_context(java_script_enabled=False)
    try:
        tab = context.new_page()
        log_in(tab, address)
        tab.goto(f"{address}/conversations/?q=Shall+I+send")
        tab.click("tbody tr:has-text('demo-call') a")
        tab.click("details summary >> nth=0")
        tab.click(".turn details a >> nth=0")
        assert "?at=" in tab.url and tab.is_visible(".turn")
        assert not tab.is_visible(".theme")
    finally:
        context.close()


def test_a_policy_that_a_page_breaks_is_seen(address, browser):
    """The check above would see a script in the page: it is refused, and told on the console."""
    with opened(browser, LIGHT) as tab:
        told = []
        tab.on("console", lambda message: told.append(message.text))
        tab.goto(f"{address}/")
        with pytest.raises(Error):
            tab.add_script_tag(content="document.title = 'broken in'")
        assert tab.title() != "broken in" and any("Content Security Policy" in one for one in told)
