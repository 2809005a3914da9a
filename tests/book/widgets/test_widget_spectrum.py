"""The live widget of Lecture 1 in Chromium: its arithmetic against NumPy, and all that a reader can do with it."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from .reader import expect_refusal, expect_spectrogram, reading, tab_stops

MODULE = "spectrum.mjs"
MICROPHONE = "--use-fake-device-for-media-stream"  # which beeps
SWITCHES = [MICROPHONE, "--use-fake-ui-for-media-stream"]  # the second says yes for the reader
RATE = 48_000


def level_at(signal, frequency):
    """Level in dB of a frequency in the middle second of a signal at 48 kHz, through NumPy."""
    middle = np.asarray(signal)[RATE : 2 * RATE]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(RATE))) * 4 / RATE
    return 20 * np.log10(spectrum[round(frequency)] + 1e-12)


def peak_of(signal):
    """Frequency in Hz of the strongest bin (1 Hz wide) of the middle second of a signal at 48 kHz."""
    return int(np.argmax(np.abs(np.fft.rfft(np.asarray(signal)[RATE : 2 * RATE] * np.hanning(RATE)))))


def last_played(page):
    """The samples that went to the loudspeaker last."""
    return np.array(page.evaluate("Array.from(played.at(-1).getChannelData(0))"))


# ------------------------------------------------------------------------------------------------------ arithmetic


@pytest.mark.parametrize("rate", [1000, 4800, 8000, 24_000])
def test_alias_is_where_numpy_finds_the_sampled_tone(maths, rate):
    for frequency in np.random.default_rng(rate).integers(1, 24_000, 20):
        if frequency % (rate // 2) == 0:  # sin(πn) is zero at every sample
            continue
        sampled = np.sin(2 * np.pi * frequency * np.arange(rate) / rate)
        assert maths("alias", int(frequency), rate) == np.argmax(np.abs(np.fft.rfft(sampled)))


@pytest.mark.parametrize("n", [1, 2, 8, 1024, 16_384])
def test_fft_agrees_with_numpy(maths, n):
    rng = np.random.default_rng(n)
    signal = rng.standard_normal(n) + 1j * rng.standard_normal(n)
    re, im = maths("fft", signal.real.copy(), signal.imag.copy())
    np.testing.assert_allclose(re + 1j * im, np.fft.fft(signal), atol=1e-12 * n)


@pytest.mark.parametrize("length", [1, 2, 5, 100, 1000])
@pytest.mark.parametrize("taps", [1, 3, 65])
@pytest.mark.parametrize("factor", [1, 2, 7])
def test_filtered_decimation_agrees_with_numpy(maths, length, taps, factor):
    rng = np.random.default_rng([length, taps, factor])
    signal, kernel = rng.standard_normal(length), rng.standard_normal(taps)
    start = (taps - 1) // 2
    expected = np.convolve(signal, kernel)[start : start + length : factor]
    np.testing.assert_allclose(maths("decimate", signal, factor, kernel), expected, atol=1e-12)


@pytest.mark.parametrize("factor", [2, 3, 48])
def test_reconstruction_is_zeros_between_samples_and_a_lowpass(maths, factor):
    samples = np.random.default_rng(factor).standard_normal(40)
    spread = np.zeros(40 * factor)
    spread[::factor] = factor * samples
    pulse = maths("lowpass", RATE / factor / 2, RATE, 64 * factor + 1)
    expected = np.convolve(spread, pulse, mode="full")[32 * factor :][: spread.size]
    np.testing.assert_allclose(maths("reconstruct", samples, factor, spread.size), expected, atol=1e-12)


def test_lowpass_passes_and_stops(maths):
    taps = maths("lowpass", 3640, RATE, 385)
    gain = np.abs(np.fft.rfft(taps, RATE))  # bins 1 Hz apart
    assert taps == pytest.approx(taps[::-1])
    assert gain[:3280] == pytest.approx(1, abs=1e-3)
    assert gain[3640] == pytest.approx(0.5, abs=1e-3)
    assert 20 * np.log10(gain[4000:].max()) < -70


def test_decimation_picks_samples(maths):
    signal = np.arange(10.0)
    for factor in (1, 3, 4, 10, 11):
        assert maths("decimate", signal, factor).tolist() == signal[::factor].tolist()


@pytest.mark.parametrize("bits", [2, 3, 8, 16])
def test_quantiser_rounds_to_its_levels(maths, bits):
    signal = np.random.default_rng(bits).uniform(-1, 1, 500)
    got, step = maths("quantise", signal, bits), 2.0 ** (1 - bits)
    assert got.min() >= -1 and got.max() <= 1 - step
    assert np.array_equal(got / step, np.round(got / step))
    inside = signal < 1 - step
    assert np.abs(got - signal)[inside].max() <= step / 2


def test_a_tone_below_half_the_rate_comes_back_unchanged(maths):
    signal = maths("synthesise", "tone", 1700)
    heard = maths("hear", signal, {"factor": 6, "filter": True, "bits": 16})
    assert np.abs(heard - signal)[RATE : 2 * RATE].max() < 1e-3


def test_seven_kilohertz_at_eight_is_heard_at_one_and_the_filter_cures_it(maths):
    signal = maths("synthesise", "tone", 7000)
    folded = maths("hear", signal, {"factor": 6, "filter": False, "bits": 16})
    cured = maths("hear", signal, {"factor": 6, "filter": True, "bits": 16})
    assert (peak_of(signal), peak_of(folded)) == (7000, 1000)
    assert level_at(folded, 1000) == pytest.approx(level_at(signal, 7000), abs=0.1)
    assert level_at(folded, 1000) - level_at(cured, 1000) > 40
    assert level_at(folded, 7000) < -90  # nothing above half the rate survives


@pytest.mark.parametrize("frequency", [440, 1000.3, 6999])
def test_the_measured_peak_is_the_tone(maths, frequency):
    frame = 0.25 * np.sin(2 * np.pi * frequency * np.arange(2048) / RATE)
    peak = maths("strongest", maths("spectrum", frame), RATE)
    assert peak["frequency"] == pytest.approx(frequency, abs=2)
    assert peak["level"] == pytest.approx(-12, abs=1.5)  # a Hann window loses up to 1.4 dB between two bins


@pytest.mark.parametrize("kind", ["tone", "sweep", "chime", "syllables", "bird", "telephone"])
def test_clips_are_sound_in_range_and_the_same_each_time(maths, kind):
    signal = maths("synthesise", kind, 7000)
    assert np.isfinite(signal).all() and np.abs(signal).max() == pytest.approx(0.5, abs=0.01)
    assert np.abs(signal[[0, -1]]).max() < 1e-3
    assert np.array_equal(signal, maths("synthesise", kind, 7000))


def test_the_second_telephone_key_is_a_five(maths):
    signal = np.asarray(maths("synthesise", "telephone", 7000))[int(0.45 * RATE) : int(0.65 * RATE)]
    power = np.abs(np.fft.rfft(signal * np.hanning(signal.size)))
    bins = np.fft.rfftfreq(signal.size, 1 / RATE)
    assert bins[bins < 1000][np.argmax(power[bins < 1000])] == pytest.approx(770, abs=5)
    assert bins[np.argmax(power * (bins > 1000))] == pytest.approx(1336, abs=5)


@pytest.mark.parametrize(
    "call",
    [
        ("alias", 7000, 0),
        ("fft", np.zeros(3), np.zeros(3)),
        ("fft", np.zeros(0), np.zeros(0)),
        ("decimate", np.zeros(4), 1.5),
    ],
)
def test_bad_input_is_refused_with_a_sentence(maths, call):
    with pytest.raises(Exception, match="RangeError: Expected .* got"):
        maths(*call)


# ------------------------------------------------------------------------------------------------- what is said


def test_reading_says_where_the_tone_goes(maths):
    assert maths("reading", 7000, 8000, False) == "A tone at 7,000 Hz sampled at 8,000 Hz is heard at 1,000 Hz."
    assert maths("reading", 3000, 8000, True).endswith("is heard at 3,000 Hz, where it belongs.")
    assert "the filter takes it out" in maths("reading", 7000, 8000, True)
    assert "weakened" in maths("reading", 3900, 8000, True)
    assert "silence" in maths("reading", 8000, 8000, False)
    assert "met at the same two points" in maths("reading", 4000, 8000, False)


def test_the_pictures_are_described_in_numbers(visit):
    page = visit()
    page.evaluate("show('first')")
    expect(page.get_by_role("img", name="Spectrum")).to_have_accessible_name(
        "Spectrum from 0 to 12 kHz. Strongest: original 7,000 Hz (−7 dB); heard 1,000 Hz (−7 dB); "
        "half the sample rate is 4,000 Hz."
    )
    expect(page.get_by_role("img", name="Spectrogram")).to_have_accessible_name(re.compile("nothing is heard above"))
    expect(page.get_by_role("img", name="Waveform")).to_have_accessible_name(re.compile("one sample in 6"))


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ({"clips": ["tone", "trumpet"]}, "Expected one of the sounds tone, .* got trumpet: choose"),
        ({"clips": [{"label": "no kind"}]}, "got undefined"),
        ({"clips": [None]}, "got undefined"),
        ({"clips": []}, "list of sounds, got \\[\\]: try"),
        ({"clips": "tone"}, 'list of sounds, got "tone"'),
        ({"rate": 44_100}, "one of the sample rates in Hz .*8000.* got 44100"),
    ],
)
def test_a_wrong_model_gets_a_sentence_in_place(visit, model, sentence):
    expect_refusal(visit(), model, sentence)


# ---------------------------------------------------------------------------------------------- what a reader does


def track_states(page):
    return page.evaluate("streams.flatMap((stream) => stream.getTracks()).map((track) => track.readyState)")


def audio_states(page):
    return page.evaluate("contexts.map((context) => context.state)")


def wait_for_all(page, expression):
    page.wait_for_function(f"contexts.length && contexts.every((context) => context.state === {expression!r})")


def test_one_hears_the_alias_and_then_its_cure(visit):
    page = visit()
    page.evaluate("show('first')")
    expect(reading(page)).to_have_text("A tone at 7,000 Hz sampled at 8,000 Hz is heard at 1,000 Hz.")
    page.get_by_role("slider", name="Sample rate").press("ArrowLeft")
    page.get_by_role("slider", name="Sample rate").press("ArrowRight")
    assert audio_states(page) == []  # nothing opens the audio before the reader asks for sound
    page.get_by_role("button", name="Play").click()
    wait_for_all(page, "running")
    assert peak_of(last_played(page)) == 1000
    loud = level_at(last_played(page), 1000)
    page.get_by_label("Anti-alias filter").check()
    page.wait_for_function("played.length === 2")
    assert loud - level_at(last_played(page), 1000) > 40
    expect(reading(page)).to_contain_text("the filter takes it out first: silence")
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_for_all(page, "closed")


def test_every_clip_plays(visit):
    page = visit()
    page.evaluate("show('first', {rate: 48000})")
    options = page.get_by_label("Sound").locator("option:not([disabled])")
    assert options.count() == 6
    page.get_by_role("button", name="Play").click()
    for name in options.all_text_contents()[1:]:
        before = page.evaluate("played.length")
        page.get_by_label("Sound").select_option(name)
        page.wait_for_function(f"played.length > {before}")
        assert np.abs(last_played(page)).max() == pytest.approx(0.5, abs=0.01)


def test_the_page_chooses_clips_labels_and_settings(visit):
    page = visit()
    clips = [{"kind": "sweep", "label": "A rising whistle"}, "bird"]
    model = {"clips": clips, "rate": 4000, "frequency": 2500, "bits": 8, "filter": True}
    page.evaluate(f"show('first', {json.dumps(model)})")
    names = ["A rising whistle", "Bird-like chirps", "Your recording"]
    expect(page.get_by_label("Sound").locator("option")).to_have_text(names)
    expect(page.get_by_label("Bits per sample")).to_have_attribute("aria-valuetext", "8 bits, 256 levels")
    expect(page.get_by_label("Anti-alias filter")).to_be_checked()
    expect(reading(page)).to_contain_text("2,500 Hz sampled at 4,000 Hz would land at 1,500 Hz")


def test_keyboard_alone_is_enough(visit):
    page = visit()
    page.evaluate("show('first')")
    assert tab_stops(page, 8) == ["clip", "play", "listen", "rate", "frequency", "bits", "filter", "moment"]
    rate = page.get_by_role("slider", name="Sample rate")
    for key, value in [
        ("Home", "1,000 Hz"),
        ("ArrowRight", "2,000 Hz"),
        ("End", "48,000 Hz"),
        ("ArrowLeft", "24,000 Hz"),
    ]:
        rate.press(key)
        expect(rate).to_have_attribute("aria-valuetext", value)
        expect(reading(page)).to_contain_text(f"sampled at {value}")
    page.get_by_role("slider", name="Tone").press("ArrowRight")
    expect(reading(page)).to_contain_text("A tone at 7,100 Hz sampled at 24,000 Hz")
    page.get_by_label("Anti-alias filter").press("Space")
    expect(page.get_by_label("Anti-alias filter")).to_be_checked()
    page.get_by_role("button", name="Play").press("Enter")
    wait_for_all(page, "running")
    page.get_by_role("button", name="Stop", exact=True).press("Space")
    wait_for_all(page, "closed")


def test_the_moment_chooses_what_is_analysed(visit):
    page = visit()
    page.evaluate("show('first', {clips: ['sweep'], rate: 8000})")
    moment = page.get_by_role("slider", name="Moment")
    strongest = page.locator("#first .strongest")
    for time, original, heard in [("0.65", 2000, 2000), ("1.95", 6000, 2000)]:  # the sweep is at 8000 * t / 2.6 Hz
        moment.fill(time)
        expect(moment).to_have_attribute("aria-valuetext", f"{time} s")
        numbers = [int(n.replace(",", "")) for n in re.findall(r"([\d,]+) Hz", strongest.text_content())]
        assert numbers == pytest.approx([original, heard], abs=40)


def test_playing_moves_the_moment_unless_the_reader_wants_less_motion(visit):
    after_frames = """async (frames) => {
      const moment = document.querySelector('#first > div').shadowRoot.getElementById('moment'), before = moment.value;
      for (let i = 0; i < frames; i++) await new Promise(requestAnimationFrame);
      return moment.value !== before;
    }"""
    for preference, moves in [("no-preference", True), ("reduce", False)]:
        page = visit(reduced_motion=preference)
        page.evaluate("show('first')")
        page.get_by_role("button", name="Play").click()
        wait_for_all(page, "running")
        assert page.evaluate(after_frames, 30) is moves


# ------------------------------------------------------------------------------------------------------ microphone


# Whether the spectrogram shows anything at 2.5 kHz, where the 7 kHz tone left nothing.
INK_BETWEEN = """() => {
  const canvas = document.querySelector('#first > div').shadowRoot.querySelector('[data-picture=spectrogram]');
  const { data } = canvas.getContext('2d').getImageData(50, 126, canvas.width - 80, 1);
  return data.some((value) => value < 200);
}"""


def use_microphone(page):
    page.get_by_role("button", name="Use microphone").first.click()
    expect(page.get_by_role("button", name="Stop microphone")).to_be_visible()
    page.wait_for_function(INK_BETWEEN)


def test_the_microphone_is_seen_then_kept_as_a_clip(visit):
    page = visit()
    page.evaluate("show('first')")
    use_microphone(page)
    expect(page.get_by_role("slider", name="Moment")).to_be_disabled()
    assert track_states(page) == ["live"]
    page.get_by_role("button", name="Stop microphone").click()
    assert track_states(page) == ["ended"]
    wait_for_all(page, "closed")
    expect(page.get_by_label("Sound")).to_have_value("recording")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("played.length === 1")
    assert np.abs(last_played(page)).max() > 0.05  # the beeps of Chromium's pretended microphone


def test_choosing_a_clip_or_playing_ends_the_microphone(visit):
    page = visit()
    page.evaluate("show('first')")
    use_microphone(page)
    page.get_by_label("Sound").select_option("bird")
    assert track_states(page) == ["ended"]
    expect(page.get_by_label("Sound")).to_have_value("bird")
    use_microphone(page)
    page.get_by_role("button", name="Play").click()
    assert track_states(page) == ["ended", "ended"]


@pytest.mark.parametrize(
    "event",
    [
        "document.__defineGetter__('hidden', () => true); document.dispatchEvent(new Event('visibilitychange'))",
        "document.getElementById('first').style.display = 'none'",
        "remove_first()",
    ],
)
def test_the_microphone_ends_when_the_widget_goes_out_of_sight(visit, event):
    page = visit()
    page.evaluate("show('first')")
    use_microphone(page)
    page.evaluate(event)
    page.wait_for_function("streams[0].getTracks()[0].readyState === 'ended'")
    wait_for_all(page, "closed")


def test_a_microphone_granted_too_late_is_let_go(visit):
    page = visit()
    page.evaluate("""() => {
      const ask = navigator.mediaDevices.getUserMedia;
      window.granted = new Promise((grant) => { window.grant = grant; });
      navigator.mediaDevices.getUserMedia = async (wanted) => { await window.granted; return ask(wanted); };
      show('first');
    }""")
    page.get_by_role("button", name="Use microphone").click()
    page.evaluate("remove_first(); grant()")
    page.wait_for_function("streams[0]?.getTracks()[0].readyState === 'ended'")
    assert audio_states(page) == []


def test_a_refused_microphone_gets_a_sentence_that_helps(launch, visit):
    browser = launch(MICROPHONE)  # without the switch that says yes for the reader
    page = visit(browser=browser)
    page.evaluate("show('first')")
    page.get_by_role("button", name="Use microphone").click()
    expect(reading(page)).to_have_text(
        "The browser refused the microphone: allow it for this page, beside the address, and press again."
    )
    page.get_by_role("button", name="Play").click()
    wait_for_all(page, "running")
    browser.close()


@pytest.mark.parametrize(
    ("obstacle", "sentence"),
    [
        (
            "Object.defineProperty(navigator, 'mediaDevices', {value: undefined})",
            "open it over https or on localhost",
        ),
        (
            "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError'))",
            "connect one",
        ),
        (
            "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('Busy', 'NotReadableError'))",
            "did not start (Busy): close what else uses it",
        ),
    ],
)
def test_other_obstacles_get_their_own_sentence(visit, obstacle, sentence):
    page = visit()
    page.evaluate(f"() => {{ {obstacle}; show('first'); }}")
    page.get_by_role("button", name="Use microphone").click()
    expect(reading(page)).to_contain_text(sentence)


# ------------------------------------------------------------------------------------------------------ good manners


def test_two_widgets_live_side_by_side_and_removal_stops_one(visit):
    page = visit()
    page.evaluate("show('first'); show('second', {rate: 1000})")
    for place in ("#first", "#second"):
        page.locator(place).get_by_role("button", name="Play").click()
    page.wait_for_function("contexts.length === 2 && contexts.every((context) => context.state === 'running')")
    expect(page.locator("#second").get_by_role("status")).to_contain_text("sampled at 1,000 Hz")
    page.evaluate("remove_first()")
    page.wait_for_function("contexts[0].state === 'closed'")
    assert audio_states(page)[1] == "running"
    expect(page.locator("#first")).to_be_empty()
    page.evaluate("show('first')")
    expect(reading(page)).to_contain_text("sampled at 8,000 Hz")


def test_pictures_change_with_the_theme(visit):
    page = visit(color_scheme="light")
    page.evaluate("show('first')")
    expect(page.locator("#first .strongest")).not_to_be_empty()
    expect_spectrogram(page, dark=False)
    for change, dark in [
        (lambda: page.emulate_media(color_scheme="dark"), True),
        (lambda: page.evaluate("document.documentElement.dataset.theme = 'light'"), False),
        (lambda: page.emulate_media(color_scheme="light"), False),
        (lambda: page.evaluate("document.documentElement.dataset.theme = 'dark'"), True),
    ]:
        change()
        expect_spectrogram(page, dark=dark)


@pytest.mark.parametrize(("width", "ratio"), [(360, 3), (768, 1), (1280, 2)])
def test_it_fits_is_sharp_and_never_moves_the_page(visit, width, ratio):
    page = visit(viewport={"width": width, "height": 900}, device_scale_factor=ratio)
    page.evaluate("show('first')")
    height = "document.getElementById('first').offsetHeight"
    reserved = page.evaluate(height)
    expect(page.locator("#first .strongest")).not_to_be_empty()
    for rate in range(12):
        page.get_by_role("slider", name="Sample rate").fill(str(rate))
        page.get_by_label("Anti-alias filter").set_checked(rate % 2 == 0)
        assert page.evaluate(height) == reserved
    page.get_by_role("button", name="Play").click()
    assert page.evaluate(height) == reserved
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    canvas = page.locator("canvas[data-picture=spectrum]")
    assert canvas.evaluate("c => c.width") == pytest.approx(ratio * canvas.evaluate("c => c.clientWidth"), abs=1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit, axe, scheme, width):
    page = visit(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.evaluate("show('first'); show('second', {clips: ['bird']})")
    page.get_by_role("button", name="Play").first.click()
    assert axe(page) == []
