"""Sampling against the samples themselves: aliases by comparison, interpolation against SciPy and closed forms."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from course import sampling


@pytest.mark.parametrize("samples", [[1, 2], (0.5,), np.ones(3, np.float32), np.ones(4, bool)[:2].astype(int)])
def test_as_signal_gives_float64(samples):
    signal = sampling.as_signal(samples)
    assert signal.dtype == np.float64 and signal.tolist() == list(samples)


@pytest.mark.parametrize(
    ("samples", "error", "words"),
    [
        ([], ValueError, "at least one sample"),
        (np.ones((2, 3)), ValueError, r"\(2, 3\).*signal\[:, 0\]"),
        (3.0, ValueError, r"\(n_samples,\)"),
        ([1.0, np.nan, np.inf], ValueError, "2 NaN or infinite"),
        ([1j], TypeError, "complex128"),
        (["a"], TypeError, "real numbers"),
        ([True], TypeError, "bool"),
    ],
)
def test_as_signal_says_what_is_wrong(samples, error, words):
    with pytest.raises(error, match=words):
        sampling.as_signal(samples)


@pytest.mark.parametrize("rate", [0, -8000, np.nan, np.inf, [8000]])
def test_a_sample_rate_is_a_positive_number(rate):
    with pytest.raises(ValueError, match="above zero"):
        sampling.check_sample_rate(rate)


def test_a_tone_has_its_frequency_amplitude_and_length():
    tone = sampling.tone(440, 0.5, 8000, amplitude=0.25)
    assert tone.shape == (4000,) and tone[0] == 0
    spectrum = np.abs(np.fft.rfft(tone)) / 2000
    assert np.argmax(spectrum) * 2 == 440 and spectrum.max() == pytest.approx(0.25)


def test_a_duration_below_one_sample_is_refused():
    with pytest.raises(ValueError, match=r"0\.000125 s"):
        sampling.sample_times(1e-5, 8000)


def test_the_chime_fits_into_full_scale_dies_away_and_holds_its_modes():
    chime = sampling.chime(48_000)
    assert chime.shape == (72_000,) and np.abs(chime).max() <= 1
    assert np.sqrt(np.mean(chime[-4800:] ** 2)) < 0.1 * np.sqrt(np.mean(chime[:4800] ** 2))
    peaks, _ = scipy.signal.find_peaks(np.abs(np.fft.rfft(chime[:48_000])), prominence=100)
    assert peaks == pytest.approx([880, 2426, 4756, 7861], abs=1)


@given(frequency=st.integers(0, 100_000), rate=st.integers(100, 48_000))
def test_an_alias_lies_below_nyquist_and_has_the_same_samples(frequency, rate):
    alias = sampling.alias(frequency, rate)
    assert 0 <= alias <= rate / 2
    n = np.arange(50)
    cosines = [np.cos(2 * np.pi * ((f * n) % rate) / rate) for f in (frequency, alias)]
    assert cosines[0] == pytest.approx(cosines[1], abs=1e-9)


def test_alias_takes_arrays():
    assert sampling.alias(np.array([100, 3900, 4100, 7000, 8000, 9000]), 8000).tolist() == [
        100, 3900, 3900, 1000, 0, 1000,
    ]  # fmt: skip


def test_interpolation_passes_through_the_samples(rng):
    samples = rng.standard_normal(50)
    assert sampling.interpolate(samples, 100, np.arange(50) / 100) == pytest.approx(samples)


def test_interpolation_agrees_with_the_transform_away_from_the_ends(rng):
    spectrum = np.zeros(501, complex)
    spectrum[1:400] = rng.standard_normal(399) + 1j * rng.standard_normal(399)
    samples = np.fft.irfft(spectrum)  # (1000,), periodic
    padded = np.tile(samples, 21)
    moments = (10_000 + np.arange(0, 1000, 0.25)) / 8000
    rebuilt = sampling.interpolate(padded, 8000, moments)
    assert rebuilt == pytest.approx(scipy.signal.resample(samples, 4000), abs=1e-3 * np.abs(samples).max())
