"""More data from a language model, in the manner of Self-Instruct, with what tells a good one from a copy (Lecture 8).

A model is shown a few seed records and asked for one more of the kind. Most of what it gives is a copy of a seed, a
copy of what it gave before, or no sentence at all. So every candidate has its provenance (seeds, prompt, model, random
seed), is refused for a named reason or accepted, and the whole is measured: how diverse it is, and whether the test set
is in it.

Each candidate is drawn by its own number, independently of the others: a thousand workers make the same candidates as
one. (Self-Instruct itself lets accepted ones into the pool of seeds; call :func:`candidates` again for another round.)

Sources: Y. Wang et al., Self-Instruct: Aligning Language Models with Self-Generated Instructions, ACL 2023, section 2
and its filter of similar instructions; J. Li et al., A Diversity-Promoting Objective Function for Neural Conversation
Models, NAACL 2016 (distinct-n).
"""

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from course.evaluation.contamination import OverlapIndex
from course.pipelines.cleaning import clean_turn, is_foreign, is_not_words
from course.pipelines.duplicates import Dropped, connected, jaccard, shingles, similar_pairs
from course.pipelines.records import SCHEMA_VERSION, Provenance, Record, Turn
from course.scoring import normalise

SHOWN = 3  # seeds in a prompt
LEAST_WORDS, MOST_WORDS = 3, 60
SIMILAR = 0.6  # from which similarity on a text is a copy
CONTAMINATED = 0.5  # share of a text's runs of words that test texts have
RUN = 4  # words
ASKING = "Things that customers say on the telephone to their bank, each on a line:\n"


class Generator(Protocol):
    """What continues a prompt: a language model, or something that stands for one."""

    @property
    def name(self) -> str:
        """Which model, for the provenance."""
        ...

    def generate(self, prompt: str, seed: int) -> str:
        """A continuation of the prompt, the same for the same seed."""
        ...


class TemplateGenerator:
    """Stands for a model where there is none: it crosses the seeds that the prompt shows, and often copies one.

    Args:
        copying: share of the continuations that repeat a seed, as weak models do.
    """

    name = "templates"

    def __init__(self, copying: float = 0.2):
        self.copying = copying

    def generate(self, prompt: str, seed: int) -> str:
        """The beginning of one line of the prompt with the end of another, or a copy of a line."""
        rng = random.Random(f"{seed} {prompt}")
        shown = [line.split(". ", 1)[1].split() for line in prompt.splitlines() if ". " in line and line[0].isdecimal()]
        if len(shown) < 2:
            return ""
        first, second = rng.sample(shown, 2)
        if rng.random() < self.copying:
            return " ".join(first)
        return " ".join(first[: rng.randint(1, len(first))] + second[rng.randrange(len(second)) :])


class LanguageModel:
    """SmolLM2-135M-Instruct (Lecture 7) as a generator; loading it takes PyTorch and a second.

    Args:
        temperature: of the sampling.
        longest: tokens of a continuation.

    Raises:
        CourseError: the model is not on this machine.
    """

    name = "SmolLM2-135M-Instruct"

    def __init__(self, temperature: float = 0.9, longest: int = 40):
        from course.language.pretrained import smollm, smollm_tokenizer
        from course.language.sampling import Sampler

        self.model, self.tokenizer = smollm(), smollm_tokenizer()
        self.sampler, self.longest = Sampler(temperature=temperature, top_p=0.95), longest

    def generate(self, prompt: str, seed: int) -> str:
        """Sampled tokens up to the end of the line."""
        import torch

        from course.language.generation import stream

        tokens, made = self.tokenizer.encode(prompt), []
        for token in stream(
            self.model, tokens, self.longest, self.sampler, generator=torch.Generator().manual_seed(seed)
        ):
            made.append(token)
            if "\n" in self.tokenizer.decode([token]) and self.tokenizer.decode(made).strip():
                break
        return self.tokenizer.decode(made)


class Diversity(NamedTuple):
    """How varied texts are."""

    distinct_1: float  # different words, as a share of all words
    distinct_2: float  # different pairs of words that follow each other
    copied: float  # mean over the texts of the largest similarity to a seed


def prompt_of(texts: Sequence[str]) -> str:
    """The numbered lines of the seeds, and the number of the one that is wanted."""
    lines = "".join(f"{number}. {text}\n" for number, text in enumerate(texts, 1))
    return f"{ASKING}{lines}{len(texts) + 1}."


def first_line(continuation: str) -> str:
    """What the model said before it began another line, as a clean turn."""
    lines = [line for line in continuation.splitlines() if line.strip()]
    return clean_turn(lines[0]).strip(" \"'-*") if lines else ""


def candidate(seeds: Sequence[Record], number: int, generator: Generator, seed: int = 0) -> Record:
    """One generated utterance with its provenance; whether it is any good is for :func:`refusal` to say.

    Args:
        seeds: utterances, at least one; which of them the prompt shows is drawn from ``seed`` and ``number``.
        number: of the candidate.
        generator: what is asked.
        seed: of the whole run.

    Raises:
        ValueError: no seeds.
    """
    if not seeds:
        raise ValueError("At least one seed was expected; a model that is shown nothing says anything.")
    ordered = sorted(seeds, key=lambda record: record.id)
    own_seed = int.from_bytes(hashlib.blake2b(f"{seed} {number}".encode(), digest_size=4).digest(), "big")
    shown = random.Random(own_seed).sample(ordered, min(SHOWN, len(ordered)))
    prompt = prompt_of([record.turns[0].text for record in shown])
    name = f"generated-{generator.name}-{seed}-{number}"
    return Record(
        schema_version=SCHEMA_VERSION,
        id=name,
        kind="utterance",
        conversation=name,
        turns=(Turn(role="caller", speaker=generator.name, text=first_line(generator.generate(prompt, own_seed))),),
        provenance=Provenance(
            source=generator.name,
            licence=" AND ".join(sorted({record.provenance.licence for record in shown})),
            origin="generated",
            parents=tuple(record.id for record in shown),
            prompt=prompt,
            model=generator.name,
            seed=own_seed,
        ),
    )


def candidates(seeds: Sequence[Record], n: int, generator: Generator, seed: int = 0) -> list[Record]:
    """``n`` candidates; the first do not depend on ``n``.

    Raises:
        ValueError: no seeds, or a negative ``n``.
    """
    if n < 0:
        raise ValueError(f"A number of candidates of 0 or more was expected and {n} came.")
    return [candidate(seeds, number, generator, seed) for number in range(n)]


class Refusals:
    """Why a candidate can't be taken, judged by itself against the seeds and the test set.

    Args:
        seeds: what the model was shown.
        test: texts on which somebody will measure.
    """

    def __init__(self, seeds: Iterable[Record], test: Iterable[str]):
        self.seeds = [shingles(record.text, 2) for record in seeds]
        self.test = OverlapIndex(test, RUN)

    def reason(self, record: Record) -> str | None:
        """Why not, or None."""
        words = normalise(record.text).split()
        if len(words) < LEAST_WORDS:
            return "too short"
        if len(words) > MOST_WORDS:
            return "too long"
        if is_not_words(record) or is_foreign(record):
            return "no English sentence"
        if self.similarity(record) >= SIMILAR:
            return "copy of a seed"
        return "in the test set" if self.test.share(record.text) >= CONTAMINATED else None

    def similarity(self, record: Record) -> float:
        """The largest similarity to a seed, of the pairs of words; 0 if there is no seed."""
        own = shingles(record.text, 2)
        return max((jaccard(own, seed) for seed in self.seeds), default=0.0)


def accepted(made: Iterable[Record], refusals: Refusals) -> tuple[list[Record], list[Dropped]]:
    """The candidates to keep, sorted by id, and the others with the reason; in whatever order they come.

    Of candidates that are nearly the same, the one with the smallest id stays.
    """
    fit, dropped = [], []
    for record in sorted(made, key=lambda record: record.id):
        reason = refusals.reason(record)
        if reason:
            dropped.append(Dropped(record.id, "generated", reason))
        else:
            fit.append(record)
    same = connected(similar_pairs({record.id: shingles(record.text, 2) for record in fit}, SIMILAR))
    kept = [record for record in fit if same.get(record.id, record.id) == record.id]
    dropped += [Dropped(r.id, "generated", "copy of another") for r in fit if same.get(r.id, r.id) != r.id]
    return kept, sorted(dropped)


def distinct(texts: Iterable[str], n: int) -> float:
    """Different runs of ``n`` words as a share of all; it falls with the number of texts, so compare equal numbers.

    Raises:
        ValueError: ``n`` is below 1, or no text has ``n`` words.
    """
    if n < 1:
        raise ValueError(f"Runs of at least one word were expected and {n} came.")
    lists = [normalise(text).split() for text in texts]
    runs = Counter(tuple(words[start : start + n]) for words in lists for start in range(len(words) - n + 1))
    if not runs:
        raise ValueError(f"At least one text of {n} words was expected.")
    return len(runs) / runs.total()


def diversity(records: Sequence[Record], refusals: Refusals) -> Diversity:
    """How varied records are, and how close to the seeds.

    Raises:
        ValueError: no records, or only records of one word.
    """
    texts = [record.text for record in records]
    copied = [refusals.similarity(record) for record in records]
    return Diversity(distinct(texts, 1), distinct(texts, 2), sum(copied) / max(len(copied), 1))
