"""What a state says: mixtures of Gaussians with diagonal covariances (Lecture 3)."""

from dataclasses import dataclass

import numpy as np

from course.alignment import as_frames
from course.hmm.lattice import log_sum_exp


@dataclass(frozen=True)
class Mixtures:
    """For each state a weighted sum of Gaussians whose features vary independently of one another.

    Attributes:
        log_weights: ``(n_states, n_mixtures)`` natural logarithms; the weights of a state sum to 1.
        means: ``(n_states, n_mixtures, n_features)``, in the features' unit.
        variances: like ``means``, in its square; above 0.

    Raises:
        ValueError: the shapes do not fit together, or a variance is not above 0.
    """

    log_weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray

    def __post_init__(self):
        shape = self.means.shape
        if len(shape) != 3 or self.variances.shape != shape or self.log_weights.shape != shape[:2]:
            raise ValueError(
                "Means and variances of shape (n_states, n_mixtures, n_features) and weights without the last axis "
                f"were expected; {shape}, {self.variances.shape} and {self.log_weights.shape} came."
            )
        if not (self.variances > 0).all():
            raise ValueError(
                f"Variances above 0 were expected and the smallest is {self.variances.min()}. A floor keeps a Gaussian "
                "from closing in on a single frame."
            )

    @property
    def n_parameters(self) -> int:
        """Numbers that training sets freely: the weights of a state sum to 1, so that one of them follows."""
        n_states, n_mixtures, _ = self.means.shape
        return self.means.size + self.variances.size + n_states * (n_mixtures - 1)

    def log_components(self, frames) -> np.ndarray:
        """Log of weight times density of each Gaussian at each frame.

        Args:
            frames: ``(n_frames, n_features)``.

        Returns:
            ``(n_frames, n_states, n_mixtures)`` float64.

        Raises:
            TypeError, ValueError: see :func:`course.alignment.as_frames`; or another number of features.
        """
        frames = as_frames(frames)
        n_features = self.means.shape[2]
        if frames.shape[1] != n_features:
            raise ValueError(
                f"Frames of {n_features} features were expected and {frames.shape[1]} came. "
                "Use the front end that the model was trained with."
            )
        means, precisions = self.means.reshape(-1, n_features), 1 / self.variances.reshape(-1, n_features)
        # The squares of (x - mean) / deviation, multiplied out so that two products of matrices do the work.
        squares = frames**2 @ precisions.T - 2 * frames @ (means * precisions).T + np.sum(means**2 * precisions, axis=1)
        scale = np.sum(np.log(2 * np.pi * self.variances), axis=2)
        return self.log_weights - 0.5 * (scale + squares.reshape(len(frames), *self.log_weights.shape))

    def log_likelihoods(self, frames) -> np.ndarray:
        """Log density of each frame in each state: ``(n_frames, n_states)``, see :meth:`log_components`."""
        return log_sum_exp(self.log_components(frames), axis=2)
