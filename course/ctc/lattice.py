"""Which label sequences of frames mean which text: blanks, collapsing, and counting (Lecture 5).

A *path* gives every frame one symbol: a label or the blank. A path means the labels that are left when repeats are
merged and blanks removed, in this order. All paths of one meaning are its *alignments*.

Source: A. Graves, S. Fernandez, F. Gomez and J. Schmidhuber, Connectionist temporal classification, ICML 2006,
section 3.1.
"""

import itertools
from collections.abc import Iterator, Sequence
from math import comb

BLANK = 0


def collapse(path: Sequence[int], blank: int = BLANK) -> tuple[int, ...]:
    """What a path means: repeats merged first, then blanks removed.

    Args:
        path: one symbol a frame, ``(n_frames,)``: numbers, or characters.
        blank: the symbol that stands for no label.

    Returns:
        The labels, as a tuple; empty if the path is all blank.
    """
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != blank)


def with_blanks(target: Sequence[int], blank: int = BLANK) -> list[int]:
    """The states of the lattice: a blank before, between and after the labels, ``2 * len(target) + 1`` in all."""
    states = [blank]
    for label in target:
        states += [int(label), blank]
    return states


def may_skip(states: Sequence[int], state: int) -> bool:
    """Whether a path may come to ``state`` from two states before it, past a blank.

    It may if the state is a label and differs from the label before it: a blank between equal labels must be spoken,
    or the two would be merged.
    """
    return state >= 2 and state % 2 == 1 and states[state] != states[state - 2]


def frames_needed(target: Sequence[int]) -> int:
    """The least frames that can spell ``target``: one a label, and one a blank between equal neighbours."""
    return len(target) + sum(left == right for left, right in itertools.pairwise(target))


def every_alignment(
    target: Sequence[int], n_frames: int, n_symbols: int, blank: int = BLANK
) -> Iterator[tuple[int, ...]]:
    """All alignments of ``target``, by trying every path there is: ``n_symbols ** n_frames`` of them.

    For seeing and for testing; nothing else is this slow.
    """
    wanted = tuple(target)
    for path in itertools.product(range(n_symbols), repeat=n_frames):
        if collapse(path, blank) == wanted:
            yield path


def count_ctc(target: Sequence[int], n_frames: int) -> int:
    """How many alignments ``target`` has in ``n_frames`` frames; 0 if it needs more frames than that.

    The frames that are left over are shared out between the labels and the blanks around them, stars and bars:
    ``C(T + L - R, 2 L)`` for ``L`` labels of which ``R`` equal the one before.
    """
    spare = n_frames - frames_needed(target)
    return comb(spare + 2 * len(target), 2 * len(target)) if spare >= 0 else 0


def count_hmm(n_states: int, n_frames: int) -> int:
    """Ways through a left-to-right HMM without skips: every state takes at least one frame, ``C(T - 1, S - 1)``."""
    return comb(n_frames - 1, n_states - 1) if n_frames >= 1 and n_states >= 1 else int(n_frames == n_states == 0)


def count_transducer(n_labels: int, n_frames: int) -> int:
    """Ways through a transducer's lattice: labels lie between blanks, a blank comes last, ``C(T - 1 + U, U)``."""
    return comb(n_frames - 1 + n_labels, n_labels) if n_frames >= 1 else 0
