"""Moonshine by our own loop: cached = uncached, its text, its tokens, and what it does with bad input."""

import numpy as np
import pytest

from course import moonshine
from course.errors import CourseError
from course.models import MODELS
from course.moonshine import END, START, MoonshineRecogniser
from course.recordings import readings, resampled
from course.scoring import normalise, word_error_rate

RATE = 16_000


@pytest.fixture(scope="module")
def recogniser():
    return MoonshineRecogniser()


@pytest.fixture(scope="module")
def spoken():
    """A short reading: (signal, text)."""
    recording = min(readings(16), key=lambda recording: recording.seconds)
    return np.array(recording.signal), recording.text


def uncached(recogniser, hidden, n_samples) -> list[int]:
    """Greedy search that runs the decoder over the whole text again for each token."""
    tokens = [START]
    while len(tokens) < 60:
        logits, _ = recogniser.step(tokens, hidden, n_samples)
        token = int(logits[-1].argmax())
        if token == END:
            break
        tokens.append(token)
    return tokens[1:]


def test_cached_decoding_is_uncached_decoding_token_by_token(recogniser, spoken):
    signal, _ = spoken
    hidden = recogniser.encode(signal)
    assert recogniser.decode(hidden, signal.size) == uncached(recogniser, hidden, signal.size)


def test_every_cached_score_is_that_of_one_pass_over_the_whole_text(recogniser, spoken):
    """Teacher forcing: all positions at once, without a cache, against one step each with it."""
    signal, _ = spoken
    hidden = recogniser.encode(signal)
    tokens = [START, *recogniser.decode(hidden, signal.size)]
    at_once, _ = recogniser.step(tokens, hidden, signal.size)
    cache, one_by_one = None, []
    for token in tokens:
        logits, cache = recogniser.step([token], hidden, signal.size, cache)
        one_by_one.append(logits[-1])
    # The weights have 8 bits and their inputs are rounded by the range of what comes in together.
    assert np.abs(at_once - one_by_one).max() < 0.1 * np.abs(at_once).max()
    assert at_once.argmax(axis=1).tolist() == np.argmax(one_by_one, axis=1).tolist()


def test_the_cache_keeps_the_sound_and_grows_with_the_text(recogniser, spoken):
    signal, _ = spoken
    hidden = recogniser.encode(signal)
    _, first = recogniser.step([START], hidden, signal.size)
    _, second = recogniser.step([5], hidden, signal.size, first)
    assert len(second) == 24
    for name, value in second.items():
        if ".encoder." in name:
            assert value is first[name] and value.shape[2] == len(hidden)
        else:
            assert value.shape == (1, 8, 2, 36)
            assert np.array_equal(value[:, :, :1], first[name])


def test_it_reads_recorded_speech(recogniser):
    some = readings(7)[4:]
    heard = [normalise(recogniser.recognise(recording.signal, recording.sample_rate)) for recording in some]
    limit = 0.25 if some[0].recorded else 0.5
    assert word_error_rate([recording.text for recording in some], heard) < limit


def test_other_rates_are_converted(recogniser, spoken):
    signal, _ = spoken
    recording = min(readings(16), key=lambda recording: recording.seconds)
    faster = resampled(recording, 48_000)
    once = normalise(recogniser.recognise(signal, RATE))
    assert word_error_rate(once, normalise(recogniser.recognise(faster.signal, 48_000))) <= 0.25
    assert recogniser.recognise(resampled(recording, 8_000).signal, 8_000)


def test_the_same_signal_gives_the_same_text(recogniser, spoken):
    signal, _ = spoken
    assert recogniser.recognise(signal, RATE) == recogniser.recognise(signal.astype(float), RATE)


def test_the_encoder_gives_one_vector_for_384_samples(recogniser, rng):
    for n_samples in (1_600, 16_000, 31_999):
        frames = recogniser.encode(0.1 * rng.standard_normal(n_samples).astype(np.float32))
        assert frames.shape[1] == 288 and abs(len(frames) - n_samples / 384) < 3


def test_parameters_are_those_of_the_published_architecture():
    """Counted layer by layer (paper, section 3): 288 wide, 6 + 6 layers, three convolutions, 32,768 tokens tied."""
    width, inner, tokens = 288, 1152, 32_768
    convolutions = width * 127 + (2 * width * width * 7 + 2 * width) + (width * 2 * width * 3 + width) + 2 * width
    attention = 4 * width * width
    encoder_layer = attention + 2 * width * inner + inner + width + 2 * width
    decoder_layer = 2 * attention + (2 * width * inner + 2 * inner) + (inner * width + width) + 3 * width
    layers = 6 * encoder_layer + width + 6 * decoder_layer + width
    assert convolutions + layers + tokens * width == MoonshineRecogniser.n_parameters


def test_probabilities_of_texts_are_products_of_single_steps(recogniser, spoken):
    """One pass over a text against one step for each token, with softmax by its definition."""
    signal, text = spoken
    texts = [text.capitalize() + ".", "Something else."]
    found = recogniser.log_probabilities(signal, RATE, texts)
    hidden = recogniser.encode(signal)
    for value, candidate in zip(found, texts, strict=True):
        tokens, cache, total = recogniser.tokens_of(candidate), None, 0.0
        for given, wanted in zip([START, *tokens], [*tokens, END], strict=True):
            logits, cache = recogniser.step([given], hidden, signal.size, cache)
            shares = np.exp(logits[0].astype(float) - logits.max())
            total += np.log(shares[wanted] / shares.sum())
        assert value == pytest.approx(total, rel=0.1, abs=1.0)  # 8-bit arithmetic, see above
    assert found[0] > found[1] and (found <= 0).all()


def test_short_recordings_get_a_margin_and_long_ones_none(recogniser, rng):
    bare = MoonshineRecogniser(margin=0)
    short, long = 0.1 * rng.standard_normal(RATE // 2), 0.1 * rng.standard_normal(RATE)
    assert recogniser.recognise(short, RATE) == bare.recognise(np.pad(short, round(0.3 * RATE)), RATE)
    assert recogniser.recognise(long, RATE) == bare.recognise(long, RATE)
    with pytest.raises(ValueError, match=r"Try 0\.3"):
        MoonshineRecogniser(margin=-1)


def test_tokens_spell_the_text_again(recogniser):
    for text in ("Five.", "hello world", "Nguyen’s café: 3 × 4", "zzyzx"):
        assert recogniser.text_of(recogniser.tokens_of(text)) == text
    assert len(recogniser.tokens_of("Five.")) <= 3


def test_texts_that_cannot_be_scored_are_refused(recogniser):
    for signal, texts in ((np.ones(100), ["a"]), (np.ones(RATE), []), (np.ones(31 * RATE), ["a"])):
        with pytest.raises(ValueError, match="Texts and a signal"):
            recogniser.log_probabilities(signal, RATE, texts)
    with pytest.raises(ValueError, match="at least one word"):
        recogniser.tokens_of(" ")


@pytest.mark.parametrize("n_samples", [1, 100, 1_599, 16_000])
def test_silence_and_what_is_too_short_have_no_words(recogniser, n_samples):
    assert recogniser.recognise(np.zeros(n_samples), RATE) == ""
    if n_samples < 1_600:
        assert recogniser.recognise(np.ones(n_samples), RATE) == ""


@pytest.mark.parametrize(
    ("signal", "error", "words"),
    [
        (np.zeros(0), ValueError, "at least one sample"),
        (np.zeros((100, 2)), ValueError, "one channel"),
        (np.array([0.0, np.nan]), ValueError, "1 NaN"),
        (np.ones(10, complex), TypeError, "real numbers"),
    ],
)
def test_what_is_no_signal_is_refused(recogniser, signal, error, words):
    with pytest.raises(error, match=words):
        recogniser.recognise(signal, RATE)


@pytest.mark.parametrize("rate", [0, -8_000, np.nan])
def test_impossible_rates_are_refused(recogniser, rate):
    with pytest.raises(ValueError, match="sample rate"):
        recogniser.recognise(np.ones(16_000), rate)


def test_integers_are_taken_as_they_are(recogniser):
    assert isinstance(recogniser.recognise(np.ones(16_000, np.int16), RATE), str)


def test_long_audio_is_cut_where_it_is_quietest(rng):
    loud = rng.uniform(0.5, 1, 70 * RATE).astype(np.float32)
    for second in (25.0, 49.0):
        loud[round(second * RATE) : round((second + 0.3) * RATE)] = 1e-3
    parts = moonshine.pieces(loud)
    borders = np.cumsum([part.size for part in parts]) / RATE
    assert np.array_equal(np.concatenate(parts), loud) and len(parts) == 3
    assert 25 <= borders[0] <= 25.3 and 49 <= borders[1] <= 49.3


def test_long_audio_is_read_whole(recogniser, spoken):
    signal, text = spoken
    silence = np.zeros(RATE, np.float32)
    several = np.concatenate([np.concatenate([signal, silence])] * (int(32 * RATE / (signal.size + RATE)) + 1))
    heard = normalise(recogniser.recognise(several, RATE)).split()
    assert len(heard) > 0.5 * len(text.split()) * several.size / (signal.size + RATE)


def test_pieces_leave_out_silence_and_crumbs():
    assert moonshine.pieces(np.zeros(RATE)) == [] and moonshine.pieces(np.ones(1_599)) == []
    assert [part.size for part in moonshine.pieces(np.ones(1_600))] == [1_600]


def test_the_vocabulary_is_read_as_it_was_written():
    entries = [b"a", b"", b"x" * 127, b"y" * 128, b"z" * 300]
    data = b""
    for entry in entries:
        size = len(entry)
        data += bytes([size]) if size < 128 else bytes([size % 128 + 128, size // 128])
        data += entry
    assert moonshine.read_vocabulary(data) == entries
    for torn in (data[:-1], data[: 1 + 1 + 1 + 1 + 127 + 1]):
        with pytest.raises(CourseError, match="pull the model again"):
            moonshine.read_vocabulary(torn)


def test_the_vocabulary_has_32768_tokens_that_spell_text(recogniser):
    vocabulary = recogniser.vocabulary
    assert len(vocabulary) == 32_768 and vocabulary[START] == b"<s>" and vocabulary[END] == b"</s>"
    wanted = {"\u2581the".encode(), b"\xe2\x96\x81", b"ing"}
    assert wanted <= set(vocabulary)
    place = vocabulary.index("\u2581the".encode())
    assert recogniser.text_of([START, place, place, END]) == "the the" and recogniser.text_of([]) == ""


def test_the_files_are_those_of_the_manifest():
    assert set(MODELS.verify("moonshine-tiny-en").values()) == {"right"}
