"""Scores against scikit-learn's, and the baselines."""

import numpy as np
import pytest
from sklearn import metrics

from course.evaluation.classification import BagOfWords, Majority, accuracy, confusion, correct, macro_f1

LABELS = ["ask", "greet", "thank", "close"]


@pytest.fixture
def answers(rng):
    expected = rng.choice(LABELS, 200, p=[0.5, 0.3, 0.15, 0.05]).tolist()
    said = [e if rng.random() < 0.6 else str(rng.choice(LABELS)) for e in expected]
    return said, expected


def test_scores_are_those_of_scikit_learn(answers):
    said, expected = answers
    assert accuracy(said, expected) == pytest.approx(metrics.accuracy_score(expected, said))
    assert np.array_equal(confusion(said, expected, LABELS), metrics.confusion_matrix(expected, said, labels=LABELS))
    assert macro_f1(said, expected) == pytest.approx(metrics.f1_score(expected, said, average="macro"))


def test_a_label_that_is_never_expected_does_not_count_in_macro_f1():
    assert macro_f1(["a", "b"], ["a", "a"]) == pytest.approx(2 / 3)


def test_the_majority_answers_one_thing():
    assert Majority(["b", "a", "b"]).predict(["x", "y"]) == ["b", "b"]
    with pytest.raises(ValueError, match="At least one label"):
        Majority([])


def test_a_bag_of_words_learns_words():
    texts = ["hello there", "hello sir", "good bye", "bye now", "hello again", "bye bye"]
    labels = ["greet", "greet", "close", "close", "greet", "close"]
    bag = BagOfWords(texts, labels)
    assert bag.predict(["oh hello", "and bye"]) == ["greet", "close"] and bag.predict([]) == []


def test_bad_input_is_a_sentence():
    with pytest.raises(ValueError, match="1 came for 2 examples"):
        correct(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="0 came"):
        accuracy([], [])
    with pytest.raises(ValueError, match=r"\['c'\] came"):
        confusion(["c"], ["a"], ["a", "b"])
    with pytest.raises(ValueError, match="at least two different"):
        BagOfWords(["x", "y"], ["a", "a"])
