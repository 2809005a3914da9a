"""Phonemes, the voice of four resonances and the mel vocoder: what they promise, measured."""

import numpy as np
import pytest

from course import synthesis
from course.errors import CourseError
from course.levels import rms
from course.sampling import tone
from course.synthesis import SAMPLE_RATE, SOUNDS, pulses, sounds_of, through_mel, through_resonances, tracks, voice
from course.voices import phonemes, speak


def test_phonemes_are_words_apart_and_numbers_read_out():
    assert phonemes("we were away").split() == ["wiː", "wɜːɹ", "ɐwˈeɪ"]
    assert phonemes("2") == phonemes("two") != phonemes("to two")
    assert len(phonemes("One. Two. Three.").splitlines()) == 3
    assert phonemes("water", "en-us") != phonemes("water", "en")


def test_phonemes_do_not_depend_on_what_was_said_before():
    first = phonemes("seven three nine")
    speak("something else")
    assert phonemes("seven three nine") == first


@pytest.mark.parametrize(
    ("text", "accent", "words"), [("", "en-us", "empty"), (" \n", "en-us", "empty"), ("a", "xx", "no voice")]
)
def test_phonemes_of_nothing_or_in_no_voice_are_refused(text, accent, words):
    with pytest.raises(CourseError, match=words):
        phonemes(text, accent)


def test_long_and_stressed_sounds_last_longer():
    plain, long, stressed = (sounds_of(text)[0].seconds for text in ("i", "iː", "ˈi"))
    assert long == pytest.approx(1.4 * plain) and stressed == pytest.approx(1.25 * plain)
    first, second = sounds_of("ˈwi")
    assert first == SOUNDS["w"] and second.seconds == pytest.approx(stressed)  # the mark is for the vowel


@pytest.mark.parametrize("text", ["", "  ", "ˈ", "ː", ","])
def test_no_sounds_are_refused(text):
    with pytest.raises(CourseError, match=r"none came|cannot say"):
        sounds_of(text)


def test_a_sound_that_the_voice_lacks_is_named():
    with pytest.raises(CourseError, match="'p'"):
        sounds_of("piː")


def test_tracks_reach_each_sound_and_slide_straight_between():
    sounds = sounds_of("iɑ")
    course = tracks(sounds)
    assert len(course) == round(sum(sound.seconds for sound in sounds) / synthesis.FRAME)
    assert course[0, :3] == pytest.approx(SOUNDS["i"].resonances)
    assert course[-1, :3] == pytest.approx(SOUNDS["ɑ"].resonances)
    steps = np.diff(course[:, 0])
    assert (steps >= -1e-9).all() and steps[steps > 1e-9][1:-1].std() < 1e-6


def test_pulses_come_once_a_period():
    puffs = pulses(np.full(SAMPLE_RATE, 100.0))
    spectrum = np.abs(np.fft.rfft(puffs))
    harmonics = spectrum[100:3001:100]
    between = spectrum[150:3001:100]
    assert harmonics.min() > 5 * between.max() and np.argmax(spectrum[1:]) + 1 in (100, 200)


def test_resonances_are_where_they_are_asked_for(rng):
    wanted = (500.0, 1500.0, 2500.0)
    noise = rng.standard_normal(4 * SAMPLE_RATE)
    heard = through_resonances(noise, np.tile(wanted, (800, 1)))
    power = np.abs(np.fft.rfft(heard)).reshape(-1)[: 4 * 4000].reshape(-1, 80) ** 2  # bands of 20 Hz
    bands = power.mean(axis=1)
    for frequency in wanted:
        near = slice(int((frequency - 200) / 20), int((frequency + 200) / 20))
        peak = (np.argmax(bands[near]) + near.start + 0.5) * 20
        assert abs(peak - frequency) < 50


def test_resonances_that_stand_still_are_one_filter(rng):
    """Blocks with a memory give what the same filters give in one go."""
    from scipy.signal import lfilter

    from course.filters import resonator

    signal = rng.standard_normal(1_600)
    expected = signal
    for frequency, bandwidth in zip((500, 1500, 2500, synthesis.FOURTH), synthesis.BANDWIDTHS, strict=True):
        _, a = resonator(frequency, 1 / (np.pi * bandwidth), SAMPLE_RATE)
        expected = lfilter([a.sum()], a, expected)
    assert through_resonances(signal, np.tile([500.0, 1500, 2500], (20, 1))) == pytest.approx(expected)


def test_the_voice_is_loud_enough_the_same_each_time_and_as_long_as_its_sounds():
    line = "wiː wɜːɹ ɐwˈeɪ"
    said = voice(line)
    assert np.abs(said).max() == pytest.approx(0.5) and np.array_equal(said, voice(line))
    assert said.size / SAMPLE_RATE == pytest.approx(sum(sound.seconds for sound in sounds_of(line)), abs=0.01)
    assert rms(voice("s")) > 0 and rms(voice("iː, uː")) > 0


@pytest.mark.parametrize("pitch", [(30, 100), (100, 600)])
def test_pitches_that_nobody_has_are_refused(pitch):
    with pytest.raises(ValueError, match="between 40 and 500"):
        voice("iː", pitch)


def test_every_sound_can_be_said():
    for symbol in SOUNDS:
        assert np.isfinite(voice(symbol)).all()


def test_the_vocoder_keeps_length_and_the_mel_bands_that_it_was_given():
    from course.features import log_mel

    signal = tone(440, 0.5, 8000, 0.3) + tone(1200, 0.5, 8000, 0.2)
    again = through_mel(signal, 8000, n_mels=40)
    assert again.shape == signal.shape
    before, after = log_mel(signal, 8000, n_mels=40), log_mel(again, 8000, n_mels=40)
    loud = before > before.max() - 6
    assert np.abs(before - after)[loud].mean() < 0.5


@pytest.mark.parametrize(
    ("signal", "n_mels", "words"),
    [(np.zeros(0), 40, "at least one"), (np.ones(800), 0, "0 came"), (np.full(800, np.nan), 40, "NaN")],
)
def test_what_the_vocoder_cannot_take_is_refused(signal, n_mels, words):
    with pytest.raises(ValueError, match=words):
        through_mel(signal, 8000, n_mels)
