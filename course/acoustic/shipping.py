"""How the shipped checkpoints come about: train, score on held-out strings, write with the facts (Lecture 5)."""

import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from course.acoustic.alphabet import Alphabet
from course.acoustic.augmentation import BENT, NOISY, PLAIN
from course.acoustic.checkpoints import LICENCE, SEEN, fingerprint, save
from course.acoustic.evaluation import levelled, random_strings, rate, word_errors
from course.acoustic.heads import AttentionHead, TransducerHead, train_head
from course.acoustic.network import WIDTH, CtcNetwork, count_parameters
from course.acoustic.recogniser import ByGrammar, by_beam, by_best_path, log_probs
from course.acoustic.synthetic_voices import synthetic_voices
from course.acoustic.training import STEPS, train
from course.recordings import DIGITS, seen_split, unseen_splits

CHANGES = {"noisy": NOISY, "plain": PLAIN, "bent": BENT}
AS_SHIPPED = "noisy"
N_STRINGS = 300
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
        errors, words = word_errors(strings, [decoder(frames, alphabet) for frames in said])
        found[name] = {key: round(value, 2) for key, value in rate(errors, words).items()}
        found[name] |= {"errors": " ".join(map(str, errors)), "words": " ".join(map(str, words))}
    return found


def digit_bigram(n_strings: int = 1_000, seed: int = 0) -> Callable:
    """A bigram of digit strings of three to seven, from texts drawn at random; see :class:`course.ctc.WordGrammar`."""
    from course.ngrams import END, START, add_k

    rng = np.random.default_rng(seed)
    texts = [rng.choice(DIGITS, size=rng.integers(3, 8)).tolist() for _ in range(n_strings)]
    model = add_k(texts, 2, vocabulary=DIGITS)
    return lambda history, word: model.log_prob(word or END, (START, *history))
