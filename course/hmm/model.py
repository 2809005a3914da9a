"""A hidden walk together with what its states say (Lecture 3)."""

from dataclasses import dataclass

import numpy as np

from course.hmm.chain import Chain
from course.hmm.lattice import Occupancy, forward, occupancy, total, viterbi
from course.hmm.mixtures import Mixtures


@dataclass(frozen=True)
class Hmm:
    """A model of one word, or of anything else that runs in stages.

    Raises:
        ValueError: chain and mixtures differ in their number of states.
    """

    chain: Chain
    mixtures: Mixtures

    def __post_init__(self):
        if self.chain.n_states != len(self.mixtures.means):
            raise ValueError(
                f"As many mixtures as states were expected: {self.chain.n_states} states and "
                f"{len(self.mixtures.means)} mixtures came."
            )

    @property
    def n_parameters(self) -> int:
        """Numbers that training sets freely, counting only transitions that the chain permits."""
        permitted = np.isfinite(self.chain.log_transitions).sum() - self.chain.n_states
        return self.mixtures.n_parameters + int(permitted)

    def log_likelihood(self, frames) -> float:
        """Log density of the frames ``(n_frames, n_features)``, summed over all paths; ``-inf`` if no path fits."""
        return total(self.chain, forward(self.chain, self.mixtures.log_likelihoods(frames)))

    def best_path(self, frames) -> tuple[float, np.ndarray]:
        """Log density of the frames along the best path, and its states ``(n_frames,)``; see :func:`viterbi`."""
        return viterbi(self.chain, self.mixtures.log_likelihoods(frames))

    def occupancy(self, frames) -> Occupancy:
        """Where the walk was at each frame; see :func:`occupancy`."""
        return occupancy(self.chain, self.mixtures.log_likelihoods(frames))
