"""The widget of late calls of Lecture 8 in Chromium: its panes against the course's, and what a reader does."""

import json

import pytest
from playwright.sync_api import expect

from course.pipelines.streaming import Arrival, CallEvent, Watermark, panes

from .reader import reading, tab_stops

MODULE = "late.mjs"
SIZE, LAG, LATENESS = "Length of a window", "Lag of the watermark", "Allowed lateness"


def show(page, place="first", **model):
    page.evaluate(f"show('{place}', {json.dumps(model)})")


def slider(page, name, place="#first"):
    return page.locator(place).get_by_role("slider", name=name)


def script_of(calls, lag):
    """The steps of a stream whose watermark is the time of arrival minus a lag, in tenths of a second."""
    steps = []
    for number, call in enumerate(calls):
        at, arrived = round(10 * call["at"]), round(10 * call["arrived"])
        one = CallEvent(event_id=str(number), call="c", caller="ann", queue="cards", at=at, handling_ms=1)
        steps += [Watermark(arrived - 10 * lag), Arrival((one,))]
    return steps


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("size", "lag", "lateness"), [(30, 10, 30), (10, 0, 0), (60, 60, 90), (20, 5, 10), (40, 0, 90)]
)
def test_it_gives_the_panes_of_the_course(maths, seed, size, lag, lateness):
    calls = maths("calls", seed)
    found = maths("played", calls, {"size": size, "lag": lag, "lateness": lateness})
    expected, dropped = panes(script_of(calls, lag), 10 * size, 10 * lateness)
    assert [(pane["start"], pane["timing"], pane["count"]) for pane in found["panes"]] == [
        (pane.window.start // 10, pane.timing, pane.statistics.count) for pane in expected
    ]
    lost = [str(number) for number, fate in enumerate(found["fates"]) if fate == "dropped"]
    assert lost == [event.event_id for event in dropped]
    late = sum(fate == "late" for fate in found["fates"])
    assert late == sum(pane.timing == "late" for pane in expected)


def test_a_call_at_an_edge_belongs_to_the_window_that_begins_there(maths):
    calls = [{"at": 30, "arrived": 40}, {"at": 0, "arrived": 60}, {"at": 29.9, "arrived": 60.1}]
    found = maths("played", calls, {"size": 30, "lag": 0, "lateness": 30})
    assert found["fates"] == ["on time", "late", "dropped"]  # at 60 the first window is kept, after it no more
    assert [(pane["start"], pane["timing"]) for pane in found["panes"]] == [(30, "on time"), (0, "late")]
    assert maths("played", [], {"size": 30, "lag": 0, "lateness": 30}) == {"fates": [], "panes": []}


def test_calls_arrive_after_they_happened_and_the_same_each_time(maths):
    calls = maths("calls", 3)
    assert calls == maths("calls", 3) != maths("calls", 4)
    assert all(0 <= call["at"] < 120 and call["at"] <= call["arrived"] <= 210 for call in calls)
    assert [call["arrived"] for call in calls] == sorted(call["arrived"] for call in calls)
    assert any(call["arrived"] - call["at"] > 20 for call in calls)


def test_patience_puts_every_call_into_the_first_result(visit):
    page = visit()
    show(page, lag=0, lateness=0, size=10)
    assert page.locator("#first .cross").count() > 4  # one of them is the legend's
    slider(page, SIZE).fill("60")
    slider(page, LAG).fill("60")
    slider(page, LATENESS).fill("90")
    expect(slider(page, LATENESS)).to_have_attribute("aria-valuetext", "90 s")
    expect(reading(page)).to_contain_text("and 0 are dropped. Each window is kept for 210 s.")
    assert page.locator("#first .cross").count() == 1


def test_other_calls_are_another_stream(visit):
    page = visit()
    show(page)
    before = page.locator("#first svg").inner_html()
    page.locator("#first").get_by_role("button", name="Other calls").click()
    assert page.locator("#first svg").inner_html() != before


def test_the_keyboard_reaches_everything(visit):
    page = visit()
    show(page, lag=10)
    assert tab_stops(page, 4) == ["size", "lag", "lateness", "again"]
    slider(page, LAG).focus()
    page.keyboard.press("ArrowRight")
    expect(slider(page, LAG)).to_have_attribute("aria-valuetext", "15 s")
    expect(reading(page)).to_contain_text("15 s after its end")


def test_the_picture_is_told_to_whoever_cannot_see_it(visit):
    page = visit()
    show(page)
    picture = page.locator("#first").get_by_role("img")
    assert reading(page).inner_text() in picture.get_attribute("aria-label")


@pytest.mark.parametrize(
    "model", [{"size": 0}, {"size": 15}, {"lag": -5}, {"lag": 61}, {"lateness": "long"}, {"seed": -1}, {"seed": 0.5}]
)
def test_a_model_that_cannot_be_shown_is_refused(visit, model):
    message = visit().evaluate(
        "(model) => { try { widget.settings({ get: (name) => model[name] }); } catch (e) { return e.message; } }", model
    )
    assert message.startswith("Expected") and "try" in message


def test_two_live_side_by_side_and_one_can_go(visit):
    page = visit()
    show(page)
    show(page, "second", lag=60)
    slider(page, LAG).fill("0")
    expect(slider(page, LAG, "#second")).to_have_attribute("aria-valuetext", "60 s")
    page.evaluate("remove_first()")
    expect(page.locator("#first")).to_be_empty()
    expect(slider(page, LAG, "#second")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_never_moves_the_page(visit, width):
    page = visit(viewport={"width": width, "height": 900})
    show(page)
    height = "document.getElementById('first').offsetHeight"
    reserved = page.evaluate(height)
    for name, value in ((LAG, "60"), (LATENESS, "90"), (SIZE, "10"), (LAG, "0"), (LATENESS, "0")):
        slider(page, name).fill(value)
        assert page.evaluate(height) == reserved
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit, axe, theme, width):
    page = visit(viewport={"width": width, "height": 900})
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    show(page)
    show(page, "second", size=10)
    assert axe(page) == []
