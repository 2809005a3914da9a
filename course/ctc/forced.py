"""When was it said: the best single alignment of a text that is known (Lecture 5)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course.ctc.forward_backward import IMPOSSIBLE, checked, sources
from course.ctc.lattice import BLANK, frames_needed, with_blanks


@dataclass(frozen=True)
class Span:
    """Where one label lies: in the frames from ``start`` up to, but without, ``end``."""

    label: int
    start: int
    end: int


def forced_alignment(log_probs, target: Sequence[int], blank: int = BLANK) -> tuple[np.ndarray, float]:
    """The likeliest of all alignments of ``target``: the forward recursion with max in place of the sum.

    Args:
        log_probs: ``(n_frames, n_symbols)``.
        target: labels.
        blank: number of the blank.

    Returns:
        The state of the lattice in every frame, ``(n_frames,)`` (labels are the odd states), and the path's log
        probability.

    Raises:
        ValueError: no alignment is possible; or see :func:`course.ctc.forward_backward.checked`.
    """
    log_probs = checked(log_probs, target, blank)
    states = with_blanks(target, blank)
    n_frames = len(log_probs)
    if n_frames < max(1, frames_needed(target)):
        raise ValueError(
            f"{len(target)} labels need at least {max(1, frames_needed(target))} frames, and {n_frames} came. "
            "Check that the text belongs to the recording."
        )
    best = np.full((n_frames, len(states)), IMPOSSIBLE)
    came_from = np.zeros((n_frames, len(states)), dtype=int)
    best[0, :2] = log_probs[0, states[:2]]
    for t in range(1, n_frames):
        for s, symbol in enumerate(states):
            came_from[t, s] = max(sources(states, s), key=lambda source: best[t - 1, source])
            best[t, s] = best[t - 1, came_from[t, s]] + log_probs[t, symbol]
    last = max(range(len(states))[-2:], key=lambda s: best[-1, s])
    if best[-1, last] == IMPOSSIBLE:
        raise ValueError("A path of a probability above 0 was expected and there is none. Smooth the probabilities.")
    return _traced(came_from, last), float(best[-1, last])


def _traced(came_from: np.ndarray, last: int) -> np.ndarray:
    path = np.empty(len(came_from), dtype=int)
    path[-1] = last
    for t in range(len(came_from) - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return path


def spans(path: np.ndarray, target: Sequence[int]) -> list[Span]:
    """Where each label of ``target`` lies on a path of :func:`forced_alignment`: one span a label, in order."""
    frames = [np.flatnonzero(path == 2 * place + 1) for place in range(len(target))]
    return [Span(int(label), int(at[0]), int(at[-1]) + 1) for label, at in zip(target, frames, strict=True)]


def word_spans(path: np.ndarray, target: Sequence[int], space: int) -> list[Span]:
    """Where each word lies: from its first label to its last; ``label`` counts the words from 0."""
    words: list[Span] = []
    fresh = True
    for span in spans(path, target):
        if span.label == space:
            fresh = True
        elif fresh:
            words.append(Span(len(words), span.start, span.end))
            fresh = False
        else:
            words[-1] = Span(words[-1].label, words[-1].start, span.end)
    return words
