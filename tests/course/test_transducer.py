"""The transducer's sum against every path, two other recursions, finite differences, and what people get wrong."""

import math

import numpy as np
import pytest
import torch

from course.acoustic.heads import TransducerHead, transducer_losses
from course.ctc import count_transducer
from course.transducer import (
    backward_scores,
    every_path,
    forward_scores,
    greedy_stream,
    occupancy,
    transducer_gradient,
    transducer_loss,
)

CASES = [(1, ()), (4, ()), (1, (1,)), (1, (2, 2, 1)), (3, (1, 2)), (5, (1, 1, 2)), (4, (2, 1, 2, 1))]


def random_log_probs(seed, n_frames, n_labels, n_symbols=3):
    logits = 2 * np.random.default_rng(seed).standard_normal((n_frames, n_labels + 1, n_symbols))
    return logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)


def path_log_prob(log_probs, target, path, blank=0):
    return sum(log_probs[t, u, target[u] if writes else blank] for t, u, writes in path)


@pytest.mark.parametrize(("n_frames", "target"), CASES)
def test_loss_is_the_sum_over_every_path(n_frames, target):
    log_probs = random_log_probs(0, n_frames, len(target))
    paths = list(every_path(len(target), n_frames))
    assert len(paths) == len(set(paths)) == count_transducer(len(target), n_frames)
    total = sum(math.exp(path_log_prob(log_probs, target, path)) for path in paths)
    assert transducer_loss(log_probs, target) == pytest.approx(-math.log(total), rel=1e-12)


@pytest.mark.parametrize(("n_frames", "target"), CASES)
def test_backward_comes_to_the_same_sum(n_frames, target):
    log_probs = random_log_probs(1, n_frames, len(target))
    loss = transducer_loss(log_probs, target)
    assert backward_scores(log_probs, target)[0, 0] == pytest.approx(-loss, rel=1e-12)
    both = forward_scores(log_probs, target) + backward_scores(log_probs, target)
    shares = occupancy(log_probs, target)
    for total in range(n_frames + len(target)):  # every path crosses each diagonal once
        assert sum(shares[t, total - t] for t in range(n_frames) if 0 <= total - t <= len(target)) == pytest.approx(1)
        diagonal = [both[t, total - t] for t in range(n_frames) if 0 <= total - t <= len(target)]
        assert np.logaddexp.reduce(diagonal) == pytest.approx(-loss, rel=1e-12)


def test_gradient_equals_finite_differences():
    target = (1, 2, 2)
    log_probs = random_log_probs(2, 4, 3)
    gradient, numeric = transducer_gradient(log_probs, target), np.zeros_like(log_probs)
    for place in np.ndindex(*log_probs.shape):
        step = np.zeros_like(log_probs)
        step[place] = 1e-6
        numeric[place] = (transducer_loss(log_probs + step, target) - transducer_loss(log_probs - step, target)) / 2e-6
    assert gradient == pytest.approx(numeric, abs=1e-7)


def test_the_batched_loss_and_its_gradient_agree_on_random_inputs():
    """By another recursion (running sums of logarithms, differentiated by PyTorch), in batches with padding."""
    rng = np.random.default_rng(3)
    for _ in range(8):
        sizes = [(int(rng.integers(1, 9)), int(rng.integers(0, 6))) for _ in range(3)]
        frames, labels, symbols = max(t for t, _ in sizes), max(u for _, u in sizes), int(rng.integers(2, 6))
        targets = rng.integers(1, symbols, size=(3, labels))
        logits = torch.from_numpy(rng.standard_normal((3, frames, labels + 1, symbols))).requires_grad_()
        log_probs = logits.log_softmax(-1)
        log_probs.retain_grad()
        losses = transducer_losses(
            log_probs,
            torch.tensor([t for t, _ in sizes]),
            torch.from_numpy(targets),
            torch.tensor([u for _, u in sizes]),
        )
        losses.sum().backward()
        for i, (t, u) in enumerate(sizes):
            own, target = log_probs[i, :t, : u + 1].detach().numpy(), targets[i, :u].tolist()
            assert float(losses[i].detach()) == pytest.approx(transducer_loss(own, target), rel=1e-9)
            assert log_probs.grad[i, :t, : u + 1].numpy() == pytest.approx(transducer_gradient(own, target), abs=1e-9)


def test_torchaudios_loss_agrees_where_it_is_present():
    functional = pytest.importorskip("torchaudio.functional")
    log_probs, target = random_log_probs(4, 6, 3), [1, 2, 1]
    try:
        theirs = functional.rnnt_loss(
            torch.from_numpy(log_probs[None]).float(),
            torch.tensor([target], dtype=torch.int32),
            torch.tensor([6], dtype=torch.int32),
            torch.tensor([3], dtype=torch.int32),
            blank=0,
            reduction="sum",
        )
    except (RuntimeError, AttributeError, OSError, ImportError) as error:
        pytest.skip(f"torchaudio's extension is not in this environment: {error}")
    assert transducer_loss(log_probs, target) == pytest.approx(float(theirs), rel=1e-5)


def test_nothing_in_no_frames_is_certain():
    assert transducer_loss(np.zeros((0, 1, 3)), ()) == 0
    assert transducer_loss(np.zeros((0, 2, 3)), (1,)) == math.inf
    assert list(every_path(0, 0)) == [] and transducer_gradient(np.zeros((0, 2, 3)), (1,)).shape == (0, 2, 3)


def test_a_target_longer_than_its_frames_is_possible():
    log_probs = random_log_probs(5, 1, 6)
    assert transducer_loss(log_probs, (1, 1, 1, 2, 2, 2)) < math.inf


@pytest.mark.parametrize(
    ("log_probs", "target", "sentence"),
    [
        (np.zeros((3, 2, 3)), (1,), "sum to 1"),
        (np.full((3, 2, 3), np.nan), (1,), "sum to 1"),
        (random_log_probs(6, 3, 1), (1, 2), r"\(n_frames, 3, n_symbols\).*\(3, 2, 3\)"),
        (random_log_probs(6, 3, 1)[0], (1,), "n_frames"),
        (random_log_probs(6, 3, 1), (0,), "other than the blank"),
        (random_log_probs(6, 3, 1), (3,), "between 0 and 2"),
    ],
)
def test_bad_input_gets_a_sentence(log_probs, target, sentence):
    for function in (transducer_loss, forward_scores, backward_scores, transducer_gradient):
        with pytest.raises(ValueError, match=sentence):
            function(log_probs, target)


# --------------------------------------------------------------------------------------------------------- streaming


def test_greedy_writes_several_labels_in_one_frame_and_none_in_another():
    script = {(0, ()): 1, (0, (1,)): 2, (2, (1, 2)): 1}

    def join(frame, written):
        return np.log(np.eye(3)[script.get((frame, written), 0)] + 1e-9)

    assert list(greedy_stream(range(4), join)) == [(0, 1), (0, 2), (2, 1)]


def test_greedy_is_causal_and_cannot_hang():
    seen = []

    def frames():
        for frame in range(3):
            seen.append(frame)
            yield frame

    stream = greedy_stream(frames(), lambda frame, written: np.array([-5.0, -0.1]), most_per_frame=2)
    assert next(stream) == (0, 1) and seen == [0]  # written before the next frame was asked for
    assert [frame for frame, _ in stream] == [0, 1, 1, 2, 2]
    assert list(greedy_stream([], lambda frame, written: np.zeros(2))) == []


def test_the_heads_lattice_is_what_its_stream_follows():
    torch.manual_seed(0)
    head = TransducerHead(5, width=6).eval()
    encoded = torch.randn(1, 4, 6)
    target = (2, 1, 4)
    with torch.inference_mode():
        lattice = head(encoded, torch.tensor([target]))[0].numpy()
    for t in range(4):
        for u in range(4):
            assert head.join(encoded[0, t], target[:u]) == pytest.approx(lattice[t, u], abs=1e-6)
