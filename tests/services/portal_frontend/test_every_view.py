"""What all views have to hold: for everybody, on a phone, in the dark, without scripts, and where a view fails."""

import pytest

from course.site.checks.browser import DARK, LIGHT, PHONE, PHONE_DARK, opened

VIEWS = {
    "/leaderboard/": "leaderboard",
    "/class/": "class-table",
    "/conversations/ada~demo-call/": "conversation-tree",
    "/conversations/ada~demo-call/#node=t3": "conversation-tree",
}
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
DRAWN = {
    "leaderboard": "[data-view] button.sort",
    "class-table": "[data-view] button.sort",
    "conversation-tree": "[data-view] .tree canvas",
}


@pytest.mark.parametrize("view", [LIGHT, DARK, PHONE, PHONE_DARK], ids=lambda view: view.name)
@pytest.mark.parametrize("page", VIEWS)
def test_views_are_for_everybody(visit, axe, page, view):
    with visit(page, "iris", view) as tab:
        tab.locator(DRAWN[VIEWS[page]]).first.wait_for()
        for button in tab.locator("[data-view] button[aria-expanded=false]").all():
            button.click()
        if VIEWS[page] == "class-table":
            tab.get_by_role("button", name="All labs").click()
            tab.get_by_role("columnheader", name="Spectra").wait_for()
        assert axe(tab) == []
        assert tab.evaluate(WIDER) <= 0


@pytest.mark.parametrize("page", [*VIEWS][:3])
def test_without_scripts_the_page_is_plain_and_whole(browser, portal, cookies, page):
    context = browser.new_context(java_script_enabled=False)
    try:
        context.add_cookies(cookies("iris"))
        tab = context.new_page()
        tab.goto(portal.address + page)
        assert tab.locator("[data-view] :is(table, ol.turns)").is_visible()
        assert tab.locator("[data-view] :is(button, canvas)").count() == 0
    finally:
        context.close()


@pytest.mark.parametrize("page", [*VIEWS][:3])
@pytest.mark.parametrize("change", ["data.version = 2", "data.rows = data.nodes = [null]"], ids=["version", "form"])
def test_a_view_that_cannot_be_drawn_leaves_the_plain_page(browser, portal, cookies, page, change):
    with opened(browser, LIGHT) as tab:
        tab.context.add_cookies(cookies("iris"))
        spoil = (
            "document.addEventListener('readystatechange', () => {"
            " const source = document.querySelector('script[type=\"application/json\"]');"
            f" const data = JSON.parse(source.textContent); {change}; source.textContent = JSON.stringify(data); }},"
            " { once: true });"
        )
        tab.add_init_script(spoil)
        tab.goto(portal.address + page)
        tab.wait_for_load_state("networkidle")
        assert tab.locator("[data-view] :is(table, ol.turns)").is_visible()
        assert tab.locator(DRAWN[VIEWS[page]]).count() == 0


def test_scripts_are_sent_compressed_and_from_the_portal(portal, visit):
    with visit("/leaderboard/") as tab:
        sources = [one.get_attribute("src") for one in tab.locator("script[type=module]").all()]
        assert sources and all(one.startswith("/static/assets/") for one in sources)
        answer = tab.request.get(portal.address + sources[0], headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip" and "drawOver" not in answer.headers
