"""Diarisation: its error against every way to name the groups, clustering against SciPy, calls made of recordings."""

from itertools import permutations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from course import diarisation
from course.diarisation import activity, call_of, cluster, diarisation_error, diarise
from course.recordings import Recording, readings
from course.speaker_embeddings import unit

RATE = 16_000


def brute_force_rate(reference, hypothesis):
    """Error rate with the best of all ways to give each group a different speaker, counted frame by frame."""
    n_speakers, n_groups = reference.shape[1], hypothesis.shape[1]
    size = max(n_speakers, n_groups)
    wide = np.zeros((len(reference), size), bool)
    wide[:, :n_speakers] = reference
    best = np.inf
    for order in permutations(range(size)):
        named = np.zeros((len(reference), size), bool)
        for group in range(n_groups):
            named[:, order[group]] = hypothesis[:, group]
        wrong = 0
        for there, said in zip(wide, named, strict=True):
            wrong += max(there.sum(), said.sum()) - (there & said).sum()
        best = min(best, wrong)
    return best / reference.sum()


def test_the_error_rate_is_that_of_the_best_naming(rng):
    for _ in range(60):
        n_frames, n_speakers, n_groups = rng.integers(1, 12), rng.integers(1, 4), rng.integers(0, 5)
        reference = rng.random((n_frames, n_speakers)) < 0.5
        reference[0, 0] = True
        hypothesis = rng.random((n_frames, n_groups)) < 0.4
        error = diarisation_error(reference, hypothesis)
        assert error.rate == pytest.approx(brute_force_rate(reference, hypothesis))
        assert min(error.missed, error.false_alarm, error.confusion) >= 0 and len(error.groups) == n_groups


def test_a_perfect_answer_has_no_error_whatever_the_groups_are_called():
    reference = activity([(0, 1, "a"), (0.5, 2, "b")], ["a", "b"], 250)
    error = diarisation_error(reference, reference[:, ::-1])
    assert error.rate == 0 and error.groups == (1, 0)


def test_each_kind_of_error_is_counted_as_that_kind():
    reference = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 0]], bool)
    nobody = diarisation_error(reference, np.zeros((5, 0)))
    assert (nobody.missed, nobody.false_alarm, nobody.confusion) == (1, 0, 0)
    one_for_all = diarisation_error(reference, np.ones((5, 1)))
    assert (one_for_all.missed, one_for_all.false_alarm, one_for_all.confusion) == (0, 0.25, 0.5)
    assert one_for_all.groups in ((0,), (1,))


@pytest.mark.parametrize(
    ("reference", "hypothesis", "words"),
    [
        (np.zeros((3, 1)), np.ones((3, 1)), "somebody speaks"),
        (np.ones((3, 1)), np.ones((4, 1)), "same frames"),
        (np.ones(3), np.ones(3), "same frames"),
        (np.zeros((0, 1)), np.zeros((0, 1)), "somebody speaks"),
    ],
)
def test_what_cannot_be_compared_is_refused(reference, hypothesis, words):
    with pytest.raises(ValueError, match=words):
        diarisation_error(reference, hypothesis)


def same_partition(first, second) -> bool:
    return all((first[i] == first[j]) == (second[i] == second[j]) for i in range(len(first)) for j in range(i))


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_clusters_are_scipys_average_linkage(rng, n):
    rows = unit(rng.standard_normal((n, 6)))
    distance = 1 - rows @ rows.T
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average") if n > 1 else None
    for wanted in range(1, min(n, 4) + 1):
        expected = fcluster(tree, wanted, "maxclust") if n > 1 else [1]
        assert same_partition(cluster(rows, wanted), expected)
    for threshold in (-0.5, 0.0, 0.5, 0.9):
        expected = fcluster(tree, 1 - threshold, "distance") if n > 1 else [1]
        assert same_partition(cluster(rows, threshold=threshold), expected)


def test_groups_are_numbered_by_first_appearance(rng):
    rows = unit(np.array([[0, 1.0], [1, 0], [0.1, 1], [1, 0.1]]))
    assert cluster(rows, 2).tolist() == [0, 1, 0, 1]
    assert diarisation.in_order_of_appearance(np.array([7, 7, 3, 9, 3])).tolist() == [0, 0, 1, 2, 1]


def test_too_few_embeddings_are_refused():
    with pytest.raises(ValueError, match="At least 3"):
        cluster(np.eye(2), 3)
    with pytest.raises(ValueError, match="At least 1"):
        cluster(np.zeros((0, 4)))


def recording(signal, speaker, rate=RATE):
    return Recording(speaker, np.asarray(signal, np.float32), rate, "", speaker, "made up", False)


def test_a_call_has_its_turns_where_they_are_said_to_be():
    a, b = recording(np.ones(RATE) * 0.1, "a"), recording(np.ones(RATE // 2) * 0.2, "b")
    call = call_of([a, b, a], gap=0.5)
    assert call.turns == ((0.0, 1.0, "a"), (1.5, 2.0, "b"), (2.5, 3.5, "a")) and call.speakers == ["a", "b"]
    assert call.signal.size == 3.5 * RATE and not call.recorded
    for start, end, speaker in call.turns:
        inside = call.signal[round(start * RATE) : round(end * RATE)]
        assert inside == pytest.approx(0.1 if speaker == "a" else 0.2)
    assert np.count_nonzero(call.signal) == 2.5 * RATE


def test_overlapping_turns_add_up():
    a, b = recording(np.ones(RATE) * 0.1, "a"), recording(np.ones(RATE) * 0.2, "b")
    call = call_of([a, b], gap=0.25, overlap_every=1)
    assert call.turns[1][0] == pytest.approx(0.75)
    assert call.signal[round(0.8 * RATE)] == pytest.approx(0.3)


def test_only_speech_makes_a_turn_and_what_is_around_it_is_cut_off():
    signal = np.concatenate([np.zeros(RATE // 2), np.ones(RATE), np.zeros(RATE // 2), np.ones(RATE), np.zeros(RATE)])
    stretches = {"a": [(0.5, 1.5), (2.0, 3.0)], "b": [(0.5, 1.5)], "c": []}
    call = call_of([recording(signal, "a"), recording(signal, "b")], 0.25, speech=lambda r: stretches[r.speaker])
    assert call.turns == ((0.0, 1.0, "a"), (1.5, 2.5, "a"), (2.75, 3.75, "b")) and call.signal.size == 3.75 * RATE
    frames = call.signal.reshape(-1, 160).any(axis=1)
    assert np.array_equal(activity(call.turns, ["a", "b"], 375).any(axis=1), frames)
    with pytest.raises(ValueError, match="nobody was found to speak"):
        call_of([recording(signal, "c")], speech=lambda r: stretches[r.speaker])


def test_calls_without_recordings_or_of_two_rates_are_refused():
    with pytest.raises(ValueError, match="0 rates"):
        call_of([])
    with pytest.raises(ValueError, match="8000, 16000"):
        call_of([recording([0.1], "a"), recording([0.1], "b", 8_000)])


@pytest.mark.parametrize("turn", [(0, 1, "c"), (1, 0.5, "a")])
def test_impossible_turns_are_refused(turn):
    with pytest.raises(ValueError, match="ends after its start"):
        activity([turn], ["a", "b"], 100)


def test_two_people_on_a_call_are_told_apart():
    some = readings(16)
    if not some[0].recorded:
        pytest.skip("the LibriSpeech excerpt is not here, and espeak's voices share one mouth")
    call = call_of([some[3], some[7], some[11], some[15]])
    n_frames = call.signal.size // 160
    truth = activity(call.turns, call.speakers, n_frames)
    answer = diarise(call.signal, RATE, truth.any(axis=1), n_speakers=2)
    assert diarisation_error(truth, answer).rate < 0.15 and answer.shape == (n_frames, 2)


def test_nobody_speaks_in_silence():
    assert diarise(np.zeros(RATE), RATE, np.ones(100, bool)).shape == (100, 0)
    assert diarise(np.ones(RATE), RATE, np.zeros(100, bool)).shape == (100, 0)


def test_a_moment_of_speech_is_one_speaker(rng):
    speech = np.zeros(40, bool)
    speech[10:30] = True
    answer = diarise(0.1 * rng.standard_normal(6_400), RATE, speech, n_speakers=2)
    assert answer.shape == (40, 1) and np.array_equal(answer[:, 0], speech)
