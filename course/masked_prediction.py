"""Learning from speech without a transcript: predict what was hidden (Lecture 6, *Pretrained speech models*).

Every frame gets the number of the cluster that it falls into. Stretches of frames are hidden from a small network,
which guesses their numbers from what is left around them. Nobody labels anything; what the network learns on the way
serves tasks that have few labels.

Source: W.-N. Hsu et al., HuBERT: self-supervised speech representation learning by masked prediction of hidden units,
IEEE/ACM Transactions on Audio, Speech, and Language Processing 29 (2021). Theirs has 12 to 48 transformer layers and
960 to 60,000 hours; here are four convolutions and a quarter of an hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from course.features import log_mel, normalise
from course.recordings import Recording

N_MELS, FRAMES_JOINED = 40, 2  # two frames of 10 ms become one of 20 ms, as in HuBERT
FRAME = 0.02  # seconds
WIDTH, DILATIONS = 128, (1, 2, 4, 1)  # of the convolutions: each frame sees 0.34 s around it
N_CLUSTERS = 64
SPAN, SHARE = 6, 0.5  # frames hidden in one piece; share of the frames that is hidden at least
CROP, BATCH = 48, 32  # frames of one example; examples of one step


def frames_of(recording: Recording) -> np.ndarray:
    """What the network reads: 40 log-mel bands, mean 0 and variance 1 over the recording, two frames side by side.

    Args:
        recording: at any sample rate; the bands end at 4 kHz.

    Returns:
        ``(n_frames, 80)`` float32, one row for each 20 ms, at least one.
    """
    bands = normalise(log_mel(recording.signal, recording.sample_rate, n_mels=N_MELS, f_max=4000))
    padded = np.pad(bands, ((0, -len(bands) % FRAMES_JOINED), (0, 0)), mode="edge")
    return padded.reshape(-1, FRAMES_JOINED * N_MELS).astype(np.float32)


def clusters_of(frames: Sequence[np.ndarray], n_clusters: int = N_CLUSTERS, seed: int = 0) -> list[np.ndarray]:
    """Sort frames into clusters by k-means: the nearest thing to sounds of speech that one gets for nothing.

    Args:
        frames: of each recording, ``(n_frames, n_features)``.
        n_clusters: how many sorts.
        seed: of the random start.

    Returns:
        For each recording ``(n_frames,)`` int64 from 0 to ``n_clusters - 1``.

    Raises:
        ValueError: fewer frames than clusters.
    """
    from sklearn.cluster import MiniBatchKMeans

    together = np.concatenate(frames)
    if len(together) < n_clusters:
        raise ValueError(f"At least {n_clusters} frames were expected, one a cluster, and {len(together)} came.")
    sorter = MiniBatchKMeans(n_clusters, random_state=seed, batch_size=2048, n_init=1, max_iter=20).fit(together)
    return [sorter.predict(part).astype(np.int64) for part in frames]


def hide_spans(n_frames: int, rng: np.random.Generator, span: int = SPAN, share: float = SHARE) -> np.ndarray:
    """Choose stretches of frames at random until at least a share of all is hidden.

    Args:
        n_frames: at least 1.
        rng: draws the places.
        span: frames in a stretch; stretches may overlap and are cut at the end.
        share: 0 to 1.

    Returns:
        ``(n_frames,)`` bool, True where a frame is hidden.

    Raises:
        ValueError: no frames, or a share outside [0, 1].
    """
    if n_frames < 1 or not 0 <= share <= 1:
        raise ValueError(f"At least one frame and a share from 0 to 1 were expected, and {n_frames}, {share} came.")
    hidden = np.zeros(n_frames, bool)
    while hidden.mean() < share:
        start = rng.integers(1 - span, n_frames)
        hidden[max(0, start) : start + span] = True
    return hidden


class FrameNetwork(nn.Module):
    """Convolutions over time that give each frame a vector which depends on its neighbours.

    Args:
        n_features: of a frame.
        n_clusters: to choose from.
    """

    def __init__(self, n_features: int = FRAMES_JOINED * N_MELS, n_clusters: int = N_CLUSTERS):
        super().__init__()
        self.hidden_frame = nn.Parameter(torch.zeros(n_features))  # stands where a frame is hidden
        self.inward = nn.Linear(n_features, WIDTH)
        self.layers = nn.ModuleList(
            nn.Conv1d(WIDTH, WIDTH, kernel_size=3, dilation=dilation, padding=dilation) for dilation in DILATIONS
        )
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in DILATIONS)
        self.outward = nn.Linear(WIDTH, n_clusters)

    def forward(
        self, frames: torch.Tensor, hidden: torch.Tensor | None = None, n_layers: int = len(DILATIONS)
    ) -> torch.Tensor:
        """Vectors for frames.

        Args:
            frames: ``(batch, n_frames, n_features)``.
            hidden: ``(batch, n_frames)`` bool, which frames the network must not see; None hides nothing.
            n_layers: after how many convolutions to stop.

        Returns:
            ``(batch, n_frames, 128)``; ``outward`` turns those of the last layer into scores of clusters.
        """
        if hidden is not None:
            frames = torch.where(hidden[..., None], self.hidden_frame, frames)
        states = self.inward(frames)
        for layer, norm in list(zip(self.layers, self.norms, strict=True))[:n_layers]:
            states = states + functional.gelu(layer(norm(states).transpose(1, 2)).transpose(1, 2))
        return states


@dataclass(frozen=True)
class Pretraining:
    """A network that was trained on hidden frames, and how it went.

    Attributes:
        network: the network.
        accuracy: ``(n_steps,)`` share of hidden frames whose cluster was guessed, at each step.
        loss: ``(n_steps,)`` cross-entropy of the hidden frames, nats.
    """

    network: FrameNetwork
    accuracy: np.ndarray
    loss: np.ndarray


def pretrain(
    frames: Sequence[np.ndarray], clusters: Sequence[np.ndarray], n_steps: int = 400, seed: int = 0
) -> Pretraining:
    """Train a network to guess the clusters of hidden frames.

    Args:
        frames: of each recording, ``(n_frames, n_features)``.
        clusters: of each recording, ``(n_frames,)`` int.
        n_steps: of 32 crops each.
        seed: of the weights, the crops and the hidden stretches.

    Raises:
        ValueError: no recordings, or clusters that do not fit the frames.
    """
    if not frames or [len(part) for part in frames] != [len(part) for part in clusters]:
        raise ValueError(
            f"Recordings with one cluster for each frame were expected; {len(frames)} and {len(clusters)} came."
        )
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    stream, sought = np.concatenate(frames), np.concatenate(clusters)
    network = FrameNetwork(stream.shape[1], int(sought.max()) + 1)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=n_steps)
    accuracy, losses = [], []
    for _ in range(n_steps):
        inputs, targets, hidden = examples(stream, sought, rng)
        scores = network.outward(network(inputs, hidden))[hidden]
        loss = functional.cross_entropy(scores, targets[hidden])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        accuracy.append((scores.argmax(dim=1) == targets[hidden]).float().mean().item())
    return Pretraining(network.eval(), np.array(accuracy), np.array(losses))


def examples(stream: np.ndarray, sought: np.ndarray, rng: np.random.Generator):
    """Crops of the stream of all recordings, their clusters, and which of their frames to hide.

    Args:
        stream: ``(n_frames, n_features)``.
        sought: ``(n_frames,)`` clusters.
        rng: draws places and stretches.

    Returns:
        Tensors ``(32, n, n_features)``, ``(32, n)`` and ``(32, n)`` bool, with n = 48 or all frames if there are fewer.
    """
    length = min(CROP, len(stream))
    places = rng.integers(0, len(stream) - length + 1, BATCH)[:, np.newaxis] + np.arange(length)
    hidden = np.stack([hide_spans(length, rng) for _ in range(BATCH)])
    return torch.from_numpy(stream[places]), torch.from_numpy(sought[places]), torch.from_numpy(hidden)


def guess_hidden(network: FrameNetwork, frames: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The cluster that the network gives each frame when some are hidden from it: ``(n_frames,)`` int64."""
    with torch.no_grad():
        states = network(torch.from_numpy(frames)[None], torch.from_numpy(hidden)[None])
        return network.outward(states)[0].argmax(dim=1).numpy()


def repeat_neighbour(clusters: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The guess that needs no network: a hidden frame is in the cluster of the nearest visible one.

    Args:
        clusters: ``(n_frames,)``.
        hidden: ``(n_frames,)`` bool, not all True.

    Returns:
        ``(n_frames,)``; of two visible frames as near, the earlier counts.

    Raises:
        ValueError: no frame is visible.
    """
    visible = np.flatnonzero(~hidden)
    if not visible.size:
        raise ValueError("At least one visible frame was expected and all are hidden. Hide fewer.")
    distance = np.abs(np.arange(len(clusters))[:, np.newaxis] - visible)
    return clusters[visible[distance.argmin(axis=1)]]


def states_of(network: FrameNetwork, frames: np.ndarray, n_layers: int = 2) -> np.ndarray:
    """The network's vectors for a recording of which it sees everything.

    The middle layers serve other tasks better than the last, which is made for guessing clusters.

    Args:
        network: trained or not.
        frames: ``(n_frames, n_features)``.
        n_layers: after how many convolutions.

    Returns:
        ``(n_frames, 128)`` float32.
    """
    with torch.no_grad():
        return network(torch.from_numpy(frames)[None], n_layers=n_layers)[0].numpy()


def summary_of(vectors: np.ndarray, n_parts: int = 3) -> np.ndarray:
    """One vector for a whole recording: the means over its thirds, one behind the other.

    Args:
        vectors: ``(n_frames, n_features)``, at least one frame.
        n_parts: how many parts; a recording of fewer frames repeats some.

    Returns:
        ``(n_parts * n_features,)``.
    """
    borders = np.linspace(0, len(vectors), n_parts + 1)
    spans = [(int(start), max(int(start) + 1, int(end))) for start, end in zip(borders, borders[1:], strict=False)]
    return np.concatenate([vectors[start:end].mean(axis=0) for start, end in spans])


def probe(train: np.ndarray, train_labels: Sequence, test: np.ndarray, test_labels: Sequence) -> float:
    """Accuracy of a linear classifier: how much of the answer lies open in the vectors.

    Args:
        train, test: ``(n, n_features)``.
        train_labels, test_labels: ``(n,)``; the training labels name at least two classes.

    Returns:
        Share of right answers on ``test``, 0 to 1.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    return float(classifier.fit(train, train_labels).score(test, test_labels))
