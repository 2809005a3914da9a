"""Pairs of call summaries, and SmolLM2 as their judge (Lecture 9, experiment 9)."""

from collections.abc import Sequence

import numpy as np

from course.errors import CourseError
from course.evaluation.judge import Judge, Pair
from course.evaluation.prompts import Wording, word_log_probs
from course.language.calls import Call
from course.language.model import Llama
from course.language.pretrained import smollm_tokenizer

ASKED = Wording("judge", "Which summary of the call is better, A or B?\n\n", "\nThe better summary is")
SHOWN = "Call: {}\nA: {}\nB: {}"


def gist(call: Call) -> str:
    """What the caller wants and what the agent confirms: enough to tell a summary from another call's."""
    acts = ("problem description", "data confirmation")
    return " ".join(next((turn.text for turn in call.turns if turn.dialog_act == act), "") for act in acts).strip()


def summary_pairs(calls: Sequence[Call], n: int) -> list[Pair]:
    """``n`` calls, each with its own summary and that of the next call with another task.

    Raises:
        CourseError: there are not enough calls.
    """
    pairs = []
    for place, call in enumerate(calls):
        other = next((later for later in calls[place + 1 :] if later.task != call.task), None)
        if len(pairs) == n or other is None:
            break
        pairs.append(Pair(gist(call), call.summary, other.summary))
    if len(pairs) < n:
        raise CourseError(f"{len(calls)} calls give {len(pairs)} pairs of summaries, not {n}. Make more calls.")
    return pairs


def summary_judge(model: Llama) -> Judge:
    """SmolLM2 as a judge: the log-odds of "A" against "B" as the next word."""

    def judge(questions: Sequence[tuple[str, str, str]]) -> np.ndarray:
        shown = [SHOWN.format(*question) for question in questions]
        found = word_log_probs(model, smollm_tokenizer(), ASKED, shown, ("A", "B"))
        return found[:, 0] - found[:, 1]

    return judge
