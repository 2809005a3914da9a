"""Who is speaking: a pretrained LSTM turns speech into a direction in space (Lecture 6, *Pretrained speech models*).

Recordings of one speaker point in nearly the same direction, those of two speakers do not; the cosine of the angle
between them decides. The weights are Resemblyzer's, the network and everything around it are here, in NumPy.

Source: L. Wan et al., Generalized end-to-end loss for speaker verification, ICASSP 2018; weights and front end of
Resemblyzer 0.1.4 (C. Jemine, 2019).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import expit as sigmoid

from course.levels import amplitude_ratio, level_db
from course.models import MODELS
from course.sampling import as_signal, check_sample_rate

SAMPLE_RATE = 16_000  # Hz
WINDOW, HOP, N_MELS = 400, 160, 40  # of the front end: samples, samples, bands
FRAMES = 160  # in one window of speech: 1.6 s, as in training
LOUDNESS = -30.0  # dB; quieter recordings are turned up to this level
WINDOWS_AT_ONCE = 64


class LstmLayer(NamedTuple):
    """Weights of one layer, gates in the order input, forget, cell, output.

    Attributes:
        from_input: ``(4 * n_hidden, n_inputs)``.
        from_hidden: ``(4 * n_hidden, n_hidden)``.
        bias: ``(4 * n_hidden,)``.
    """

    from_input: np.ndarray
    from_hidden: np.ndarray
    bias: np.ndarray


def lstm(inputs: np.ndarray, layer: LstmLayer) -> np.ndarray:
    """Run a layer of long short-term memory over sequences, from a state of zeros.

    Source: S. Hochreiter and J. Schmidhuber, Long short-term memory, 1997, with the forget gate of Gers et al., 2000.

    Args:
        inputs: ``(n_sequences, n_steps, n_inputs)``.
        layer: its weights.

    Returns:
        The hidden state after each step: ``(n_sequences, n_steps, n_hidden)``.
    """
    n_hidden = layer.from_hidden.shape[1]
    driven = inputs @ layer.from_input.T + layer.bias  # all steps at once: the part that does not wait for the last one
    hidden = cell = np.zeros((len(inputs), n_hidden), driven.dtype)
    outputs = np.empty((*inputs.shape[:2], n_hidden), driven.dtype)
    for step in range(inputs.shape[1]):
        gates = driven[:, step] + hidden @ layer.from_hidden.T
        write, keep, content, read = np.split(gates, 4, axis=1)
        cell = sigmoid(keep) * cell + sigmoid(write) * np.tanh(content)
        hidden = sigmoid(read) * np.tanh(cell)
        outputs[:, step] = hidden
    return outputs


class SpeakerEncoder:
    """The pretrained network: three LSTM layers, the last state through a linear layer, scaled to length 1.

    Attributes:
        layers: the LSTM layers, from the first to the last.
        weight, bias: of the linear layer, ``(256, 256)`` and ``(256,)``.
    """

    def __init__(self, layers: list[LstmLayer], weight: np.ndarray, bias: np.ndarray):
        self.layers, self.weight, self.bias = layers, weight, bias

    @property
    def n_parameters(self) -> int:
        """Numbers that training set (PyTorch keeps two biases a layer, whose sum is what counts)."""
        return self.weight.size + self.bias.size + sum(part.size for layer in self.layers for part in layer)

    def __call__(self, mel: np.ndarray) -> np.ndarray:
        """Embed windows of speech.

        Args:
            mel: ``(n_windows, n_frames, 40)`` from :func:`mel_frames`.

        Returns:
            ``(n_windows, 256)`` float32, each row of length 1 and nowhere negative.
        """
        states = mel.astype(np.float32)
        for layer in self.layers:
            states = lstm(states, layer)
        raw = np.maximum(states[:, -1] @ self.weight.T + self.bias, 0)
        return unit(raw)


@lru_cache
def pretrained_encoder() -> SpeakerEncoder:
    """Resemblyzer's encoder; its weights are read once in each process.

    Raises:
        CourseError: the weights are not here and cannot be pulled.
    """
    import torch

    path = MODELS.fetch("resemblyzer", "pretrained.pt")
    state = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
    weights = {name: value.numpy() for name, value in state.items()}
    layers = [
        LstmLayer(
            weights[f"lstm.weight_ih_l{number}"],
            weights[f"lstm.weight_hh_l{number}"],
            weights[f"lstm.bias_ih_l{number}"] + weights[f"lstm.bias_hh_l{number}"],
        )
        for number in range(3)
    ]
    return SpeakerEncoder(layers, weights["linear.weight"], weights["linear.bias"])


def mel_frames(signal, sample_rate: float) -> np.ndarray:
    """What the encoder reads: power in 40 mel bands every 10 ms, without a logarithm.

    Args:
        signal: ``(n_samples,)``; turned up to -30 dB if it is quieter, unless it is silent.
        sample_rate: Hz; another rate than 16,000 is converted.

    Returns:
        ``(1 + n_samples // 160, 40)`` float32, counted at 16 kHz.

    Raises:
        TypeError, ValueError: not a signal (see :func:`course.sampling.as_signal`), or no sample rate.
    """
    import librosa
    import soxr

    samples = as_signal(signal)
    check_sample_rate(sample_rate)
    if sample_rate != SAMPLE_RATE:
        samples = soxr.resample(samples, sample_rate, SAMPLE_RATE)
    samples = np.pad(samples, (0, max(0, WINDOW - samples.size)))
    if samples.any():
        samples = samples * max(1.0, amplitude_ratio(LOUDNESS - level_db(samples)))
    mel = librosa.feature.melspectrogram(y=samples, sr=SAMPLE_RATE, n_fft=WINDOW, hop_length=HOP, n_mels=N_MELS)
    return mel.T.astype(np.float32)


def embed_windows(signal, sample_rate: float, every: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """One embedding for each window of 1.6 s.

    Args:
        signal, sample_rate: as for :func:`mel_frames`. What is shorter than a window is filled up with zeros.
        every: seconds from one window to the next.

    Returns:
        centres: ``(n_windows,)`` seconds.
        embeddings: ``(n_windows, 256)``, rows of length 1.

    Raises:
        ValueError: the step is shorter than a frame, 0.01 s.
    """
    step = round(every * SAMPLE_RATE / HOP)
    if step < 1:
        raise ValueError(f"Windows at least {HOP / SAMPLE_RATE} s apart were expected and {every} s came. Try 0.8.")
    mel = mel_frames(signal, sample_rate)
    mel = np.pad(mel, ((0, max(0, FRAMES - len(mel))), (0, 0)))
    starts = np.arange(0, len(mel) - FRAMES + 1, step)
    windows = np.lib.stride_tricks.sliding_window_view(mel, FRAMES, axis=0)[starts].swapaxes(1, 2)
    encoder = pretrained_encoder()
    batches = [encoder(windows[at : at + WINDOWS_AT_ONCE]) for at in range(0, len(windows), WINDOWS_AT_ONCE)]
    return (starts + FRAMES / 2) * HOP / SAMPLE_RATE, np.concatenate(batches)


def embed(signal, sample_rate: float, every: float = 0.8) -> np.ndarray:
    """One embedding for a whole recording: the direction of the mean of its windows.

    Args:
        signal, sample_rate, every: as for :func:`embed_windows`.

    Returns:
        ``(256,)`` float32 of length 1.

    Raises:
        ValueError: the recording is silent, so that nobody speaks in it.
    """
    if not as_signal(signal).any():
        raise ValueError("A recording with a voice was expected and silence came. Check the channel and the level.")
    return unit(embed_windows(signal, sample_rate, every)[1].mean(axis=0))


def similarities(embeddings: np.ndarray) -> np.ndarray:
    """Cosines between all pairs of embeddings: ``(n, 256)`` in rows of length 1 gives ``(n, n)``."""
    return embeddings @ embeddings.T


class Verification(NamedTuple):
    """How well a threshold tells same from different speakers, at the threshold where both kinds of error are equal.

    Attributes:
        error_rate: the equal error rate, 0 to 1.
        threshold: the cosine at which it is reached.
    """

    error_rate: float
    threshold: float


def equal_error_rate(same: np.ndarray, different: np.ndarray) -> Verification:
    """The error rate at the threshold where as large a share of same pairs is refused as of different pairs accepted.

    Every score is tried as a threshold. Where the two shares cross between two thresholds, their mean at the nearer one
    is returned.

    Args:
        same: ``(n_same,)`` scores of pairs from one speaker.
        different: ``(n_different,)`` scores of pairs from two.

    Raises:
        ValueError: one of the two is empty.
    """
    same, different = np.sort(np.ravel(same)), np.sort(np.ravel(different))
    if not (same.size and different.size):
        raise ValueError(
            f"Scores of same and of different speakers were expected, and {same.size} and {different.size} came."
        )
    thresholds = np.concatenate([same, different])
    refused = np.searchsorted(same, thresholds, side="left") / same.size
    accepted = 1 - np.searchsorted(different, thresholds, side="left") / different.size
    best = np.argmin(np.abs(refused - accepted))
    return Verification(float(refused[best] + accepted[best]) / 2, float(thresholds[best]))


def pairs(embeddings: np.ndarray, speakers: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Scores of all pairs of recordings: those of one speaker and those of two.

    Args:
        embeddings: ``(n, 256)`` in rows of length 1.
        speakers: who speaks in each.

    Returns:
        same, different: one-dimensional, together ``n * (n - 1) / 2`` scores.
    """
    scores = similarities(embeddings)
    one, other = np.triu_indices(len(embeddings), k=1)
    names = np.asarray(speakers)
    alike = names[one] == names[other]
    return scores[one, other][alike], scores[one, other][~alike]


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors, along the last axis, scaled to length 1; a vector of zeros stays as it is."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(length == 0, 1, length)
