"""The queue widget of Lecture 12 in Chromium: its numbers against the course's, and what a reader does."""

import json

import numpy as np
import pytest
from playwright.sync_api import expect

from course.capacity import Queue, serve_in_order

from .reader import reading

MODULE = "queue.mjs"


def show(page, place="first", **model):
    page.evaluate(f"show('{place}', {json.dumps(model)})")


def slider(page, name, place="#first"):
    return page.locator(place).get_by_role("slider", name=name)


@pytest.mark.parametrize("utilisation", [5, 50, 80, 99])
@pytest.mark.parametrize("servers", [1, 8, 64])
def test_it_computes_as_the_course_does(maths, utilisation, servers):
    found = maths("waits", {"utilisation": utilisation, "servers": servers})
    queue = Queue(utilisation / 100 * servers, 1.0, servers)
    assert found["share"] == pytest.approx(queue.wait_probability)
    assert found["mean"] == pytest.approx(queue.mean_wait)
    assert found["most"] == pytest.approx(queue.wait_percentile(0.99))
    assert found["line"] == pytest.approx(queue.rate * queue.mean_wait)


@pytest.mark.parametrize(("utilisation", "servers"), [(80, 1), (95, 4), (99, 32)])
def test_it_serves_in_order(maths, utilisation, servers):
    run = maths("played", {"utilisation": utilisation, "servers": servers, "seed": 3})
    arrived, started, ended = (np.array(run[name]) for name in ("arrived", "started", "ended"))
    expected = serve_in_order(arrived, ended - started, servers)
    assert np.allclose(started, expected.started)
    assert arrived.size == pytest.approx(3 * utilisation * servers, rel=0.25)
    assert (ended - started).mean() == pytest.approx(1.0, rel=0.25)


def test_the_line_is_who_has_come_and_not_begun(maths):
    run = maths("played", {"utilisation": 90, "servers": 2, "seed": 5})
    arrived, started = np.array(run["arrived"]), np.array(run["started"])
    path = maths("line", run)
    for instant, length in path[:: max(1, len(path) // 50)]:
        assert length == np.count_nonzero((arrived <= instant) & (started > instant))
    assert [at for at, _ in path] == sorted(at for at, _ in path)


def test_the_same_seed_is_the_same_day(maths):
    day = {"utilisation": 70, "servers": 4, "seed": 9}
    assert maths("played", day) == maths("played", day) != maths("played", day | {"seed": 10})


def test_the_controls_say_how_long_one_waits(visit):
    page = visit()
    show(page, utilisation=50)
    expect(reading(page)).to_contain_text("1 machine, 50 % busy: 50 % of the callers wait.")
    expect(reading(page)).to_contain_text("On average a caller waits 1 service, and one")
    slider(page, "Utilisation").fill("95")
    expect(slider(page, "Utilisation")).to_have_attribute("aria-valuetext", "95 %")
    expect(reading(page)).to_contain_text("waits 19 services, and one in a hundred more than 91 services")
    slider(page, "Machines").fill("4")
    expect(slider(page, "Machines")).to_have_attribute("aria-valuetext", "16")
    expect(reading(page)).to_contain_text("16 machines, 95 % busy")


def test_another_day_is_another_run_under_the_same_law(visit):
    page = visit()
    show(page, utilisation=90)
    before, picture = reading(page).inner_text(), page.locator("#first .line").get_attribute("d")
    page.locator("#first").get_by_role("button", name="Another day").click()
    assert page.locator("#first .line").get_attribute("d") != picture
    assert reading(page).inner_text().split("In this run")[0] == before.split("In this run")[0]


def test_the_keyboard_reaches_everything(visit):
    page = visit()
    show(page, utilisation=80, servers=1)
    slider(page, "Utilisation").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(slider(page, "Utilisation")).to_have_attribute("aria-valuetext", "85 %")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(slider(page, "Machines")).to_have_attribute("aria-valuetext", "2")
    page.keyboard.press("Tab")
    picture = page.locator("#first .line").get_attribute("d")
    page.keyboard.press("Enter")
    assert page.locator("#first .line").get_attribute("d") != picture


@pytest.mark.parametrize(
    "model",
    [{"utilisation": 100}, {"utilisation": 80.5}, {"servers": 3}, {"servers": 0}, {"servers": 128}, {"seed": -1}],
)
def test_a_model_that_cannot_be_shown_is_refused(visit, model):
    message = visit().evaluate(
        "(model) => { try { widget.settings({ get: (name) => model[name] }); } catch (e) { return e.message; } }", model
    )
    assert message.startswith("Expected") and "try" in message


def test_two_live_side_by_side_and_one_can_go(visit):
    page = visit()
    show(page)
    show(page, "second", servers=16)
    slider(page, "Machines").fill("1")
    expect(slider(page, "Machines", "#second")).to_have_attribute("aria-valuetext", "16")
    page.evaluate("remove_first()")
    expect(page.locator("#first")).to_be_empty()
    expect(slider(page, "Machines", "#second")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_never_moves_the_page(visit, width):
    page = visit(viewport={"width": width, "height": 900})
    show(page)
    height = "document.getElementById('first').offsetHeight"
    reserved = page.evaluate(height)
    for name, value in (("Utilisation", "99"), ("Machines", "6"), ("Utilisation", "5"), ("Machines", "0")):
        slider(page, name).fill(value)
        assert page.evaluate(height) == reserved
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit, axe, theme, width):
    page = visit(viewport={"width": width, "height": 900})
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    show(page)
    show(page, "second", servers=16)
    assert axe(page) == []
