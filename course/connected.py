"""Words in a row: the hidden Markov models of Lecture 3 as the H of a decoder (Lecture 4, *Decoding*).

One model a word, and one state for the silence between words. They are trained on strings whose boundaries are known,
because we joined them ourselves, so that the features are normalised over a whole string as they will be in use.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from course.decoding import Decoding, SearchGraph, decode
from course.hmm import Hmm, baum_welch, first_guess
from course.isolated import word_features
from course.recordings import DIGITS, N_TAKES, Recording, digit_string, digits
from course.sampling import as_signal
from course.wfst import EPSILON, Wfst, compose, without_epsilons
from course.wfst.speech import SILENCE, add_chain

HOP = 0.01  # seconds from frame to frame
PAUSE = 0.12  # seconds between the words of training strings


@dataclass(frozen=True)
class WordModels:
    """Models of words and of silence, and the names of all their states.

    Attributes:
        models: word to its model; ``SILENCE`` has one, too.
    """

    models: dict[str, Hmm]

    @classmethod
    def fit(
        cls, recordings: Iterable[Recording], n_states: int = 8, n_mixtures: int = 4, n_rounds: int = 4, channel=None
    ) -> "WordModels":
        """Train on recordings of single words, joined to strings of five of one speaker.

        Args:
            recordings: of one word each, its text.
            channel: what each string goes through, from Recording to Recording, for example noise.

        Raises:
            ValueError: no recordings, or too few of a word for so many states and Gaussians.
        """
        pieces = _training_pieces(recordings, channel or (lambda recording: recording))
        if not pieces[SILENCE]:
            raise ValueError("Recordings of single words were expected to train on, and none came. Try digits().")
        models = {}
        for word, sequences in sorted(pieces.items()):
            states = 1 if word == SILENCE else n_states
            long_enough = [frames for frames in sequences if len(frames) >= states]
            guess = first_guess(long_enough, states, n_mixtures, variance_floor=0.05)
            models[word] = baum_welch(guess, long_enough, n_rounds, variance_floor=0.05).hmm
        return cls(models)

    @property
    def words(self) -> tuple[str, ...]:
        """The words, without silence."""
        return tuple(word for word in self.models if word != SILENCE)

    @property
    def units(self) -> tuple[str, ...]:
        """Names of all states, in the order of the columns of :meth:`log_likelihoods`."""
        return tuple(f"{word}.{i}" for word, model in self.models.items() for i in range(model.chain.n_states))

    @property
    def n_parameters(self) -> int:
        """Numbers that training sets freely."""
        return sum(model.n_parameters for model in self.models.values())

    def log_likelihoods(self, signal, sample_rate: float) -> np.ndarray:
        """How well each state fits each frame: ``(n_frames, n_units)``, natural logarithms.

        Raises:
            TypeError, ValueError: see :func:`course.isolated.word_features`.
        """
        frames = word_features(signal, sample_rate)
        return np.hstack([model.mixtures.log_likelihoods(frames) for model in self.models.values()])

    def graph(self) -> Wfst:
        """H: reads states, writes words; silence may come between words, before and after, and writes nothing."""
        graph = Wfst()
        graph.set_final(graph.add_state())
        for word, model in self.models.items():
            stay = np.minimum(np.diag(model.chain.log_transitions), np.log(0.99))
            leave = np.log1p(-np.exp(stay))
            units = [f"{word}.{i}" for i in range(model.chain.n_states)]
            add_chain(graph, units, EPSILON if word == SILENCE else word, -stay, -leave)
        return graph

    def search_graph(self, grammar: Wfst) -> SearchGraph:
        """``H o G``, without epsilons, ready for :func:`course.decoding.decode`."""
        return SearchGraph(without_epsilons(compose(self.graph(), grammar)), self.units)


@dataclass(frozen=True)
class ConnectedRecogniser:
    """Recognises strings of the words that its grammar allows.

    Attributes:
        models: what the words sound like.
        search: the composed graph.
        beam: cost above the best at which a hypothesis is given up.
    """

    models: WordModels
    search: SearchGraph
    beam: float = 300.0
    train_seconds: float | None = None
    name: str = "connected GMM-HMM"

    @property
    def n_parameters(self) -> int:
        return self.models.n_parameters

    def decode(self, signal, sample_rate: float) -> Decoding:
        """The best hypothesis with its cost and what the search took."""
        return decode(self.search, self.models.log_likelihoods(signal, sample_rate), self.beam)

    def recognise(self, signal, sample_rate: float) -> str:
        """The words; empty for digital silence, or where no path of the grammar fits.

        Raises:
            TypeError, ValueError: see :func:`course.isolated.word_features`.
        """
        return self.decode(signal, sample_rate).words if as_signal(signal).any() else ""


def say_number(number: str, speaker: str, rng: np.random.Generator) -> Recording:
    """A number said digit by digit: recordings of one speaker, a random take of each digit, joined.

    Args:
        number: decimal digits, for example "4170936".
        speaker: one of :data:`course.recordings.SPEAKERS`.
        rng: draws the takes.

    Raises:
        ValueError: no digits, or something else among them.
    """
    if not (number.isascii() and number.isdecimal()):
        raise ValueError(f"A number written in the digits 0 to 9 was expected and {number!r} came.")
    takes = rng.integers(N_TAKES, size=len(number)).tolist()
    pieces = [digits((speaker,), (take,), (DIGITS[int(d)],))[0] for d, take in zip(number, takes, strict=True)]
    return digit_string(pieces)


def spelled(number: str) -> str:
    """The words of a number said digit by digit."""
    return " ".join(DIGITS[int(digit)] for digit in number)


def strings_of_five(recordings: Iterable[Recording]) -> list[list[Recording]]:
    """Recordings of one speaker in groups of five, in a fixed random order."""
    by_speaker: dict[str, list[Recording]] = defaultdict(list)
    for recording in recordings:
        by_speaker[recording.speaker].append(recording)
    groups = []
    for speaker in by_speaker.values():
        order = np.random.default_rng(len(speaker)).permutation(len(speaker))
        shuffled = [speaker[i] for i in order]
        groups += [shuffled[i : i + 5] for i in range(0, len(shuffled), 5)]
    return groups


def _training_pieces(recordings: Iterable[Recording], channel) -> dict[str, list[np.ndarray]]:
    """Word to the frames of each of its occurrences in the strings."""
    pieces: dict[str, list[np.ndarray]] = defaultdict(list)
    for group in strings_of_five(recordings):
        string = digit_string(group, gap=(PAUSE, PAUSE))
        heard = channel(string)
        frames, end = word_features(heard.signal, heard.sample_rate), 0.0
        for recording in group:
            begin = end + PAUSE
            pieces[SILENCE].append(frames[_frame(end) : _frame(begin)])
            end = begin + recording.seconds
            pieces[recording.text].append(frames[_frame(begin) : _frame(end)])
    return pieces


def _frame(seconds: float) -> int:
    return round(seconds / HOP)
