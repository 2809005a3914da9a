"""The beam-search widget of Lecture 4 in Chromium: its search is the course's decoder, and what a reader can do."""

import math

import numpy as np
import pytest
from playwright.sync_api import expect

from course.decoding import SearchGraph, decode
from course.wfst import Wfst

from .reader import reading, tab_stops

MODULE = "beam.mjs"
STAY, LEAVE = 0.5, 1.0


# ------------------------------------------------------------------------------------------------------- arithmetic


def same_graph(states):
    """The widget's graph for the course's decoder: state s of the widget is state s + 1 here."""
    graph = Wfst()
    graph.add_states(len(states) + 1)
    graph.add_arc(0, "T", "", 0.0, 1)
    for s, state in enumerate(states):
        graph.add_arc(s + 1, state["unit"], "", STAY, s + 1)
        for before in state["before"]:
            graph.add_arc(before + 1, state["unit"], "", LEAVE, s + 1)
        if state["word"]:
            graph.set_final(s + 1)
    return graph


def test_its_search_is_that_of_the_course(visit):
    page = visit()
    states, costs = page.evaluate("[widget.STATES, widget.COSTS]")
    units = list(costs)
    scores = -np.array([costs[unit] for unit in units]).T
    search = SearchGraph(same_graph(states), units)
    for beam in [*np.arange(0, 12.5, 0.5), 1e9]:
        for most in (1, 2, 3, 5, len(states)):
            theirs = page.evaluate("([beam, most]) => widget.search(beam, most)", [float(beam), most])
            ours = decode(search, scores, float(beam), most)
            alive = [sum(token["alive"] for token in frame) for frame in theirs["frames"]]
            assert (theirs["cost"] or math.inf) == pytest.approx(ours.cost) and theirs["tried"] == ours.arcs
            assert alive == ours.tokens.tolist()
    full = decode(search, scores)
    assert max(page.evaluate("widget.gaps()")) == pytest.approx(full.widest_gap)
    assert page.evaluate("widget.search(Infinity).words") == "to end"


def test_each_beam_is_either_wide_enough_or_not(visit):
    """The lesson: below the widest gap another answer is found, at a higher cost; above it, the right one."""
    page = visit()
    widest = max(page.evaluate("widget.gaps()"))
    for beam in np.arange(0, 12.5, 0.5):
        found = page.evaluate("(beam) => widget.search(beam)", float(beam))
        assert (found["words"] == "to end") == (beam >= widest)
        assert beam >= widest or found["words"] == "ten"


# ------------------------------------------------------------------------------------------------------- the reader


def test_the_right_answer_is_lost_in_one_frame_and_missed_at_the_end(visit):
    page = visit()
    page.evaluate("show('first')")
    frame = page.get_by_role("slider", name="Frame")
    expect(reading(page)).to_contain_text("Frame 1 of 11: 1 of 1 tokens live on. “To end” is the cheapest of all.")
    for _ in range(3):
        frame.press("ArrowRight")
    expect(reading(page)).to_contain_text("and is lost here")
    frame.press("ArrowRight")
    expect(reading(page)).to_contain_text("“To end” was lost in frame 4")
    frame.press("End")
    expect(reading(page)).to_contain_text("Recognised: “ten”")
    expect(reading(page)).to_contain_text("a search error")
    beam = page.get_by_role("slider", name="Beam")
    beam.press("ArrowRight")
    expect(beam).to_have_attribute("aria-valuetext", "4.5")
    beam.press("End")
    expect(reading(page)).to_contain_text("Recognised: “to end”")
    page.get_by_role("slider", name="Tokens at most").press("Home")
    expect(reading(page)).to_contain_text("Recognised: “ten”")


def test_the_picture_shows_tokens_up_to_the_frame(visit):
    page = visit()
    page.evaluate("show('first', {beam: 12, frame: 1})")
    alive = page.locator("#first .trellis .alive")
    expect(alive).to_have_count(1)
    page.get_by_role("slider", name="Frame").press("End")
    total = page.evaluate("widget.search(12).frames.flat().filter((token) => token.alive).length")
    expect(alive).to_have_count(total)
    label = page.locator("#first .trellis").get_attribute("aria-label")
    assert "Recognised: “to end”" in label


def test_keyboard_alone_is_enough(visit):
    page = visit()
    page.evaluate("show('first')")
    assert tab_stops(page, 3) == ["beam", "most", "frame"]


def test_a_page_chooses_where_it_starts_and_is_told_what_it_may_choose(visit):
    page = visit()
    page.evaluate("show('first', {beam: 2, most: 3, frame: 5})")
    for name, text in (("Beam", "2.0"), ("Tokens at most", "3 of 7"), ("Frame", "5 of 11")):
        expect(page.get_by_role("slider", name=name)).to_have_attribute("aria-valuetext", text)
    message = page.evaluate("() => { try { show('second', {beam: -1}) } catch (error) { return error.message } }")
    assert message == "Expected “beam” from 0 to 12, got -1: try 4."


def test_two_live_side_by_side_and_removal_takes_one_away(visit):
    page = visit()
    page.evaluate("show('first'); show('second', {frame: 11})")
    expect(reading(page, "#second")).to_contain_text("Frame 11")
    page.evaluate("remove_first()")
    expect(page.locator("#first")).to_be_empty()
    page.locator("#second").get_by_role("slider", name="Frame").press("Home")
    expect(reading(page, "#second")).to_contain_text("Frame 1 of 11")


def test_colours_change_with_the_theme(visit):
    page = visit(color_scheme="light")
    page.evaluate("show('first')")
    colour = (
        """getComputedStyle(document.querySelector('#first > div').shadowRoot.querySelector('.trellis .alive')).fill"""
    )
    seen = [page.evaluate(colour)]
    for change in (
        lambda: page.emulate_media(color_scheme="dark"),
        lambda: page.evaluate("document.documentElement.dataset.theme = 'light'"),
    ):
        change()
        page.wait_for_function(f"{colour} !== {seen[-1]!r}")
        seen.append(page.evaluate(colour))
    assert seen[0] == seen[2]


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_fits_and_never_moves_the_page(visit, width):
    page = visit(viewport={"width": width, "height": 900})
    page.evaluate("show('first')")
    height = "document.getElementById('first').offsetHeight"
    reserved = page.evaluate(height)
    for beam in ("0", "4", "12"):
        page.get_by_role("slider", name="Beam").fill(beam)
        for frame in range(1, 12):
            page.get_by_role("slider", name="Frame").fill(str(frame))
            assert page.evaluate(height) == reserved
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit, axe, scheme, width):
    page = visit(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.evaluate("show('first', {frame: 11}); show('second')")
    assert axe(page) == []
