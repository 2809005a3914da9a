"""What a reader meets in more than one widget."""

import re

from playwright.sync_api import expect


def reading(page, place="#first"):
    """The sentence that says what the widget shows."""
    return page.locator(place).get_by_role("status")


def tab_stops(page, count):
    """The ids, or else the names, of the first ``count`` controls that the Tab key reaches."""
    focused = "document.querySelector('#first > div').shadowRoot.activeElement"
    reached = []
    for _ in range(count):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(f"{focused}?.id || {focused}?.name"))
    return reached


def expect_refusal(page, model, pattern):
    """A page that asks for the impossible is told so in the widget's place, and can take the notice away."""
    page.evaluate("(model) => show('first', model)", model)
    expect(page.locator("#first").get_by_role("alert")).to_have_text(re.compile(pattern))
    assert page.locator("#first canvas").count() == 0
    page.evaluate("remove_first()")
    expect(page.locator("#first")).to_be_empty()


def expect_spectrogram(page, *, dark):
    """Wait until the spectrogram, drawn again on a frame to come, has the page's colour where it is silent."""
    canvas = page.locator("#first canvas[data-picture=spectrogram]")
    canvas.wait_for()
    red = "canvas => canvas.getContext('2d').getImageData(canvas.width - 40, 20, 1, 1).data[0]"
    page.wait_for_function(f"canvas => ({red})(canvas) {'< 40' if dark else '> 240'}", arg=canvas.element_handle())
