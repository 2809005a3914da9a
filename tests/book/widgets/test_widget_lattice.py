"""The CTC lattice of Lecture 5 in Chromium: its arithmetic against `course.ctc`, and what a reader can do with it."""

import json
import math
import re
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import expect

from course.ctc import (
    collapse,
    count_ctc,
    ctc_loss,
    every_alignment,
    forced_alignment,
    greedy,
    occupancy,
    prefix_beam,
    with_blanks,
)

from .reader import expect_refusal, reading, tab_stops

MODULE = "lattice.mjs"
SYMBOLS = ["-", "t", "e"]


def frames_of(rng, n_frames, n_symbols=3):
    return rng.dirichlet(np.ones(n_symbols), size=n_frames)


# -------------------------------------------------------------------------------------------------------- arithmetic


def test_collapsing_and_lattice_states_agree_with_the_course(maths):
    rng = np.random.default_rng(0)
    for _ in range(40):
        path = rng.integers(0, 3, size=7).tolist()
        assert tuple(maths("collapse", path)) == collapse(path)
        states = with_blanks(collapse(path))
        walked = maths("statesOf", path, states)
        assert [states[s] for s in walked] == path and all(0 <= b - a <= 2 for a, b in pairwise(walked))


@pytest.mark.parametrize("target", [[], [1], [1, 1], [1, 2], [1, 2, 2, 1], [1, 1, 1, 1, 1]])
def test_sum_and_shares_agree_with_the_course(maths, target):
    probabilities = frames_of(np.random.default_rng(len(target)), 6)
    lattice = maths("forwardBackward", probabilities.tolist(), target)
    loss = ctc_loss(np.log(probabilities), target)
    assert lattice["total"] == pytest.approx(math.exp(-loss), rel=1e-9)
    if lattice["total"]:
        shares = np.array(lattice["forward"]) * np.array(lattice["backward"]) / lattice["total"]
        by_symbol = np.zeros_like(probabilities)
        np.add.at(by_symbol.T, lattice["states"], shares.T)
        assert by_symbol == pytest.approx(occupancy(np.log(probabilities), target), abs=1e-9)


@pytest.mark.parametrize("n_frames", [1, 3, 5])
def test_texts_are_ranked_like_an_exact_beam(maths, n_frames):
    probabilities = frames_of(np.random.default_rng(n_frames), n_frames)
    found = maths("texts", probabilities.tolist())
    expected = prefix_beam(np.log(probabilities), width=None)
    assert [tuple(entry["text"]) for entry in found] == [prefix for prefix, _ in expected]
    for entry, (prefix, score) in zip(found, expected, strict=True):
        assert entry["sum"] == pytest.approx(math.exp(score), rel=1e-9)
        assert entry["count"] == count_ctc(prefix, n_frames) == len(list(every_alignment(prefix, n_frames, 3)))
        assert entry["best"] == pytest.approx(math.exp(forced_alignment(np.log(probabilities), prefix)[1]), rel=1e-9)
    assert collapse(maths("bestPath", probabilities.tolist())) == greedy(np.log(probabilities))


def test_a_slider_keeps_the_shares_of_the_rest(maths):
    assert maths("withProbability", [0.5, 0.3, 0.2], 0, 0.75) == pytest.approx([0.75, 0.15, 0.1])
    assert maths("withProbability", [1, 0, 0], 0, 0.4) == pytest.approx([0.4, 0.3, 0.3])
    assert maths("withProbability", [0.5, 0.3, 0.2], 1, 1) == pytest.approx([0, 1, 0])


# ------------------------------------------------------------------------------------------------------ what is said


def test_the_reading_says_what_the_path_is_worth(visit):
    page = visit()
    page.evaluate("show('first')")
    nothing = "- - - means nothing, with probability 0.27. No other path does, while “t” has 0.57."
    expect(reading(page)).to_have_text(nothing)
    page.get_by_label("Case").select_option("“tee”, spoken clearly")
    expect(reading(page)).to_contain_text("t t e - e - means “tee”")
    expect(reading(page)).to_contain_text("and no other text has more")
    expect(page.get_by_role("img")).to_have_accessible_name(re.compile("Lattice of “tee”: 7 states, 6 frames"))


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ({"start": "trumpet"}, "one of misled, tee, held, untrained, got trumpet"),
        ({"probabilities": [[0.5, 0.5]]}, "3 probabilities that sum to 1"),
        ({"probabilities": [[0.5, 0.6, 0.5]]}, "sum to 1, got"),
        ({"probabilities": []}, "sum to 1, got"),
        ({"probabilities": "none"}, "sum to 1, got"),
        ({"probabilities": [[1, 0, 0]] * 12}, "at most 100000 paths"),
    ],
)
def test_a_wrong_model_gets_a_sentence_in_place(visit, model, sentence):
    expect_refusal(visit(), model, sentence)


# ------------------------------------------------------------------------------------------------ what a reader does


def test_one_picks_a_path_and_sees_another_text(visit):
    page = visit()
    page.evaluate("show('first')")
    page.get_by_role("radio", name="frame 1: t").check()
    expect(reading(page)).to_contain_text("t - - means “t”, with probability 0.2")
    expect(reading(page)).to_contain_text("So do 5 other paths; together they have 0.57, and no other text has more.")
    page.get_by_role("radio", name="frame 3: t").check()
    expect(reading(page)).to_contain_text("t - t means “tt”")
    page.get_by_role("button", name="Take the best path").click()
    expect(reading(page)).to_contain_text("- - - means nothing")


def test_one_bends_a_frame_until_the_best_path_is_right(visit):
    page = visit()
    page.evaluate("show('first')")
    page.get_by_label("frame", exact=True).select_option("1")
    blank = page.get_by_role("slider", name="blank")
    blank.fill("0.2")
    expect(blank).to_have_attribute("aria-valuetext", "0.20")
    expect(page.get_by_role("radio", name="frame 1: t")).to_have_accessible_name("frame 1: t, probability 0.71")
    page.get_by_role("button", name="Take the best path").click()
    expect(reading(page)).to_contain_text("t - - means “t”")


def test_the_page_brings_its_own_probabilities(visit):
    page = visit()
    probabilities = [[0.7, 0.2, 0.1, 0.0], [0.1, 0.1, 0.8, 0.0]]
    page.evaluate(f"show('first', {json.dumps({'symbols': ['-', 'o', 'n', 'e'], 'probabilities': probabilities})})")
    expect(page.get_by_label("Case").locator("option").first).to_have_text("From this page")
    expect(reading(page)).to_contain_text("- n means “n”")
    assert page.get_by_role("radio").count() == 8


def test_keyboard_alone_is_enough(visit):
    page = visit()
    page.evaluate("show('first')")
    stops = ["case", "best", "frame-0", "frame-1", "frame-2", "frame", "slider-0", "slider-1", "slider-2"]
    assert tab_stops(page, 9) == stops
    page.get_by_role("radio", name="frame 1: blank").press("ArrowDown")
    expect(reading(page)).to_contain_text("t - - means “t”")
    page.get_by_role("slider", name="blank").press("End")
    expect(page.get_by_role("radio", name="frame 1: blank")).to_have_accessible_name(re.compile("probability 1$"))


def test_two_widgets_live_side_by_side_and_removal_takes_one(visit):
    page = visit()
    page.evaluate("show('first'); show('second', {start: 'tee'})")
    page.get_by_role("radio", name="frame 1: e").first.check()
    expect(page.locator("#second").get_by_role("status")).to_contain_text("t t e - e -")
    page.evaluate("remove_first()")
    expect(page.locator("#first")).to_be_empty()
    expect(page.locator("#second").get_by_role("status")).to_be_visible()


def test_colours_change_with_the_theme(visit):
    page = visit(color_scheme="light")
    page.evaluate("show('first')")
    scheme = "document.querySelector('#first > div').style.colorScheme"
    assert page.evaluate(scheme) == "light"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{scheme} === 'dark'")
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_function(f"{scheme} === 'light'")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_fits_and_never_moves_the_page(visit, width):
    page = visit(viewport={"width": width, "height": 900})
    page.evaluate("show('first', {start: 'tee'})")
    top = "document.querySelector('#first > div').shadowRoot.querySelector('figure').offsetTop"
    before = page.evaluate(top)
    for symbol in ("t", "e", "blank"):
        page.get_by_role("radio", name=f"frame 5: {symbol}").check()
        assert page.evaluate(top) == before
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit, axe, scheme, width):
    page = visit(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.evaluate("show('first'); show('second', {start: 'tee'})")
    assert axe(page) == []
