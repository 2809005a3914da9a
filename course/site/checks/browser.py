"""Every page in headless Chromium: requests, console, widgets, accessibility, width on a phone, weight."""

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Error, TimeoutError, sync_playwright
from playwright.sync_api import Page as Tab

from course import kit
from course.errors import CourseError
from course.site.checks.pages import Page
from course.site.checks.report import CheckResult, Finding, PageWeight

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = ("--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync")
LECTURE_LIMIT = 250 * 1024
PATIENCE = 30_000  # milliseconds until a page counts as stuck
WIDGET_PATIENCE = 10_000
SHARES = {"image": "figures", "media": "audio"}  # the rest of the browser's resource types counts as text
START_MILLISECONDS = 120_000  # a busy machine takes its time to start a browser


@dataclass(frozen=True)
class View:
    """A reader's screen."""

    name: str
    width: int
    height: int
    scheme: str
    touch: bool = False


LIGHT = View("light", 1280, 900, "light")
DARK = View("dark", 1280, 900, "dark")
PHONE = View("phone", 360, 740, "light", touch=True)
PHONE_DARK = View("phone-dark", 360, 740, "dark", touch=True)
VIEWS = (LIGHT, DARK, PHONE)


@dataclass
class Visit:
    """What was seen while one page was open in one view; ``transfers`` maps the files that were sent to their kind."""

    page: Page
    view: View
    external: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    widgets: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    overflow: list[str] = field(default_factory=list)
    transfers: dict[Path, str] = field(default_factory=dict)


def find_chromium() -> str:
    """The Chromium or Chrome on PATH.

    Raises:
        CourseError: there is none.
    """
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    raise CourseError(
        f"A browser for the site's checks was expected on PATH (one of {', '.join(NAMES)}) and none was found. "
        "Install Chromium, on Debian: apt-get install chromium."
    )


def chromium_flags() -> list[str]:
    """Command-line flags for an offline, quiet Chromium; root cannot have Chromium's own sandbox."""
    return [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser that reaches the loopback interface and nothing else."""
    offline = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    executable = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=[*chromium_flags(), offline], timeout=START_MILLISECONDS
        )
        try:
            yield browser
        finally:
            browser.close()


@cache
def axe_source() -> str:
    """The text of axe-core.

    Raises:
        CourseError: the theme's node packages are not installed.
    """
    file = kit.root() / "book/theme/node_modules/axe-core/axe.min.js"
    if not file.is_file():
        raise CourseError(f"axe-core was expected at {file}. Install the theme's packages: make site, or npm ci there.")
    return file.read_text(encoding="utf-8")


def visit_pages(pages: list[Page], address: str, progress: Callable[[str], None]) -> list[Visit]:
    """Open every page in every view.

    Args:
        pages: the site's pages.
        address: URL of the landing page.
        progress: is told each page as it is opened.
    """
    visits = []
    with chromium() as browser:
        for page in pages:
            progress(page.path)
            visits += [_visit(browser, page, view, address) for view in VIEWS]
    return visits


@contextmanager
def opened(browser: Browser, view: View) -> Iterator[Tab]:
    """An empty tab with the screen of ``view`` and no memory of earlier pages."""
    context = browser.new_context(
        viewport={"width": view.width, "height": view.height},
        color_scheme=view.scheme,
        has_touch=view.touch,
        is_mobile=view.touch,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    try:
        yield context.new_page()
    finally:
        context.close()


def settle(tab: Tab) -> None:
    """Walk through the page, or through the slides of a deck, so that whatever loads on the way has loaded."""
    if tab.query_selector(".reveal"):
        _turn_slides(tab)
    else:
        tab.evaluate("""async () => {
            for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
                scrollTo(0, y);
                await new Promise(requestAnimationFrame);
            }
            scrollTo(0, 0);
        }""")
    tab.wait_for_load_state("networkidle")


def _turn_slides(tab: Tab) -> None:
    """Press the right arrow to the deck's last slide, as a lecturer would, and go back to the first."""
    tab.wait_for_selector(".reveal.ready")
    number = "document.querySelector('.slide-number').textContent"
    before = None
    while (shown := tab.evaluate(number)) != before:
        before = shown
        tab.keyboard.press("ArrowRight")
        tab.evaluate("new Promise(requestAnimationFrame)")
    tab.keyboard.press("Home")


def _visit(browser: Browser, page: Page, view: View, address: str) -> Visit:
    visit = Visit(page, view)
    with opened(browser, view) as tab:
        _listen(tab, visit, address)
        try:
            tab.goto(address + page.address)
            settle(tab)
            visit.widgets = _silent_widgets(tab)
            visit.overflow = _overflow(tab)
            visit.violations = _violations(tab)
        except Error as error:
            visit.console.append(f"the page did not settle: {error.message.splitlines()[0]}")
    return visit


def _listen(tab: Tab, visit: Visit, address: str) -> None:
    """Record requests, answers and errors of the tab."""
    host = address.split("/")[2]

    def on_request(request):
        url = request.url
        if not url.startswith(("data:", "blob:", "about:")) and url.split("/")[2] != host:
            visit.external.append(url)

    def on_response(response):
        if response.status >= 400:
            visit.console.append(f"{response.url.removeprefix(address)} answered {response.status}")

    def on_finished(request):
        if visit.view is LIGHT and request.url.startswith(address):
            visit.transfers[_served_file(visit.page, request.url.removeprefix(address))] = request.resource_type

    def on_console(message):
        if message.type == "error" and "Failed to load resource" not in message.text:  # on_response has the URL
            visit.console.append(message.text)

    tab.on("request", on_request)
    tab.on("response", on_response)
    tab.on("requestfinished", on_finished)
    tab.on("console", on_console)
    tab.on("pageerror", lambda error: visit.console.append(f"uncaught {error.name}: {error.message}"))


def _served_file(page: Page, url: str) -> Path:
    """The file of the site that the URL below the landing page stands for."""
    file = page.site / unquote(urlsplit(url).path)
    return file / "index.html" if file.is_dir() else file


def _silent_widgets(tab: Tab) -> list[str]:
    """Modules of the widgets that still show the theme's waiting note, or nothing, after ten seconds."""
    silent = """() => [...document.querySelectorAll('.widget')]
        .filter(element => element.querySelector('.widget-note') || !element.querySelector('*'))
        .map(element => element.dataset.module)"""
    with suppress(TimeoutError):
        tab.wait_for_function(f"() => !({silent})().length", timeout=WIDGET_PATIENCE)
    return tab.evaluate(silent)


def _overflow(tab: Tab) -> list[str]:
    """One line that names the elements which make the page wider than the screen; empty if none does."""
    wide = tab.evaluate("""() => {
        const width = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= width) return [];
        const scrolls = element => element && element !== document.body &&
            (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(element).overflowX)
             || scrolls(element.parentElement));
        const wide = [...document.body.querySelectorAll('*')]
            .filter(element => element.getBoundingClientRect().right > width + 1 && !scrolls(element.parentElement));
        return wide.map(element => element.tagName.toLowerCase() +
            (element.id ? '#' + element.id : element.classList.length ? '.' + element.classList[0] : ''))
            .slice(0, 3).concat(`the page is ${document.documentElement.scrollWidth} px wide`);
    }""")
    return [", ".join(wide)] if wide else []


def _violations(tab: Tab) -> list[str]:
    """axe-core's violations, with every folded answer unfolded first."""
    tab.evaluate("document.querySelectorAll('details').forEach(element => { element.open = true; })")
    tab.evaluate(axe_source())
    found = tab.evaluate("axe.run({resultTypes: ['violations']}).then(result => result.violations)")
    return [
        f"{rule['id']}: {rule['help']} ({len(rule['nodes'])}×, first {rule['nodes'][0]['html'][:120]})"
        for rule in found
    ]


def judge_visits(visits: list[Visit], static_externals: list[Finding]) -> list[CheckResult]:
    """Turn what was seen into results of the checks ``external``, ``console``, ``widgets``, ``axe`` and ``phone``."""
    covered = f"{len({visit.page.path for visit in visits})} pages in {len(VIEWS)} views"

    def result(name: str, sentence: str, read: Callable[[Visit], list[str]], chosen=visits) -> CheckResult:
        findings = [
            Finding(page=f"{visit.page.path} ({visit.view.name})", message=sentence.format(item))
            for visit in chosen
            for item in read(visit)
        ]
        return CheckResult(name=name, covered=covered, findings=findings)

    external = result("external", "asked another host for {}.", lambda visit: visit.external)
    external.findings += static_externals
    phones = [visit for visit in visits if visit.view is PHONE]
    return [
        external,
        result("console", "{}", lambda visit: visit.console),
        result("widgets", "the widget {} drew nothing.", lambda visit: visit.widgets),
        result("axe", "{}", lambda visit: visit.violations),
        result("phone", f"scrolls sideways at {PHONE.width} px: {{}}.", lambda visit: visit.overflow, phones),
    ]


def weigh(visits: list[Visit]) -> tuple[CheckResult, list[PageWeight]]:
    """Gzipped transfer of each page against the limit for lecture pages."""
    weights = [_weight(visit) for visit in visits if visit.view is LIGHT]
    findings = [
        Finding(page=weight.page, message=f"weighs {weight.text / 1024:.0f} KiB of {weight.limit // 1024} KiB allowed.")
        for weight in weights
        if weight.limit and weight.text > weight.limit
    ]
    lectures = sum(weight.kind == "lecture" for weight in weights)
    return CheckResult(name="weight", covered=f"{lectures} lecture pages", findings=findings), weights


def _weight(visit: Visit) -> PageWeight:
    sizes = {"text": 0, "figures": 0, "audio": 0}
    for file, kind in visit.transfers.items():
        sizes[SHARES.get(kind, "text")] += len(gzip.compress(file.read_bytes(), mtime=0)) if file.is_file() else 0
    return PageWeight(
        page=visit.page.path,
        kind=visit.page.kind,
        **sizes,
        limit=LECTURE_LIMIT if visit.page.kind == "lecture" else None,
    )


def take_screenshots(pages: list[Page], address: str, folder: Path) -> list[Path]:
    """Whole-page pictures of the landing page, a lecture and a lab on a desktop and a phone, light and dark."""
    taken = []
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for page in representatives(pages):
            for view in (LIGHT, DARK, PHONE, PHONE_DARK):
                with opened(browser, view) as tab:
                    tab.goto(address + page.address)
                    settle(tab)
                    taken.append(folder / f"{page.kind}-{view.name}.png")
                    tab.screenshot(path=taken[-1], full_page=True)
    return taken


def representatives(pages: list[Page]) -> list[Page]:
    """The landing page, the first lecture and the first lab, as far as the site has them."""
    first: dict[str, Page] = {}
    for page in pages:
        first.setdefault(page.kind, page)
    return [first[kind] for kind in ("landing", "lecture", "lab") if kind in first]
