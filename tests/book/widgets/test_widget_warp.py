"""The grid of Lecture 3 in Chromium: its arithmetic against `course.alignment`, and what a reader can do with it."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from course.alignment import PLAIN, SYMMETRIC, dtw

from .reader import expect_refusal, reading

MODULE = "warp.mjs"
CHEAPEST = [(0, 0), (0, 1), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 6)]  # of the lecture's melodies, cost 5


def cell(page, row, column):
    return page.locator(f"#first [data-place='{row},{column}']")


def draw(page, path):
    for place in path[1:]:
        cell(page, *place).click()


# ------------------------------------------------------------------------------------------------------ arithmetic


@pytest.mark.parametrize(("diagonal", "steps"), [(1, PLAIN), (2, SYMMETRIC)])
def test_the_cheapest_path_is_that_of_the_library(visit, diagonal, steps):
    page = visit()
    rng = np.random.default_rng(diagonal)
    for _ in range(30):
        costs = rng.integers(0, 10, rng.integers(2, 10, 2))
        got = page.evaluate("([costs, diagonal]) => widget.cheapest(costs, diagonal)", [costs.tolist(), diagonal])
        warp = dtw(costs, steps)
        assert got["cost"] == warp.cost and got["accumulated"] == warp.accumulated.tolist()
        assert got["path"] == warp.path.tolist()
        script = "([path, costs, diagonal]) => widget.costOf(path, costs, diagonal)"
        assert page.evaluate(script, [got["path"], costs.tolist(), diagonal]) == warp.cost


def test_paths_are_counted_as_they_are(visit):
    page = visit()
    for (rows, columns), count in {(1, 1): 1, (2, 2): 3, (3, 3): 13, (6, 7): 3653}.items():
        assert page.evaluate("([n, m]) => widget.countPaths(n, m)", [rows, columns]) == count


# ------------------------------------------------------------------------------------------------ what a reader does


def test_a_reader_draws_a_path_and_compares(visit):
    page = visit()
    page.evaluate("show('first')")
    expect(reading(page)).to_contain_text("the cheapest of the 3,653 paths")
    compare = page.get_by_role("button", name="Compare")
    expect(compare).to_be_disabled()
    draw(page, [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (5, 6)])
    expect(reading(page)).to_have_text("Your path costs 23. Is it the cheapest of 3,653? Press Compare.")
    assert page.locator("#first .cell[data-best]").count() == 0
    compare.click()
    expect(reading(page)).to_contain_text("the cheapest of 3,653 costs 5, which is 18 less")
    best = page.locator("#first .cell[data-best]").evaluate_all("cells => cells.map((c) => c.dataset.place)")
    assert sorted(best) == sorted(f"{i},{j}" for i, j in CHEAPEST)
    expect(cell(page, 5, 6)).to_have_accessible_name(
        "Row 6, column 7: cost 0, cheapest way here 5, on your path, on the cheapest path"
    )


def test_the_cheapest_path_is_recognised_as_such(visit):
    page = visit()
    page.evaluate("show('first')")
    draw(page, CHEAPEST)
    page.get_by_role("button", name="Compare").click()
    expect(reading(page)).to_have_text("Your path costs 5, and none of the 3,653 is cheaper.")


def test_leaps_are_explained_and_clicks_on_the_path_cut_it(visit):
    page = visit()
    page.evaluate("show('first')")
    cell(page, 2, 2).click()
    expect(reading(page)).to_contain_text("one cell up, one to the right, or both")
    draw(page, CHEAPEST[:5])
    cell(page, 0, 1).click()
    expect(page.locator("#first .cell[data-yours]")).to_have_count(2)
    page.get_by_role("button", name="Take back").click()
    expect(page.locator("#first .cell[data-yours]")).to_have_count(1)
    expect(page.get_by_role("button", name="Take back")).to_be_disabled()


def test_everything_can_be_done_from_the_keyboard(visit):
    page = visit()
    page.evaluate("show('first', {first: [1, 2], second: [1, 2, 2]})")
    cell(page, 0, 0).focus()
    for key in ("ArrowUp", "ArrowRight", "ArrowLeft", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")  # on cell (1, 1)
    expect(cell(page, 1, 1)).to_have_attribute("data-yours", "")
    page.get_by_role("button", name="Step right").press("Enter")
    expect(page.get_by_role("button", name="Step up")).to_be_disabled()
    page.get_by_role("button", name="Compare").press("Space")
    expect(reading(page)).to_contain_text("none of the 5 is cheaper")
    page.get_by_role("button", name="Start again").press("Enter")
    expect(reading(page)).to_contain_text("Draw what you take")


def test_a_changed_cost_moves_the_cheapest_path(visit):
    page = visit()
    page.evaluate("show('first')")
    draw(page, CHEAPEST)
    page.get_by_role("button", name="Compare").click()
    for place in CHEAPEST[-2::-1][:3]:  # back to (2, 4), where the two high notes meet
        cell(page, *place).click()
    cost = page.get_by_label("Cost of the last cell of your path")
    expect(cost).to_have_value("1")
    cost.fill("50")
    cost.press("Enter")
    expect(cell(page, 2, 4)).to_contain_text("50")
    assert cell(page, 2, 4).get_attribute("data-best") is None
    cost.fill("")
    cost.press("Enter")
    expect(reading(page)).to_contain_text("A cost from 0 to 99 was expected")
    expect(cost).to_have_value("50")


def test_a_dearer_diagonal_is_counted(visit):
    page = visit()
    page.evaluate("show('first')")
    draw(page, CHEAPEST)
    page.get_by_label("A diagonal step counts its cell twice").check()
    page.get_by_role("button", name="Compare").click()
    warp = dtw(np.abs(np.subtract.outer([1, 3, 8, 9, 4, 2], [1, 2, 3, 3, 9, 8, 2])), SYMMETRIC)
    expect(reading(page)).to_contain_text(f"costs {warp.cost:.0f}")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"first": [1]}, "Expected “first” to be 2 to 9 numbers, got [1]"),
        ({"second": "12"}, "Expected “second”"),
        ({"second": [1, "a"]}, 'got [1,"a"]'),
        ({"first": list(range(10))}, "2 to 9 numbers"),
        ({"diagonal": 3}, "to be 1 or 2, got 3"),
    ],
)
def test_a_page_that_asks_for_the_impossible_is_told(visit, model, words):
    expect_refusal(visit(), model, re.escape(words))


# ------------------------------------------------------------------------------------------------------ good manners


def test_two_widgets_live_side_by_side_and_one_is_removed(visit):
    page = visit()
    page.evaluate("show('first'); show('second', {first: [1, 2], second: [2, 1]})")
    draw(page, CHEAPEST[:3])
    expect(page.locator("#second").get_by_role("status")).to_contain_text("So far it costs 1")
    page.evaluate("remove_first()")
    expect(page.locator("#first")).to_be_empty()
    page.evaluate("show('first')")
    expect(page.locator("#first .cell[data-yours]")).to_have_count(1)


def test_it_follows_the_theme(visit):
    page = visit(color_scheme="light")
    page.evaluate("show('first')")
    colour = "() => getComputedStyle(document.querySelector('#first > div').shadowRoot.querySelector('.face')).color"
    light = page.evaluate(colour)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function(f"({colour})() !== {light!r}")
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_function(f"({colour})() === {light!r}")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_fits_and_never_moves_the_page(visit, width):
    page = visit(viewport={"width": width, "height": 900})
    page.evaluate("show('first', {first: [1, 2, 3, 4, 5, 6, 7, 8, 9], second: [9, 8, 7, 6, 5, 4, 3, 2, 1]})")
    height = page.evaluate("document.getElementById('first').offsetHeight")
    for _ in range(8):
        page.get_by_role("button", name="Step diagonally").click()
    page.get_by_role("button", name="Compare").click()
    assert page.evaluate("document.getElementById('first').offsetHeight") == height
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = cell(page, 0, 0).bounding_box()
    assert box["width"] >= 24 and box["height"] >= 24


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit, axe, scheme, width):
    page = visit(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.evaluate("show('first'); show('second', {diagonal: 2})")
    draw(page, CHEAPEST)
    page.get_by_role("button", name="Compare").first.click()
    assert axe(page) == []
