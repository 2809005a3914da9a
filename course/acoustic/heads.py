"""A transducer and an attention decoder on the frames of a trained encoder (Lecture 5).

Both are small, and learn in about a minute what to do with frames that CTC has made ready.

Sources: A. Graves, Sequence transduction with recurrent neural networks, 2012; M. Ghodsi et al., RNN-transducer with
stateless prediction network, ICASSP 2020; J. Chorowski et al., Attention-based models for speech recognition, 2015.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn

from course.acoustic.alphabet import BLANK, Alphabet
from course.acoustic.augmentation import NOISY
from course.acoustic.frontend import log_mel
from course.acoustic.network import WIDTH, CtcNetwork, Encoder, output_frames
from course.acoustic.training import LONGEST, Strings, learning_rate

HEAD_RATE = 4e-3
HEAD_BATCH = 10  # strings a step: the transducer holds a vector for each frame and letter of each
MEMORY = 2  # labels that the transducer's prediction looks back
JOINT, EMBEDDED = 64, 32


class TransducerHead(nn.Module):
    """What comes next, from an encoded frame and the last two labels.

    Args:
        n_symbols: with the blank.
        width: of the encoder.
    """

    def __init__(self, n_symbols: int, width: int = WIDTH):
        super().__init__()
        self.embed = nn.Embedding(n_symbols, EMBEDDED)
        self.predict = nn.Linear(MEMORY * EMBEDDED, JOINT)
        self.listen = nn.Linear(width, JOINT)
        self.output = nn.Linear(JOINT, n_symbols)

    def forward(self, encoded: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Log probabilities for every frame and every count of labels.

        Args:
            encoded: ``(batch, frames, width)``.
            targets: ``(batch, labels)``.

        Returns:
            ``(batch, frames, labels + 1, n_symbols)``.
        """
        start = targets.new_full((len(targets), MEMORY), BLANK)
        history = torch.cat([start, targets], dim=1).unfold(1, MEMORY, 1)  # (batch, labels + 1, MEMORY)
        predicted = self.predict(self.embed(history).flatten(2))
        joint = torch.tanh(self.listen(encoded)[:, :, None] + predicted[:, None])
        return self.output(joint).log_softmax(-1)

    def loss(self, encoded, n_frames, targets, n_labels) -> torch.Tensor:
        """Nats of every utterance, ``(batch,)``; see :func:`transducer_losses`."""
        return transducer_losses(self(encoded, targets), n_frames, targets, n_labels)

    def join(self, frame: torch.Tensor, written: tuple[int, ...]) -> np.ndarray:
        """Log probabilities ``(n_symbols,)`` for one encoded frame ``(width,)`` after some labels."""
        last = torch.tensor([((BLANK,) * MEMORY + written)[-MEMORY:]])
        with torch.inference_mode():
            joint = torch.tanh(self.listen(frame) + self.predict(self.embed(last).flatten(1))[0])
            return self.output(joint).log_softmax(-1).numpy()


def transducer_losses(
    log_probs: torch.Tensor, n_frames: torch.Tensor, targets: torch.Tensor, n_labels: torch.Tensor
) -> torch.Tensor:
    """The transducer's loss for a batch, all labels of a frame at once.

    Within a frame, ``a[u] = logaddexp(stay[u], a[u - 1] + label[u - 1])``, which is a running sum of logarithms once
    the labels' own running sum ``c`` is taken out: ``a - c`` is ``logcumsumexp(stay - c)``.

    Args:
        log_probs: ``(batch, frames, labels + 1, n_symbols)``.
        n_frames, n_labels: ``(batch,)``, each at least one frame.
        targets: ``(batch, labels)``, padded with any symbol.

    Returns:
        ``(batch,)`` nats.
    """
    batch, frames, places, _ = log_probs.shape
    blanks = log_probs[..., BLANK]
    chosen = targets[:, None, :, None].expand(-1, frames, -1, -1)
    labels = log_probs[:, :, :-1].gather(3, chosen)[..., 0]
    sums = nn.functional.pad(labels.cumsum(2), (1, 0))  # (batch, frames, labels + 1)
    forward = [sums[:, 0]]
    for t in range(1, frames):
        stay = forward[-1] + blanks[:, t - 1]
        forward.append(sums[:, t] + torch.logcumsumexp(stay - sums[:, t], dim=1))
    ends = torch.stack(forward, dim=1) + blanks
    return -ends[torch.arange(batch), n_frames - 1, n_labels]


class AttentionHead(nn.Module):
    """A decoder that writes one label at a time and chooses for each which frames to listen to.

    Where it listened for the label before is part of the choice (Chorowski's location-aware attention). The blank's
    number stands for the start of the text and for its end.

    Args:
        n_symbols: with the blank.
        width: of the encoder.
    """

    def __init__(self, n_symbols: int, width: int = WIDTH, state: int = 64, match: int = 48):
        super().__init__()
        self.n_state = state
        self.embed = nn.Embedding(n_symbols, EMBEDDED)
        self.remember = nn.GRUCell(EMBEDDED + width, state)
        self.key = nn.Linear(width, match)
        self.query = nn.Linear(state, match)
        self.place = nn.Conv1d(1, match, 21, padding=10)
        self.match = nn.Linear(match, 1)
        self.output = nn.Linear(state + width, n_symbols)

    def forward(
        self, encoded: torch.Tensor, n_frames: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Log probabilities of each label given the ones before, and the weights of the frames.

        Args:
            encoded: ``(batch, frames, width)``.
            n_frames: ``(batch,)``.
            targets: ``(batch, labels)``.

        Returns:
            ``(batch, labels + 1, n_symbols)`` and ``(batch, labels + 1, frames)``; the weights of a label sum to 1.
        """
        keys, mask = self.key(encoded), _beyond(encoded, n_frames)
        state, heard, weights = self._start(encoded)
        before = nn.functional.pad(targets, (1, 0), value=BLANK)
        said, listened = [], []
        for label in before.unbind(1):
            state, heard, weights = self._listen(encoded, keys, mask, label, state, heard, weights)
            said.append(self.output(torch.cat([state, heard], 1)))
            listened.append(weights)
        return torch.stack(said, 1).log_softmax(-1), torch.stack(listened, 1)

    def _start(self, encoded: torch.Tensor):
        batch, frames, width = encoded.shape
        first = nn.functional.one_hot(torch.zeros(batch, dtype=torch.long), frames).float()
        return encoded.new_zeros(batch, self.n_state), encoded.new_zeros(batch, width), first

    def _listen(self, encoded, keys, mask, label, state, heard, weights):
        """One label on: the new state, what was heard for it, and the weights of the frames."""
        state = self.remember(torch.cat([self.embed(label), heard], 1), state)
        place = self.place(weights[:, None]).transpose(1, 2)
        energy = self.match(torch.tanh(keys + self.query(state)[:, None] + place))[..., 0]
        weights = energy.masked_fill(mask, -torch.inf).softmax(1)
        return state, (weights[:, :, None] * encoded).sum(1), weights

    def loss(self, encoded, n_frames, targets, n_labels) -> torch.Tensor:
        """Nats of every utterance, ``(batch,)``: of all its labels and of the end."""
        log_probs, _ = self(encoded, n_frames, targets)
        wanted = nn.functional.pad(targets, (0, 1), value=BLANK)
        picked = log_probs.gather(2, wanted[..., None])[..., 0]
        counts = torch.arange(wanted.shape[1]) <= n_labels[:, None]
        return -(picked * counts).sum(1)

    @torch.inference_mode()
    def write(self, encoded: torch.Tensor, longest: int = 120) -> tuple[tuple[int, ...], np.ndarray]:
        """The likeliest label each time, until the end is the likeliest.

        Args:
            encoded: ``(frames, width)`` of one utterance.
            longest: labels after which it stops in any case.

        Returns:
            The labels, and for each the weights of the frames: ``(labels, frames)``.
        """
        encoded = encoded[None]
        keys, mask = self.key(encoded), _beyond(encoded, torch.tensor([encoded.shape[1]]))
        state, heard, weights = self._start(encoded)
        labels, listened, label = [], [], torch.tensor([BLANK])
        while len(labels) < longest:
            state, heard, weights = self._listen(encoded, keys, mask, label, state, heard, weights)
            label = self.output(torch.cat([state, heard], 1)).argmax(1)
            if label.item() == BLANK:
                break
            labels.append(label.item())
            listened.append(weights[0].numpy())
        return tuple(labels), np.array(listened).reshape(len(labels), encoded.shape[1])


def _beyond(encoded: torch.Tensor, n_frames: torch.Tensor) -> torch.Tensor:
    """Which frames are padding, ``(batch, frames)``."""
    return torch.arange(encoded.shape[1]) >= n_frames[:, None]


def encoded_frames(network: CtcNetwork, signal) -> torch.Tensor:
    """What the encoder of a network makes of a recording at 8 kHz: ``(n_frames, width)``."""
    with torch.inference_mode():
        return network.encoder(log_mel(signal))[0]


def train_head(
    head: nn.Module, encoder: Encoder, alphabet: Alphabet, recordings: Sequence, steps: int, seed: int = 0
) -> Iterator[tuple[int, float]]:
    """Train a head on the frames of an encoder that stays as it is; reports the step and the nats a string.

    Args:
        head: :class:`TransducerHead` or :class:`AttentionHead`; changed in place.
        encoder: trained, in evaluation mode.
        alphabet: of both.
        recordings: single words at 8 kHz.
        steps: batches to learn from.
        seed: of the strings and their changes.
    """
    strings = Strings(recordings, alphabet, NOISY, np.random.default_rng(seed))
    optimiser = torch.optim.AdamW(head.parameters(), HEAD_RATE, weight_decay=1e-3)
    for step in range(1, steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = HEAD_RATE * learning_rate(step / steps)
        features, n_frames, targets = strings.batch(HEAD_BATCH, 2 if step < steps / 10 else LONGEST)
        with torch.no_grad():
            encoded = encoder(features)
        n_labels = torch.tensor([len(target) for target in targets])
        padded = nn.utils.rnn.pad_sequence([torch.tensor(target) for target in targets], batch_first=True)
        losses = head.loss(encoded, output_frames(n_frames), padded, n_labels)
        optimiser.zero_grad()
        (losses / n_labels.clamp(min=1)).mean().backward()
        nn.utils.clip_grad_norm_(head.parameters(), 5.0)
        optimiser.step()
        yield step, float(losses.detach().mean())
    head.eval()
