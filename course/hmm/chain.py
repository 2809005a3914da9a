"""Which state may follow which, and how readily (Lecture 3)."""

from dataclasses import dataclass

import numpy as np

ROUNDING = 1e-6  # by which the probabilities of a row may miss a sum of 1


@dataclass(frozen=True)
class Chain:
    """The hidden walk: where it starts, where it goes, where it may end.

    Attributes:
        log_start: ``(n_states,)`` log probability that the walk starts in each state.
        log_transitions: ``(n_states, n_states)`` log probability of a step from the row's state to the column's.
        log_end: ``(n_states,)`` what a walk that ends in each state gets on top: 0 where it may, ``-inf`` where not.

    Raises:
        ValueError: the shapes do not fit together, or probabilities that should sum to 1 do not.
    """

    log_start: np.ndarray
    log_transitions: np.ndarray
    log_end: np.ndarray

    def __post_init__(self):
        n = self.n_states
        if self.log_start.shape != (n,) or self.log_transitions.shape != (n, n) or self.log_end.shape != (n,):
            raise ValueError(
                f"Shapes (n,), (n, n) and (n,) were expected for start, transitions and end of n states, and "
                f"{self.log_start.shape}, {self.log_transitions.shape} and {self.log_end.shape} came."
            )
        sums = np.append(np.exp(self.log_transitions).sum(axis=1), np.exp(self.log_start).sum())
        if not np.allclose(sums, 1, atol=ROUNDING):
            raise ValueError(
                f"Probabilities that sum to 1 were expected, as logarithms, and they sum to {np.round(sums, 3)} "
                "(the transitions from each state, then the start)."
            )

    @property
    def n_states(self) -> int:
        return len(self.log_start)

    @classmethod
    def of(cls, start, transitions, end=None) -> "Chain":
        """A chain from plain probabilities; without ``end`` the walk may end anywhere."""
        with np.errstate(divide="ignore"):
            log_start, log_transitions = np.log(np.asarray(start, float)), np.log(np.asarray(transitions, float))
            log_end = np.zeros(len(log_start)) if end is None else np.log(np.asarray(end, float))
        return cls(log_start, log_transitions, log_end)

    @classmethod
    def left_right(cls, n_states: int, frames_per_state: float) -> "Chain":
        """A walk from the first state to the last that stays or goes one state on, and never back.

        Args:
            n_states: at least 1.
            frames_per_state: how long the walk stays in a state on average; above 1. The last state is left only when
                the word ends.

        Raises:
            ValueError: no state, or a stay of 1 frame or less.
        """
        if n_states < 1 or not frames_per_state > 1:
            raise ValueError(
                f"At least 1 state and more than 1 frame in each were expected; {n_states} states and "
                f"{frames_per_state} frames came."
            )
        stay = 1 - 1 / frames_per_state
        transitions = np.diag(np.full(n_states, stay)) + np.diag(np.full(n_states - 1, 1 - stay), k=1)
        transitions[-1, -1] = 1.0
        return cls.of(np.eye(n_states)[0], transitions, np.eye(n_states)[-1])
