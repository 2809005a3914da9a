"""Masked prediction: nothing hidden leaks, guesses against brute force, and training learns what is there."""

import numpy as np
import pytest
import torch

from course import masked_prediction
from course.masked_prediction import (
    FrameNetwork,
    clusters_of,
    examples,
    frames_of,
    guess_hidden,
    hide_spans,
    pretrain,
    probe,
    repeat_neighbour,
    states_of,
    summary_of,
)
from course.recordings import Recording, digits


def recording(signal, rate=8000):
    return Recording("x", np.asarray(signal, np.float32), rate, "", "", "made up", False)


@pytest.mark.parametrize("n_samples", [1, 80, 1_000, 8_000])
def test_frames_are_20_ms_apart(rng, n_samples):
    frames = frames_of(recording(0.1 * rng.standard_normal(n_samples)))
    assert frames.dtype == np.float32 and frames.shape[1] == 80 and np.isfinite(frames).all()
    assert abs(len(frames) - (1 + n_samples / 160)) <= 1


def test_frames_of_silence_are_zeros_and_loudness_does_not_count(rng):
    assert not frames_of(recording(np.zeros(4_000))).any()
    signal = 0.1 * rng.standard_normal(4_000)
    assert frames_of(recording(signal)) == pytest.approx(frames_of(recording(0.5 * signal)), abs=1e-2)


def test_clusters_of_separate_points_are_those_points(rng):
    centres = 10 * np.eye(4)
    truth = rng.integers(0, 4, 400)
    points = centres[truth] + 0.1 * rng.standard_normal((400, 4))
    first, second = clusters_of([points[:150], points[150:]], n_clusters=4)
    found = np.concatenate([first, second])
    assert len(first) == 150 and len({*zip(truth.tolist(), found.tolist(), strict=True)}) == 4


def test_more_clusters_than_frames_are_refused():
    with pytest.raises(ValueError, match="one a cluster, and 3 came"):
        clusters_of([np.eye(3)], n_clusters=4)


@pytest.mark.parametrize("n_frames", [1, 2, 5, 48, 500])
@pytest.mark.parametrize("share", [0, 0.3, 0.5, 1])
def test_at_least_the_share_is_hidden_and_little_more(rng, n_frames, share):
    hidden = hide_spans(n_frames, rng, span=6, share=share)
    assert hidden.shape == (n_frames,) and hidden.mean() >= share
    assert hidden.sum() < share * n_frames + 6


def test_every_frame_is_hidden_about_as_often(rng):
    times = np.mean([hide_spans(40, rng) for _ in range(3_000)], axis=0)
    assert times.max() - times.min() < 0.1


def test_no_frames_and_impossible_shares_are_refused(rng):
    for n_frames, share in ((0, 0.5), (10, 1.5), (10, -0.1)):
        with pytest.raises(ValueError, match="share from 0 to 1"):
            hide_spans(n_frames, rng, share=share)


def test_a_neighbour_is_the_nearest_by_brute_force(rng):
    for _ in range(50):
        n = int(rng.integers(2, 15))
        clusters, hidden = rng.integers(0, 5, n), rng.random(n) < 0.6
        hidden[rng.integers(n)] = False
        expected = [min((abs(t - u), u) for u in range(n) if not hidden[u])[1] for t in range(n)]
        assert repeat_neighbour(clusters, hidden).tolist() == clusters[expected].tolist()
    with pytest.raises(ValueError, match="all are hidden"):
        repeat_neighbour(np.zeros(3), np.ones(3, bool))


def test_what_is_hidden_cannot_be_seen(rng):
    """Whatever stands in the hidden frames, the answer is the same."""
    torch.manual_seed(0)
    network = FrameNetwork().eval()
    frames = rng.standard_normal((30, 80)).astype(np.float32)
    hidden = hide_spans(30, rng)
    other = np.where(hidden[:, None], 100 * rng.standard_normal((30, 80)), frames).astype(np.float32)
    with torch.no_grad():
        one, two = (network(torch.from_numpy(x)[None], torch.from_numpy(hidden)[None]).numpy() for x in (frames, other))
    assert one == pytest.approx(two) and not np.allclose(states_of(network, frames), states_of(network, other))


def test_a_frame_sees_as_far_as_the_dilations_say(rng):
    torch.manual_seed(0)
    network = FrameNetwork().eval()
    frames = rng.standard_normal((41, 80)).astype(np.float32)
    changed = frames.copy()
    changed[20] += 1
    for n_layers in range(len(masked_prediction.DILATIONS) + 1):
        reach = sum(masked_prediction.DILATIONS[:n_layers])
        before, after = (states_of(network, part, n_layers) for part in (frames, changed))
        moved = np.abs(before - after).max(axis=1) > 1e-6
        assert np.flatnonzero(moved).tolist() == list(range(20 - reach, 20 + reach + 1))


def test_examples_are_crops_of_the_stream(rng):
    stream = np.arange(200, dtype=np.float32)[:, None] * np.ones((1, 3), np.float32)
    inputs, targets, hidden = examples(stream, np.arange(200), rng)
    assert inputs.shape == (32, 48, 3) and torch.equal(inputs[..., 0].long(), targets)
    assert hidden.dtype == torch.bool and (hidden.float().mean(dim=1) >= 0.5).all()
    short, *_ = examples(stream[:5], np.arange(5), rng)
    assert short.shape == (32, 5, 3)


def test_training_learns_a_pattern_that_only_the_neighbours_tell():
    """Clusters that come in a fixed order: what is hidden follows from what is not."""
    order = np.arange(400) // 3 % 5
    frames = np.eye(5, dtype=np.float32)[order]
    done = pretrain([frames], [order], n_steps=60)
    assert done.accuracy[-5:].mean() > 0.9 > 0.5 > done.accuracy[0] and done.loss[-1] < done.loss[0]
    hidden = hide_spans(60, np.random.default_rng(1))
    guesses = guess_hidden(done.network, frames[:60], hidden)
    assert (
        (guesses == order[:60])[hidden].mean()
        > 0.9
        > (repeat_neighbour(order[:60], hidden) == order[:60])[hidden].mean()
    )


def test_training_is_the_same_each_time(rng):
    frames, clusters = rng.standard_normal((90, 4)).astype(np.float32), rng.integers(0, 3, 90)
    first, second = (pretrain([frames], [clusters], n_steps=3) for _ in range(2))
    assert np.array_equal(first.loss, second.loss) and np.isfinite(first.loss).all()


def test_training_on_nothing_or_on_other_clusters_is_refused():
    for frames, clusters in (([], []), ([np.zeros((3, 80), np.float32)], [np.zeros(2, int)])):
        with pytest.raises(ValueError, match="one cluster for each frame"):
            pretrain(frames, clusters)


def test_summaries_are_means_of_thirds(rng):
    vectors = rng.standard_normal((9, 2))
    expected = np.concatenate([vectors[:3].mean(axis=0), vectors[3:6].mean(axis=0), vectors[6:].mean(axis=0)])
    assert summary_of(vectors) == pytest.approx(expected)
    assert summary_of(vectors[:1]) == pytest.approx(np.tile(vectors[0], 3))
    assert summary_of(vectors[:2]).shape == (6,)


def test_a_probe_finds_what_a_line_can_separate_and_nothing_else(rng):
    points = rng.standard_normal((400, 2))
    line, ring = points[:, 0] > 0, np.linalg.norm(points, axis=1) > 1.2
    assert probe(points[:300], line[:300], points[300:], line[300:]) > 0.95
    assert probe(points[:300], ring[:300], points[300:], ring[300:]) < 0.75


def test_real_digits_go_through():
    some = digits(("george",), takes=range(1), words=("one", "two"))
    frames = [frames_of(digit) for digit in some]
    network = FrameNetwork().eval()
    assert all(states_of(network, part).shape == (len(part), 128) for part in frames)
