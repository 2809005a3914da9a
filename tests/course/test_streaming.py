"""Streaming against recognisers made by hand that say what they hear."""

import numpy as np
import pytest

from course import streaming
from course.streaming import Update, by_agreement, common_start, in_chunks, mean_delay, taken_back

RATE = 100


class Counter:
    """Hears one word in each full second and, if asked, a wrong one in what is left over."""

    def __init__(self, crumbs: bool = False):
        self.crumbs = crumbs

    def recognise(self, signal, sample_rate):
        whole, rest = divmod(len(signal), sample_rate)
        words = [f"W{round(float(signal[second * sample_rate]))}." for second in range(whole)]
        return " ".join(words + ["eh"] * (self.crumbs and rest > 0))


def seconds(count: float) -> np.ndarray:
    """A signal whose samples hold the number of their second."""
    return np.floor(np.arange(round(count * RATE)) / RATE)


def test_chunks_are_recognised_each_by_itself():
    updates = in_chunks(Counter(), seconds(5), RATE, 2)
    assert [update.time for update in updates] == [2, 4, 5]
    assert updates[-1].settled == ("W0.", "W1.", "W2.", "W3.", "W4.") == updates[-1].shown
    assert updates[0].settled == ("W0.", "W1.")


def test_a_chunk_longer_than_the_signal_is_the_signal():
    assert [update.time for update in in_chunks(Counter(), seconds(3), RATE, 60)] == [3]
    assert in_chunks(Counter(), np.ones(1), RATE, 1)[-1].settled == ()


def test_words_cut_by_a_border_are_lost():
    updates = in_chunks(Counter(crumbs=True), seconds(3), RATE, 1.5)
    assert updates[-1].settled == ("W0.", "eh", "W1.", "eh")


def test_agreement_settles_what_two_answers_share_and_all_at_the_end():
    updates = by_agreement(Counter(crumbs=True), seconds(3), RATE, 0.5)
    assert [len(update.settled) for update in updates] == [0, 0, 1, 1, 2, 3]
    assert updates[-1].settled == ("W0.", "W1.", "W2.") == updates[-1].shown
    assert updates[2].shown == ("W0.", "eh")
    assert taken_back(updates) == 3


def test_nothing_settled_is_ever_changed():
    class Wavering:
        calls = 0

        def recognise(self, signal, sample_rate):
            self.calls += 1
            return ["a b c", "a b d", "x y z w", "q"][self.calls - 1]

    updates = by_agreement(Wavering(), seconds(4), RATE, 1)
    for before, now in zip(updates, updates[1:], strict=False):
        assert now.settled[: len(before.settled)] == before.settled
    assert updates[1].settled == ("a", "b") == updates[-1].settled


def test_common_start_ignores_capitals_and_punctuation():
    assert common_start(("Hello,", "World"), ("hello", "world!", "x")) == ("hello", "world!")
    assert common_start((), ("a",)) == () == common_start(("b",), ("a",))


def test_mean_delay_is_counted_word_by_word():
    updates = [
        Update(1, (), ("a",)),
        Update(2, (), ("a", "b")),
        Update(4, ("a",), ("a", "b")),
        Update(7, ("a", "b"), ("a", "b")),
    ]
    assert mean_delay(updates) == (3 + 5) / 2
    assert np.isnan(mean_delay([])) and np.isnan(mean_delay([Update(1, (), ())]))


@pytest.mark.parametrize("method", [in_chunks, by_agreement])
def test_bad_streams_are_refused(method):
    with pytest.raises(ValueError, match="Try 1"):
        method(Counter(), seconds(2), RATE, 0.001)
    with pytest.raises(ValueError, match="at least one sample"):
        method(Counter(), np.zeros(0), RATE, 1)
    with pytest.raises(ValueError, match="sample rate"):
        method(Counter(), seconds(2), 0, 1)
    with pytest.raises(ValueError, match="one channel"):
        method(Counter(), np.zeros((5, 2)), RATE, 1)


def test_more_than_half_a_minute_is_not_recognised_again_and_again():
    with pytest.raises(ValueError, match=r"31\.0 s came"):
        by_agreement(Counter(), seconds(31), RATE, 1)


def test_bare_words():
    assert streaming.bare("Don't!") == "dont" and streaming.bare("—") == ""
