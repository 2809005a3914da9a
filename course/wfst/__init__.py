"""Weighted transducers and the recogniser as a composition of four of them (Lecture 4, *Decoding*).

``graph`` and ``semiring`` say what a transducer is; ``composition`` multiplies two; ``optimisation`` makes one smaller
without changing what it says; ``paths`` finds the best path, all, or a random one; ``speech`` builds grammar, lexicon,
phone contexts and hidden Markov models as graphs; ``drawing`` shows them.
"""

from course.wfst.composition import compose
from course.wfst.graph import EPSILON, Arc, Wfst, linear, trimmed, union
from course.wfst.optimisation import determinised, minimised, pushed, within, without_epsilons
from course.wfst.paths import Path, all_paths, best_paths, distances_to_end, random_path, shortest_path, total_weight
from course.wfst.semiring import LOG, TROPICAL, Semiring

__all__ = [
    "EPSILON",
    "LOG",
    "TROPICAL",
    "Arc",
    "Path",
    "Semiring",
    "Wfst",
    "all_paths",
    "best_paths",
    "compose",
    "determinised",
    "distances_to_end",
    "linear",
    "minimised",
    "pushed",
    "random_path",
    "shortest_path",
    "total_weight",
    "trimmed",
    "union",
    "within",
    "without_epsilons",
]
