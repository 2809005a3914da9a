"""Composition: what the first graph writes, the second reads (Lecture 4).

Source: M. Mohri, F. Pereira and M. Riley (2002), section 3.1. The filter that keeps one of several orders of the moves
that only one graph makes is the sequencing filter: first the first graph's, then the second's.
"""

from collections import defaultdict
from itertools import product

from course.wfst.graph import EPSILON, Arc, Wfst, trimmed


def compose(first: Wfst, second: Wfst) -> Wfst:
    """The graph whose paths are pairs of paths: the output of one in ``first`` is the input of one in ``second``.

    A state stands for a state of each graph and for a bit that says whether ``second`` has just moved alone, after
    which ``first`` must not: without the bit, each pair of paths with epsilons would be there several times.

    Returns:
        The trimmed product, its weights those of both graphs added.

    Raises:
        ValueError: the graphs add up paths in different semirings, or one of them has no states.
    """
    _check(first, second)
    by_output, by_input = ([_by_label(arcs, side) for arcs in g.arcs] for g, side in ((first, 1), (second, 0)))
    result, numbers, waiting = Wfst(first.semiring), {}, []

    def number(triple):
        if triple not in numbers:
            numbers[triple] = result.add_state()
            waiting.append(triple)
        return numbers[triple]

    number((first.start, second.start, False))
    while waiting:
        triple = waiting.pop()
        p, q, second_alone = triple
        source = numbers[triple]
        if p in first.finals and q in second.finals:
            result.set_final(source, first.finals[p] + second.finals[q])
        for a, b in _meetings(by_output[p], by_input[q]):
            result.add_arc(source, a.input, b.output, a.weight + b.weight, number((a.to, b.to, False)))
        for a in () if second_alone else by_output[p].get(EPSILON, ()):
            result.add_arc(source, a.input, EPSILON, a.weight, number((a.to, q, False)))
        for b in by_input[q].get(EPSILON, ()):
            result.add_arc(source, EPSILON, b.output, b.weight, number((p, b.to, True)))
    return trimmed(result)


def _meetings(written: dict[str, list[Arc]], read: dict[str, list[Arc]]):
    """Pairs of arcs of which the first writes what the second reads, found by the shorter list of labels."""
    for label in written if len(written) < len(read) else read:
        if label != EPSILON:
            yield from product(written.get(label, ()), read.get(label, ()))


def _by_label(arcs: list[Arc], side: int) -> dict[str, list[Arc]]:
    """Label to arcs; the label read for side 0, the one written for side 1."""
    table = defaultdict(list)
    for arc in arcs:
        table[arc[side]].append(arc)
    return dict(table)


def _check(first: Wfst, second: Wfst) -> None:
    if first.semiring is not second.semiring:
        raise ValueError(
            f"Two graphs over the same semiring were expected; {first.semiring.name} and {second.semiring.name} came."
        )
    if not (first.n_states and second.n_states):
        raise ValueError("Two graphs with at least a start state each were expected, and one has no states.")
