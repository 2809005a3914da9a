"""The recordings that lectures are taught on, where their corpora are and where they are not."""

import hashlib

import numpy as np
import pytest

from course.data import CORPORA, published_transcripts
from course.errors import CourseError
from course.recordings import (
    DIGITS,
    SPEAKERS,
    Recording,
    digit_string,
    digits,
    kitchen_noise,
    prompt_split,
    prompts,
    readings,
    resampled,
    seen_split,
    take_of,
    unseen_splits,
)
from course.scoring import normalise
from course.synthesised import speak_all


@pytest.fixture(params=["as it is here", "without any corpus"])
def anywhere(request, monkeypatch):
    """Each test with the corpora of this machine, and with none."""
    kitchen_noise.cache_clear()
    if request.param == "without any corpus":
        monkeypatch.setattr(CORPORA, "locate", lambda name, file: None)
    yield request.param
    kitchen_noise.cache_clear()


@pytest.fixture
def nowhere(monkeypatch):
    monkeypatch.setattr(CORPORA, "locate", lambda name, file: None)


def checked(recordings, sample_rate):
    """Recordings that keep the contract of `Recording`."""
    assert len({recording.name for recording in recordings}) == len(recordings)
    for recording in recordings:
        assert recording.sample_rate == sample_rate
        assert recording.signal.dtype == np.float32 and recording.signal.ndim == 1 and recording.signal.any()
        assert not recording.signal.flags.writeable and np.abs(recording.signal).max() <= 1
        assert recording.text and normalise(recording.text) == recording.text
        assert recording.recorded == ("synthesised by espeak-ng" not in recording.origin)
    return recordings


def test_digits_come_by_speaker_word_and_take(anywhere):
    some = checked(digits(("theo", "lucas"), (3, 0), ("nine", "one")), 8000)
    assert [(r.speaker, r.text, take_of(r)) for r in some] == [
        (speaker, word, take) for speaker in ("theo", "lucas") for word in ("nine", "one") for take in (3, 0)
    ]
    assert all(0.05 < recording.seconds < 3 for recording in some)


def test_takes_differ_and_come_out_the_same_again(anywhere):
    first, second = digits(("george",), (0, 1), ("four",))
    assert not np.array_equal(first.signal, second.signal)
    np.testing.assert_array_equal(first.signal, digits(("george",), (0,), ("four",))[0].signal)


def test_the_corpus_is_complete_and_splits_share_nothing(anywhere):
    everything = digits()
    assert len(everything) == 3000
    train, test = seen_split()
    assert (len(train), len(test)) == (2700, 300)
    assert {r.name for r in train} | {r.name for r in test} == {r.name for r in everything}
    for speaker, (others, own) in unseen_splits().items():
        assert {r.speaker for r in own} == {speaker} and len(own) == 500
        assert {r.speaker for r in others} == set(SPEAKERS) - {speaker} and len(others) == 2500


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"speakers": ("adam",)}, "No speaker is called 'adam'; there are george"),
        ({"words": ("ten",)}, "No digit is called 'ten'"),
        ({"takes": (50,)}, "No take is called 50"),
        ({"speakers": "theo"}, "A list of speakers was expected"),
    ],
)
def test_unknown_digits_list_what_there_is(arguments, message):
    with pytest.raises(CourseError, match=message):
        digits(**arguments)


def test_no_digits_are_no_error():
    assert digits(()) == digits(takes=()) == ()


def test_a_corpus_with_a_hole_is_not_mixed_with_synthesis(monkeypatch):
    here = CORPORA.locate("fsdd", "recordings/0_george_0.wav")
    if here is None:
        pytest.skip("the digits are not on this machine")
    monkeypatch.setattr(CORPORA, "locate", lambda name, file: here if file == "recordings/0_george_0.wav" else None)
    with pytest.raises(CourseError, match=r"recordings/1_george_0.wav is missing; run 'course data pull fsdd'"):
        digits(("george",), (0,), ("one",))


def test_a_string_of_digits_is_its_digits_with_silence_around(anywhere):
    three = digits(("theo",), (0,), DIGITS[:3])
    string = digit_string(three, np.random.default_rng(5), gap=(0.1, 0.2))
    assert string.text == "zero one two" and string.speaker == "theo" and string.sample_rate == 8000
    spoken = sum(one.signal.size for one in three)
    assert 4 * 0.1 * 8000 <= string.signal.size - spoken <= 4 * 0.2 * 8000
    silence = int(np.random.default_rng(5).uniform(0.1, 0.2, 4)[0] * 8000)
    np.testing.assert_array_equal(string.signal[silence : silence + three[0].signal.size], three[0].signal)
    np.testing.assert_array_equal(digit_string(three).signal, digit_string(three).signal)


def test_strings_of_nothing_or_of_mixed_rates_are_refused(anywhere):
    one = digits(("theo",), (0,), ("one",))[0]
    with pytest.raises(ValueError, match="no recordings came"):
        digit_string([])
    with pytest.raises(ValueError, match=r"\[8000, 16000\] came"):
        digit_string([one, resampled(one, 16000)])


def test_readings_go_round_the_speakers(anywhere):
    first = checked(readings(8), 16000)
    assert len({recording.speaker for recording in first}) == 8
    assert [r.name for r in readings(3)] == [r.name for r in first[:3]]
    assert len(readings()) == (80 if first[0].recorded else 16)


def test_prompts_are_plain_speech_in_a_fixed_order(anywhere):
    some = checked(prompts(25), 8000)
    assert [p.name for p in prompts(10)] == [p.name for p in some[:10]]
    assert all(4 <= len(prompt.text.split()) <= 40 for prompt in some)


def test_prompts_say_what_the_package_publishes():
    published = published_transcripts()
    if not published:
        pytest.skip("the Debian package asterisk-core-sounds-en is not installed")
    spellings = {
        "unidentified": "un indentified",
        "withheld": "witheld",
        "representatives": "represenatives",
        "cannot": "can not",
    }
    differ = [p for p in prompts() if normalise(published[p.name]) != p.text]
    for prompt in differ:
        text = prompt.text
        for right, wrong in spellings.items():
            text = text.replace(right, wrong) if wrong in normalise(published[prompt.name]) else text
        assert text == normalise(published[prompt.name])
    assert len(differ) <= 4


def test_a_language_model_of_the_domain_never_saw_the_test(anywhere):
    texts, test = prompt_split(20)
    assert len(texts) == 183 and [p.name for p in test] == [p.name for p in prompts(20)]
    assert not {prompt.text for prompt in test} & set(texts)


def test_kitchen_noise_has_the_wanted_rate(anywhere):
    wide, narrow = kitchen_noise(16000), kitchen_noise(8000)
    assert abs(wide.size - 2 * narrow.size) <= 2 and narrow.size > 20 * 8000
    assert narrow.dtype == np.float32 and narrow.std() > 1e-3 and np.abs(narrow).max() <= 1
    np.testing.assert_array_equal(wide, kitchen_noise(16000))


def test_resampling_keeps_a_tone_and_the_length():
    time = np.arange(16000) / 16000
    tone = Recording("tone", 0.5 * np.sin(2 * np.pi * 440 * time), 16000, "", "", "made up", False)
    narrow = resampled(tone, 8000)
    assert narrow.signal.size == 8000 and resampled(tone, 16000) is tone
    np.testing.assert_allclose(narrow.signal[200:-200], tone.signal[::2][200:-200], atol=1e-3)
    with pytest.raises(ValueError, match="above 0 Hz"):
        resampled(tone, 0)


@pytest.mark.parametrize(
    ("signal", "rate", "message"),
    [
        (np.zeros((2, 100)), 8000, "One channel was expected"),
        (np.array([0.0, np.nan]), 8000, "Finite samples"),
        (np.array([1, 2, 3]), 8000, "integers, NaN or infinity came"),
        (np.zeros(3), 0, "above 0 Hz"),
    ],
)
def test_bad_signals_make_no_recording(signal, rate, message):
    with pytest.raises(ValueError, match=message):
        Recording("bad", signal, rate, "", "", "", False)


def test_a_recording_keeps_its_own_samples():
    mine = np.zeros(10)
    recording = Recording("mine", mine, 8000, "", "", "", False)
    mine[0] = 1
    assert recording.signal[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        recording.signal[0] = 1


def test_synthesis_is_the_same_in_each_process(nowhere):
    sentences = tuple(
        (prompt.text, voice, 150) for prompt, voice in zip(prompts(2), ("en-us+f4", "en+m1"), strict=True)
    )
    spoken = {hashlib.sha256(b"".join(part.tobytes() for part in speak_all(sentences))).hexdigest() for _ in range(3)}
    assert len(spoken) == 1


def test_an_unknown_voice_is_named():
    with pytest.raises(CourseError, match="no voice 'nobody'"):
        speak_all((("one", "nobody", 150),))
