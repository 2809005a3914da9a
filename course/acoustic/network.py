"""A small acoustic network: dilated convolutions over log-mel frames, characters out (Lecture 5).

Each block adds to its input what it found (He et al. 2016). Convolutions that look at every first, second, fourth …
frame see far with few weights (Waibel et al. 1989; van den Oord et al. 2016).
"""

import torch
from torch import nn

from course.acoustic.frontend import FRAME_SECONDS, N_MELS

WIDTH = 72  # channels
KERNEL = 5  # frames that one convolution combines
DILATIONS = (1, 2, 4, 1, 2, 4)  # distance between these frames, block by block
STRIDE = 2  # frames in to one frame out
STEP_SECONDS = STRIDE * FRAME_SECONDS  # from one output frame to the next: 20 ms


class Block(nn.Module):
    """Normalise, rectify, convolve, and add to what came in; ``(batch, width, frames)`` to the same shape."""

    def __init__(self, width: int, dilation: int, dropout: float):
        super().__init__()
        self.normalise = nn.BatchNorm1d(width)
        self.convolve = nn.Conv1d(width, width, KERNEL, padding=dilation * (KERNEL // 2), dilation=dilation)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.dropout(self.convolve(torch.relu(self.normalise(x))))


class Encoder(nn.Module):
    """Frames to vectors, half as many.

    Args:
        width: channels of every layer.
        dropout: share of channels that training silences at random.
    """

    def __init__(self, width: int = WIDTH, dropout: float = 0.1):
        super().__init__()
        self.first = nn.Conv1d(N_MELS, width, KERNEL, stride=STRIDE, padding=KERNEL // 2)
        self.second = nn.Conv1d(width, width, KERNEL, padding=KERNEL // 2)
        self.blocks = nn.Sequential(*(Block(width, dilation, dropout) for dilation in DILATIONS))
        self.last = nn.BatchNorm1d(width)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """``(batch, frames, N_MELS)`` to ``(batch, ceil(frames / STRIDE), width)``."""
        x = self.second(torch.relu(self.first(features.transpose(1, 2))))
        return torch.relu(self.last(self.blocks(x))).transpose(1, 2)


class CtcNetwork(nn.Module):
    """The encoder and one linear layer: log probabilities of the symbols in every frame.

    Args:
        n_symbols: with the blank.
        width: of the encoder.
    """

    def __init__(self, n_symbols: int, width: int = WIDTH):
        super().__init__()
        self.encoder = Encoder(width)
        self.output = nn.Linear(width, n_symbols)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """``(batch, frames, N_MELS)`` to log probabilities ``(batch, ceil(frames / STRIDE), n_symbols)``."""
        return self.output(self.encoder(features)).log_softmax(-1)


def output_frames(n_frames):
    """Frames out of the network for ``n_frames`` in, a number or a tensor of them."""
    return (n_frames + STRIDE - 1) // STRIDE


def count_parameters(network: nn.Module) -> int:
    """How many numbers training has set."""
    return sum(parameter.numel() for parameter in network.parameters())
