"""Connected words: H is the chains of Lecture 3, the decoder agrees with their Viterbi, and strings are recognised."""

import numpy as np
import pytest

from course import wfst
from course.connected import ConnectedRecogniser, WordModels, say_number, spelled, strings_of_five
from course.decoding import decode
from course.hmm import viterbi
from course.isolated import word_features
from course.recordings import digits
from course.wfst.speech import SILENCE, grammar_of_length, grammar_of_sentences, grammar_of_words

WORDS = ("zero", "one", "two", "three")


@pytest.fixture(scope="module")
def models():
    return WordModels.fit(digits(("theo", "jackson"), range(10), WORDS), n_states=5, n_mixtures=2, n_rounds=2)


def test_a_column_for_each_state(models):
    assert models.words == tuple(sorted(WORDS)) and set(models.models) == {*WORDS, SILENCE}
    assert len(models.units) == len(set(models.units)) == 5 * len(WORDS) + 1
    spoken = digits(("theo",), (40,), ("two",))[0]
    scores = models.log_likelihoods(spoken.signal, spoken.sample_rate)
    frames = word_features(spoken.signal, spoken.sample_rate)
    columns = [i for i, unit in enumerate(models.units) if unit.startswith("two.")]
    assert scores[:, columns] == pytest.approx(models.models["two"].mixtures.log_likelihoods(frames))
    assert models.n_parameters == sum(model.n_parameters for model in models.models.values())


def test_the_graph_of_one_word_is_its_chain(models):
    """Without silence, the decoder finds the Viterbi path of Lecture 3, but for what leaving the word costs."""
    spoken = digits(("theo",), (41,), ("three",))[0]
    scores = models.log_likelihoods(spoken.signal, spoken.sample_rate)
    scores[:, models.units.index(f"{SILENCE}.0")] = -np.inf
    found = decode(models.search_graph(grammar_of_sentences(["three"])), scores)
    model = models.models["three"]
    columns = [i for i, unit in enumerate(models.units) if unit.startswith("three.")]
    best, _ = viterbi(model.chain, scores[:, columns])
    last_stay = np.log(0.99)
    assert found.words == "three"
    assert found.cost == pytest.approx(-best - np.log1p(-0.99), abs=-last_stay * len(scores) + 1e-6)


def test_strings_are_recognised(models):
    rng = np.random.default_rng(3)
    recogniser = ConnectedRecogniser(models, models.search_graph(grammar_of_length(WORDS, 4)))
    numbers = ["".join(map(str, rng.integers(4, size=4))) for _ in range(6)]
    strings = [say_number(number, "theo", rng) for number in numbers]
    assert [string.text for string in strings] == list(map(spelled, numbers))
    heard = [recogniser.recognise(string.signal, string.sample_rate) for string in strings]
    assert sum(a == b.text for a, b in zip(heard, strings, strict=True)) >= 4
    assert all(len(words.split()) == 4 for words in heard)


def test_a_grammar_is_obeyed(models):
    string = say_number("0123", "theo", np.random.default_rng(1))
    scores = models.log_likelihoods(string.signal, string.sample_rate)
    assert decode(models.search_graph(grammar_of_sentences(["two one", "one"])), scores).words in {"two one", "one"}
    free, narrow = (decode(models.search_graph(g), scores) for g in (grammar_of_words(WORDS), wfst.linear(["zero"])))
    assert narrow.cost > free.cost - 4 * np.log(4)


def test_groups_of_five_keep_to_one_speaker():
    recordings = digits(("theo", "lucas"), range(3), WORDS)
    groups = strings_of_five(recordings)
    assert all(len({r.speaker for r in group}) == 1 and len(group) <= 5 for group in groups)
    assert sorted(r.name for group in groups for r in group) == sorted(r.name for r in recordings)
    assert [[r.name for r in g] for g in strings_of_five(recordings)] == [[r.name for r in g] for g in groups]


def test_what_cannot_be_used_is_refused(models):
    with pytest.raises(ValueError, match="none came"):
        WordModels.fit([])
    for number in ("", "12a", "one", "²"):
        with pytest.raises(ValueError, match="digits 0 to 9"):
            say_number(number, "theo", np.random.default_rng(0))
    recogniser = ConnectedRecogniser(models, models.search_graph(grammar_of_words(WORDS)))
    assert recogniser.recognise(np.zeros(8000), 8000) == ""
    for bad in (np.zeros(0), np.full(100, np.nan), np.zeros((10, 2))):
        with pytest.raises((TypeError, ValueError)):
            recogniser.recognise(bad, 8000)
    with pytest.raises(ValueError, match="none connects"):
        models.search_graph(wfst.linear(["five"]))
