"""Speaker embeddings: the LSTM against PyTorch's and against its definition, the encoder, equal error rates."""

import numpy as np
import pytest
import torch

from course import speaker_embeddings
from course.models import MODELS
from course.recordings import readings
from course.speaker_embeddings import LstmLayer, embed, embed_windows, equal_error_rate, lstm, mel_frames, unit

RATE = 16_000


def lstm_by_definition(inputs, layer):
    """Gate by gate, unit by unit, for one sequence (Hochreiter and Schmidhuber, with a forget gate)."""
    size = layer.from_hidden.shape[1]
    hidden, cell, outputs = [0.0] * size, [0.0] * size, []
    for x in inputs:
        rows = [
            sum(w * v for w, v in zip(layer.from_input[row], x, strict=True))
            + sum(w * v for w, v in zip(layer.from_hidden[row], hidden, strict=True))
            + layer.bias[row]
            for row in range(4 * size)
        ]
        squash = [1 / (1 + np.exp(-value)) for value in rows]
        for unit_ in range(size):
            write, keep = squash[unit_], squash[size + unit_]
            cell[unit_] = keep * cell[unit_] + write * np.tanh(rows[2 * size + unit_])
        hidden = [squash[3 * size + u] * np.tanh(cell[u]) for u in range(size)]
        outputs.append(list(hidden))
    return np.array(outputs)


def random_layer(rng, n_inputs, n_hidden):
    return LstmLayer(
        rng.standard_normal((4 * n_hidden, n_inputs)),
        rng.standard_normal((4 * n_hidden, n_hidden)),
        rng.standard_normal(4 * n_hidden),
    )


@pytest.mark.parametrize(("n_inputs", "n_hidden", "n_steps"), [(1, 1, 1), (3, 2, 5), (2, 4, 7)])
def test_the_lstm_is_its_definition(rng, n_inputs, n_hidden, n_steps):
    layer = random_layer(rng, n_inputs, n_hidden)
    inputs = rng.standard_normal((2, n_steps, n_inputs))
    for sequence, output in zip(inputs, lstm(inputs, layer), strict=True):
        assert output == pytest.approx(lstm_by_definition(sequence, layer), abs=1e-10)


@pytest.mark.parametrize("batch", [1, 6])
def test_the_lstm_is_pytorchs(rng, batch):
    layer = random_layer(rng, 5, 8)
    theirs = torch.nn.LSTM(5, 8, batch_first=True).double()
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(torch.from_numpy(layer.from_input))
        theirs.weight_hh_l0.copy_(torch.from_numpy(layer.from_hidden))
        theirs.bias_ih_l0.copy_(torch.from_numpy(layer.bias))
        theirs.bias_hh_l0.zero_()
        inputs = rng.standard_normal((batch, 11, 5))
        expected = theirs(torch.from_numpy(inputs))[0].numpy()
    assert lstm(inputs, layer) == pytest.approx(expected, abs=1e-12)


def test_the_pretrained_encoder_is_pytorchs_with_the_same_weights(rng):
    path = MODELS.fetch("resemblyzer", "pretrained.pt")
    state = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
    theirs = torch.nn.LSTM(40, 256, 3, batch_first=True)
    theirs.load_state_dict({name[5:]: value for name, value in state.items() if name.startswith("lstm.")})
    mel = rng.exponential(0.01, (3, 40, 40)).astype(np.float32)
    with torch.no_grad():
        last = theirs(torch.from_numpy(mel))[1][0][-1]
        raw = torch.relu(last @ state["linear.weight"].T + state["linear.bias"])
        expected = (raw / raw.norm(dim=1, keepdim=True)).numpy()
    encoder = speaker_embeddings.pretrained_encoder()
    assert encoder(mel) == pytest.approx(expected, abs=1e-5)
    assert encoder.n_parameters == sum(w.numel() for n, w in state.items() if "bias_hh" not in n and "simil" not in n)


def test_windows_in_a_batch_are_windows_alone(rng):
    mel = rng.exponential(0.01, (4, 30, 40)).astype(np.float32)
    encoder = speaker_embeddings.pretrained_encoder()
    alone = np.concatenate([encoder(window[np.newaxis]) for window in mel])
    assert encoder(mel) == pytest.approx(alone, abs=1e-6)


def test_embeddings_have_length_one_and_loudness_hardly_counts():
    recording = min(readings(16), key=lambda recording: recording.seconds)
    centres, rows = embed_windows(recording.signal, RATE)
    assert rows.shape == (len(centres), 256) and (rows >= 0).all()
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.diff(centres) == pytest.approx(0.8) and centres[0] == pytest.approx(0.8)
    quiet = embed(0.01 * recording.signal, RATE)
    assert quiet @ embed(0.001 * recording.signal, RATE) == pytest.approx(1, abs=1e-4)


def test_a_speaker_is_nearer_to_himself_than_to_others():
    some = readings(16)
    if not some[0].recorded:
        pytest.skip("the LibriSpeech excerpt is not here, and espeak's voices share one mouth")
    rows = np.stack([embed(recording.signal[: 4 * RATE], RATE) for recording in (some[0], some[8], some[1], some[9])])
    scores = speaker_embeddings.similarities(rows)
    assert min(scores[0, 1], scores[2, 3]) > max(scores[0, 2], scores[0, 3], scores[1, 2], scores[1, 3])


@pytest.mark.parametrize("n_samples", [1, 399, 5_000])
def test_short_signals_are_filled_up(n_samples, rng):
    signal = 0.1 * rng.standard_normal(n_samples)
    assert embed(signal, RATE).shape == (256,) and len(mel_frames(signal, RATE)) == 1 + max(n_samples, 400) // 160


@pytest.mark.parametrize(
    ("signal", "words"),
    [(np.zeros(16_000), "silence came"), (np.zeros(0), "at least one"), (np.ones((9, 2)), "one channel")],
)
def test_what_has_no_voice_is_refused(signal, words):
    with pytest.raises(ValueError, match=words):
        embed(signal, RATE)


def test_nan_and_impossible_rates_and_steps_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        embed(np.array([np.nan] * 500), RATE)
    with pytest.raises(ValueError, match="sample rate"):
        embed(np.ones(500), 0)
    with pytest.raises(ValueError, match="Try 0.8"):
        embed_windows(np.ones(500), RATE, every=0.001)


def eer_by_brute_force(same, different):
    """Every threshold between, below and above the scores; the one where both error rates are nearest."""
    scores = sorted({*same, *different})
    best = None
    for threshold in scores:
        refused = sum(score < threshold for score in same) / len(same)
        accepted = sum(score >= threshold for score in different) / len(different)
        if best is None or abs(refused - accepted) < best[0] - 1e-12:
            best = (abs(refused - accepted), (refused + accepted) / 2)
    return best


def test_equal_error_rate_is_that_of_brute_force(rng):
    for _ in range(50):
        same, different = rng.normal(1, 1, rng.integers(1, 20)), rng.normal(0, 1, rng.integers(1, 20))
        gap, rate = eer_by_brute_force(same, different)
        found = equal_error_rate(same, different)
        refused, accepted = np.mean(same < found.threshold), np.mean(different >= found.threshold)
        assert abs(refused - accepted) == pytest.approx(gap) and found.error_rate == pytest.approx(
            (refused + accepted) / 2
        )


def test_equal_error_rate_of_separate_scores_is_zero_and_of_swapped_ones_high():
    assert equal_error_rate([2, 3], [0, 1]).error_rate == 0
    assert equal_error_rate([0, 1], [2, 3]).error_rate == pytest.approx(1)
    with pytest.raises(ValueError, match="0 and 2 came"):
        equal_error_rate([], [1, 2])


def test_pairs_are_all_pairs_once():
    rows = unit(np.array([[1.0, 0], [1, 0.1], [0, 1]]))
    same, different = speaker_embeddings.pairs(rows, ["a", "a", "b"])
    assert same == pytest.approx([rows[0] @ rows[1]])
    assert sorted(different) == pytest.approx(sorted([rows[0] @ rows[2], rows[1] @ rows[2]]))


def test_unit_leaves_zeros_alone():
    assert unit(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [[0.6, 0.8], [0.0, 0.0]]
