"""PocketSphinx behind the course's interface: it hears what it is told to expect, and refuses what it cannot use."""

import numpy as np
import pytest

from course import ngrams
from course.errors import CourseError
from course.recordings import digits, prompts
from course.sphinx import SphinxRecogniser, dictionary

pytest.importorskip("pocketsphinx")


@pytest.fixture(scope="module")
def one_prompt():
    return prompts(3)[2]  # "the conference cannot be extended"


@pytest.fixture(scope="module")
def told():
    """Knows two sentences."""
    return SphinxRecogniser.with_ngrams(ngrams.witten_bell([prompts(3)[2].text, "press one to repeat"], 2))


def test_a_model_of_the_domain_is_followed(told, one_prompt):
    assert told.recognise(one_prompt.signal, one_prompt.sample_rate) == one_prompt.text


def test_the_same_recording_gives_the_same_words_again(told, one_prompt):
    noise = 0.1 * np.random.default_rng(1).standard_normal(8_000)
    first = told.recognise(one_prompt.signal, 8_000)
    told.recognise(noise, 8_000)
    assert told.recognise(one_prompt.signal, 8_000) == first


def test_a_grammar_of_digits_hears_digits_only(one_prompt):
    recogniser = SphinxRecogniser.with_grammar()
    words = recogniser.recognise(one_prompt.signal, one_prompt.sample_rate).split()
    assert set(words) <= {d.text for d in digits(takes=(0,), speakers=("theo",))}
    heard = [recogniser.recognise(d.signal, d.sample_rate) == d.text for d in digits(takes=(0,), speakers=("jackson",))]
    assert sum(heard) >= 4


def test_what_it_says_of_itself(told):
    assert told.name == "PocketSphinx, domain bigrams" and told.train_seconds is None
    assert 2e6 < told.n_parameters < 3e6


def test_silence_and_a_single_sample_are_no_words(told):
    for signal in (np.zeros(8_000), np.zeros(1), np.full(1, 0.5)):
        assert told.recognise(signal, 8_000) == ""


@pytest.mark.parametrize("bad", [np.zeros(0), np.full(10, np.nan), np.zeros((10, 2))])
def test_what_is_no_signal_is_refused(told, bad):
    with pytest.raises((TypeError, ValueError)):
        told.recognise(bad, 8_000)
    with pytest.raises((TypeError, ValueError)):
        told.recognise(np.zeros(10), 0)


def test_a_grammar_that_cannot_be_read_is_refused():
    for grammar in ("one two three", "#JSGF V1.0; grammar g; public <g> = qwertzuiop ;"):
        with pytest.raises(CourseError, match="JSGF"):
            SphinxRecogniser.with_grammar(grammar)


def test_a_model_without_a_word_of_the_dictionary_is_refused():
    with pytest.raises(CourseError, match="none of its words"):
        SphinxRecogniser.with_ngrams(ngrams.witten_bell(["qwertz uiop"], 2))


def test_the_dictionary_has_words_that_sound_alike():
    words = dictionary()
    assert words["two"] == ("T UW",) and "T UW" in words["to"] and len(words) > 100_000
    assert not any(word.endswith(")") for word in words)
