"""Paths through a graph: the best one, all of them, a random one, and what they weigh together (Lecture 4).

Source: M. Mohri, Semiring frameworks and algorithms for shortest-distance problems, Journal of Automata, Languages and
Combinatorics 7 (2002), section 3.
"""

import heapq
import math
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from course.wfst.graph import EPSILON, Arc, Wfst, trimmed
from course.wfst.semiring import LOG, TROPICAL, ZERO

CONVERGED = 1e-12  # a change of a joint weight that is no change; only sums round a cycle get there


@dataclass(frozen=True)
class Path:
    """What a path reads and writes, without epsilons, and its weight with that of its final state."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weight: float


def distances_from(graph: Wfst, source: int) -> dict[int, float]:
    """Joint weight of all paths from ``source`` to each state that it reaches, in the graph's semiring.

    Raises:
        ValueError: a cycle makes paths ever better (tropical) or more probable than any bound (log).
    """
    return _distances(graph, [(source, 0.0)], graph.arcs)


def distances_to_end(graph: Wfst) -> list[float]:
    """Joint weight of all paths from each state to the ends, their final weights included; ``ZERO`` if there is none.

    Raises:
        ValueError: as :func:`distances_from`.
    """
    backwards: list[list[Arc]] = [[] for _ in graph.arcs]
    for source, arc in graph.every_arc():
        backwards[arc.to].append(arc._replace(to=source))
    distances = _distances(graph, list(graph.finals.items()), backwards)
    return [distances.get(state, ZERO) for state in range(graph.n_states)]


def check_silent_rounds(graph: Wfst) -> None:
    """Refuse a graph that gets ever cheaper without reading anything.

    Raises:
        ValueError: a cycle of arcs that read nothing has a negative weight.
    """
    silent = [[arc for arc in arcs if arc.input == EPSILON] for arcs in graph.arcs]
    _distances(_with_semiring(graph, TROPICAL), [(state, 0.0) for state in range(graph.n_states)], silent)


def total_weight(graph: Wfst) -> float:
    """Joint weight of all paths: the best one's (tropical), or minus the log of the sum of probabilities (log)."""
    return distances_to_end(graph)[graph.start] if graph.n_states else ZERO


def shortest_path(graph: Wfst) -> Path:
    """The path of least weight; of several, the one with the fewest arcs.

    Raises:
        ValueError: no path leads from the start to an end, or a cycle makes paths ever better.
    """
    best = _with_semiring(graph, TROPICAL)
    to_end = distances_to_end(best)
    if not to_end or to_end[best.start] == ZERO:
        raise ValueError("A graph with a path from its start to a final state was expected, and none connects them.")
    tight = [
        [arc for arc in arcs if arc.weight + to_end[arc.to] <= to_end[state] + CONVERGED]
        for state, arcs in enumerate(best.arcs)
    ]
    left = _arcs_left(tight, [s for s, weight in best.finals.items() if weight <= to_end[s] + CONVERGED])
    state, steps = best.start, []
    while left[state]:
        steps.append(next(arc for arc in tight[state] if left.get(arc.to) == left[state] - 1))
        state = steps[-1].to
    return _path(steps, best.finals[state])


def best_paths(graph: Wfst, n: int) -> list[Path]:
    """The ``n`` paths of least weight, or all if there are fewer, best first.

    Paths that read and write the same count each; determinise the graph before for one path a sequence.
    """
    to_end = distances_to_end(_with_semiring(graph, TROPICAL))
    order, found = count(), []
    waiting = [(to_end[graph.start], next(order), graph.start, (), 0.0)] if to_end else []
    while waiting and len(found) < n:
        total, _, state, steps, paid = heapq.heappop(waiting)
        if state is None:
            found.append(Path(*_labels(steps), total))
            continue
        if state in graph.finals:
            heapq.heappush(waiting, (paid + graph.finals[state], next(order), None, steps, 0.0))
        for arc in graph.arcs[state]:
            if to_end[arc.to] < ZERO:
                cost = paid + arc.weight
                heapq.heappush(waiting, (cost + to_end[arc.to], next(order), arc.to, (*steps, arc), cost))
    return found


def all_paths(graph: Wfst, longest: int = 20) -> Iterator[Path]:
    """Every path of at most ``longest`` arcs, shorter ones first: the brute force that the rest is checked with."""
    waiting = deque([(graph.start, ())] if graph.n_states else [])
    while waiting:
        state, steps = waiting.popleft()
        if state in graph.finals:
            yield _path(steps, graph.finals[state])
        if len(steps) < longest:
            waiting.extend((arc.to, (*steps, arc)) for arc in graph.arcs[state])


def random_path(graph: Wfst, rng: np.random.Generator) -> Path:
    """A path drawn with probability in proportion to exp(-weight).

    Raises:
        ValueError: no path connects start and end, or their probabilities have no finite sum.
    """
    alike = trimmed(_with_semiring(graph, LOG))
    to_end = distances_to_end(alike)
    if to_end[alike.start] == ZERO:
        raise ValueError("A graph with a path from its start to a final state was expected, and none connects them.")
    state, steps = alike.start, []
    while True:
        arcs = alike.arcs[state]
        ways = np.array([arc.weight + to_end[arc.to] for arc in arcs] + [alike.finals.get(state, ZERO)])
        p = np.exp(to_end[state] - ways)
        choice = rng.choice(len(ways), p=p / p.sum())
        if choice == len(arcs):
            return _path(steps, alike.finals[state])
        steps.append(arcs[choice])
        state = arcs[choice].to


def _distances(graph: Wfst, sources: list[tuple[int, float]], arcs: list[list[Arc]]) -> dict[int, float]:
    """Mohri's generic algorithm: pass on what has been added to a state since it was last passed on."""
    plus, most = graph.semiring.plus, graph.n_states + 10_000 * (graph.semiring is LOG)
    joint, added, visits = dict(sources), dict(sources), Counter()
    waiting = deque(joint)
    while waiting:
        state = waiting.popleft()
        news = added.pop(state)
        visits[state] += 1
        if visits[state] > most:
            raise ValueError(
                "Cycles were expected to cost something, and one makes its paths better each time round. Look for "
                "negative weights."
            )
        for arc in arcs[state]:
            weight, before = news + arc.weight, joint.get(arc.to, ZERO)
            after = plus(before, weight)
            if before - after > CONVERGED:  # infinity minus a number is infinite; nothing minus nothing is no change
                joint[arc.to] = after
                if arc.to not in added:
                    waiting.append(arc.to)
                added[arc.to] = plus(added.get(arc.to, ZERO), weight)
    return joint


def _arcs_left(arcs: list[list[Arc]], ends: list[int]) -> dict[int, int]:
    """Fewest arcs from each state to one of ``ends``."""
    sources = [[] for _ in arcs]
    for state, ways in enumerate(arcs):
        for arc in ways:
            sources[arc.to].append(state)
    left, waiting = dict.fromkeys(ends, 0), deque(ends)
    while waiting:
        state = waiting.popleft()
        for source in sources[state]:
            if source not in left:
                left[source] = left[state] + 1
                waiting.append(source)
    return left


def _with_semiring(graph: Wfst, semiring) -> Wfst:
    twin = graph.copy()
    twin.semiring = semiring
    return twin


def _path(steps, final_weight: float) -> Path:
    return Path(*_labels(steps), math.fsum(arc.weight for arc in steps) + final_weight)


def _labels(steps) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(arc.input for arc in steps if arc.input), tuple(arc.output for arc in steps if arc.output)
