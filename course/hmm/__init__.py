"""Hidden Markov models whose states emit Gaussian mixtures, in log space (Lecture 3, *Alignment*).

A model walks through its states, one step a frame, and in each frame the state that it is in emits a vector of
features. The states are hidden; the frames are seen. Four questions, four functions:

- how likely are the frames, whatever the path? :func:`forward`, or :meth:`Hmm.log_likelihood`;
- which path explains them best? :func:`viterbi`, or :meth:`Hmm.best_path`;
- which state was it at each moment, given all frames? :func:`occupancy`, with :func:`backward`;
- which model makes many recordings of a word likely? :func:`baum_welch`.

All probabilities are natural logarithms: the plain ones of one second of speech are too small for a float64.

Source: L. R. Rabiner, A tutorial on hidden Markov models and selected applications in speech recognition, Proceedings
of the IEEE 77 (1989).
"""

from course.hmm.chain import Chain
from course.hmm.lattice import Occupancy, backward, forward, log_sum_exp, occupancy, total, viterbi
from course.hmm.mixtures import Mixtures
from course.hmm.model import Hmm
from course.hmm.training import Training, baum_welch, first_guess, uniform_states

__all__ = [
    "Chain",
    "Hmm",
    "Mixtures",
    "Occupancy",
    "Training",
    "backward",
    "baum_welch",
    "first_guess",
    "forward",
    "log_sum_exp",
    "occupancy",
    "total",
    "uniform_states",
    "viterbi",
]
