"""Voice activity: the floor and the hangover frame by frame, Silero against its own wrapper's rules, bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course import voice_activity
from course.errors import CourseError
from course.models import MODELS
from course.sampling import tone
from course.voices import speak


@pytest.fixture(scope="module")
def silero():
    """Silero's network, or a skip on a machine that has not pulled it."""
    if MODELS.locate("silero-vad", "silero_vad.onnx") is None:
        try:
            MODELS.fetch("silero-vad", "silero_vad.onnx")
        except CourseError as error:
            pytest.skip(f"silero-vad cannot be had here: {error}")


def burst(rate, rng, level=0.1, noise=1e-3):
    """Noise all along, and a tone from 1.0 to 1.5 s in two and a half seconds."""
    signal = noise * rng.standard_normal(int(2.5 * rate))
    signal[rate : rate + rate // 2] += level * tone(440, 0.5, rate)
    return signal


def test_levels_are_the_root_mean_square_of_each_frame(rng):
    signal = rng.standard_normal(1000)
    padded = np.pad(signal, 100)
    expected = [20 * np.log10(np.sqrt(np.mean(padded[80 * t : 80 * t + 200] ** 2))) for t in range(13)]
    assert voice_activity.frame_levels(signal, 8000) == pytest.approx(expected)
    assert (voice_activity.frame_levels(np.zeros(1000), 8000) == -80).all()


def test_the_floor_falls_at_once_and_rises_slowly():
    floor = voice_activity.noise_floor([-40, -60, -10, -10, -70, -20], rise=1.0)
    assert floor.tolist() == [-40, -60, -59, -58, -70, -69]


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 10))
def test_hangover_is_brute_force(active, reach):
    expected = [any(active[max(0, t - reach) : t + 1]) for t in range(len(active))]
    assert voice_activity.held(active, reach * 0.01).tolist() == expected


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_a_burst_is_found_with_its_hangover(rate, rng):
    active = voice_activity.energy_activity(burst(rate, rng), rate)
    assert active.shape == (251,)
    ((start, end),) = voice_activity.segments(active)
    assert start == pytest.approx(1.0, abs=0.03) and end == pytest.approx(1.7, abs=0.03)


def test_a_louder_call_has_the_same_speech(rng):
    signal = burst(8000, rng)
    same = voice_activity.energy_activity(5 * signal, 8000) == voice_activity.energy_activity(signal, 8000)
    assert same.all()


def test_silence_and_steady_noise_have_no_speech(rng):
    assert not voice_activity.energy_activity(np.zeros(8000), 8000).any()
    assert not voice_activity.energy_activity(0.1 * rng.standard_normal(16_000), 8000).any()
    assert not voice_activity.energy_activity([0.5], 8000).any()


def test_a_clatter_is_taken_for_speech(rng):
    """The failure that the lecture shows: energy cannot tell a plate from a plosive."""
    signal = 1e-3 * rng.standard_normal(16_000)
    signal[8000:8400] += 0.3 * rng.standard_normal(400)
    assert voice_activity.energy_activity(signal, 8000)[100:105].all()


@pytest.mark.parametrize(
    ("active", "expected"),
    [([], []), ([0, 0], []), ([1, 1], [(0, 0.02)]), ([0, 1, 0, 1, 1], [(0.01, 0.02), (0.03, 0.05)])],
)
def test_segments(active, expected):
    np.testing.assert_allclose(voice_activity.segments(active), expected)


def test_a_call_knows_where_its_speech_is(rng):
    call, truth = voice_activity.call_with_pauses([np.ones(800), np.ones(2400)], 8000, rng)
    assert truth.shape == (1 + call.size // 80,)
    inside = np.append(call, 0)[::80][: truth.size] > 0
    assert (inside == truth).all() and truth.sum() == pytest.approx(40, abs=1)
    assert all(end - start >= 0.4 for start, end in voice_activity.segments(~truth)[:-1])


def test_scores_are_counted():
    scores = voice_activity.detection_scores([1, 1, 0, 0, 1], [1, 0, 1, 0, 1])
    assert scores == pytest.approx({"missed": 1 / 3, "false_alarms": 1 / 2, "f1": 2 / 3})
    nothing = voice_activity.detection_scores([0, 0], [0, 0])
    assert nothing == {"missed": 0, "false_alarms": 0, "f1": 0}
    with pytest.raises(ValueError, match=r"\(1,\) and \(2,\)"):
        voice_activity.detection_scores([1], [1, 0])


DETECTORS = [voice_activity.energy_activity, voice_activity.silero_probabilities, voice_activity.silero_activity]


@pytest.mark.parametrize("detect", DETECTORS)
@pytest.mark.parametrize(
    ("signal", "rate", "error", "words"),
    [
        ([], 8000, ValueError, "at least one sample"),
        (np.ones((10, 2)), 8000, ValueError, "Pick one channel"),
        ([0, np.inf], 8000, ValueError, "infinite"),
        (["a"], 8000, TypeError, "real numbers"),
    ],
)
def test_what_is_no_signal_is_refused(detect, signal, rate, error, words):
    with pytest.raises(error, match=words):
        detect(signal, rate)


@pytest.mark.parametrize("rate", [0, 11_025, 44_100])
def test_silero_knows_two_rates(rate):
    with pytest.raises(ValueError, match="8000 or 16000 Hz"):
        voice_activity.silero_probabilities(np.ones(100), rate)


@pytest.mark.parametrize(("rate", "chunk"), [(8000, 256), (16_000, 512)])
def test_silero_hears_speech_and_no_speech_in_noise(silero, rate, chunk, rng):
    import soxr

    voice, spoken_rate = speak("please call again later")
    voice = soxr.resample(voice, spoken_rate, rate)
    signal = np.concatenate([np.zeros(rate), voice, np.zeros(rate)]) + 1e-3 * rng.standard_normal(voice.size + 2 * rate)
    answers = voice_activity.silero_probabilities(signal, rate)
    assert answers.shape == (-(-signal.size // chunk),) and (answers >= 0).all() and (answers <= 1).all()
    active = voice_activity.silero_activity(signal, rate)
    assert active.shape == voice_activity.energy_activity(signal, rate).shape
    spoken = active[100 : 100 + voice.size * 100 // rate]
    assert spoken.mean() > 0.7 and active[:90].mean() < 0.1


def test_silero_is_causal_and_starts_afresh(silero, rng):
    signal = 0.1 * rng.standard_normal(8000)
    first = voice_activity.silero_probabilities(signal, 8000)
    assert (voice_activity.silero_probabilities(signal, 8000) == first).all()
    assert voice_activity.silero_probabilities(signal[: 256 * 10], 8000) == pytest.approx(first[:10])
    assert voice_activity.silero_probabilities(signal[:1], 8000).shape == (1,)
