"""The two ways to add up paths (Lecture 4): keep the best one, or all of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

ZERO = math.inf  # the weight of no path at all; along a path weights are added, and an empty path weighs 0


@dataclass(frozen=True)
class Semiring:
    """Weights are costs: negative natural logarithms of probabilities. Along a path they add.

    Attributes:
        name: as messages call it.
        plus: joins the weights of alternative paths.
    """

    name: str
    plus: Callable[[float, float], float]

    def sum(self, weights) -> float:
        """The joint weight of any number of alternatives; ``ZERO`` of none."""
        total = ZERO
        for weight in weights:
            total = self.plus(total, weight)
        return total


def _log_plus(a: float, b: float) -> float:
    low, high = min(a, b), max(a, b)
    return low if high == ZERO else low - math.log1p(math.exp(low - high))


TROPICAL = Semiring("tropical", min)  # the better alternative counts: shortest paths, Viterbi
LOG = Semiring("log", _log_plus)  # probabilities of alternatives add: the forward algorithm
