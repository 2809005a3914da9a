"""Connectionist temporal classification, written out for reading (Lecture 5, *Sum over the alignments*)."""

from course.ctc.decoding import AnyLabels, Grammar, WordGrammar, greedy, prefix_beam, total_log_probability
from course.ctc.forced import Span, forced_alignment, spans, word_spans
from course.ctc.forward_backward import backward_scores, ctc_gradient, ctc_loss, forward_scores, occupancy
from course.ctc.lattice import (
    BLANK,
    collapse,
    count_ctc,
    count_hmm,
    count_transducer,
    every_alignment,
    frames_needed,
    may_skip,
    with_blanks,
)

__all__ = [
    "BLANK",
    "AnyLabels",
    "Grammar",
    "Span",
    "WordGrammar",
    "backward_scores",
    "collapse",
    "count_ctc",
    "count_hmm",
    "count_transducer",
    "ctc_gradient",
    "ctc_loss",
    "every_alignment",
    "forced_alignment",
    "forward_scores",
    "frames_needed",
    "greedy",
    "may_skip",
    "occupancy",
    "prefix_beam",
    "spans",
    "total_log_probability",
    "with_blanks",
    "word_spans",
]
