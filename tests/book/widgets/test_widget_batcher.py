"""The batcher widget of Lecture 10 in Chromium: its batches against a slow second way, and what a reader does."""

import json

import numpy as np
import pytest
from playwright.sync_api import expect

from .reader import reading

MODULE = "batcher.mjs"
FULL = "Most in a batch"
WAIT = "Longest wait for company"


def show(page, place="first", **model):
    page.evaluate(f"show('{place}', {json.dumps(model)})")


def slider(page, name, place="#first"):
    return page.locator(place).get_by_role("slider", name=name)


def by_hand(moments, most, wait):
    """Batches by looking, for each first request, at all who come until its time is over."""
    left, rest = [], list(moments)
    while rest:
        company = [one for one in rest if one <= rest[0] + wait][:most]
        left.append((company[-1] if len(company) == most else rest[0] + wait, company))
        rest = rest[len(company) :]
    return left


@pytest.mark.parametrize("rate", [5, 60, 200])
def test_it_forms_the_batches_of_the_rule(visit, rate):
    page = visit()
    moments = page.evaluate("(rate) => widget.arrivals(rate)", rate)
    for most, wait in ((1, 0.0), (1, 0.05), (8, 0.05), (16, 0.2), (3, 0.0)):
        found = page.evaluate("([moments, most, wait]) => widget.batches(moments, most, wait)", [moments, most, wait])
        assert [one["came"] for one in found] == [came for _, came in by_hand(moments, most, wait)]
        assert [one["leaves"] for one in found] == pytest.approx([leaves for leaves, _ in by_hand(moments, most, wait)])
        assert all(one["leaves"] - one["came"][0] <= wait + 1e-9 for one in found)


def test_requests_come_at_random_at_their_rate(visit):
    page = visit()
    moments = page.evaluate("widget.arrivals(200)")
    assert 160 <= len(moments) <= 240 and moments == sorted(moments) and moments[0] > 0 and moments[-1] < 1
    gaps = np.diff(moments)
    assert 0.8 < gaps.std() / gaps.mean() < 1.2  # exponential gaps have 1
    slower = page.evaluate("widget.arrivals(100)")
    assert slower[:9] == pytest.approx([2 * one for one in moments[:9]])


def test_nobody_is_shown_as_nobody(visit):
    assert visit().evaluate("widget.reading([], 8)") == "Nobody came in this second."


def test_the_sliders_say_what_becomes_of_the_requests(visit):
    page = visit()
    show(page, rate=60, most=8, wait=50)
    expect(reading(page)).to_contain_text("50 ms at most")
    slider(page, WAIT).fill("0")
    expect(slider(page, WAIT)).to_have_attribute("aria-valuetext", "0 ms")
    expect(reading(page)).to_contain_text(
        "1.0 in each on average; 0 are full. They wait 0 ms on average and 0 ms at most"
    )
    slider(page, WAIT).fill("200")
    slider(page, FULL).fill("1")
    expect(reading(page)).to_contain_text("and 0 ms at most")


def test_the_keyboard_moves_the_size(visit):
    page = visit()
    show(page)
    slider(page, FULL).focus()
    page.keyboard.press("ArrowRight")
    expect(slider(page, FULL)).to_have_attribute("aria-valuetext", "9")


@pytest.mark.parametrize(
    "model", [{"rate": 0}, {"rate": 7}, {"most": 17}, {"most": 2.5}, {"wait": -5}, {"wait": "long"}]
)
def test_a_model_that_cannot_be_shown_is_refused(visit, model):
    message = visit().evaluate(
        "(model) => { try { widget.settings({ get: (name) => model[name] }); } catch (e) { return e.message; } }", model
    )
    assert message.startswith("Expected") and "try" in message


def test_two_live_side_by_side_and_one_can_go(visit):
    page = visit()
    show(page)
    show(page, "second", most=4)
    slider(page, FULL).fill("1")
    expect(slider(page, FULL, "#second")).to_have_attribute("aria-valuetext", "4")
    page.evaluate("remove_first()")
    expect(page.locator("#first")).to_be_empty()
    expect(slider(page, FULL, "#second")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_never_moves_the_page(visit, width):
    page = visit(viewport={"width": width, "height": 900})
    show(page)
    height = "document.getElementById('first').offsetHeight"
    reserved = page.evaluate(height)
    for name, value in ((WAIT, "200"), (FULL, "16"), ("Requests a second", "200"), ("Requests a second", "5")):
        slider(page, name).fill(value)
        assert page.evaluate(height) == reserved
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit, axe, theme, width):
    page = visit(viewport={"width": width, "height": 900})
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    show(page)
    show(page, "second", most=4)
    assert axe(page) == []
