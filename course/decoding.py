"""Finding the words: the best path through a graph whose arcs a recording has given costs (Lecture 4, *Decoding*).

A graph (`course.wfst`) reads one unit, a state of a hidden Markov model, for each frame and writes words. ``scores``
say how well each unit fits each frame: ``(n_frames, n_units)`` log-likelihoods, one column for each name in ``units``.
The cost of a path is minus the scores that it collects plus the weights of its arcs.

Sources: S. Young, N. Russell and J. Thornton, Token passing: a simple conceptual model for connected speech recognition
systems, 1989; B. Lowerre, The Harpy speech recognition system, 1976 (the beam); H. Ney et al., 1992, and V. Steinbiss,
B.-H. Tran and H. Ney, Improvements in beam search, 1994 (histogram pruning).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from course.wfst import EPSILON, Wfst, compose, determinised, minimised, trimmed, within, without_epsilons
from course.wfst.paths import check_silent_rounds


class Word(NamedTuple):
    """A word of a hypothesis, and the frame at which it was written; links back to the word before."""

    text: str
    frame: int
    before: "Word | None"


class Token(NamedTuple):
    """The cheapest way into a state: its cost, its words, and how far it has ever been behind the cheapest token."""

    cost: float
    history: Word | None
    widest_gap: float


@dataclass(frozen=True)
class Decoding:
    """What a search found, and what it took.

    Attributes:
        words: recognised words joined by spaces; empty where nothing was, or where ``cost`` is infinite.
        cost: of the best path found; infinite if the beam, or the graph, left none that ends.
        starts: frame at which each word was written.
        widest_gap: how far the path was, at worst, behind the cheapest of its frame. A beam that is no narrower than
            this gap of the best path finds the best path: whatever else it prunes, the cheapest only gets dearer.
        tokens: ``(n_frames,)`` int, paths alive after each frame.
        arcs: how many steps were tried: the measure of the work.
    """

    words: str
    cost: float
    starts: tuple[int, ...]
    widest_gap: float
    tokens: np.ndarray = field(repr=False)
    arcs: int


class SearchGraph:
    """A graph made ready for search: arcs sorted by state, units replaced by columns of the scores.

    Args:
        graph: over the tropical semiring; reads ``units``, writes words.
        units: names of the columns of ``scores``.

    Raises:
        ValueError: no path leads from the start to an end; an arc reads what is no unit; arcs that read nothing form a
            cycle that gets cheaper each time round.
    """

    def __init__(self, graph: Wfst, units: Sequence[str]):
        if not trimmed(graph).finals:
            raise ValueError("A graph with a path from its start to an end was expected, and none connects them.")
        column = {unit: i for i, unit in enumerate(units)}
        unknown = {arc.input for _, arc in graph.every_arc()} - column.keys() - {EPSILON}
        if unknown:
            raise ValueError(
                f"Arcs that read one of the {len(column)} units with scores were expected, and some read "
                f"{sorted(unknown)[0]!r}. Compose the graph down to units, and take marks such as #1 out."
            )
        check_silent_rounds(graph)
        self.n_units, self.start, self.finals = len(column), graph.start, dict(graph.finals)
        self.heard = [[(column[a.input], a.weight, a.output, a.to) for a in arcs if a.input] for arcs in graph.arcs]
        self.silent = [[(a.weight, a.output, a.to) for a in arcs if not a.input] for arcs in graph.arcs]


def decode(
    graph: SearchGraph, scores, beam: float = math.inf, most_tokens: int | None = None, acoustic_scale: float = 1.0
) -> Decoding:
    """Pass tokens through the graph, frame by frame; of those that meet in a state the cheapest lives on.

    Args:
        graph: where to search.
        scores: ``(n_frames, n_units)`` log-likelihoods; ``-inf`` where a unit cannot be.
        beam: a token dies when it costs more than this above the cheapest of its frame.
        most_tokens: of those within the beam, so many of the cheapest live on (histogram pruning).
        acoustic_scale: factor on the scores.

    Returns:
        The best path found. With no beam and no limit it is the best path there is.

    Raises:
        ValueError: scores of another shape, or NaN in them; a beam below 0, or a limit below 1.
    """
    costs = _costs(scores, graph.n_units, acoustic_scale)
    _check_pruning(beam, most_tokens)
    tokens, alive = {graph.start: Token(0.0, None, 0.0)}, []
    arcs = _pass_silently(graph, tokens, 0)
    for frame, frame_costs in enumerate(costs):
        arcs += sum(len(graph.heard[state]) for state in tokens)
        tokens = _heard(graph, tokens, frame, frame_costs)
        arcs += _pass_silently(graph, tokens, frame)
        tokens = _pruned(tokens, beam, most_tokens)
        alive.append(len(tokens))
    ends = [(token.cost + graph.finals[state], state) for state, token in tokens.items() if state in graph.finals]
    cost, state = min(ends, default=(math.inf, None))
    if not math.isfinite(cost):
        return Decoding("", math.inf, (), math.inf, np.array(alive, dtype=int), arcs)
    words = _spoken(tokens[state].history)
    text, starts = " ".join(word.text for word in words), tuple(word.frame for word in words)
    return Decoding(text, cost, starts, tokens[state].widest_gap, np.array(alive, dtype=int), arcs)


def utterance_graph(scores, units: Sequence[str], acoustic_scale: float = 1.0) -> Wfst:
    """A recording as a graph: a state for each moment between frames, and an arc for each unit in each frame.

    Composed with a recogniser's graph it holds every path that :func:`decode` chooses from.

    Args:
        scores: ``(n_frames, n_units)`` log-likelihoods.
        units: names of the columns.

    Raises:
        ValueError: as :func:`decode`.
    """
    graph = Wfst()
    moments = graph.add_states(len(scores) + 1)
    for moment, frame_costs in zip(moments, _costs(scores, len(units), acoustic_scale), strict=False):
        for unit, cost in zip(units, frame_costs, strict=True):
            if cost < math.inf:
                graph.add_arc(moment, unit, unit, cost, moment + 1)
    graph.set_final(moments[-1])
    return graph


def word_lattice(graph: Wfst, scores, units: Sequence[str], beam: float, acoustic_scale: float = 1.0) -> Wfst:
    """Every word sequence whose best path costs at most ``beam`` more than the best of all, once each.

    Args:
        graph: reads ``units``, writes words.
        beam: finite; the lattice grows with it, and quickly.

    Returns:
        A deterministic graph that reads and writes words; without an end if no path fits the recording.

    Raises:
        ValueError: as :func:`decode`; or a beam without bound.
    """
    if not 0 <= beam < math.inf:
        raise ValueError(f"A finite beam of at least 0 was expected for a lattice and {beam} came. Try 50.")
    whole = compose(utterance_graph(scores, units, acoustic_scale), graph)
    if not whole.finals:
        return whole
    words = within(whole, beam)
    words.arcs = [[arc._replace(input=arc.output) for arc in arcs] for arcs in words.arcs]
    return minimised(determinised(without_epsilons(words)))


def _heard(graph: SearchGraph, tokens: dict[int, Token], frame: int, frame_costs: list[float]) -> dict[int, Token]:
    """Every token takes every arc that reads a unit; where several arrive, the cheapest stays."""
    after = {}
    for state, (cost, history, gap) in tokens.items():
        for column, weight, word, to in graph.heard[state]:
            total = cost + weight + frame_costs[column]
            if total < (after[to].cost if to in after else math.inf):
                after[to] = Token(total, Word(word, frame, history) if word else history, gap)
    return after


def _pass_silently(graph: SearchGraph, tokens: dict[int, Token], frame: int) -> int:
    """Tokens go on along arcs that read nothing, as far as they get cheaper there; returns how many were tried."""
    waiting, tried = [state for state in tokens if graph.silent[state]], 0
    while waiting:
        state = waiting.pop()
        cost, history, gap = tokens[state]
        tried += len(graph.silent[state])
        for weight, word, to in graph.silent[state]:
            total = cost + weight
            if total < (tokens[to].cost if to in tokens else math.inf):
                tokens[to] = Token(total, Word(word, frame, history) if word else history, gap)
                if graph.silent[to]:
                    waiting.append(to)
    return tried


def _pruned(tokens: dict[int, Token], beam: float, most_tokens: int | None) -> dict[int, Token]:
    """The tokens within ``beam`` of the cheapest, at most ``most_tokens`` of them; each remembers its widest gap."""
    least = min((token.cost for token in tokens.values()), default=0.0)
    kept = {
        state: Token(cost, history, max(gap, cost - least))
        for state, (cost, history, gap) in tokens.items()
        if cost - least <= beam
    }
    if most_tokens is not None and len(kept) > most_tokens:
        kept = dict(sorted(kept.items(), key=lambda item: item[1].cost)[:most_tokens])
    return kept


def _spoken(word: Word | None) -> list[Word]:
    words = []
    while word is not None:
        words.append(word)
        word = word.before
    return words[::-1]


def _costs(scores, n_units: int, acoustic_scale: float) -> list[list[float]]:
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2 or scores.shape[1] != n_units:
        raise ValueError(
            f"Scores of shape (n_frames, {n_units}) were expected, a column a unit, and {scores.shape} came."
        )
    if np.isnan(scores).any() or (scores == math.inf).any():
        raise ValueError("Log-likelihoods were expected, finite or -inf, and NaN or +inf came. Look at the features.")
    return (-acoustic_scale * scores).tolist()


def _check_pruning(beam: float, most_tokens: int | None) -> None:
    if not beam >= 0:
        raise ValueError(f"A beam of at least 0 was expected and {beam} came; it is a difference of costs, try 200.")
    if most_tokens is not None and most_tokens < 1:
        raise ValueError(f"At least 1 token has to live on, and a limit of {most_tokens} came.")
