"""The dialog tree of Lecture 7 in Chromium: its arithmetic against `course.language.tree`, and what a reader does."""

import json

import pytest
from playwright.sync_api import expect

from course.language.tree import Node

from .reader import reading

MODULE = "dialog-tree.mjs"
TREE = Node(
    "caller",
    "hi i lost my card",
    1.0,
    (
        Node(
            "agent",
            "I",
            0.5,
            (
                Node("", "'m sorry for your loss.", 0.4),
                Node("", "'d be happy to help.", 0.25, (Node("caller", "thanks", 0.9),)),
            ),
        ),
        Node("agent", "Which card is it?", 0.125),
    ),
)


def show(page, place="first", tree=TREE):
    page.evaluate(f"show('{place}', {json.dumps({'tree': tree.as_model()})})")


def ways(page, place="#first"):
    return page.locator(place).get_by_role("group", name="What may come next").get_by_role("button")


def said(page, place="#first"):
    return page.locator(place).get_by_role("list", name="Said so far").get_by_role("listitem")


def test_probabilities_of_paths_are_those_of_the_course(visit):
    page = visit()
    paths = [[0, 0], [0, 1, 0], [1]]
    found = [page.evaluate(f"widget.probability({json.dumps(TREE.as_model())}, {path})") for path in paths]
    assert found == pytest.approx([p for _, p in TREE.paths()])


def test_what_is_left_out(visit):
    page = visit()
    assert page.evaluate(f"widget.leftOut({json.dumps(TREE.as_model())})") == pytest.approx(0.375)
    assert page.evaluate("widget.leftOut({ children: [{ p: 0.6 }, { p: 0.4 }] })") == pytest.approx(0)


@pytest.mark.parametrize(
    ("p", "text"),
    [(1, "100 %"), (0.125, "13 %"), (0.0941, "9.4 %"), (0.000228, "0.023 %"), (1e-6, "0.0001 %"), (0, "0 %")],
)
def test_probabilities_have_two_digits_that_count(visit, p, text):
    assert visit().evaluate(f"widget.percent({p})") == text


def test_a_branch_can_be_taken_and_left(visit):
    page = visit()
    show(page)
    expect(reading(page)).to_have_text("2 ways on:")
    expect(page.locator(".rest")).to_have_text("anything else: 38 %")
    ways(page).nth(0).click()
    expect(reading(page)).to_have_text("This way has a probability of 50 %. 2 ways on:")
    ways(page).nth(1).click()
    expect(said(page)).to_have_count(2)
    expect(said(page).nth(1)).to_have_text("agentI'd be happy to help.")
    ways(page).nth(0).click()
    expect(said(page)).to_have_count(3)
    expect(reading(page)).to_have_text("This way has a probability of 11 %. The tree ends here.")
    page.get_by_role("button", name="One step back").click()
    expect(said(page)).to_have_count(2)
    page.get_by_role("button", name="Start again").click()
    expect(said(page)).to_have_count(1)
    expect(page.get_by_role("button", name="One step back")).to_be_disabled()


def test_the_likeliest_way_is_not_the_first_by_accident(visit):
    page = visit()
    show(page, tree=Node("caller", "hi", 1.0, (Node("agent", "rare", 0.1), Node("agent", "common", 0.8))))
    page.get_by_role("button", name="Take the likeliest").click()
    expect(said(page).nth(1)).to_have_text("agentcommon")
    expect(page.get_by_role("button", name="Take the likeliest")).to_be_disabled()


def test_the_keyboard_goes_down_and_back(visit):
    page = visit()
    show(page)
    ways(page).nth(0).focus()
    page.keyboard.press("Enter")
    expect(ways(page).nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    expect(reading(page)).to_contain_text("The tree ends here.")
    expect(page.get_by_role("button", name="One step back")).to_be_focused()
    page.keyboard.press("Enter")
    expect(reading(page)).to_contain_text("2 ways on:")


def test_text_is_shown_as_text(visit):
    page = visit()
    show(page, tree=Node("caller", "<b>hi</b>", 1.0, (Node("agent", "<img src=x onerror=alert(1)>", 0.5),)))
    expect(said(page)).to_have_text("caller<b>hi</b>")
    expect(ways(page).nth(0)).to_contain_text("<img")
    assert page.locator("#first img").count() == 0


@pytest.mark.parametrize(
    "tree",
    [
        None,
        {"speaker": "agent", "p": 1},
        {"speaker": "agent", "text": "a", "p": 2},
        {"speaker": "agent", "text": "a", "p": 1, "children": {}},
        {"speaker": "", "text": "a", "p": 1, "children": [{"speaker": "", "text": "b", "p": 0.8}] * 2},
    ],
)
def test_a_model_that_cannot_be_shown_is_refused(visit, tree):
    message = visit().evaluate(
        "(tree) => { try { widget.settings({ get: () => tree }); } catch (e) { return e.message; } }", tree
    )
    assert message.startswith("Expected") and "try" in message


def test_two_live_side_by_side_and_one_can_go(visit):
    page = visit()
    show(page)
    show(page, "second")
    ways(page).nth(1).click()
    expect(said(page, "#second")).to_have_count(1)
    page.evaluate("remove_first()")
    expect(page.locator("#first")).to_be_empty()
    expect(ways(page, "#second").nth(0)).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits(visit, width):
    page = visit(viewport={"width": width, "height": 900})
    show(page)
    ways(page).nth(0).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit, axe, theme, width):
    page = visit(viewport={"width": width, "height": 900})
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    show(page)
    show(page, "second")
    ways(page, "#second").nth(0).click()
    assert axe(page) == []
