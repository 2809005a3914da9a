"""What an altered recording is: as much faster and higher as asked, as noisy as asked, and the same each time."""

from functools import partial

import numpy as np
import pytest

from course.augmentation import ROOMS, VOICES, with_hiss, with_speed
from course.recordings import Recording


def tone(frequency=1000.0, seconds=0.5, rate=8_000):
    signal = 0.3 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)
    return Recording("tone", signal.astype(np.float32), rate, "tone", "nobody", "computed", False)


def peak(recording):
    """Frequency of the strongest bin, Hz."""
    spectrum = np.abs(np.fft.rfft(recording.signal * np.hanning(recording.signal.size)))
    return np.argmax(spectrum) * recording.sample_rate / recording.signal.size


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.1, 2.0])
def test_speed_moves_frequencies_and_length_by_its_factor(factor):
    altered = with_speed(tone(), factor)
    assert altered.seconds == pytest.approx(0.5 / factor, abs=1e-3) and altered.sample_rate == 8_000
    assert peak(altered) == pytest.approx(1000 * factor, abs=5)
    assert altered.text == "tone" and altered.speaker == "nobody"


@pytest.mark.parametrize("factor", [0.1, 3, np.nan])
def test_speeds_that_are_no_voice_are_refused(factor):
    with pytest.raises(ValueError, match=f"{factor} came"):
        with_speed(tone(), factor)


def test_hiss_is_as_loud_as_asked_and_pink():
    clean, noisy = tone(2000.0, 4.0), with_hiss(tone(2000.0, 4.0), 10)
    noise = noisy.signal.astype(float) - clean.signal
    assert 10 * np.log10(np.mean(clean.signal**2) / np.mean(noise**2)) == pytest.approx(10, abs=0.1)
    power = np.abs(np.fft.rfft(noise)) ** 2
    octaves = [power[4 * low : 8 * low].sum() for low in (100, 200, 400, 800)]  # bins are 0.25 Hz apart
    assert max(octaves) / min(octaves) < 1.5


def test_alterations_are_the_same_each_time_and_differ_by_recording():
    assert np.array_equal(with_hiss(tone(), 10).signal, with_hiss(tone(), 10).signal)
    other = Recording("other", tone().signal, 8_000, "tone", "nobody", "computed", False)
    assert not np.array_equal(with_hiss(tone(), 10).signal, with_hiss(other, 10).signal)


@pytest.mark.parametrize("alter", [*VOICES, *ROOMS, partial(with_speed, factor=0.5)])
def test_silence_and_single_samples_pass(alter):
    silent = Recording("silent", np.zeros(100, np.float32), 8_000, "", "nobody", "computed", False)
    assert not alter(silent).signal.any()
    single = Recording("single", np.array([0.5], np.float32), 8_000, "", "nobody", "computed", False)
    assert np.isfinite(alter(single).signal).all() and np.abs(alter(single).signal).max(initial=0) <= 1
