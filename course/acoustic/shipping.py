"""How the shipped checkpoints come about: train, score on held-out strings, write with the facts (Lecture 5)."""

import json
import platform
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from course.acoustic.adaptation import STEPS as ADAPTATION_STEPS
from course.acoustic.adaptation import adapted, balancing, labelled, word_scores
from course.acoustic.alphabet import Alphabet
from course.acoustic.augmentation import BENT, NOISY, PLAIN
from course.acoustic.checkpoints import LICENCE, SEEN, fingerprint, load_network, save
from course.acoustic.evaluation import levelled, random_strings, rate, word_errors
from course.acoustic.heads import AttentionHead, TransducerHead, train_head
from course.acoustic.network import WIDTH, CtcNetwork, count_parameters
from course.acoustic.recogniser import ByGrammar, by_beam, by_best_path, log_probs
from course.acoustic.synthetic_voices import synthetic_voices
from course.acoustic.training import STEPS, train
from course.recordings import DIGITS, Recording, seen_split, unseen_splits
from course.storage import write_atomic

CHANGES = {"noisy": NOISY, "plain": PLAIN, "bent": BENT}
AS_SHIPPED = "noisy"
N_STRINGS = 300
N_HEARD = 150  # digits of a new speaker that nobody transcribes: thirty account numbers of five
HEAD_STEPS = {"transducer": 1_000, "attention": 1_000}
HEADS = {"transducer": TransducerHead, "attention": AttentionHead}


def train_digits(
    held_out: str | None,
    folder: Path,
    steps: int | None = None,
    seed: int = 0,
    changes: str = AS_SHIPPED,
    recorded_only: bool = False,
    say: Callable[[str], None] = print,
) -> None:
    """Train the network for one split, and its heads if it heard all speakers; write checkpoints and facts.

    Args:
        held_out: speaker whom training does not hear, or None.
        folder: for the files.
        steps: of the CTC training; as shipped if None.
        seed: of everything that is drawn.
        changes: "noisy" as shipped, "plain" for none at all, or "bent" for more.
        recorded_only: train without synthetic voices.
        say: shows a line of progress.
    """
    training, testing = seen_split() if held_out is None else unseen_splits()[held_out]
    variant = ("" if changes == AS_SHIPPED else f"-{changes}") + ("-recorded-only" if recorded_only else "")
    name = (SEEN if held_out is None else f"unseen-{held_out}") + variant
    steps, voices = steps or STEPS, () if recorded_only else synthetic_voices()
    for progress in train(training, steps, seed, CHANGES[changes], voices=voices):
        if progress.step % 100 == 0 or progress.step == steps:
            say(f"{name}: step {progress.step}, {progress.loss:.2f} nats a string, {progress.cpu_seconds:.0f} CPU-s")
    network, alphabet = progress.network, progress.alphabet
    facts = known_facts(training, alphabet, steps, seed, progress.cpu_seconds)
    facts |= {"parameters": count_parameters(network), "changes": changes, "synthetic": len(voices)}
    facts["scores"] = scores(network, alphabet, random_strings(levelled(testing), N_STRINGS))
    say(f"{name}: " + ", ".join(f"{reading} {found['wer']:.1f} %" for reading, found in facts["scores"].items()))
    save(network, facts, name, folder)
    if held_out is None and not variant:
        for kind in HEADS:
            _train_head(kind, network.half().float(), alphabet, training, folder, seed, say)


def _train_head(kind, network: CtcNetwork, alphabet: Alphabet, training, folder: Path, seed: int, say) -> None:
    torch.manual_seed(seed)
    head, start = HEADS[kind](len(alphabet)), time.process_time()
    for step, loss in train_head(head, network.encoder.eval(), alphabet, training, HEAD_STEPS[kind], seed):
        if step % 50 == 0:
            say(f"{kind}: step {step}, {loss:.2f} nats a string")
    facts = known_facts(training, alphabet, HEAD_STEPS[kind], seed, time.process_time() - start)
    save(head, facts | {"parameters": count_parameters(head), "encoder": SEEN}, f"{SEEN}-{kind}", folder)


def known_facts(training, alphabet: Alphabet, steps: int, seed: int, cpu_seconds: float) -> dict:
    """What anybody needs to know about a checkpoint, or to train it again."""
    return {
        "alphabet": alphabet.characters,
        "width": WIDTH,
        "steps": steps,
        "seed": seed,
        "cpu_seconds": round(cpu_seconds, 1),
        "machine": f"one thread of {platform.machine()}, torch {torch.__version__.partition('+')[0]}",
        "recordings": len(training),
        "recordings_sha256": fingerprint(training),
        "recorded": all(recording.recorded for recording in training),
        "licence": LICENCE,
    }


def scores(network: CtcNetwork, alphabet: Alphabet, strings) -> dict[str, dict]:
    """Word error rates with intervals of the ways to read a network, and the errors and words of every string."""
    said = [log_probs(network, string.signal, string.sample_rate) for string in strings]
    bigram = ByGrammar(DIGITS, digit_bigram())
    readings = {"greedy": by_best_path, "beam": by_beam, "lexicon": ByGrammar(DIGITS), "lexicon and bigram": bigram}
    found = {}
    for name, decoder in readings.items():
        found[name] = _counted(*word_errors(strings, [decoder(frames, alphabet) for frames in said]))
    return found


def _counted(errors: np.ndarray, words: np.ndarray) -> dict:
    found = {key: round(value, 2) for key, value in rate(errors, words).items()}
    return found | {"errors": " ".join(map(str, errors)), "words": " ".join(map(str, words))}


def digit_bigram(n_strings: int = 1_000, seed: int = 0) -> Callable:
    """A bigram of digit strings of three to seven, from texts drawn at random; see :class:`course.ctc.WordGrammar`."""
    from course.ngrams import END, START, add_k

    rng = np.random.default_rng(seed)
    texts = [rng.choice(DIGITS, size=rng.integers(3, 8)).tolist() for _ in range(n_strings)]
    model = add_k(texts, 2, vocabulary=DIGITS)
    return lambda history, word: model.log_prob(word or END, (START, *history))


def adapt_digits(
    speaker: str, folder: Path, steps: int = ADAPTATION_STEPS, seed: int = 0, say: Callable[[str], None] = print
) -> None:
    """Let the network that never heard a speaker learn from his calls without transcripts; write how it then scores.

    Twice: it hears digits of one half of the takes and is tested on strings of the other half. Three ways are compared
    on the same strings, all read by lexicon and bigram: as shipped, with an offset for each word, and after learning.

    Args:
        speaker: whom training did not hear.
        folder: for ``unseen-SPEAKER-adapted.json``.
        steps: of learning.
        seed: of everything that is drawn.
        say: shows a line of progress.
    """
    network, alphabet = load_network(f"unseen-{speaker}")
    others, own = unseen_splits()[speaker]
    counts, right, start = defaultdict(list), [], time.process_time()
    for half in (0, 1):
        heard = _random_digits(levelled(own[half::2]), seed + half)
        strings = random_strings(levelled(own[1 - half :: 2]), N_STRINGS // 2, seed=2026 + half)
        own_answers = labelled(network, alphabet, heard)
        right += [one.text == other.text for one, other in zip(own_answers, heard, strict=True)]
        learner = adapted(network, alphabet, heard, others, steps, seed + half)
        offsets = balancing(word_scores(network, alphabet, heard))
        for name, module, bonus in (
            ("as shipped", network, np.zeros(len(DIGITS))),
            ("offsets", network, offsets),
            ("adapted", learner, np.zeros(len(DIGITS))),
        ):
            read = ByGrammar(DIGITS, _with_offsets(digit_bigram(), bonus))
            said = [read(log_probs(module, string.signal, string.sample_rate), alphabet) for string in strings]
            counts[name].append(word_errors(strings, said))
    facts = known_facts(others, alphabet, steps, seed, time.process_time() - start)
    facts |= {"heard": N_HEARD, "labels_right": float(np.mean(right))}
    facts["scores"] = {name: _counted(*map(np.concatenate, zip(*found, strict=True))) for name, found in counts.items()}
    say(f"{speaker}: " + ", ".join(f"{name} {found['wer']:.1f} %" for name, found in facts["scores"].items()))
    text = json.dumps(facts, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    write_atomic(folder / f"unseen-{speaker}-adapted.json", text)


def _random_digits(recordings: list[Recording], seed: int) -> list[Recording]:
    """``N_HEARD`` recordings of digits drawn as those of random numbers: about equally often, not exactly."""
    rng = np.random.default_rng(seed)
    takes = {word: [one for one in recordings if one.text == word] for word in DIGITS}
    return [takes[word][rng.integers(len(takes[word]))] for word in rng.choice(DIGITS, N_HEARD)]


def _with_offsets(language_model: Callable, offsets: np.ndarray) -> Callable:
    """A language model in which each word also has its offset, in nats."""
    by_word = dict(zip(DIGITS, offsets.tolist(), strict=True))
    return lambda history, word: language_model(history, word) + by_word.get(word, 0.0)
