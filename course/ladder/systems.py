"""The recognisers on the ladder, in the order of the lectures.

A module that makes a system is imported by name when the system runs: a page that shows the table of Lecture 3 does not
depend on the code of Lecture 6.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from course.errors import CourseError
from course.ladder.heldout import ALL, PROMPTS, READINGS, SEEN, UNSEEN, HeldOut, digit_training
from course.recordings import DIGITS, prompt_split


class Recogniser(Protocol):
    """What the ladder asks of a system."""

    name: str
    n_parameters: int
    train_seconds: float | None

    def recognise(self, signal, sample_rate: int) -> str:
        """The words of a recording, ``(n_samples,)`` float32 in [-1, 1]; empty if there are none."""


@dataclass(frozen=True)
class System:
    """A rung of the ladder.

    Attributes:
        id: short name, for files and commands.
        title: for tables.
        lecture: the number of the lecture that explains it.
        make: held-out set and fold to a recogniser that has learned from none of the fold's recordings.
        modules: of `course`, that it is made by; its records are out of date when they, or what they import, change.
        packages: whose versions its results depend on.
        sets: the held-out sets that it is tested on. Where it knows ten digits only, or has no texts to learn a domain
            from, the others are left out.
        data: files of `course`, as patterns, that it is made from.
        fits: whether each fold needs one of its own; else one recogniser serves them all, and known speakers are no
            other to it than new ones.
        slow: whether a build tests it only on the first of the clean recordings.
    """

    id: str
    title: str
    lecture: int
    make: Callable[[HeldOut, str], Recogniser]
    modules: tuple[str, ...]
    packages: tuple[str, ...]
    sets: tuple[HeldOut, ...]
    data: tuple[str, ...] = ()
    fits: bool = True
    slow: bool = False


# What the systems that know ten words are told: there is exactly one of them in a recording.
ONE_DIGIT = f"#JSGF V1.0; grammar digits; public <digit> = {' | '.join(DIGITS)} ;"


def _dtw(heldout: HeldOut, fold: str) -> Recogniser:
    return import_module("course.isolated").DtwRecogniser.fit(digit_training(heldout, fold))


def _gmm_hmm(heldout: HeldOut, fold: str) -> Recogniser:
    return import_module("course.isolated").GmmHmmRecogniser.fit(digit_training(heldout, fold))


def _gmm_hmm_altered(heldout: HeldOut, fold: str) -> Recogniser:
    rooms = import_module("course.augmentation").ROOMS
    return import_module("course.isolated").GmmHmmRecogniser.fit(digit_training(heldout, fold), alterations=rooms)


def _sphinx(heldout: HeldOut, fold: str) -> Recogniser:
    return import_module("course.sphinx").SphinxRecogniser.default()


def _sphinx_domain(heldout: HeldOut, fold: str) -> Recogniser:
    recogniser = import_module("course.sphinx").SphinxRecogniser
    if heldout is not PROMPTS:
        return recogniser.with_grammar(ONE_DIGIT)
    texts, _ = prompt_split()
    return recogniser.with_ngrams(import_module("course.ngrams").witten_bell(texts, 2))


def _ctc_greedy(heldout: HeldOut, fold: str) -> Recogniser:
    recogniser = import_module("course.acoustic.recogniser")
    return recogniser.CtcRecogniser.shipped(_held_out_speaker(fold), decoder=recogniser.by_best_path)


def _ctc_lexicon(heldout: HeldOut, fold: str) -> Recogniser:
    recogniser = import_module("course.acoustic.recogniser")
    decoder = recogniser.ByGrammar(language_model=_one_word)
    return recogniser.CtcRecogniser.shipped(_held_out_speaker(fold), decoder=decoder)


def _one_word(history: tuple, word: str | None) -> float:
    """Log probability of a word, or of the end, after others: any first word, and then the end."""
    return 0.0 if (word is None) == (len(history) == 1) else -math.inf


def _held_out_speaker(fold: str) -> str | None:
    return None if fold == ALL else fold


def _moonshine(heldout: HeldOut, fold: str) -> Recogniser:
    return import_module("course.moonshine").MoonshineRecogniser()


SYSTEMS = (
    System(
        id="dtw",
        title="DTW, 5 templates",
        lecture=3,
        make=_dtw,
        modules=("course.isolated",),
        packages=("numpy", "scipy", "numba"),
        sets=(SEEN, UNSEEN),
    ),
    System(
        id="gmm-hmm",
        title="GMM-HMM",
        lecture=3,
        make=_gmm_hmm,
        modules=("course.isolated",),
        packages=("numpy", "scipy", "numba"),
        sets=(SEEN, UNSEEN),
    ),
    System(
        id="gmm-hmm-altered",
        title="GMM-HMM, noise added",
        lecture=3,
        make=_gmm_hmm_altered,
        modules=("course.isolated", "course.augmentation"),
        packages=("numpy", "scipy", "numba", "soxr"),
        sets=(SEEN, UNSEEN),
    ),
    System(
        id="sphinx",
        title="PocketSphinx, general",
        lecture=4,
        make=_sphinx,
        modules=("course.sphinx",),
        packages=("numpy", "pocketsphinx", "soxr"),
        sets=(UNSEEN, PROMPTS, READINGS),
        fits=False,
        slow=True,
    ),
    System(
        id="sphinx-domain",
        title="PocketSphinx, domain",
        lecture=4,
        make=_sphinx_domain,
        modules=("course.sphinx", "course.ngrams"),
        packages=("numpy", "pocketsphinx", "soxr"),
        sets=(UNSEEN, PROMPTS),
        data=("manifests/asterisk-en.tsv",),
        fits=False,
    ),
    System(
        id="ctc-greedy",
        title="CTC, greedy",
        lecture=5,
        make=_ctc_greedy,
        modules=("course.acoustic.recogniser",),
        packages=("numpy", "torch"),
        sets=(SEEN, UNSEEN),
        data=("checkpoints/*seen*",),
    ),
    System(
        id="ctc-lexicon",
        title="CTC, ten words",
        lecture=5,
        make=_ctc_lexicon,
        modules=("course.acoustic.recogniser",),
        packages=("numpy", "torch"),
        sets=(SEEN, UNSEEN),
        data=("checkpoints/*seen*",),
    ),
    System(
        id="moonshine",
        title="Moonshine tiny",
        lecture=6,
        make=_moonshine,
        modules=("course.moonshine",),
        packages=("numpy", "onnxruntime", "soxr", "moonshine-voice"),
        sets=(UNSEEN, PROMPTS, READINGS),
        data=("manifests/moonshine-tiny-en.txt",),
        fits=False,
    ),
)


def system_named(name: str) -> System:
    """The system with this id.

    Raises:
        CourseError: there is none.
    """
    found = next((system for system in SYSTEMS if system.id == name), None)
    if found is None:
        raise CourseError(f"No system is called {name!r}; there are {', '.join(system.id for system in SYSTEMS)}.")
    return found
