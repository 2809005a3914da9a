"""Smaller graphs for the same weighted language: epsilon removal, determinisation, minimisation (Lecture 4).

Sources: M. Mohri, Finite-state transducers in language and speech processing, Computational Linguistics 23 (1997),
sections 3.3 and 3.4; M. Mohri, F. Pereira and M. Riley (2002), sections 3.2 and 3.3.
"""

from collections import defaultdict

from course.wfst.graph import EPSILON, Arc, Wfst, trimmed
from course.wfst.paths import distances_from, distances_to_end
from course.wfst.semiring import ZERO

DECIMALS = 9  # weights that agree to so many decimals count as equal when states are compared


def without_epsilons(graph: Wfst) -> Wfst:
    """The same weighted language without arcs that neither read nor write.

    An arc that leaves a state reached by such arcs alone is copied to where they began, at the joint weight of the
    ways there.
    """
    silent = Wfst(graph.semiring)
    silent.arcs = [[arc for arc in arcs if arc.input == arc.output == EPSILON] for arcs in graph.arcs]
    result = Wfst(graph.semiring)
    result.add_states(graph.n_states)
    for state in range(graph.n_states):
        ends = []
        for passed, weight in distances_from(silent, state).items():
            result.arcs[state] += [
                arc._replace(weight=weight + arc.weight)
                for arc in graph.arcs[passed]
                if not arc.input == arc.output == EPSILON
            ]
            ends += [weight + graph.finals[passed]] if passed in graph.finals else []
        if ends:
            result.set_final(state, graph.semiring.sum(ends))
    return trimmed(result)


def determinised(graph: Wfst, most_states: int = 100_000) -> Wfst:
    """The same weighted language, with at most one arc for each input symbol out of each state.

    A new state is a set of old ones, each with what it still owes: words not yet written and cost not yet paid. Words
    are written as soon as all members of the set agree on them.

    Args:
        graph: without arcs that read nothing.
        most_states: at which to give up.

    Raises:
        ValueError: an arc that reads nothing; an input with two different outputs; or more than ``most_states``
            states, which is how a graph shows that cannot be determinised.
    """
    if any(arc.input == EPSILON for _, arc in graph.every_arc()):
        raise ValueError("Arcs that all read a symbol were expected and one reads none. Remove epsilons first.")
    start = ((graph.start, (), 0.0),)
    result, numbers, waiting = Wfst(graph.semiring), {start: 0}, [start]
    result.add_state()
    while waiting:
        if result.n_states > most_states:
            raise ValueError(
                f"Determinisation passed {most_states:,} states without an end in sight. If one input can be "
                "written in two ways, for ever, mark them apart by symbols that nobody says (#1, #2)."
            )
        subset = waiting.pop()
        _finish(graph, subset, result, numbers[subset])
        for symbol, moves in _moves(graph, subset).items():
            written, weight, after = _factored(graph.semiring, moves)
            if after not in numbers:
                numbers[after] = result.add_state()
                waiting.append(after)
            _write(result, numbers[subset], symbol, written, weight, numbers[after])
    return trimmed(result)


def minimised(graph: Wfst) -> Wfst:
    """The same weighted language, states merged that cannot be told apart by what is still to come.

    Costs are moved to the front first, so that equal ends carry equal costs; then states are split until those that
    are left together have the same arcs into the same groups (Moore's algorithm). Of a deterministic graph, the result
    has the fewest states for its labels and weights as they stand then.
    """
    graph = pushed(trimmed(graph))
    group = [round(graph.finals.get(state, ZERO), DECIMALS) for state in range(graph.n_states)]
    n_groups = len(set(group))
    while True:
        signature = [
            (group[state], frozenset((a.input, a.output, round(a.weight, DECIMALS), group[a.to]) for a in arcs))
            for state, arcs in enumerate(graph.arcs)
        ]
        names = {s: i for i, s in enumerate(dict.fromkeys(signature))}  # in order of appearance: the start stays 0
        group = [names[s] for s in signature]
        if len(names) == n_groups:
            return _merged(graph, group, n_groups)
        n_groups = len(names)


def pushed(graph: Wfst) -> Wfst:
    """The same weighted language, each cost paid as early as possible; a constant for all paths is paid at the start.

    Afterwards the ways out of each state but the start weigh 0 together, so that a beam sees early what a path costs.
    """
    potential = distances_to_end(graph)
    result = Wfst(graph.semiring)
    result.add_states(graph.n_states)
    for source, arc in graph.every_arc():
        if potential[source] < ZERO and potential[arc.to] < ZERO:
            owed = 0.0 if source == graph.start else potential[source]
            early = arc.weight + (0.0 if arc.to == graph.start else potential[arc.to]) - owed
            result.arcs[source].append(arc._replace(weight=early))
    for state, weight in graph.finals.items():
        result.set_final(state, weight - (0.0 if state == graph.start else potential[state]))
    return result


def within(graph: Wfst, beam: float) -> Wfst:
    """The arcs and ends that lie on a path at most ``beam`` heavier than the best one."""
    graph = trimmed(graph)
    to_end = distances_to_end(graph)
    from_start = distances_from(graph, graph.start) if graph.n_states else {}
    limit = to_end[graph.start] + beam
    result = Wfst(graph.semiring)
    result.add_states(graph.n_states)
    for source, arc in graph.every_arc():
        if from_start[source] + arc.weight + to_end[arc.to] <= limit:
            result.arcs[source].append(arc)
    result.finals = {s: weight for s, weight in graph.finals.items() if from_start[s] + weight <= limit}
    return trimmed(result)


def _moves(graph: Wfst, subset) -> dict[str, list[tuple[int, tuple[str, ...], float]]]:
    """Input symbol to where it leads from the members of a subset, with the words and the cost owed there."""
    moves = defaultdict(list)
    for state, words, owed in subset:
        for arc in graph.arcs[state]:
            moves[arc.input].append((arc.to, words + _as_words(arc.output), owed + arc.weight))
    return moves


def _factored(semiring, moves):
    """What all moves share (words, cost), and the subset that remains once it is written and paid."""
    shared = _common_beginning([words for _, words, _ in moves])
    weight = semiring.sum(owed for _, _, owed in moves)
    members = defaultdict(list)
    for state, words, owed in moves:
        members[state, words[len(shared) :]].append(owed - weight)
    joined = ((state, words, round(semiring.sum(owed), DECIMALS)) for (state, words), owed in members.items())
    return shared, weight, tuple(sorted(joined))


def _finish(graph: Wfst, subset, result: Wfst, source: int) -> None:
    """Let a subset be final where a member is; words still owed are written on arcs that read nothing."""
    ends = [(words, owed + graph.finals[state]) for state, words, owed in subset if state in graph.finals]
    if len({words for words, _ in ends}) > 1:
        one, other = sorted({" ".join(words) or "nothing" for words, _ in ends})[:2]
        raise ValueError(
            f"One output for each input was expected, and one input is written as {one!r} and as {other!r}. Mark them "
            "apart by symbols that nobody says (#1, #2)."
        )
    if ends:
        words, weight = ends[0][0], graph.semiring.sum(weight for _, weight in ends)
        if not words:
            result.set_final(source, weight)
            return
        end = result.add_state()
        result.set_final(end)
        _write(result, source, EPSILON, words, weight, end)


def _write(result: Wfst, source: int, symbol: str, words: tuple[str, ...], weight: float, to: int) -> None:
    """An arc that reads ``symbol`` and writes any number of words, on as many arcs as that takes."""
    words = words or (EPSILON,)
    for word, stop in zip(words, [*result.add_states(len(words) - 1), to], strict=True):
        result.add_arc(source, symbol, word, weight, stop)
        source, symbol, weight = stop, EPSILON, 0.0


def _as_words(output: str) -> tuple[str, ...]:
    return (output,) if output else ()


def _common_beginning(sequences: list[tuple[str, ...]]) -> tuple[str, ...]:
    first, last = min(sequences), max(sequences)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:length]


def _merged(graph: Wfst, group: list[int], n_groups: int) -> Wfst:
    result = Wfst(graph.semiring)
    result.add_states(n_groups)
    for state in sorted(set(group), key=group.index):
        member = group.index(state)
        result.arcs[state] = [Arc(a.input, a.output, a.weight, group[a.to]) for a in graph.arcs[member]]
        if member in graph.finals:
            result.set_final(state, graph.finals[member])
    return result
