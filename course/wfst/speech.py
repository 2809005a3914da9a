"""The four graphs of a recogniser: grammar G, lexicon L, context C and hidden Markov models H (Lecture 4).

Composed, ``H o C o L o G`` reads one state of a hidden Markov model for each frame and writes words.

Source: M. Mohri, F. Pereira and M. Riley, Weighted finite-state transducers in speech recognition, Computer Speech and
Language 16 (2002), section 4.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import log

from course.ngrams import END, START, UNKNOWN, BackOffModel
from course.wfst.composition import compose
from course.wfst.graph import EPSILON, Wfst
from course.wfst.optimisation import determinised, minimised
from course.wfst.semiring import ZERO

EDGE = "|"  # the neighbour of the first and of the last phone
SILENCE = "<silence>"


def grammar_of_sentences(sentences: Iterable[str], prior: Mapping[str, float] | None = None) -> Wfst:
    """G for a list of sentences: nothing else can be recognised, and each costs -log of its share.

    Args:
        sentences: words joined by spaces.
        prior: sentence to its probability; equal shares without it.

    Returns:
        A deterministic, minimal graph that reads and writes words.

    Raises:
        ValueError: no sentences, one without words, or one without a probability.
    """
    sentences = list(dict.fromkeys(sentences))
    if not sentences or not all(sentence.split() for sentence in sentences):
        raise ValueError(
            "Sentences of at least one word each were expected for a grammar, and none, or an empty one, came."
        )
    shares = prior or dict.fromkeys(sentences, 1 / len(sentences))
    if not all(shares.get(sentence, 0) > 0 for sentence in sentences):
        raise ValueError(
            "A probability above 0 was expected for every sentence, and one has none. Leave it out instead."
        )
    graph = Wfst()
    start = graph.add_state()
    for sentence in sentences:
        state, cost = start, -log(shares[sentence])
        for word in sentence.split():
            after = graph.add_state()
            graph.add_arc(state, word, word, cost, after)
            state, cost = after, 0.0
        graph.set_final(state)
    return minimised(determinised(graph))


def grammar_of_words(words: Sequence[str], penalty: float | None = None) -> Wfst:
    """G for any words in any order: one state, an arc a word.

    Args:
        words: each may follow each.
        penalty: cost of every word; without it, that of one among equals, ``log(len(words))``.
    """
    graph = Wfst()
    state = graph.add_state()
    graph.set_final(state)
    for word in words:
        graph.add_arc(state, word, word, log(len(words)) if penalty is None else penalty, state)
    return graph


def grammar_of_length(words: Sequence[str], length: int) -> Wfst:
    """G for exactly ``length`` words in any order, each at a cost of ``log(len(words))``."""
    graph = Wfst()
    states = graph.add_states(length + 1)
    for state in states[:-1]:
        for word in words:
            graph.add_arc(state, word, word, log(len(words)), state + 1)
    graph.set_final(states[-1])
    return graph


def grammar_of_ngrams(model: BackOffModel, weight: float = 1.0, penalty: float = 0.0) -> Wfst:
    """G for a back-off model: a state for each history, and an arc that reads nothing from it to the shorter one.

    The graph allows a way round: a word that was seen after a history can be reached through the back-off arc as well.
    For models of pairs that mix in the shorter one, as those of :mod:`course.ngrams` do, it is never the cheaper way,
    so that the best path costs what the model says; with longer histories it may be, since it forgets. ``<unk>`` gets
    no arc.

    Args:
        model: of any order.
        weight: factor on every cost of the model, the *language model weight*.
        penalty: further cost of every word.
    """
    graph = Wfst()
    start = (START,) if model.order > 1 else ()
    histories = [start] + [h for h in [(), *sorted(model.back_offs, key=len)] if h != start]
    states = {history: graph.add_state() for history in histories}
    for history, state in states.items():
        if history:
            back = weight * -model.back_offs.get(history, 0.0)
            if back < ZERO:
                graph.add_arc(state, EPSILON, EPSILON, back, states[_longest_known(history[1:], states)])
    for ngram, log_prob in model.log_probs.items():
        *history, word = ngram
        if tuple(history) not in states or word in (START, UNKNOWN) or UNKNOWN in history or log_prob == -ZERO:
            continue
        state = states[tuple(history)]
        if word == END:
            graph.set_final(state, -weight * log_prob)
        else:
            after = _longest_known(ngram[-(model.order - 1) :] if model.order > 1 else (), states)
            graph.add_arc(state, word, word, penalty - weight * log_prob, states[after])
    return graph


def _longest_known(history, states):
    while history not in states:
        history = history[1:]
    return history


def lexicon(pronunciations: Mapping[str, Sequence[str]], disambiguate: bool = True) -> Wfst:
    """L: reads the phones of any words in any order, and writes each word at its first phone.

    Args:
        pronunciations: word to its pronunciations, each of them phones joined by spaces.
        disambiguate: end what sounds like another word, or like its beginning, with a symbol of its own: #1, #2 …

    Raises:
        ValueError: a word without a pronunciation, or no words.
    """
    if not pronunciations or not all(way.split() for ways in pronunciations.values() for way in ways or [""]):
        raise ValueError("Words with at least one pronunciation each were expected, and none, or an empty one, came.")
    marks = _marks(pronunciations) if disambiguate else {}
    graph = Wfst()
    start = graph.add_state()
    graph.set_final(start)
    for word, ways in pronunciations.items():
        for way in ways:
            phones = [*way.split(), *marks.get((word, way), ())]
            stops = [*graph.add_states(len(phones) - 1), start]
            state, written = start, word
            for phone, stop in zip(phones, stops, strict=True):
                graph.add_arc(state, phone, written, 0.0, stop)
                state, written = stop, EPSILON
    return graph


def _marks(pronunciations: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], tuple[str]]:
    """The symbol that ends a pronunciation, for those that others share or begin with."""
    every = [(word, way) for word, ways in pronunciations.items() for way in ways]
    times, marks = defaultdict(int), {}
    for word, way in every:
        if any((word, way) != other and f"{other[1]} ".startswith(f"{way} ") for other in every):
            times[way] += 1
            marks[word, way] = (f"#{times[way]}",)
    return marks


def is_mark(label: str) -> bool:
    """Whether a label is a disambiguation symbol: #0, #1, #2 …"""
    return label[:1] == "#"


def without_marks(graph: Wfst) -> Wfst:
    """The graph with epsilons in place of the disambiguation symbols that it reads: they have done their work."""
    result = graph.copy()
    result.arcs = [[a._replace(input=EPSILON) if is_mark(a.input) else a for a in arcs] for arcs in graph.arcs]
    return result


def contexts(phones: Iterable[str], marks: Iterable[str] = ()) -> Wfst:
    """C: reads phones in context, ``before-phone+after``, and writes phones.

    A state remembers two phones: the one that comes next and the one before it. The name of a phone in context is only
    known once its successor is, so that reading lags one phone behind writing: the first phone is written for nothing
    read, the last is read with ``EDGE`` as its successor.

    Args:
        phones: each may follow each.
        marks: symbols that pass through unchanged.
    """
    phones = list(dict.fromkeys(phones))
    graph = Wfst()
    start, end = graph.add_states(2)
    graph.set_final(end)
    pairs = [(before, phone) for before in [EDGE, *phones] for phone in phones]
    states = {pair: graph.add_state() for pair in pairs}
    for phone in phones:
        graph.add_arc(start, EPSILON, phone, 0.0, states[EDGE, phone])
    for (before, phone), state in states.items():
        graph.add_arc(state, f"{before}-{phone}+{EDGE}", EPSILON, 0.0, end)
        for after in phones:
            graph.add_arc(state, f"{before}-{phone}+{after}", after, 0.0, states[phone, after])
        for mark in marks:
            graph.add_arc(state, mark, mark, 0.0, state)
    return graph


def hidden_markov_models(names: Iterable[str], n_states: int = 3, stay: float = 0.5, marks: Iterable[str] = ()) -> Wfst:
    """H: reads one state ``name.0``, ``name.1`` … for each frame, and writes ``name`` for each walk through them.

    Args:
        names: of the models, for example phones in context.
        n_states: of each model, left to right.
        stay: probability of remaining in a state for another frame; between 0 and 1.
        marks: symbols that pass through unchanged.

    Raises:
        ValueError: no states, or a probability outside (0, 1).
    """
    if n_states < 1 or not 0 < stay < 1:
        raise ValueError(
            f"At least 1 state and a probability between 0 and 1 were expected; {n_states} and {stay} came."
        )
    graph = Wfst()
    start = graph.add_state()
    graph.set_final(start)
    for name in names:
        add_chain(
            graph, [f"{name}.{i}" for i in range(n_states)], name, [-log(stay)] * n_states, [-log(1 - stay)] * n_states
        )
    for mark in marks:
        graph.add_arc(start, mark, mark, 0.0, start)
    return graph


def add_chain(graph: Wfst, units: Sequence[str], written: str, stay: Sequence[float], leave: Sequence[float]) -> None:
    """Add to H one left-to-right model that begins and ends in the start state.

    Args:
        graph: H so far; its start is final.
        units: what each state of the model reads at a frame.
        written: at the first frame.
        stay, leave: costs of remaining in each state, and of going on.
    """
    source, cost = graph.start, 0.0
    for unit, remain, go in zip(units, stay, leave, strict=True):
        state = graph.add_state()
        graph.add_arc(source, unit, written, cost, state)
        graph.add_arc(state, unit, EPSILON, remain, state)
        source, written, cost = state, EPSILON, go
    graph.add_arc(source, EPSILON, EPSILON, cost, graph.start)


def composed(hmms: Wfst, context: Wfst, lexicon: Wfst, grammar: Wfst) -> dict[str, Wfst]:
    """The recogniser's graph, with every step of its making.

    Returns:
        Step to graph: ``"G"``, ``"L o G"``, the same determinised, and so on to ``"H o C o L o G"``, the last one.
    """
    steps = {"G": grammar, "L∘G": compose(lexicon, grammar)}
    steps["det(L∘G)"] = determinised(steps["L∘G"])
    steps["min(det(L∘G))"] = minimised(steps["det(L∘G)"])
    steps["C∘L∘G"] = compose(context, steps["min(det(L∘G))"])
    steps["H∘C∘L∘G"] = without_marks(compose(hmms, steps["C∘L∘G"]))
    return steps
