"""Filters against brute force and SciPy; what they promise measured tone by tone."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from course import filters, levels, sampling

short = st.lists(st.floats(-10, 10), min_size=1, max_size=20)


def brute_force_convolution(signal, taps):
    output = [0.0] * (len(signal) + len(taps) - 1)
    for n, x in enumerate(signal):
        for k, h in enumerate(taps):
            output[n + k] += x * h
    return output


@given(short, short)
def test_convolution_is_the_definition_and_commutes(signal, taps):
    expected = brute_force_convolution(signal, taps)
    assert filters.convolve(signal, taps) == pytest.approx(expected, abs=1e-9)
    assert filters.convolve(taps, signal) == pytest.approx(expected, abs=1e-9)


@given(short, st.floats(-3, 3))
def test_filters_are_linear(signal, factor):
    other = np.cos(np.arange(len(signal)))
    b, a = filters.resonator(1000, 0.01, 8000)
    for system in (lambda x: filters.filter_fir(x, [0.25, 0.5, 0.25]), lambda x: filters.filter_iir(x, b, a)):
        together = system(np.array(signal) + factor * other)
        assert together == pytest.approx(system(signal) + factor * system(other), abs=1e-9)


def test_fir_lines_up_with_the_signal(rng):
    signal = rng.standard_normal(100)
    taps = filters.lowpass_taps(1000, 8000, 31)
    assert filters.filter_fir(signal, taps) == pytest.approx(np.convolve(signal, taps, "same"))
    assert filters.filter_fir(signal[:7], taps) == pytest.approx(np.convolve(signal[:7], taps)[15:22])
    assert filters.filter_fir(signal, [1.0]).tolist() == pytest.approx(signal.tolist())


def test_an_even_number_of_taps_is_refused():
    with pytest.raises(ValueError, match="4 came"):
        filters.filter_fir(np.ones(10), np.ones(4))


@pytest.mark.parametrize(
    ("b", "a"), [([1], [1]), ([0.5, 0.5], [2]), ([1], [1, -0.9]), ([0.2, 0.3, 0.1], [2, -1.2, 0.8, 0.1])]
)
def test_iir_is_scipys(b, a, rng):
    signal = rng.standard_normal(300)
    assert filters.filter_iir(signal, b, a) == pytest.approx(scipy.signal.lfilter(b, a, signal))
    assert filters.filter_iir(signal[:1], b, a) == pytest.approx(scipy.signal.lfilter(b, a, signal[:1]))


def test_feedback_that_starts_with_zero_is_refused():
    with pytest.raises(ValueError, match="differ from 0"):
        filters.filter_iir([1.0], [1], [0, 1])


@pytest.mark.parametrize(("cutoff", "rate", "n_taps"), [(3700, 48_000, 441), (1000, 8000, 31), (100, 8000, 3)])
def test_lowpass_taps_are_scipys(cutoff, rate, n_taps):
    expected = scipy.signal.firwin(n_taps, cutoff, fs=rate, window=("blackman"))
    assert filters.lowpass_taps(cutoff, rate, n_taps) == pytest.approx(expected, abs=1e-12)


def test_a_lowpass_keeps_its_promise():
    gain = np.abs(filters.frequency_response(filters.lowpass_taps(3700, 48_000, 441), [1], np.arange(24_001), 48_000))
    assert gain[0] == pytest.approx(1) and gain[3700] == pytest.approx(0.5, abs=1e-3)
    assert np.abs(gain[:3401] - 1).max() < 1e-3 and levels.decibels(gain[4000:].max()) < -73


@pytest.mark.parametrize(
    ("cutoff", "n_taps", "words"), [(0, 31, "0 Hz came"), (4000, 31, "4000 Hz came"), (1000, 30, "Try 31"), (9, 1, "3")]
)
def test_impossible_lowpasses_are_refused(cutoff, n_taps, words):
    with pytest.raises(ValueError, match=words):
        filters.lowpass_taps(cutoff, 8000, n_taps)


def test_a_resonators_impulse_response_is_a_dying_sine():
    impulse = np.zeros(4000)
    impulse[0] = 1
    t = np.arange(4000) / 8000
    expected = np.exp(-t / 0.1) * np.sin(2 * np.pi * 440 * t)
    assert filters.filter_iir(impulse, *filters.resonator(440, 0.1, 8000)) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize(("frequency", "tau"), [(0, 1), (4000, 1), (440, 0), (440, -1)])
def test_a_resonator_that_would_not_die_away_is_refused(frequency, tau):
    with pytest.raises(ValueError, match="time constant above 0"):
        filters.resonator(frequency, tau, 8000)


@pytest.mark.parametrize(("b", "a"), [([1, 0.5], [1]), ([0.3, 0.1], [1.0, -0.8, 0.3])])
def test_frequency_response_is_scipys_and_what_a_tone_meets(b, a):
    frequencies = np.arange(0, 4000, 250)
    response = filters.frequency_response(b, a, frequencies, 8000)
    assert response == pytest.approx(scipy.signal.freqz(b, a, worN=frequencies, fs=8000)[1])
    tone = sampling.tone(1000, 0.5, 8000)
    heard = filters.filter_iir(tone, b, a)[2000:]
    assert levels.rms(heard) / levels.rms(tone) == pytest.approx(abs(response[4]), rel=1e-6)


@pytest.mark.parametrize("factor", [2, 3, 6])
def test_decimation_keeps_the_low_and_removes_what_would_alias(factor):
    nyquist = 24_000 / factor
    kept, removed = sampling.tone(0.8 * nyquist, 0.5, 48_000), sampling.tone(1.05 * nyquist, 0.5, 48_000)
    middle = slice(500, -500)
    expected = kept[::factor][middle]
    assert levels.snr_db(expected, filters.decimate(kept, 48_000, factor)[middle]) > 60
    assert levels.level_db(filters.decimate(removed, 48_000, factor)[middle]) < -70


def test_decimation_by_one_is_a_copy_and_lengths_round_up():
    signal = np.ones(7)
    same = filters.decimate(signal, 8000, 1)
    assert same.tolist() == signal.tolist() and same is not signal
    assert filters.decimate(signal, 8000, 2).size == 4


@pytest.mark.parametrize("factor", [0, -2, 1.5])
def test_impossible_factors_are_refused(factor):
    with pytest.raises(ValueError, match="whole factor"):
        filters.decimate(np.ones(10), 8000, factor)


def test_correlation_is_scipys_and_peaks_at_the_event(rng):
    template = sampling.chime(8000, 0.25)
    signal = 0.01 * rng.standard_normal(6000)
    signal[1234 : 1234 + template.size] += template
    match = filters.correlate(signal, template)
    assert match == pytest.approx(scipy.signal.correlate(signal, template, "valid"), abs=1e-9)
    assert np.argmax(match) == 1234


def test_correlation_of_equal_lengths_is_one_number_and_longer_templates_are_refused():
    assert filters.correlate([1, 2], [3, 4]) == pytest.approx([11])
    with pytest.raises(ValueError, match="3 samples came for 2"):
        filters.correlate([1, 2], [1, 2, 3])
