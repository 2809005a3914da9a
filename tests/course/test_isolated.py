"""Recognisers of single words on words made of tones, whose truth is known, and on a few spoken digits."""

import numpy as np
import pytest

from course.alignment import PLAIN, SYMMETRIC, dtw_distance
from course.augmentation import VOICES, with_speed
from course.isolated import DtwRecogniser, GmmHmmRecogniser, word_features
from course.recordings import Recording, digits

RATE = 8_000
TUNES = {"up": (400, 800, 1600), "down": (1600, 800, 400), "level": (800, 800, 800)}


def sung(word, rng, speaker="flute", rate=RATE):
    """A word made of three tones, each of a random length, with a little noise."""
    tones = [np.sin(2 * np.pi * f * np.arange(int(rate * rng.uniform(0.08, 0.2))) / rate) for f in TUNES[word]]
    signal = 0.3 * np.concatenate(tones)
    signal += 0.01 * rng.standard_normal(signal.size)
    return Recording(word, signal.astype(np.float32), rate, word, speaker, "computed", False)


@pytest.fixture(scope="module")
def tunes():
    rng = np.random.default_rng(5)
    return [sung(word, rng) for word in TUNES for _ in range(12)]


@pytest.fixture(scope="module")
def recognisers(tunes):
    return [DtwRecogniser.fit(tunes, per_speaker=2), GmmHmmRecogniser.fit(tunes, n_states=4, n_mixtures=2)]


def test_words_that_differ_in_order_alone_are_told_apart(recognisers, rng):
    for recogniser in recognisers:
        for word in TUNES:
            for _ in range(5):
                tune = sung(word, rng)
                assert recogniser.recognise(tune.signal, tune.sample_rate) == word


def test_a_higher_sample_rate_makes_no_difference(recognisers, rng):
    tune = sung("down", rng, rate=16_000)
    assert [recogniser.recognise(tune.signal, 16_000) for recogniser in recognisers] == ["down", "down"]


def test_templates_are_the_first_takes_of_each_speaker_and_the_nearest_wins(rng):
    takes = [sung(word, rng, speaker) for speaker in ("flute", "horn") for word in TUNES for _ in range(3)]
    recogniser = DtwRecogniser.fit(takes, per_speaker=2)
    assert sorted(recogniser.words) == sorted(2 * 2 * list(TUNES))
    frames = word_features(sung("up", rng).signal, RATE)
    each = [dtw_distance(frames, word_features(t.signal, RATE)) for k, t in enumerate(takes) if k % 3 < 2]
    assert sorted(recogniser.distances(frames)) == pytest.approx(sorted(each))
    assert recogniser.n_parameters == 39 * sum(
        len(word_features(t.signal, RATE)) for k, t in enumerate(takes) if k % 3 < 2
    )


def test_training_raises_each_words_likelihood_and_counts_its_parameters(recognisers):
    _, models = recognisers
    for log_likelihoods in models.log_likelihoods.values():
        assert (np.diff(log_likelihoods) > -1e-9).all() and log_likelihoods[-1] > log_likelihoods[0]
    assert models.n_parameters == 3 * (2 * 4 * 2 * 39 + 4 + 3)
    assert set(models.scores(np.ones((30, 39)))) == set(TUNES)
    assert all(recogniser.train_seconds > 0 and recogniser.name for recogniser in recognisers)


def test_the_same_recordings_give_the_same_models(tunes):
    first, second = (GmmHmmRecogniser.fit(tunes[:12], n_states=3, n_mixtures=2) for _ in range(2))
    assert np.array_equal(first.models["up"].mixtures.means, second.models["up"].mixtures.means)


def test_spoken_digits_of_known_speakers_are_recognised():
    speakers, words = ("jackson", "theo"), ("one", "six", "nine")
    train = digits(speakers, range(5, 15), words)
    test = digits(speakers, range(2), words)
    for recogniser in (DtwRecogniser.fit(train, 2), GmmHmmRecogniser.fit(train, 5, 2, 3)):
        answers = [recogniser.recognise(r.signal, r.sample_rate) for r in test]
        assert np.mean([answer == r.text for answer, r in zip(answers, test, strict=True)]) >= 0.9


def test_features_are_normalised_and_resampled(rng):
    tune = sung("up", rng, rate=16_000)
    features = word_features(tune.signal, 16_000)
    assert features.shape == (1 + tune.signal.size // 160, 39)
    assert features.mean(axis=0) == pytest.approx(np.zeros(39), abs=1e-9)
    assert features.var(axis=0) == pytest.approx(np.ones(39))


def test_where_nothing_can_be_compared_the_answer_is_no_word(recognisers):
    for recogniser in recognisers:
        assert recogniser.recognise(np.zeros(4_000), RATE) == ""
        assert recogniser.recognise([0.5], RATE) == ""
    _, models = recognisers
    assert models.recognise(np.sin(np.arange(200)), RATE) == ""  # 3 frames for 4 states


@pytest.mark.parametrize(
    ("signal", "rate", "error", "words"),
    [
        (np.array([]), RATE, ValueError, "at least one sample"),
        (np.zeros((100, 2)), RATE, ValueError, "one channel"),
        (np.full(100, np.nan), RATE, ValueError, "NaN"),
        (["a"], RATE, TypeError, "real numbers"),
        (np.ones(100), 4_000, ValueError, "at least 8000 Hz was expected and 4000 Hz came"),
        (np.ones(100), 0, ValueError, "above zero"),
        (np.ones(100), None, ValueError, "sample rate"),
    ],
)
def test_what_is_no_word_is_refused(recognisers, signal, rate, error, words):
    for recogniser in recognisers:
        with pytest.raises(error, match=words):
            recogniser.recognise(signal, rate)


def test_missing_words_recordings_and_frames_get_a_sentence(tunes):
    silent = Recording("x", np.zeros(800, np.float32), RATE, "", "flute", "computed", False)
    brief = Recording("x", np.ones(80, np.float32), RATE, "blip", "flute", "computed", False)
    for fit in (DtwRecogniser.fit, GmmHmmRecogniser.fit):
        with pytest.raises(ValueError, match="none came"):
            fit([])
        with pytest.raises(ValueError, match="'x' has no text"):
            fit([*tunes[:3], silent])
    with pytest.raises(ValueError, match="0 came"):
        DtwRecogniser.fit(tunes, per_speaker=0)
    with pytest.raises(ValueError, match="'blip', 1 recordings.*none came"):
        GmmHmmRecogniser.fit([*tunes, brief])
    with pytest.raises(ValueError, match="'up', 1 recordings.*use fewer Gaussians"):
        GmmHmmRecogniser.fit(tunes[:1], n_mixtures=50)


def test_steps_of_the_warp_can_be_chosen(tunes, rng):
    frames = word_features(sung("up", rng).signal, RATE)
    by_steps = {steps: DtwRecogniser.fit(tunes, 1, steps).distances(frames) for steps in (PLAIN, SYMMETRIC)}
    assert (by_steps[PLAIN] <= by_steps[SYMMETRIC]).all()


def test_altered_copies_are_learned_from(tunes):
    alone, helped = (GmmHmmRecogniser.fit(tunes, 3, 1, 1, alterations=alterations) for alterations in ((), VOICES))
    faster = with_speed(tunes[0], 1.2)
    frames = word_features(faster.signal, RATE)
    assert helped.models["up"].log_likelihood(frames) > alone.models["up"].log_likelihood(frames)
