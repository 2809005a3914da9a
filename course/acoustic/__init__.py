"""A small acoustic network for digit strings, its training and its checkpoints (Lecture 5)."""

from course.acoustic.alphabet import BLANK, Alphabet, alphabet_of
from course.acoustic.augmentation import BENT, NOISY, PLAIN, Augmentation
from course.acoustic.checkpoints import facts_of, load_into, load_network
from course.acoustic.evaluation import levelled, random_strings, rate, score, word_errors
from course.acoustic.heads import AttentionHead, TransducerHead, encoded_frames
from course.acoustic.network import STEP_SECONDS, CtcNetwork, count_parameters
from course.acoustic.recogniser import ByGrammar, CtcRecogniser, by_beam, by_best_path, log_probs
from course.acoustic.training import Progress, train

__all__ = [
    "BENT",
    "BLANK",
    "NOISY",
    "PLAIN",
    "STEP_SECONDS",
    "Alphabet",
    "AttentionHead",
    "Augmentation",
    "ByGrammar",
    "CtcNetwork",
    "CtcRecogniser",
    "Progress",
    "TransducerHead",
    "alphabet_of",
    "by_beam",
    "by_best_path",
    "count_parameters",
    "encoded_frames",
    "facts_of",
    "levelled",
    "load_into",
    "load_network",
    "log_probs",
    "random_strings",
    "rate",
    "score",
    "train",
    "word_errors",
]
