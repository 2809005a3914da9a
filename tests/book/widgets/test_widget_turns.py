"""The end-pointing widget of Lecture 6 in Chromium: its arithmetic against `course.turns`, and what a reader does."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from course.turns import Turn, take_turns

MODULE = "turns.mjs"
TURNS = [[[0, 1]], [[0.5, 1], [1.4, 2]], [[0, 1], [1.2, 2], [3.25, 4]]]  # longest pauses: none, 0.4 s, 1.25 s


def show(page, place="first", **model):
    page.evaluate(f"show('{place}', {json.dumps({'turns': TURNS, **model})})")


def random_turns(rng, count):
    """Turns in hundredths of a second."""
    lengths = [rng.integers(5, 150, 2 * rng.integers(1, 6) - 1) for _ in range(count)]
    edges = [np.concatenate([[rng.integers(0, 50)], part]).cumsum() / 100 for part in lengths]
    return [part.reshape(-1, 2).tolist() for part in edges]


def test_callers_cut_off_are_those_of_the_course(visit):
    page = visit()
    rng = np.random.default_rng(6)
    for _ in range(20):
        turns = random_turns(rng, 12)
        time_out = round(float(rng.uniform(0.1, 1.5)), 2) + 0.001  # between hundredths: no ties to round
        found = page.evaluate(f"widget.cutOff({json.dumps(turns)}, {time_out})")
        expected = take_turns([Turn(tuple(map(tuple, turn))) for turn in turns], time_out).cut_in
        assert found == round(12 * expected)


@pytest.mark.parametrize(
    ("time_out", "moment", "cut"), [(0.1, 1.1, True), (0.2, 1.2, True), (0.25, 2.25, True), (1.3, 5.3, False)]
)
def test_end_points_of_a_turn_by_hand(visit, time_out, moment, cut):
    found = visit().evaluate(f"widget.endPoint({json.dumps(TURNS[2])}, {time_out})")
    assert found["moment"] == pytest.approx(moment) and found["cut"] == cut


@pytest.mark.parametrize(
    ("time_out", "sentence"),
    [
        (0.3, "2 of 3 callers are cut off; the other one waits 0.30 s for an answer."),
        (0.5, "1 of 3 callers is cut off; the other 2 wait 0.50 s for an answer."),
        (1.5, "Nobody is cut off; everybody waits 1.50 s for an answer."),
    ],
)
def test_the_slider_says_who_is_cut_off(visit, time_out, sentence):
    page = visit()
    show(page)
    slider = page.get_by_role("slider", name="Silence to wait for")
    slider.fill(str(time_out))
    expect(page.get_by_role("status")).to_have_text(sentence)
    expect(page.get_by_role("img")).to_have_attribute("aria-label", re.compile(re.escape(sentence)))
    expect(slider).to_have_attribute("aria-valuetext", f"{time_out:.2f} s")


def test_everybody_can_be_cut_off(visit):
    page = visit()
    show(page, turns=TURNS[1:], timeOut=0.2)
    expect(page.get_by_role("status")).to_have_text("Everybody is cut off after 0.20 s of silence.")


def test_the_keyboard_moves_the_slider(visit):
    page = visit()
    show(page, timeOut=0.7)
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("status")).to_contain_text("0.75 s")


def test_marks_stand_where_the_listener_begins(visit):
    page = visit(viewport={"width": 800, "height": 900})
    show(page, timeOut=0.5)
    rows = page.locator(".row")
    assert rows.locator("b").all_text_contents() == ["▼", "▼", "✕"]
    assert [row.locator(".lost").count() for row in rows.all()] == [0, 0, 1]
    last = rows.nth(2)
    width = last.bounding_box()["width"]
    mark = last.locator("b").bounding_box()
    span = 6  # the longest turn ends at 4 s, and 2 s follow
    assert (mark["x"] + mark["width"] / 2 - last.bounding_box()["x"]) / width == pytest.approx(2.5 / span, abs=0.01)


@pytest.mark.parametrize(
    "model",
    [{"turns": []}, {"turns": [[]]}, {"turns": [[[1, 0.5]]]}, {"turns": "x"}, {"turns": [[[0, None]]]}, {"timeOut": 9}],
)
def test_a_model_that_cannot_be_shown_is_refused(visit, model):
    page = visit()
    message = page.evaluate(
        "(model) => { try { widget.settings({ get: (name) => model[name] }); } catch (e) { return e.message; } }",
        {"turns": TURNS, **model},
    )
    assert message.startswith("Expected") and "try" in message


def test_two_live_side_by_side_and_one_can_go(visit):
    page = visit()
    show(page)
    show(page, "second", timeOut=1.5)
    page.locator("#first").get_by_role("slider").fill("0.3")
    expect(page.locator("#second").get_by_role("status")).to_contain_text("1.50 s")
    page.evaluate("remove_first()")
    expect(page.locator("#first")).to_be_empty()
    expect(page.locator("#second").get_by_role("slider")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_never_moves_the_page(visit, width):
    page = visit(viewport={"width": width, "height": 900})
    show(page)
    height = "document.getElementById('first').offsetHeight"
    reserved = page.evaluate(height)
    for time_out in (0.1, 0.5, 1.0, 2.0):
        page.get_by_role("slider").fill(str(time_out))
        assert page.evaluate(height) == reserved
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit, axe, theme, width):
    page = visit(viewport={"width": width, "height": 900})
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    show(page)
    show(page, "second", timeOut=0.2)
    assert axe(page) == []
