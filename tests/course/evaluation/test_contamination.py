"""Leaks: planted, found, and what finding by n-grams can and cannot see."""

import numpy as np
import pytest

from course.evaluation.contamination import (
    OverlapIndex,
    inflation,
    judged,
    lightly_edited,
    ngrams,
    plant,
    threshold_curve,
)


def test_runs_of_words():
    assert ngrams("I lost my card, I lost", 2) == {("i", "lost"), ("lost", "my"), ("my", "card"), ("card", "i")}
    assert ngrams("thank you", 4) == {("thank", "you")}
    assert ngrams("", 3) == set() == ngrams("--", 1)
    with pytest.raises(ValueError, match="at least one word"):
        ngrams("a", 0)


def test_a_copy_is_all_there_and_a_stranger_is_not():
    index = OverlapIndex(["i would like to order a new card please", "what is my balance"], n=3)
    assert index.share("I would like to order a new card, please.") == 1
    assert index.share("my dog ate the router") == 0
    assert 0 < index.share("i would like to order some cheques") < 1
    assert index.share("") == 0 and OverlapIndex([], 3).share("a b c") == 0


def test_one_changed_word_breaks_n_runs_at_most(rng):
    text = " ".join(f"w{chr(97 + i)}" for i in range(20))
    for n in (2, 4, 8):
        edited = lightly_edited(text, rng)
        broken = ngrams(edited, n) - ngrams(text, n)
        assert len(edited.split()) == 21 and 1 <= len(broken) <= n
        assert OverlapIndex([text], n).share(edited) == pytest.approx(1 - len(broken) / len(ngrams(edited, n)))


def test_planting_copies_the_share_that_was_asked_for():
    train, test = tuple(range(100)), tuple(range(1000, 1040))
    mixed, leaked = plant(train, test, 0.25, seed=3)
    assert leaked.sum() == 10 and sorted(mixed) == [*train, *np.array(test)[leaked]]
    assert plant(train, test, 0.25, seed=3)[0] == mixed and plant(train, test, 0.25, seed=4)[0] != mixed
    assert not plant(train, test, 0)[1].any() and plant(train, test, 1)[1].all()
    with pytest.raises(ValueError, match="share from 0 to 1"):
        plant(train, test, 1.1)


def test_precision_and_recall():
    assert judged([1, 1, 0, 0], [1, 0, 1, 0]) == (0.5, 0.5)
    assert judged([0, 0], [0, 0]) == (1, 1) and judged([0, 0], [1, 0]) == (1, 0)
    with pytest.raises(ValueError, match="verdict for each"):
        judged([1], [1, 0])


def test_a_higher_threshold_finds_less():
    shares, planted = np.array([0.1, 0.4, 0.6, 0.9, 1.0]), np.array([0, 0, 1, 0, 1], bool)
    precision, recall = threshold_curve(shares, planted, [0.05, 0.5, 0.95])
    assert list(recall) == [1, 1, 0.5] and precision == pytest.approx([0.4, 2 / 3, 1])


def test_a_parrot_gains_just_what_leaked():
    train, test = list(range(50)), list(range(100, 120))
    leaky, leaked = plant(train, test, 0.3)
    assert inflation(lambda seen: np.isin(test, seen), train, leaky) == pytest.approx(leaked.mean())
