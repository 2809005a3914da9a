"""The live widget of Lecture 2 in Chromium: its arithmetic against NumPy, and all that a reader can do with it."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from course.features import stft
from course.listening import wav_bytes
from course.spectrum import hann_window

from .reader import expect_refusal, expect_spectrogram, reading, tab_stops

MODULE = "frames.mjs"
RATE = 8_000

ELEMENTS = """
<figure class="player"><audio aria-label="A voice" src="voice.wav" preload="none"></audio></figure>
<figure class="player"><audio aria-label="A broken one" src="nothing.wav" preload="none"></audio></figure>
<figure class="player"><audio aria-label="Not audio" src="./frames.mjs" preload="none"></audio></figure>
"""
MISSING = ["nothing.wav"]


def voice():
    """A buzz at 120 Hz from 1.0 to 1.6 s in two seconds: (16000,)."""
    t = np.arange(2 * RATE) / RATE
    buzz = sum(np.sin(2 * np.pi * 120 * k * t) / k for k in range(1, 20))
    return 0.3 * buzz * ((t > 1.0) & (t < 1.6))


FILES = {"voice.wav": wav_bytes(voice(), RATE)}


def picture(page, name):
    return page.locator(f"#first canvas[data-picture={name}]")


def drawn(page):
    """Wait until the pictures say what they show."""
    expect(picture(page, "spectrum")).to_have_accessible_name(re.compile("strongest at"))


# ------------------------------------------------------------------------------------------------------ arithmetic


@pytest.mark.parametrize("n", [1, 2, 8, 1024])
def test_fft_agrees_with_numpy(maths, n):
    rng = np.random.default_rng(n)
    signal = rng.standard_normal(n) + 1j * rng.standard_normal(n)
    for _ in range(2):  # the second time with the remembered cosines
        re, im = maths("fft", signal.real.copy(), signal.imag.copy())
        np.testing.assert_allclose(re + 1j * im, np.fft.fft(signal), atol=1e-12 * n)


@pytest.mark.parametrize(("length", "hop"), [(32, 4), (8, 1), (64, 16)])
def test_the_spectrogram_is_the_courses_stft(maths, length, hop):
    signal = np.random.default_rng(length).standard_normal(RATE)
    window = hann_window(length * 8)
    model = {"length": length / 1000, "hop": hop / 1000, "window": "hann"}
    columns = maths("spectrogram", signal, RATE, 0, model)
    expected = np.abs(stft(signal, 2 * (columns.shape[1] - 1), hop * 8, window))[: len(columns)]
    levels = 20 * np.log10(np.maximum(2 * expected / window.sum(), 1e-6))
    loud = levels > -50
    np.testing.assert_allclose(columns[loud], levels[loud], atol=0.01)


@pytest.mark.parametrize("kind", ["hann", "box"])
def test_blur_is_the_width_at_half_the_amplitude(maths, kind):
    weights = maths("weights", kind, 800)
    blur = maths("blur", kind, 0.1)
    assert np.sum(weights >= 0.5) / RATE == pytest.approx(blur["time"], rel=0.01)
    spectrum = np.abs(np.fft.fft(weights, 2**20))
    half = np.argmax(spectrum < spectrum[0] / 2) * RATE / 2**20
    assert 2 * half == pytest.approx(blur["frequency"], rel=0.01)


def test_wav_files_are_read_and_others_refused(visit):
    page = visit()
    read = "(bytes) => { const w = widget.decodeWav(Uint8Array.from(bytes)); return [w.rate, Array.from(w.samples)]; }"
    signal = np.array([0, 0.5, -0.5, 0.25])
    rate, samples = page.evaluate(read, list(wav_bytes(signal, RATE)))
    assert rate == RATE and samples == pytest.approx(signal, abs=1e-4)
    for wrong in (b"", b"RIFF", bytes(60), wav_bytes(signal, RATE)[:40]):
        with pytest.raises(Exception, match="Expected a WAV file"):
            page.evaluate(read, list(wrong))


def test_short_frames_see_the_clicks_and_long_ones_the_tones(maths, visit):
    page = visit()
    page.evaluate("show('first', {clips: ['test'], hop: 1})")
    drawn(page)
    samples = "Array.from(widget.CLIPS.test.make())"
    signal = np.array(page.evaluate(samples))
    for length, clicks, tones in [(16, True, False), (32, False, False), (64, False, True)]:
        model = {"length": length / 1000, "hop": 0.001, "window": "hann"}
        columns = maths("spectrogram", signal, RATE, 0.05, model)
        bins = np.arange(columns.shape[1]) * RATE / 2 / (columns.shape[1] - 1)
        high = columns[:, np.argmin(np.abs(bins - 3000))]
        assert (min(high[200], high[210]) - high[205] > 3) is np.bool_(clicks)
        mean = 10 * np.log10(np.mean(10 ** (columns[:150] / 10), axis=0))
        at = [np.argmin(np.abs(bins - f)) for f in (1000, 1040, 1020)]
        assert (min(mean[at[0]], mean[at[1]]) - mean[at[2]] > 3) is np.bool_(tones)


def test_ridges_are_counted(maths):
    levels = np.full(400, -100.0)
    levels[[20, 40, 60, 300]] = -10
    assert maths("ridges", levels, 0) == 3
    assert maths("ridges", np.full(400, -100.0), 0) == 0


def test_bad_input_is_refused_with_a_sentence(maths):
    with pytest.raises(Exception, match="RangeError: Expected .* got 3"):
        maths("fft", np.zeros(3), np.zeros(3))


# ---------------------------------------------------------------------------------------------- what a reader does


def test_reading_says_what_is_blurred(maths):
    sentence = maths("reading", "hann", 32, 4, 8000)
    assert sentence.startswith("A frame of 32 ms (256 samples) blurs 16 ms and 63 Hz; their product is 1.0")
    assert "250 spectra a second" in sentence and "gaps" not in sentence
    assert "gaps" in maths("reading", "hann", 8, 32, 8000)
    assert "product is 1.2" in maths("reading", "box", 8, 4, 8000)


def test_a_player_of_the_page_is_a_clip_and_its_loudest_half_second_is_shown(visit):
    page = visit()
    page.evaluate("show('first', {clips: [{player: 'A voice'}, {player: 'Not on this page'}, 'glide']})")
    expect(page.get_by_label("Sound").locator("option")).to_have_text(["A voice", "A gliding buzz"])
    expect(picture(page, "spectrogram")).to_have_accessible_name(re.compile(r"from 1.0[05] to 1.5[05] s"))
    expect(picture(page, "spectrum")).to_have_accessible_name(re.compile("strongest at 1[12][0-9] Hz, [5-8] separate"))


def test_harmonics_come_and_go_with_the_frame(visit):
    page = visit()
    page.evaluate("show('first', {clips: [{player: 'A voice'}], length: 8})")
    expect(picture(page, "spectrum")).to_have_accessible_name(re.compile("1 ridge|0 separate"))
    for _ in range(5):
        page.get_by_role("slider", name="Frame").press("ArrowRight")
    expect(reading(page)).to_contain_text("A frame of 48 ms")
    expect(picture(page, "spectrum")).to_have_accessible_name(re.compile("[6-8] separate"))


def test_keyboard_alone_is_enough(visit):
    page = visit()
    page.evaluate("show('first', {clips: ['test', 'glide']})")
    drawn(page)
    assert tab_stops(page, 7) == ["clip", "window", "play", "length", "hop", "from", "moment"]
    page.get_by_role("slider", name="Hop").press("End")
    expect(page.get_by_role("slider", name="Hop")).to_have_attribute("aria-valuetext", "32 ms")
    page.get_by_label("Window", exact=True).select_option("Box (none)")
    expect(reading(page)).to_contain_text("32 ms and 38 Hz")


def test_it_plays_and_stops(visit):
    page = visit()
    page.evaluate("show('first')")
    drawn(page)
    page.get_by_role("button", name="Play").press("Enter")
    page.wait_for_function("contexts.length === 1")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_function("contexts[0].state === 'closed'")
    page.get_by_role("button", name="Play").click()
    page.evaluate("remove_first()")
    page.wait_for_function("contexts.every((context) => context.state === 'closed')")
    expect(page.locator("#first")).to_be_empty()


@pytest.mark.parametrize(
    ("player", "sentence"),
    [("A broken one", "could not be read (404): choose another sound"), ("Not audio", "Expected a WAV file")],
)
def test_a_player_that_cannot_be_read_gets_a_sentence(visit, player, sentence):
    page = visit()
    page.evaluate(f"show('first', {{clips: [{{player: '{player}'}}, 'test']}})")
    expect(reading(page)).to_contain_text(sentence)
    page.get_by_label("Sound").select_option("Two clicks and two tones")
    drawn(page)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ({"clips": ["trumpet"]}, "one of the sounds test, glide, got trumpet: choose"),
        ({"clips": [None]}, "got undefined"),
        ({"clips": []}, "list of sounds, got \\[\\]: try"),
        ({"length": 33}, "one of the frame lengths in ms .* got 33"),
        ({"hop": 3}, "one of the hops in ms .* got 3"),
        ({"window": "kaiser"}, "one of the windows hann, box, got kaiser"),
    ],
)
def test_a_wrong_model_gets_a_sentence_in_place(visit, model, sentence):
    expect_refusal(visit(), model, sentence)


# ------------------------------------------------------------------------------------------------------ good manners


def test_pictures_change_with_the_theme(visit):
    page = visit(color_scheme="light")
    page.evaluate("show('first', {clips: ['test']})")
    drawn(page)
    expect_spectrogram(page, dark=False)
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    expect_spectrogram(page, dark=True)


@pytest.mark.parametrize(("width", "ratio"), [(360, 3), (620, 2), (1280, 1)])
def test_it_fits_and_never_moves_the_page(visit, width, ratio):
    page = visit(viewport={"width": width, "height": 900}, device_scale_factor=ratio)
    page.evaluate("show('first', {clips: [{player: 'A voice'}, 'test']})")
    height = "document.getElementById('first').offsetHeight"
    reserved = page.evaluate(height)
    drawn(page)
    for step in range(13):
        page.get_by_role("slider", name="Frame").fill(str(step))
        page.get_by_role("slider", name="Hop").fill(str(step % 6))
        assert page.evaluate(height) == reserved
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert picture(page, "spectrum").evaluate("c => c.width / c.clientWidth") == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, axe, scheme):
    page = visit(color_scheme=scheme, viewport={"width": 360, "height": 900})
    page.evaluate("show('first'); show('second', {clips: ['glide']})")
    drawn(page)
    assert axe(page) == []
