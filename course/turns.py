"""Taking turns: when has the caller finished? (Lecture 6, *Pretrained speech models, synthesis, dialog*).

The rule that most systems use waits for so many seconds of silence. Too few, and it talks into the caller's pauses; too
many, and the caller hears nothing and says it again.

Source: A. Raux and M. Eskenazi, Optimizing endpointing thresholds using dialogue features, 2008.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

FRAME = 0.01  # seconds, of voice activity


@dataclass(frozen=True)
class Turn:
    """What a caller says before the other may speak: sounds with pauses between them.

    Attributes:
        sounds: (start, end) of each, seconds, in order.
    """

    sounds: tuple[tuple[float, float], ...]

    def __post_init__(self):
        edges = np.ravel(self.sounds)
        if not (edges.size and np.isfinite(edges).all() and edges[0] >= 0 and (np.diff(edges) >= 0).all()):
            raise ValueError(
                "Sounds were expected as (start, end) in seconds, at least one, in order and apart, and came as "
                f"{self.sounds}. Does anybody speak at all?"
            )

    @property
    def end(self) -> float:
        """When the last sound ends, seconds."""
        return self.sounds[-1][1]

    @property
    def pauses(self) -> np.ndarray:
        """Lengths of the silences within the turn: ``(n_sounds - 1,)`` seconds."""
        starts, ends = np.array(self.sounds).T
        return starts[1:] - ends[:-1]


class EndPointer:
    """Listens frame by frame and says when the turn is over: after so long a silence, once anything was heard.

    Args:
        time_out: seconds of silence to wait for.
        hop_seconds: length of a frame.

    Raises:
        ValueError: one of the two is not above 0.
    """

    def __init__(self, time_out: float, hop_seconds: float = FRAME):
        if not (time_out > 0 and hop_seconds > 0):
            raise ValueError(f"A time-out and a frame above 0 s were expected, and {time_out} and {hop_seconds} came.")
        self.patience = max(1, round(time_out / hop_seconds))  # frames
        self.silent, self.heard = 0, False

    def hear(self, speaking: bool) -> bool:
        """Take in one frame; True when the caller is taken to have finished."""
        self.heard = self.heard or bool(speaking)
        self.silent = 0 if speaking else self.silent + 1
        return self.heard and self.silent >= self.patience


def end_point(active: Iterable[bool], time_out: float, hop_seconds: float = FRAME) -> float | None:
    """The moment at which a listener with this time-out takes the turn.

    Args:
        active: ``(n_frames,)`` whether somebody speaks in each frame.
        time_out, hop_seconds: as for :class:`EndPointer`.

    Returns:
        Seconds from the first frame's start, or None if the silence is never long enough, or nobody ever speaks.
    """
    pointer = EndPointer(time_out, hop_seconds)
    for frame, speaking in enumerate(active):
        if pointer.hear(speaking):
            return (frame + 1) * hop_seconds
    return None


@dataclass(frozen=True)
class TurnTaking:
    """What a time-out does to many turns.

    Attributes:
        time_out: seconds.
        cut_in: share of the turns in which the listener begins to speak before the caller has finished.
        latency: mean seconds from the end of a turn that is not cut until the listener begins; None if all are cut.
    """

    time_out: float
    cut_in: float
    latency: float | None


def take_turns(turns: Sequence[Turn], time_out: float, delay: float = 0.0) -> TurnTaking:
    """Try a time-out on turns.

    Args:
        turns: at least one.
        time_out: seconds of silence that the listener waits for.
        delay: seconds that it needs on top before it makes a sound: recognition, a reply, synthesis.

    Raises:
        ValueError: no turns, or a time-out that is not above 0.
    """
    if not turns or not time_out > 0:
        raise ValueError(f"Turns and a time-out above 0 s were expected, and {len(turns)} and {time_out} came.")
    cut = np.mean([(turn.pauses >= time_out).any() for turn in turns])
    return TurnTaking(time_out, float(cut), None if cut == 1 else time_out + delay)


def shortest_time_out(turns: Sequence[Turn], cut_in: float) -> float:
    """The shortest time-out, in steps of a frame, that cuts into no more than this share of the turns.

    Args:
        turns: at least one.
        cut_in: share that may be cut, 0 to 1.

    Raises:
        ValueError: no turns, or a share outside [0, 1].
    """
    if not turns or not 0 <= cut_in <= 1:
        raise ValueError(f"Turns and a share from 0 to 1 were expected, and {len(turns)} turns and {cut_in} came.")
    longest = np.sort([max(turn.pauses, default=0.0) for turn in turns])[::-1]
    allowed = int(cut_in * len(turns) + 1e-9)
    if allowed >= len(turns):
        return FRAME
    return FRAME * (np.floor(longest[allowed] / FRAME + 1e-6) + 1)
