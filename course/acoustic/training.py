"""Training the character network with CTC on digit strings made on the fly (Lecture 5)."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from course.acoustic.alphabet import BLANK, Alphabet, alphabet_of
from course.acoustic.augmentation import NOISY, Augmentation, batch_features, string_signal
from course.acoustic.frontend import SAMPLE_RATE
from course.acoustic.network import WIDTH, CtcNetwork, output_frames
from course.errors import CourseError
from course.recordings import DIGITS

STEPS = 1_500
BATCH = 24  # strings a step
LONGEST = 6  # words in a string
SINGLES = 0.25  # of all strings are one word, whatever else is drawn
SYNTHETIC = 0.5  # of all strings are said by a synthetic voice, if there are any
FIRST_STRINGS = 0.1  # of the training hears one or two words at a time: alignment is easiest to find there
PEAK_RATE = 3e-3
AVERAGING = 0.995  # share of the running average of the weights that a step keeps


@dataclass(frozen=True)
class Progress:
    """Where training is.

    Attributes:
        step: steps done.
        loss: nats a string, of this step's batch.
        network: as it is now, in evaluation mode.
        alphabet: its symbols.
        cpu_seconds: used so far by this process.
    """

    step: int
    loss: float
    network: CtcNetwork
    alphabet: Alphabet
    cpu_seconds: float


def train(
    recordings: Sequence,
    steps: int = STEPS,
    seed: int = 0,
    augmentation: Augmentation = NOISY,
    longest: int = LONGEST,
    width: int = WIDTH,
    voices: Sequence = (),
) -> Iterator[Progress]:
    """Train a network from nothing and report after every step; the last report holds the averaged weights.

    Args:
        recordings: single words (:class:`course.recordings.Recording`) at 8 kHz; strings are joined from one speaker's.
        steps: batches to learn from.
        seed: of the weights, the strings and their changes.
        augmentation: how far strings are changed.
        longest: most words in a string.
        width: channels of the network.
        voices: synthetic ones, likewise, see :func:`course.acoustic.synthetic_voices.synthetic_voices`; they say half
            of the strings.

    Raises:
        CourseError: no recordings, one that is not at 8 kHz, or fewer than one step.
    """
    _check(recordings, voices, steps)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    alphabet = alphabet_of([*DIGITS, *(recording.text for recording in recordings)])
    network = CtcNetwork(len(alphabet), width)
    average = _averaged(network)
    optimiser = torch.optim.AdamW(network.parameters(), PEAK_RATE, weight_decay=1e-2)
    strings = Strings(recordings, alphabet, augmentation, rng, voices)
    start = time.process_time()
    for step in range(1, steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = PEAK_RATE * learning_rate(step / steps)
        most = min(2, longest) if step < FIRST_STRINGS * steps else longest
        loss = ctc_step(network, optimiser, *strings.batch(BATCH, most))
        average.update_parameters(network)
        shown = average.module if step == steps else network
        yield Progress(step, loss, shown.eval(), alphabet, time.process_time() - start)


def learning_rate(progress: float) -> float:
    """Share of the peak rate: up in the first twentieth of training, down along half a cosine to 1 %."""
    if progress < 0.05:
        return max(progress, 1e-3) / 0.05
    return 0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * (progress - 0.05) / 0.95))


def ctc_step(
    network: CtcNetwork,
    optimiser: torch.optim.Optimizer,
    features: torch.Tensor,
    n_frames: torch.Tensor,
    targets: list[list[int]],
) -> float:
    """One step down the gradient of the mean CTC loss; the loss, in nats a string.

    Args:
        features: ``(batch, frames, N_MELS)``.
        n_frames: ``(batch,)``.
        targets: numbers of the characters, for each string.
    """
    network.train()
    lengths = torch.tensor([len(target) for target in targets])
    losses = nn.functional.ctc_loss(
        network(features).transpose(0, 1),
        torch.tensor([label for target in targets for label in target]),
        output_frames(n_frames),
        lengths,
        blank=BLANK,
        reduction="none",
        zero_infinity=True,  # a string sped up beyond what its frames can hold teaches nothing
    )
    optimiser.zero_grad()
    (losses / lengths.clamp(min=1)).mean().backward()
    nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimiser.step()
    return float(losses.detach().mean())


class Strings:
    """Draws batches of joined recordings, each string from one speaker."""

    def __init__(
        self,
        recordings: Sequence,
        alphabet: Alphabet,
        augmentation: Augmentation,
        rng: np.random.Generator,
        voices: Sequence = (),
    ):
        self.alphabet, self.augmentation, self.rng = alphabet, augmentation, rng
        self.people, self.voices = _by_speaker(recordings), _by_speaker(voices)

    def batch(self, size: int, longest: int):
        """Features, frames and targets of ``size`` strings of one to ``longest`` words."""
        signals, targets = [], []
        for _ in range(size):
            speakers = self.voices if self.voices and self.rng.random() < SYNTHETIC else self.people
            pool = speakers[self.rng.integers(len(speakers))]
            count = 1 if self.rng.random() < SINGLES else self.rng.integers(1, longest + 1)
            words = [pool[i] for i in self.rng.integers(len(pool), size=count)]
            speed = float(self.augmentation.speed ** self.rng.uniform(-1, 1))
            signals.append(string_signal([word.signal for word in words], self.rng, speed))
            targets.append(self.alphabet.encode(" ".join(word.text for word in words)))
        return *batch_features(signals, self.rng, self.augmentation), targets


def _by_speaker(recordings: Sequence) -> list[list]:
    """The recordings of each speaker, speakers in the order of their names."""
    speakers = sorted({recording.speaker for recording in recordings})
    return [[recording for recording in recordings if recording.speaker == speaker] for speaker in speakers]


def _averaged(network: CtcNetwork) -> torch.optim.swa_utils.AveragedModel:
    """A running average of weights and normalisation statistics, which errs less than the last step's."""

    def running(average: torch.Tensor, current: torch.Tensor, count) -> torch.Tensor:
        keep = min(AVERAGING, (float(count) + 1) / (float(count) + 10))  # short while there is little to average
        return keep * average + (1 - keep) * current

    return torch.optim.swa_utils.AveragedModel(network, avg_fn=running, use_buffers=True)


def _check(recordings: Sequence, voices: Sequence, steps: int) -> None:
    if not recordings or steps < 1:
        raise CourseError(
            f"Training expects recordings and at least one step; {len(recordings)} recordings and {steps} steps came."
        )
    rates = {recording.sample_rate for recording in (*recordings, *voices)}
    if rates != {SAMPLE_RATE}:
        raise CourseError(
            f"The network hears {SAMPLE_RATE} Hz, and recordings at {', '.join(map(str, sorted(rates)))} Hz came. "
            "Bring them there first with course.recordings.resampled."
        )
