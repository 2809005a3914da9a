"""Levels against closed forms and librosa."""

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course import levels

second = np.arange(8000) / 8000


@pytest.mark.parametrize(("amplitude", "expected"), [(1, -3.0103), (0.1, -23.0103), (0.5, -9.0309)])
def test_level_of_a_sine(amplitude, expected):
    assert levels.level_db(amplitude * np.sin(2 * np.pi * 440 * second)) == pytest.approx(expected, abs=1e-4)


def test_full_scale_is_a_square_wave():
    assert levels.rms([1, -1, 1, -1]) == 1 and levels.level_db([1, -1]) == 0


def test_silence_is_minus_infinity_without_a_warning(recwarn):
    assert levels.level_db(np.zeros(10)) == levels.SILENCE_DB and not recwarn.list


@given(st.lists(st.floats(1e-4, 1e4), min_size=1, max_size=20))
def test_decibels_agree_with_librosa_and_have_an_inverse(ratios):
    ratios = np.array(ratios)
    expected = librosa.amplitude_to_db(ratios, amin=1e-9, top_db=None)
    assert levels.decibels(ratios) == pytest.approx(expected, abs=1e-6)
    assert levels.amplitude_ratio(levels.decibels(ratios)) == pytest.approx(ratios)


def test_numbers_give_numbers():
    assert isinstance(levels.decibels(10), float) and levels.decibels(10) == 20
    assert isinstance(levels.amplitude_ratio(-20), float) and levels.amplitude_ratio(-20) == pytest.approx(0.1)


def test_a_negative_ratio_is_refused():
    with pytest.raises(ValueError, match="np.abs"):
        levels.decibels([1, -1])


def test_snr_of_known_noise():
    clean, noise = np.sin(2 * np.pi * 440 * second), np.sin(2 * np.pi * 997 * second)
    assert levels.snr_db(clean, clean + 0.1 * noise) == pytest.approx(20)
    assert levels.snr_db(clean, clean) == np.inf


@pytest.mark.parametrize(
    ("clean", "degraded", "words"),
    [(np.ones(3), np.ones(4), "3 and 4 samples"), (np.zeros(3), np.ones(3), "silence"), ([], [], "at least one")],
)
def test_snr_says_what_is_wrong(clean, degraded, words):
    with pytest.raises(ValueError, match=words):
        levels.snr_db(clean, degraded)
