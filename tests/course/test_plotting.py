"""Plots: what they draw is in the axes, what they say is in the SVG, and their colours can be told apart."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course import plotting, sampling

TONE = sampling.tone(1000, 0.1, 8000)
PLOTS = {
    "waveform": plotting.plot_waveform,
    "samples": plotting.plot_samples,
    "spectrum": plotting.plot_spectrum,
    "spectrogram": plotting.plot_spectrogram,
}


@pytest.fixture(autouse=True)
def no_figure_left_open():
    yield
    plt.close("all")


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_plots_label_their_axes_with_units_and_return_the_axes_given(plot):
    ax = plotting.panels()
    assert plot(TONE, 8000, ax) is ax
    assert all("(" in label or label == "Amplitude" for label in (ax.get_xlabel(), ax.get_ylabel()))
    assert plot(TONE, 8000) is not ax


@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_plots_refuse_what_is_no_signal(plot):
    with pytest.raises(ValueError, match="signal was expected"):
        plot(np.ones((2, 2)), 8000)
    with pytest.raises(ValueError, match="sample rate was expected"):
        plot(TONE, 0)


def test_a_spectrum_peaks_at_the_tone_with_its_level():
    line = plotting.plot_spectrum(0.1 * TONE, 8000).get_lines()[0]
    peak = np.argmax(line.get_ydata())
    assert line.get_xdata()[peak] == 1000 and line.get_ydata()[peak] == pytest.approx(-20, abs=0.01)


def test_a_spectrogram_is_brightest_at_the_tone():
    picture = plotting.plot_spectrogram(TONE, 8000).get_images()[0]
    level = np.asarray(picture.get_array())
    assert np.argmax(level.mean(axis=1)) == 1000 / (8000 / 256)
    assert level.max() == pytest.approx(0, abs=0.1) and picture.get_extent() == [0, 0.1, 0, 4000]


def test_compared_spectrograms_share_colours_and_keep_their_titles():
    axes = plotting.compare_spectrograms({"loud": TONE, "quiet": 0.01 * TONE}, 8000)
    limits = [ax.get_images()[0].get_clim() for ax in axes]
    assert limits[0] == limits[1] and [ax.get_title(loc="left") for ax in axes] == ["loud", "quiet"]
    assert axes[0].get_xlabel() == "" and axes[1].get_xlabel() == "Time (s)"


def test_silence_has_a_floor():
    assert plotting.plot_spectrum(np.zeros(64), 8000).get_lines()[0].get_ydata().tolist() == [-100.0] * 33


def test_a_response_is_drawn_in_decibels():
    line = plotting.plot_response(np.array([0, 1, 2]), np.array([1, 1j, 0.1])).get_lines()[0]
    assert line.get_ydata() == pytest.approx([0, 0, -20])


def test_a_long_waveform_keeps_its_outline_in_few_points(rng):
    signal = rng.uniform(-1, 1, 100_001)
    signal[77_777] = 5
    line = plotting.plot_waveform(signal, 8000).get_lines()[0]
    assert len(line.get_xdata()) < 3000
    assert line.get_ydata().max() == 5 and line.get_ydata().min() == signal.min()
    assert line.get_xdata()[np.argmax(line.get_ydata())] == pytest.approx(77_777 / 8000, abs=0.02)


def test_a_described_figure_is_closed_and_named():
    ax = plotting.plot_waveform(TONE, 8000)
    bundle = plotting.described(ax, 'A "tone" of 1 kHz & no more')._repr_mimebundle_()
    assert not plt.fignum_exists(ax.figure.number)
    assert bundle["text/plain"] == 'A "tone" of 1 kHz & no more'
    root = ElementTree.fromstring(bundle["image/svg+xml"])
    assert root.attrib["role"] == "img" and root.attrib["aria-label"] == bundle["text/plain"]


def test_figures_axes_and_arrays_of_axes_can_be_described():
    for drawing in (plotting.panels().figure, plotting.panels(), plotting.panels(2), plotting.panels(2, 2)):
        assert "<svg" in plotting.described(drawing, "Empty axes.").svg


@pytest.mark.parametrize("alt", ["", " \n"])
def test_a_figure_without_a_description_is_refused(alt):
    with pytest.raises(ValueError, match="description"):
        plotting.described(plotting.panels(), alt)


def test_the_same_figure_is_the_same_bytes_in_exchangeable_ink():
    first, second = (plotting.described(plotting.plot_spectrogram(TONE, 8000), "A tone.").svg for _ in range(2))
    assert first == second
    assert plotting.INK in first and plotting.GRID not in first  # a picture has no grid
    assert plotting.GRID in plotting.described(plotting.plot_waveform(TONE, 8000), "A tone.").svg
    assert "#000000" not in first and "fill: none" in first


def luminance(colour: str) -> float:
    """Relative luminance by the Web Content Accessibility Guidelines 2.2."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("colour", plotting.LINES)
@pytest.mark.parametrize("page", ["#ffffff", "#11151c"])
def test_lines_stand_out_on_the_light_and_on_the_dark_page(colour, page):
    darker, lighter = sorted([luminance(colour), luminance(page)])
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def test_lines_differ_in_their_dashes_so_that_grey_is_enough():
    ax = plotting.panels()
    lines = [ax.plot([0, 1], [n, n])[0] for n in range(5)]
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == 5


def test_plotting_and_listening_need_neither_scipy_nor_soundfile():
    """The lab's sandbox has only NumPy and Matplotlib."""
    code = (
        "import sys, course.plotting, course.listening, course.filters, course.quantisation\n"
        "print({'scipy', 'librosa', 'torch', 'soundfile'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
