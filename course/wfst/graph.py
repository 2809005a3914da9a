"""Weighted finite-state transducers: graphs whose paths read one sequence and write another (Lecture 4).

Source: M. Mohri, F. Pereira and M. Riley, Weighted finite-state transducers in speech recognition, Computer Speech and
Language 16 (2002), section 2.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from course.wfst.semiring import TROPICAL, ZERO, Semiring

EPSILON = ""  # reads or writes nothing


class Arc(NamedTuple):
    """One step: read ``input``, write ``output``, pay ``weight``, arrive at state ``to``."""

    input: str
    output: str
    weight: float
    to: int


class Wfst:
    """A weighted transducer. States are 0, 1, 2 …; state 0 is the first one added, and the start.

    Attributes:
        semiring: how alternative paths add up.
        arcs: state to the list of arcs that leave it.
        finals: state to the weight of stopping there.
    """

    def __init__(self, semiring: Semiring = TROPICAL):
        self.semiring = semiring
        self.arcs: list[list[Arc]] = []
        self.finals: dict[int, float] = {}

    start = 0

    @property
    def n_states(self) -> int:
        return len(self.arcs)

    @property
    def n_arcs(self) -> int:
        return sum(map(len, self.arcs))

    def __repr__(self) -> str:
        return f"{self.n_states} states, {self.n_arcs} arcs, {len(self.finals)} final"

    def add_state(self) -> int:
        """A new state without arcs; returns its number."""
        self.arcs.append([])
        return self.n_states - 1

    def add_states(self, n: int) -> list[int]:
        """``n`` new states."""
        return [self.add_state() for _ in range(n)]

    def add_arc(self, source: int, input: str, output: str, weight: float, to: int) -> None:
        """An arc from ``source`` to ``to``.

        Raises:
            ValueError: a state that was not added, or a weight that is not a number.
        """
        for state in (source, to):
            self._check_state(state)
        self.arcs[source].append(Arc(input, output, _weight(weight), to))

    def set_final(self, state: int, weight: float = 0.0) -> None:
        """Allow paths to end in ``state`` and to pay ``weight`` for it.

        Raises:
            ValueError: a state that was not added, or a weight that is not a number.
        """
        self._check_state(state)
        self.finals[state] = _weight(weight)

    def every_arc(self) -> Iterator[tuple[int, Arc]]:
        """All arcs with the state that they leave, in order."""
        return ((source, arc) for source, arcs in enumerate(self.arcs) for arc in arcs)

    def copy(self) -> "Wfst":
        """The same graph, to be changed without changing this one."""
        twin = Wfst(self.semiring)
        twin.arcs, twin.finals = [list(arcs) for arcs in self.arcs], dict(self.finals)
        return twin

    def _check_state(self, state: int) -> None:
        if not 0 <= state < self.n_states:
            raise ValueError(f"A state between 0 and {self.n_states - 1} was expected and {state} came. Add it first.")


def linear(labels, semiring: Semiring = TROPICAL) -> Wfst:
    """The graph with one path, which reads and writes ``labels``: a sentence as a graph."""
    graph = Wfst(semiring)
    states = graph.add_states(len(labels) + 1)
    for state, label in zip(states, labels, strict=False):
        graph.add_arc(state, label, label, 0.0, state + 1)
    graph.set_final(states[-1])
    return graph


def union(first: Wfst, second: Wfst, extra: float = 0.0) -> Wfst:
    """The paths of both graphs; those of ``second`` cost ``extra`` more, paid at their ends.

    Paid at the start, it would put them out of reach of a beam that is narrower.
    """
    result = Wfst(first.semiring)
    result.add_state()
    for graph, cost in ((first, 0.0), (second, extra)):
        states = result.add_states(graph.n_states)
        result.add_arc(result.start, EPSILON, EPSILON, 0.0, states[graph.start])
        for source, arc in graph.every_arc():
            result.add_arc(states[source], arc.input, arc.output, arc.weight, states[arc.to])
        for state, weight in graph.finals.items():
            result.set_final(states[state], weight + cost)
    return result


def trimmed(graph: Wfst) -> Wfst:
    """Without the states that lie on no path from the start to an end; the rest keep their order.

    A graph without any such path comes out empty: one state, no arcs, not final.
    """
    forth = _reached(graph.arcs, [graph.start] if graph.n_states else [])
    incoming: list[list[Arc]] = [[] for _ in graph.arcs]
    for source, arc in graph.every_arc():
        if arc.weight < ZERO:
            incoming[arc.to].append(arc._replace(to=source))
    back = _reached(incoming, [state for state, weight in graph.finals.items() if weight < ZERO])
    kept = {state: number for number, state in enumerate(sorted(forth & back))}
    result = Wfst(graph.semiring)
    if graph.start not in kept:
        result.add_state()
        return result
    result.add_states(len(kept))
    for source, arc in graph.every_arc():
        if source in kept and arc.to in kept and arc.weight < ZERO:
            result.arcs[kept[source]].append(arc._replace(to=kept[arc.to]))
    result.finals = {kept[state]: weight for state, weight in graph.finals.items() if state in kept and weight < ZERO}
    return result


def _reached(arcs: list[list[Arc]], states: list[int]) -> set[int]:
    reached, waiting = set(states), list(states)
    while waiting:
        for arc in arcs[waiting.pop()]:
            if arc.to not in reached and arc.weight < ZERO:
                reached.add(arc.to)
                waiting.append(arc.to)
    return reached


def _weight(weight: float) -> float:
    if math.isnan(weight):
        raise ValueError("A weight (a cost, a negative logarithm) was expected to be a number and NaN came.")
    return float(weight)
