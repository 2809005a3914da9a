"""The fixture's pages in Chromium, under a sub-path of a plain file server."""

import re

import pytest

from course.site.checks.hosting import hosted

LECTURE = "lectures/01-tone/"


@pytest.fixture(scope="module")
def address(kit):
    with hosted(kit.site) as address:
        yield address


@pytest.fixture
def open_page(browser, address):
    """Opens a page; afterwards no script may have failed and no other host may have been asked."""
    contexts, faults = [], []

    def open_at(path: str, width: int = 1280, height: int = 900, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on("request", lambda request: request.url.startswith(address) or faults.append(request.url))
        tab.on("response", lambda response: response.status < 400 or faults.append(f"{response.status} {response.url}"))
        tab.goto(address + path, wait_until="networkidle")
        return tab

    yield open_at
    for context in contexts:
        context.close()
    assert faults == []


def test_a_choice_is_explained_only_after_commitment(open_page):
    tab = open_page(LECTURE)
    quiz = tab.locator("#predict-alias")
    assert not quiz.locator(".outcome").is_visible()
    quiz.get_by_role("button", name="Commit").click()
    assert "Choose one first" in quiz.locator(".verdict").inner_text()
    assert not quiz.locator(".outcome").is_visible()
    quiz.get_by_label("7 kHz").check()
    quiz.get_by_role("button", name="Commit").click()
    assert quiz.locator(".verdict.wrong").inner_text() == "Not this one."
    assert quiz.locator("label.right").inner_text().strip() == "1 kHz"
    assert "The alias lies at" in quiz.locator(".outcome").inner_text()
    assert quiz.get_by_label("1 kHz").is_disabled()
    tab.reload()
    assert not tab.locator("#predict-alias .outcome").is_visible(), "nothing is stored"


@pytest.mark.parametrize(
    ("typed", "verdict"),
    [
        ("8000", "Right. You said 8,000 samples."),
        ("8,009", "Right. You said 8,009 samples."),
        ("8e3", "Right. You said 8,000 samples."),
        ("8011", "You said 8,011 samples; it is 8,000 samples."),
        ("eight", "Type a number first, for example 250 or 1e3."),
    ],
)
def test_a_number_is_judged_within_its_tolerance(open_page, typed, verdict):
    quiz = open_page(LECTURE).locator("#predict-count")
    quiz.get_by_role("textbox").fill(typed)
    quiz.get_by_role("textbox").press("Enter")
    assert quiz.locator(".verdict").inner_text() == verdict


def test_search_by_keyboard_leads_to_the_section(open_page):
    tab = open_page("labs/lab01-tone/")
    tab.keyboard.press("/")
    tab.keyboard.type("shannon 1949")
    first = tab.locator("#hits li").first
    first.wait_for()
    assert "Sampling" in first.inner_text() and first.locator("mark").count()
    tab.keyboard.press("Enter")
    tab.wait_for_url(re.compile(r"/lectures/01-tone/(index\.html)?#sampling$"))


def test_search_finds_nothing_politely_and_escape_closes_it(open_page):
    tab = open_page("")
    field = tab.get_by_role("combobox", name="Search the course")
    field.fill("zzzzqqq")
    tab.locator("#hits li").wait_for()
    assert "Nothing found for “zzzzqqq”" in tab.locator("#hits").inner_text()
    field.press("Escape")
    assert field.get_attribute("aria-expanded") == "false"


def test_theme_follows_the_system_and_a_choice_is_remembered(open_page):
    tab = open_page(LECTURE, color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert tab.evaluate(paper) == "rgb(255, 255, 255)"
    tab.get_by_role("button", name="Dark theme").click()
    assert tab.evaluate(paper) == "rgb(17, 21, 28)"
    light, dark = tab.locator('img[alt^="One period"]').all()
    assert dark.is_visible() and not light.is_visible()
    tab.goto(tab.url.replace(LECTURE, ""))
    assert tab.evaluate(paper) == "rgb(17, 21, 28)"
    assert tab.get_by_role("button", name="Dark theme").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("path", ["", LECTURE, "lectures/02-peaks/", "labs/lab01-tone/"])
def test_a_telephone_never_scrolls_sideways(open_page, path):
    tab = open_page(path, width=360, height=740)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360


def test_menu_on_a_telephone_opens_and_closes_by_keyboard(open_page):
    tab = open_page(LECTURE, width=390, height=844)
    nav = tab.get_by_role("navigation", name="Course")
    assert not nav.is_visible()
    tab.get_by_role("button", name="Contents").press("Enter")
    assert nav.is_visible() and tab.evaluate("document.activeElement.getAttribute('aria-current')") == "page"
    tab.keyboard.press("Escape")
    assert not nav.is_visible()


def test_tabs_by_arrow_keys(open_page):
    tab = open_page(LECTURE)
    tab.get_by_role("tab", name="One").focus()
    tab.keyboard.press("ArrowRight")
    assert tab.get_by_role("tabpanel", name="Two").inner_text().strip() == "Second."
    assert not tab.get_by_text("First.", exact=True).is_visible()


def test_a_widget_lives_without_a_kernel_and_a_broken_one_says_so(open_page, kit):
    tab = open_page(LECTURE)
    widget = tab.locator(".widget")
    widget.scroll_into_view_if_needed()
    widget.get_by_role("button", name="count 3").click()
    assert widget.get_by_role("button").inner_text() == "count 4"

    module = next((kit.site / "files").glob("counter-*.mjs"))
    sound = module.read_text()
    module.write_text("export default { render() { throw new Error('no such device'); } }")
    try:
        tab.reload()
        widget.scroll_into_view_if_needed()
        widget.get_by_role("alert").wait_for()
        assert "no such device" in widget.inner_text()
    finally:
        module.write_text(sound)


def test_a_player_plays_and_shows_where_it_is(open_page):
    tab = open_page(LECTURE)
    player = tab.locator("figure.player")
    assert "0.5 s" in player.inner_text()
    player.get_by_role("button", name="Play A tone of 440 Hz").click()
    tab.wait_for_function("document.querySelector('.player audio').currentTime > 0.1")
    assert float(player.get_by_role("slider").input_value()) > 0


def test_a_citation_shows_its_work_on_hover_and_takes_it_away(open_page):
    tab = open_page(LECTURE)
    tab.locator('a.cite[href="#cite-shannon1949"]').first.hover()
    tab.locator(".preview").wait_for()
    assert "Communication in the Presence of Noise" in tab.locator(".preview").inner_text()
    tab.mouse.move(0, 0)
    tab.locator(".preview").wait_for(state="detached")


def test_contents_follow_the_reader(open_page):
    tab = open_page(LECTURE, width=1500)
    tab.evaluate("document.getElementById('deeper').scrollIntoView({ behavior: 'instant' })")
    tab.wait_for_function("document.querySelector('.contents.wide [aria-current]')?.hash === '#deeper'")


def test_everything_can_be_read_without_scripts(open_page):
    tab = open_page(LECTURE, java_script_enabled=False)
    assert tab.locator("figure.player audio[controls]").is_visible()
    tab.locator("#predict-alias summary").click()
    assert "The alias lies at" in tab.locator("#predict-alias").inner_text()
    assert not tab.locator(".search").is_visible(), "a field that could not search"
    assert "needs JavaScript" in tab.locator(".widget").inner_text()


def test_skip_link_is_the_first_stop_and_leads_to_the_text(open_page):
    tab = open_page(LECTURE)
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"
