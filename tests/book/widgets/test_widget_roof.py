"""The roofline widget of Lecture 11 in Chromium: its counts against the course's, and what a reader does."""

import json

import pytest
from playwright.sync_api import expect

from course.inference.memory import memory_needed
from course.inference.roofline import PEAKS, decode_work, predict
from course.language.model import CONFIGS

from .reader import reading

MODULE = "roof.mjs"
WEIGHTS = {
    "float32": ("float32", ""),
    "bfloat16": ("bfloat16", ""),
    "int8": ("bfloat16", "int8"),
    "int4": ("bfloat16", "int4"),
}


def show(page, place="first", **model):
    page.evaluate(f"show('{place}', {json.dumps(model)})")


def slider(page, name, place="#first"):
    return page.locator(place).get_by_role("slider", name=name)


@pytest.mark.parametrize("model", ["smollm2-135m", "llama-1b", "llama-8b"])
@pytest.mark.parametrize("weights", list(WEIGHTS))
@pytest.mark.parametrize(("callers", "length"), [(1, 64), (16, 512), (1024, 8192)])
def test_it_counts_as_the_course_does(visit, model, weights, callers, length):
    chosen = {"model": model, "device": "H100 SXM", "weights": weights, "callers": callers, "length": length}
    found = visit().evaluate("(chosen) => widget.predicted(chosen)", chosen)
    dtype, weights_as = WEIGHTS[weights]
    work = decode_work(CONFIGS[model], callers, length, dtype, weights_as)
    assert found["flops"] == work.flops and found["bytes"] == work.bytes
    peak = PEAKS["H100 SXM"]
    expected = predict(work, peak.flops_per_second[dtype], peak.bytes_per_second)
    assert found["seconds"] == pytest.approx(expected.seconds)
    assert found["bound"] == {"memory": "memory", "compute": "arithmetic"}[expected.bound]
    assert found["tokens"] == pytest.approx(expected.per_second(callers))


@pytest.mark.parametrize("model", ["smollm2-135m", "llama-1b", "llama-8b"])
def test_what_is_held_is_what_the_course_counts(visit, model):
    chosen = {"model": model, "device": "H200 SXM", "weights": "bfloat16", "callers": 8, "length": 1024}
    found = visit().evaluate("(chosen) => widget.predicted(chosen)", chosen)
    needed = memory_needed(CONFIGS[model], 8, 1024, "bfloat16")
    assert found["held"] == needed.weights + needed.cache


def test_devices_have_the_published_peaks(visit):
    devices = visit().evaluate("widget.DEVICES")
    for name in ("H100 SXM", "H200 SXM"):
        assert devices[name]["bytes"] == PEAKS[name].bytes_per_second
        assert devices[name]["memory"] == PEAKS[name].memory_bytes
        for dtype in ("float32", "bfloat16"):
            assert devices[name][dtype] == PEAKS[name].flops_per_second[dtype]


def test_the_controls_say_what_a_step_takes(visit):
    page = visit()
    show(page)
    expect(reading(page)).to_contain_text("bound by memory, it takes 4.5 ms: 222 tokens a second for each caller")
    slider(page, "Callers at once").fill("10")
    expect(slider(page, "Callers at once")).to_have_attribute("aria-valuetext", "1,024")
    expect(reading(page)).to_contain_text("more than the 80 GB that there are")
    page.get_by_role("combobox", name="Weights").select_option("int4")
    expect(reading(page)).to_contain_text("caches")
    page.get_by_role("combobox", name="Device").select_option("core")
    page.get_by_role("combobox", name="Model").select_option("smollm2-135m")
    expect(reading(page)).to_contain_text("bound by arithmetic")


def test_the_keyboard_moves_the_callers(visit):
    page = visit()
    show(page)
    slider(page, "Callers at once").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(slider(page, "Callers at once")).to_have_attribute("aria-valuetext", "8")


@pytest.mark.parametrize(
    "model", [{"model": "gpt"}, {"device": "phone"}, {"weights": "int3"}, {"callers": 3}, {"length": 32}]
)
def test_a_model_that_cannot_be_shown_is_refused(visit, model):
    message = visit().evaluate(
        "(model) => { try { widget.settings({ get: (name) => model[name] }); } catch (e) { return e.message; } }", model
    )
    assert message.startswith("Expected") and "try" in message


def test_two_live_side_by_side_and_one_can_go(visit):
    page = visit()
    show(page)
    show(page, "second", callers=16)
    slider(page, "Callers at once").fill("0")
    expect(slider(page, "Callers at once", "#second")).to_have_attribute("aria-valuetext", "16")
    page.evaluate("remove_first()")
    expect(page.locator("#first")).to_be_empty()
    expect(slider(page, "Callers at once", "#second")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_and_never_moves_the_page(visit, width):
    page = visit(viewport={"width": width, "height": 900})
    show(page)
    height = "document.getElementById('first').offsetHeight"
    reserved = page.evaluate(height)
    for name, value in (("Callers at once", "10"), ("Tokens of each", "13"), ("Callers at once", "3")):
        slider(page, name).fill(value)
        assert page.evaluate(height) == reserved
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit, axe, theme, width):
    page = visit(viewport={"width": width, "height": 900})
    page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
    show(page)
    show(page, "second", callers=16)
    assert axe(page) == []
