"""PocketSphinx: a recogniser of 2006 that fits into a telephone, with a language model of our choice (Lecture 4).

Acoustic model (16 kHz, US English), dictionary (CMUdict) and default trigram model come with the package. Telephone
speech is brought to 16 kHz first: the models have never heard a band that ends at 4 kHz, which is part of what they get
wrong.

Source: D. Huggins-Daines et al., PocketSphinx: a free, real-time continuous speech recognition system for hand-held
devices, ICASSP 2006.
"""

import re
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from course.errors import CourseError
from course.ngrams import BackOffModel, write_arpa
from course.recordings import DIGITS
from course.sampling import as_signal, check_sample_rate

RATE = 16_000  # Hz, what the acoustic model was trained on
DIGIT_GRAMMAR = f"#JSGF V1.0; grammar digits; public <digits> = ( {' | '.join(DIGITS)} )+ ;"


class SphinxRecogniser:
    """PocketSphinx as a recogniser of the course; make one with :meth:`default`, :meth:`with_ngrams` or
    :meth:`with_grammar`.

    Attributes:
        name: for tables.
        train_seconds: None: the acoustic model came trained.
    """

    train_seconds = None

    def __init__(self, decoder, name: str):
        self.name, self._decoder = name, decoder

    @classmethod
    def default(cls) -> "SphinxRecogniser":
        """With the general trigram model that comes with it."""
        return cls(_decoder(), "PocketSphinx, general trigrams")

    @classmethod
    def with_ngrams(cls, model: BackOffModel, name: str = "PocketSphinx, domain bigrams") -> "SphinxRecogniser":
        """With a model of ours, handed over as an ARPA file, and those words of the dictionary that the model knows.

        Words of the model that the dictionary lacks are never recognised.

        Raises:
            CourseError: none of the model's words is in the dictionary.
        """
        ways = {word: dictionary()[word] for word in model.vocabulary if word in dictionary()}
        if not ways:
            raise CourseError(
                "A model with English words in lower case was expected; the dictionary has none of its words."
            )
        with tempfile.TemporaryDirectory() as folder:
            lm, words = Path(folder, "model.arpa"), Path(folder, "words.dict")
            write_arpa(model, lm)
            words.write_text(
                "".join(_entries(ways)), encoding="utf-8"
            )  # with the whole dictionary it takes 9 s to load
            return cls(_decoder(lm=str(lm), dict=str(words)), name)

    @classmethod
    def with_grammar(cls, grammar: str = DIGIT_GRAMMAR, name: str = "PocketSphinx, digits only") -> "SphinxRecogniser":
        """With a grammar in the Java Speech Grammar Format; without one, any string of digits.

        Raises:
            CourseError: a grammar that cannot be read, or with a word that the dictionary lacks.
        """
        decoder = _decoder(lm=None)
        try:
            decoder.add_jsgf_string("grammar", grammar)
            decoder.activate_search("grammar")
        except (RuntimeError, ValueError) as error:
            raise CourseError(
                f"A grammar in JSGF with words of the dictionary was expected, and PocketSphinx refused this: {error}."
            ) from error
        return cls(decoder, name)

    @property
    def n_parameters(self) -> int:
        """Means, variances and mixture weights of the acoustic model, from the sizes of its files."""
        folder = _model_path() / "en-us"
        floats = sum((folder / name).stat().st_size for name in ("means", "variances")) // 4
        return floats + (folder / "sendump").stat().st_size

    def recognise(self, signal, sample_rate: float) -> str:
        """The words that were said, lower case; empty where it hears none.

        Args:
            signal: ``(n_samples,)`` in [-1, 1].
            sample_rate: Hz; anything but 16,000 is resampled.

        Raises:
            TypeError, ValueError: no signal (see :func:`course.sampling.as_signal`).
        """
        samples = _pcm(signal, sample_rate)
        if not any(samples):
            return ""  # digital silence, of which it would make words
        self._decoder.start_utt()
        self._decoder.process_raw(samples, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return re.sub(r"\(\d+\)", "", found.hypstr).strip() if found else ""


@cache
def dictionary() -> dict[str, tuple[str, ...]]:
    """CMUdict as PocketSphinx has it: word to its pronunciations, each of them phones joined by spaces."""
    ways: dict[str, list[str]] = {}
    for line in (_model_path() / "cmudict-en-us.dict").read_text(encoding="utf-8").splitlines():
        word, _, phones = line.partition(" ")
        ways.setdefault(re.sub(r"\(\d+\)$", "", word), []).append(phones.strip())
    return {word: tuple(dict.fromkeys(phones)) for word, phones in ways.items() if word}


def _entries(ways: dict[str, tuple[str, ...]]):
    """Lines of a dictionary file; second and further pronunciations are numbered: to, to(2), to(3)."""
    for word, pronunciations in ways.items():
        for i, phones in enumerate(pronunciations, start=1):
            yield f"{word} {phones}\n" if i == 1 else f"{word}({i}) {phones}\n"


def _pcm(signal, sample_rate: float) -> bytes:
    import soxr

    samples = as_signal(signal)
    check_sample_rate(sample_rate)
    if sample_rate != RATE:
        samples = soxr.resample(samples, sample_rate, RATE)
    return (np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes()


def _model_path() -> Path:
    return Path(_package().get_model_path("en-us"))


def _decoder(**options):
    return _package().Decoder(samprate=RATE, loglevel="FATAL", **options)


def _package():
    try:
        import pocketsphinx
    except ImportError as error:
        raise CourseError(
            "PocketSphinx was expected in the environment and is not there. Run 'make course', or pip install "
            "pocketsphinx==5.1.1."
        ) from error
    return pocketsphinx
