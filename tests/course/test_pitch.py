"""Pitch against brute force, known tones, librosa and Praat; silence, noise and bad input."""

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course import pitch
from course.sampling import tone

ESTIMATORS = [pitch.pitch_by_autocorrelation, pitch.yin]


def buzz(frequency, rate, seconds=0.6, first=1, last=12):
    """Harmonics ``first`` to ``last`` of a voice, ever weaker."""
    partials = [k for k in range(first, last + 1) if k * frequency < rate / 2]
    return 0.2 * sum(tone(k * frequency, seconds, rate) / k for k in partials)


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_autocorrelation_is_its_definition(seed, length):
    frames = np.random.default_rng(seed).standard_normal((3, length))
    expected = [[np.sum(row[: length - lag] * row[lag:]) for lag in range(length)] for row in frames]
    np.testing.assert_allclose(pitch.autocorrelation(frames), expected, atol=1e-10)


@given(st.integers(0, 2**32 - 1), st.integers(2, 20), st.integers(1, 15))
def test_normalised_difference_is_the_papers_equations(seed, window, longest):
    frame = np.random.default_rng(seed).standard_normal(window + longest)
    plain = np.array([np.sum((frame[:window] - frame[lag : lag + window]) ** 2) for lag in range(longest + 1)])
    expected = [1.0] + [plain[lag] / np.mean(plain[1 : lag + 1]) for lag in range(1, longest + 1)]
    np.testing.assert_allclose(pitch.normalised_difference(frame[None], longest)[0], expected, atol=1e-8)


@pytest.mark.parametrize("estimate", ESTIMATORS)
@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
@pytest.mark.parametrize("frequency", [70, 110.5, 203.3, 350])
def test_a_buzz_has_its_pitch(estimate, rate, frequency):
    found, likeness = estimate(buzz(frequency, rate), rate)
    assert found.shape == likeness.shape == (1 + round(0.6 * rate) // round(0.01 * rate),)
    periods = round(frequency / np.median(found[10:-10]))  # the autocorrelation may take several for one
    assert periods == 1 or (estimate is pitch.pitch_by_autocorrelation and periods <= 6)
    assert periods * np.median(found[10:-10]) == pytest.approx(frequency, rel=0.005)
    assert likeness[10:-10].min() > 0.9


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_the_fundamental_may_be_missing(estimate):
    found, _ = estimate(buzz(110, 8000, first=3), 8000)
    assert np.median(found[10:-10]) == pytest.approx(110, rel=0.01)


def test_yin_is_librosas_on_a_clean_voice():
    signal = buzz(150, 8000) + 0.5 * buzz(150, 8000, first=4, last=9)
    ours = pitch.yin(signal, 8000)[0]
    theirs = librosa.yin(signal, fmin=60, fmax=400, sr=8000, frame_length=512, hop_length=80)
    np.testing.assert_allclose(ours[10:-10], theirs[10:-10], rtol=0.01)


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_silence_and_noise_are_not_like_themselves(estimate, rng):
    found, likeness = estimate(np.zeros(4000), 8000)
    assert np.isfinite(found).all() and (likeness == 0).all()
    _, likeness = estimate(rng.standard_normal(8000), 8000)
    assert np.median(likeness) < 0.6


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_pitch_does_not_depend_on_loudness(estimate, rng):
    signal = buzz(130, 8000) + 0.05 * rng.standard_normal(4800)
    np.testing.assert_allclose(estimate(signal, 8000)[0], estimate(1e-3 * signal, 8000)[0], rtol=1e-6)


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_one_sample_gives_one_frame(estimate):
    found, likeness = estimate([0.5], 8000)
    assert found.shape == likeness.shape == (1,) and np.isfinite(found).all()


@pytest.mark.parametrize("estimate", ESTIMATORS)
@pytest.mark.parametrize(
    ("signal", "rate", "span", "error", "words"),
    [
        ([], 8000, (60, 400), ValueError, "at least one sample"),
        (np.ones((10, 2)), 8000, (60, 400), ValueError, "Pick one channel"),
        ([np.nan, 1], 8000, (60, 400), ValueError, "NaN"),
        ([1j, 1], 8000, (60, 400), TypeError, "real numbers"),
        (np.ones(100), 0, (60, 400), ValueError, "above zero"),
        (np.ones(100), 8000, (400, 60), ValueError, "400 to 60 Hz came"),
        (np.ones(100), 8000, (60, 4000), ValueError, "between 0 and 2000 Hz"),
        (np.ones(100), 8000, (0, 400), ValueError, "0 to 400 Hz came"),
    ],
)
def test_bad_input_is_refused(estimate, signal, rate, span, error, words):
    with pytest.raises(error, match=words):
        estimate(signal, rate, *span)


def test_praat_hears_the_buzz_where_it_is_and_nothing_in_silence():
    signal = np.concatenate([np.zeros(4000), buzz(120, 8000, 0.5), np.zeros(4000)])
    found = pitch.praat_pitch(signal, 8000)
    assert found.shape == (1 + signal.size // 80,)
    assert np.nanmedian(found) == pytest.approx(120, rel=0.01)
    heard = np.flatnonzero(np.isfinite(found))
    assert heard[0] == pytest.approx(50, abs=4) and heard[-1] == pytest.approx(100, abs=4)
    assert np.isnan(pitch.praat_pitch(np.zeros(4000), 8000)).all()


def test_gross_errors_are_counted_where_the_reference_has_a_pitch():
    reference = np.array([100, 100, 100, 100, np.nan])
    assert pitch.gross_errors([100, 119, 50, 200, 7], reference) == (0.25, 0.25)
    assert pitch.gross_errors([100, 81, 100, 100, np.nan], reference) == (0, 0)


@pytest.mark.parametrize(
    ("estimate", "reference"), [([100.0], [100.0, 100.0]), ([100.0], [np.nan]), ([np.nan, 1], [100.0, 100.0])]
)
def test_gross_errors_need_a_reference_and_an_answer(estimate, reference):
    with pytest.raises(ValueError, match="An estimate for each frame"):
        pitch.gross_errors(estimate, reference)
