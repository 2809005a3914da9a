"""The pages of a class in Chromium, opened from the disk: accessible in every view, and nothing is asked for."""

import pytest

from autograder.pages.feedback import feedback_page, feedback_path
from course.site.checks.browser import DARK, LIGHT, PHONE, axe_source, opened

VIOLATIONS = """axe.run().then(found => found.violations.map(one =>
    one.id + ": " + one.nodes.map(node => node.html.slice(0, 200)).join(" ")))"""
OPENED = "document.querySelectorAll('details').forEach(one => one.open = true)"
BLACK, WHITE = "rgb(17, 21, 28)", "rgb(255, 255, 255)"


@pytest.fixture(scope="module")
def root(shared_class):
    return shared_class[0]


@pytest.fixture(scope="module")
def addresses(root, lab01, make_result):
    summary = root / "summary"
    return {
        "class": root / "summary.html",
        "lab": summary / f"{lab01.id}.html",
        "similar": summary / f"{lab01.id}-similar.html",
        "feedback": feedback_path(root, make_result("full")),
    }


@pytest.mark.parametrize("view", [LIGHT, DARK, PHONE], ids=lambda view: view.name)
@pytest.mark.parametrize("page", ["class", "lab", "similar", "feedback"])
def test_a_page_is_accessible_and_asks_for_nothing(browser, addresses, root, page, view):
    faults = []
    with opened(browser, view) as tab:
        tab.on("request", lambda one: one.url.startswith((root.as_uri(), "data:")) or faults.append(one.url))
        tab.on("requestfailed", lambda one: faults.append(f"failed: {one.url}"))
        tab.on("console", lambda one: faults.append(one.text))
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.goto(addresses[page].as_uri(), wait_until="networkidle")
        tab.evaluate(OPENED)
        tab.evaluate(axe_source())
        assert tab.evaluate(VIOLATIONS) == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= view.width
        paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == (BLACK if view.scheme == "dark" else WHITE)
    assert faults == []


def test_the_face_is_the_sites(browser, addresses):
    with opened(browser, LIGHT) as tab:
        tab.goto(addresses["feedback"].as_uri(), wait_until="networkidle")
        assert tab.evaluate("getComputedStyle(document.body).fontFamily").startswith('"Source Serif"')
        assert tab.evaluate("document.fonts.check('16px \"Source Serif\"')")


def test_a_page_that_went_by_mail_is_whole_without_its_folder(browser, make_result, tmp_path):
    (tmp_path / "mailed.html").write_text(feedback_page(make_result("ann"), {}))
    with opened(browser, LIGHT) as tab:
        tab.goto((tmp_path / "mailed.html").as_uri())
        assert tab.get_by_role("heading", level=1).is_visible()
        assert tab.evaluate("getComputedStyle(document.querySelector('.task')).borderLeftWidth") == "4px"


def test_the_bar_of_points_is_told_in_words_and_drawn_to_scale(browser, addresses, make_result):
    with opened(browser, LIGHT) as tab:
        tab.goto(addresses["feedback"].as_uri())
        bar = tab.get_by_role("img")
        assert "Task 2: where does a tone land?: not begun, 0 of 2" in bar.get_attribute("aria-label")
        widths = bar.evaluate("svg => [...svg.querySelectorAll(':scope > rect')].map(one => one.getBBox().width)")
        points = [task.max_score for task in make_result("ann").tasks]
        assert [width / sum(widths) for width in widths] == pytest.approx(
            [one / sum(points) for one in points], abs=1e-3
        )


def test_paper_is_white_with_nothing_cut(browser, addresses):
    with opened(browser, DARK) as tab:
        tab.goto(addresses["feedback"].as_uri())
        tab.emulate_media(media="print", color_scheme="dark")
        assert tab.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
        assert not tab.locator(".top").is_visible()
        assert tab.pdf(format="A4").startswith(b"%PDF")


def test_the_way_from_the_class_to_a_student(browser, addresses):
    with opened(browser, PHONE) as tab:
        tab.goto(addresses["class"].as_uri())
        tab.get_by_role("link", name="Lab 1: Sound as numbers", exact=True).click()
        tab.get_by_role("link", name="Everybody").click()
        assert tab.url.endswith("#everybody")
        tab.evaluate(OPENED)
        tab.get_by_role("region", name="Everybody").get_by_role("link", name="student-003").click()
        assert tab.get_by_text("student-003").first.is_visible()
