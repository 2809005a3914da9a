"""Spectra against NumPy, SciPy and librosa, brute force and Parseval's theorem."""

import librosa
import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from course import spectrum


def brute_force_dft(frame):
    n_fft = len(frame)
    return [sum(x * np.exp(-2j * np.pi * k * n / n_fft) for n, x in enumerate(frame)) for k in range(n_fft // 2 + 1)]


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=33))
def test_dft_of_any_length_is_the_definition_and_numpys(frame):
    transform = spectrum.dft(frame)
    assert transform == pytest.approx(np.array(brute_force_dft(frame)), abs=1e-9)
    assert transform == pytest.approx(np.fft.rfft(frame), abs=1e-9)


@pytest.mark.parametrize("n_fft", [16, 17])
def test_parseval(n_fft, rng):
    frame = rng.standard_normal(n_fft)
    power = np.abs(spectrum.dft(frame)) ** 2
    mirrored = power[1 : (n_fft + 1) // 2]  # neither 0 Hz nor, in an even frame, the Nyquist frequency
    assert (power.sum() + mirrored.sum()) / n_fft == pytest.approx(np.sum(frame**2))


def test_bin_frequencies():
    assert spectrum.bin_frequencies(256, 8000) == pytest.approx(np.fft.rfftfreq(256, 1 / 8000))
    assert spectrum.bin_frequencies(5, 10).tolist() == [0, 2, 4]


@pytest.mark.parametrize("length", [1, 2, 3, 256, 257])
def test_hann_window_is_scipys(length):
    assert spectrum.hann_window(length) == pytest.approx(scipy.signal.get_window("hann", length))


def test_a_window_has_a_sample():
    with pytest.raises(ValueError, match="at least one sample"):
        spectrum.hann_window(0)


@given(k=st.integers(2, 126), amplitude=st.floats(0.01, 1), phase=st.floats(0, 6.28))
def test_a_sine_at_a_bin_reads_its_amplitude(k, amplitude, phase):
    sine = amplitude * np.sin(2 * np.pi * k * np.arange(256) / 256 + phase)
    assert spectrum.amplitude_spectrum(sine)[k] == pytest.approx(amplitude)
    boxed = spectrum.amplitude_spectrum(sine, np.ones(256))
    assert boxed[k] == pytest.approx(amplitude) and np.delete(boxed, k).max() < 1e-9


def test_amplitudes_agree_with_scipys_periodogram(rng):
    frame = rng.standard_normal(128)
    power = scipy.signal.periodogram(frame, window="hann", detrend=False, scaling="spectrum")[1]
    assert spectrum.amplitude_spectrum(frame)[1:-1] == pytest.approx(np.sqrt(2 * power[1:-1]))


def test_a_window_of_another_length_is_refused():
    with pytest.raises(ValueError, match="window of 8 samples.*one of 9"):
        spectrum.amplitude_spectrum(np.ones(8), np.ones(9))


@pytest.mark.parametrize("n_samples", [1, 5, 64, 1000, 1023])
def test_frames_are_centred(n_samples, rng):
    signal = rng.standard_normal(n_samples)
    cut = spectrum.frames(signal, 16, 4)
    assert cut.shape == (1 + n_samples // 4, 16)
    padded = [0.0] * 8 + signal.tolist() + [0.0] * 8
    assert cut.tolist() == [padded[4 * t : 4 * t + 16] for t in range(1 + n_samples // 4)]


def test_frames_do_not_write_into_the_signal():
    with pytest.raises(ValueError, match="read-only"):
        spectrum.frames(np.ones(20), 4, 2)[0, 0] = 5


@pytest.mark.parametrize(("n_fft", "hop_length"), [(15, 4), (0, 4), (16, 0), (1, 1)])
def test_impossible_frames_are_refused(n_fft, hop_length):
    with pytest.raises(ValueError, match="even n_fft"):
        spectrum.frames(np.ones(100), n_fft, hop_length)


def test_spectrogram_is_librosas(rng):
    signal = rng.standard_normal(2000)
    expected = np.abs(librosa.stft(signal, n_fft=256, hop_length=64, window="hann", center=True, pad_mode="constant"))
    scale = 2 / scipy.signal.get_window("hann", 256).sum()
    assert spectrum.spectrogram(signal) == pytest.approx(scale * expected, abs=1e-6)
