"""The sampling widget of Lecture 7 in Chromium: its arithmetic against the course, and what a reader does."""

import json
import re

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from course.language.sampling import Sampler

from .reader import reading

MODULE = "sampler.mjs"
TOKENS = [[" phone", 3.0], [" card", 2.5], [" keys", 2.0], [" wallet", 1.0], [" way", -1.0]]
TAIL = [[-3.0, 10], [-6.0, 1000]]


def show(page, place="first", **model):
    page.evaluate(
        f"show('{place}', {json.dumps({'context': 'hi i lost my', 'tokens': TOKENS, 'tail': TAIL, **model})})"
    )


def slider(page, name, place="#first"):
    return page.locator(place).get_by_role("slider", name=name)


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"temperature": 0.3},
        {"temperature": 2.5, "top_k": 7},
        {"top_k": 3},
        {"top_p": 0.6},
        {"min_p": 0.2},
        {"temperature": 1.5, "top_k": 20, "top_p": 0.8, "min_p": 0.05},
    ],
)
def test_what_remains_is_what_the_course_computes(visit, knobs):
    page = visit()
    rng = np.random.default_rng(7)
    for _ in range(10):
        logits = np.round(rng.normal(0, 2, 40), 3)
        expected = Sampler(**knobs).distribution(torch.tensor(logits)).numpy()
        tokens = [[str(place), logit] for place, logit in enumerate(logits.tolist())]
        filters = {"topK": knobs.get("top_k", 40), "topP": knobs.get("top_p", 1), "minP": knobs.get("min_p", 0)}
        groups = page.evaluate(
            "([tokens, t, filters]) => widget.filtered(widget.softened(tokens, [], t), filters)",
            [tokens, knobs.get("temperature", 1), filters],
        )
        found = np.zeros(40)
        for group in groups:
            found[int(group["text"])] = group["p"] * group["kept"]
        assert np.allclose(found, expected, atol=1e-6)


def test_a_tail_counts_for_all_the_tokens_that_it_stands_for(visit):
    page = visit()
    call = "([tokens, tail]) => widget.filtered(widget.softened(tokens, tail, 2), {topK: 1000, topP: 0.95, minP: 0})"
    spelt = [*TOKENS, *[["x", -3.0]] * 10, *[["y", -6.0]] * 1000]
    whole, grouped = page.evaluate(call, [spelt, []]), page.evaluate(call, [TOKENS, TAIL])
    assert sum(group["kept"] for group in whole) == sum(group["kept"] for group in grouped)
    assert [group["p"] for group in whole[:5]] == pytest.approx([group["p"] for group in grouped[:5]])


def test_draws_follow_the_probabilities(visit):
    page = visit()
    groups = "widget.filtered(widget.softened([['a', 1], ['b', 0]], [], 1), {topK: 2, topP: 1, minP: 0})"
    border = float(np.exp(1) / (np.exp(1) + 1))
    assert page.evaluate(f"widget.drawn({groups}, {border - 0.001}).text") == "a"
    assert page.evaluate(f"widget.drawn({groups}, {border + 0.001}).text") == "b"
    assert page.evaluate(f"widget.drawn({groups}, 0.9999999).text") == "b"


def test_the_sliders_say_what_remains(visit):
    page = visit()
    show(page)
    expect(reading(page)).to_contain_text("1,015 tokens remain. The likeliest, “phone”, has")
    slider(page, "Top-k").fill("0")
    expect(reading(page)).to_have_text(re.compile(r"^1 token remains\. .* has 100\.0 %; .* have 0\.0 % together\.$"))
    expect(slider(page, "Top-k")).to_have_attribute("aria-valuetext", "1")
    page.get_by_role("button", name="Reset").click()
    slider(page, "Top-p").fill("0.5")
    expect(reading(page)).to_contain_text("2 tokens remain.")
    expect(page.locator(".row", has_text="keys").locator(".name")).to_have_class("name gone")


def test_heat_gives_the_tail_its_weight(visit):
    page = visit()
    show(page)
    share = page.locator(".row").last.locator(".number")
    cool = float(share.text_content().split()[0].removeprefix("< "))
    slider(page, "Temperature").fill("3")
    assert float(share.text_content().split()[0]) > 10 * cool
    expect(page.locator(".row").last).to_contain_text("1,010 others")


def test_the_keyboard_moves_a_slider_and_draws(visit):
    page = visit()
    show(page)
    slider(page, "Min-p").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(slider(page, "Min-p")).to_have_attribute("aria-valuetext", "0.03")
    page.get_by_role("button", name="Draw").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".drawn")).to_have_text(re.compile(r"^Drawn: (.+, ){9}.+\.$"))
    slider(page, "Top-k").fill("0")
    page.get_by_role("button", name="Draw").click()
    expect(page.locator(".drawn")).to_have_text(f"Drawn: {', '.join(['phone'] * 10)}.")


@pytest.mark.parametrize(
    "model",
    [
        {"tokens": []},
        {"tokens": "x"},
        {"tokens": [["a", None]]},
        {"tail": [[1, 0]]},
        {"temperature": 0},
        {"topP": 2},
    ],
)
def test_a_model_that_cannot_be_shown_is_refused(visit, model):
    message = visit().evaluate(
        "(model) => { try { widget.settings({ get: (name) => model[name] }); } catch (e) { return e.message; } }",
        {"tokens": TOKENS, **model},
    )
    assert message.startswith("Expected") and "try" in message


def test_two_live_side_by_side_and_one_can_go(visit):
    page = visit()
    show(page)
    show(page, "second", topK=0)
    slider(page, "Temperature").fill("2")
    expect(reading(page, "#second")).to_contain_text("1 token remains")
    page.evaluate("remove_first()")
    expect(page.locator("#first")).to_be_empty()
    expect(slider(page, "Temperature", "#second")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_never_moves_the_page(visit, width):
    page = visit(viewport={"width": width, "height": 900})
    show(page)
    height = "document.getElementById('first').offsetHeight"
    reserved = page.evaluate(height)
    for name, value in (("Temperature", "3"), ("Top-k", "0"), ("Min-p", "0.5")):
        slider(page, name).fill(value)
        assert page.evaluate(height) == reserved
    page.get_by_role("button", name="Draw").click()
    assert page.evaluate(height) == reserved
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit, axe, theme, width):
    page = visit(viewport={"width": width, "height": 900})
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    show(page)
    show(page, "second", topK=0)
    page.locator("#second").get_by_role("button", name="Draw").click()
    assert axe(page) == []
