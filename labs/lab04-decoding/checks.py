"""Hidden checks of Lab 4. They run outside of the student's process, on inputs drawn for each submission.

Oracles enumerate: every path of a small graph, every alignment of two short texts, every word of a model by fractions.
Costs are drawn from the real numbers, so that no two paths cost the same, and any right search finds the same one.
"""

import functools
import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np

from course.lab.checking import check, covers, expect, latitude, oracle

LETTERS = "abcdefgh"


# Task 1: bigram_model


@oracle("bigram_model")
def bigram_model(sentences, vocabulary):
    """Witten-Bell in exact fractions, one history at a time."""
    if not vocabulary or len(set(vocabulary)) != len(vocabulary):
        raise ValueError("The vocabulary has to hold different words, and at least one.")
    followers = {history: Counter() for history in (None, *vocabulary)}
    for sentence in sentences:
        words = sentence.split()
        if not set(words) <= set(vocabulary):
            raise ValueError(f"{sorted(set(words) - set(vocabulary))} are not in the vocabulary.")
        for before, after in zip([None, *words], [*words, None], strict=True):
            followers[before][after] += 1
    nexts = sum(followers.values(), Counter())
    size = len(vocabulary) + 1
    single = {word: Fraction(nexts[word] + 1, sum(nexts.values()) + size) for word in (None, *vocabulary)}
    rows = []
    for counts in followers.values():
        seen, different = sum(counts.values()), len(counts)
        rows.append(
            [(counts[word] + different * one) / (seen + different) if seen else one for word, one in single.items()]
        )
    return np.array(rows, dtype=float)


@covers("bigram_model")
def is_text(sentences, vocabulary):
    """Lists of text: anything else is not what the task speaks of."""
    return all(isinstance(one, list) and all(isinstance(text, str) for text in one) for one in (sentences, vocabulary))


@latitude("bigram_model")
def same_probabilities(arguments, reference, given):
    """A billionth of a probability is as near as the checks look."""
    return _alike(reference, given, 1e-9)


def _alike(reference, given, atol):
    try:
        return np.shape(given) == np.shape(reference) and np.allclose(
            given, reference, rtol=0, atol=atol, equal_nan=False
        )
    except (TypeError, ValueError):
        return False


def _texts(rng, vocabulary, n, longest=6):
    """Sentences that prefer some words; now and then one without words."""
    weights = rng.dirichlet(np.full(len(vocabulary), 0.7))
    lengths = rng.integers(0, longest + 1, n)
    return [" ".join(str(word) for word in rng.choice(vocabulary, length, p=weights)) for length in lengths]


def _vocabulary(rng, most=8):
    return [str(letter) * int(rng.integers(1, 4)) for letter in rng.permutation(list(LETTERS))[: rng.integers(1, most)]]


@check("bigram_model", hint="Add up each row: one is the only sum that probabilities of a next word can have.")
def rows_sum_to_one(student, rng):
    for n in (0, 1, 4, 40):
        vocabulary = _vocabulary(rng)
        model = expect.array(student(_texts(rng, vocabulary, n), vocabulary), (len(vocabulary) + 1,) * 2)
        expect.true(bool(np.all(model > 0)))
        expect.close(model.sum(axis=1), np.ones(len(vocabulary) + 1), atol=1e-9)


@check(
    "bigram_model",
    hint="Take three short sentences, count by hand and follow the formula: T is a number of different next words, c "
    "one of all of them, and both count the end of a sentence as a next word.",
)
def agrees_with_fractions(student, rng):
    for n in (1, 3, 12, 60):
        vocabulary = _vocabulary(rng)
        texts = _texts(rng, vocabulary, n)
        expect.close(student(texts, vocabulary), bigram_model(texts, vocabulary), atol=1e-9)


@check(
    "bigram_model",
    hint="A history that was never seen has no counts to share out: after it, P1 holds. Try a vocabulary with a word "
    "that no sentence has, and no sentences at all.",
)
def knows_unseen_histories(student, rng):
    vocabulary = ["x", *(_vocabulary(rng)), "y"]
    texts = _texts(rng, vocabulary[1:-1], 9)
    expect.close(student(texts, vocabulary), bigram_model(texts, vocabulary), atol=1e-9)
    expect.close(student([], ["b", "a"]), np.full((3, 3), 1 / 3), atol=1e-9)


@check("bigram_model", hint="A sentence without words still begins and ends: the end is the next word of the start.")
def counts_empty_sentences(student, rng):
    n = int(rng.integers(2, 9))
    expect.close(student([""] * n, ["a"]), bigram_model([""] * n, ["a"]), atol=1e-9)
    texts = ["a b", *[""] * n]
    expect.close(student(texts, ["a", "b"]), bigram_model(texts, ["a", "b"]), atol=1e-9)


@check("bigram_model", hint="The vocabulary's order decides which row and column is whose, whatever the alphabet says.")
def keeps_the_order_of_the_vocabulary(student, rng):
    vocabulary = [str(letter) for letter in rng.permutation(list(LETTERS))]
    texts = _texts(rng, vocabulary, 25)
    expect.close(student(texts, vocabulary), bigram_model(texts, vocabulary), atol=1e-9)


@check("bigram_model", hint="Words are what stands between spaces; several spaces, or some at the ends, make no word.")
def splits_at_any_space(student, rng):
    expect.close(student(["  ab  b ", "b"], ["ab", "b"]), bigram_model(["ab b", "b"], ["ab", "b"]), atol=1e-9)


@check(
    "bigram_model",
    hint="Go through the docstring's list of what raises ValueError: an empty vocabulary, or one with a word twice, "
    "raises too, whatever the sentences are.",
)
def refuses_other_words(student, rng):
    expect.raises(student, ValueError, ["a", "a c"], ["a", "b"])
    expect.raises(student, ValueError, ["ab"], ["a", "b"])
    expect.raises(student, ValueError, ["a"], ["a", "b", "a"])
    expect.raises(student, ValueError, [""], [])
    expect.raises(student, ValueError, [], [])


# Task 2: perplexity


@oracle("perplexity")
def perplexity(model, vocabulary, sentences):
    """One over the geometric mean, by a product of logarithms that is summed exactly."""
    if not sentences:
        raise ValueError("There is nothing to be surprised by.")
    logs = []
    for sentence in sentences:
        words = sentence.split()
        if not set(words) <= set(vocabulary):
            raise ValueError(f"{sorted(set(words) - set(vocabulary))} are not in the vocabulary.")
        places = [vocabulary.index(word) + 1 for word in words]
        for before, after in zip([0, *places], [*places, 0], strict=True):
            if model[before][after] <= 0:
                logs.append(-math.inf)
            else:
                logs.append(math.log(model[before][after]))
    mean = math.fsum(logs) / len(logs) if min(logs) > -math.inf else -math.inf
    return math.exp(-mean) if mean > -700 else math.inf


@covers("perplexity")
def is_a_model(model, vocabulary, sentences):
    """Probabilities, laid out for this vocabulary."""
    return (
        isinstance(model, np.ndarray)
        and model.shape == (len(vocabulary) + 1,) * 2
        and model.dtype.kind == "f"
        and bool(np.all((model >= 0) & (model <= 1)))
        and len(set(vocabulary)) == len(vocabulary)
    )


@latitude("perplexity")
def as_surprised(arguments, reference, given):
    """A millionth of the perplexity, and infinity for infinity."""
    return isinstance(given, (int, float)) and (given == reference or abs(given - reference) <= 1e-6 * abs(reference))


def _model(rng, n_words):
    return rng.dirichlet(np.full(n_words + 1, 0.8), n_words + 1) * 0.98 + 0.02 / (n_words + 1)


@check(
    "perplexity",
    hint="The mean is over all next words of all sentences together, and the end of each sentence is one of them.",
)
def agrees_with_exact_logs(student, rng):
    for n in (1, 2, 7, 50):
        vocabulary = _vocabulary(rng)
        model, texts = _model(rng, len(vocabulary)), _texts(rng, vocabulary, n)
        expect.close(student(model, vocabulary, texts), perplexity(model, vocabulary, texts), rtol=1e-9)


@check("perplexity", hint="The word after the start is a next word too, and its row is row 0.")
def begins_at_the_start(student, rng):
    model = _model(rng, 2)
    for text in ("", "a", "b", "a b"):
        expect.close(student(model, ["a", "b"], [text]), perplexity(model, ["a", "b"], [text]), rtol=1e-9)


@check("perplexity", hint="A product of a thousand probabilities is too small for a float; a sum of logarithms is not.")
def survives_long_texts(student, rng):
    vocabulary = list(LETTERS)
    model = _model(rng, len(vocabulary))
    texts = [" ".join(str(word) for word in rng.choice(vocabulary, 2000))]
    expect.close(student(model, vocabulary, texts), perplexity(model, vocabulary, texts), rtol=1e-9)


@check("perplexity", hint="A next word with probability 0 makes the perplexity np.inf, wherever it stands, silently.")
def is_infinite_where_a_word_is_impossible(student, rng):
    model = np.array([[0.5, 0.5, 0.0], [0.3, 0.7, 0.0], [0.2, 0.4, 0.4]])
    for texts in (["b"], ["a a b"], ["a", "a b a"]):
        expect.close(student(model, ["a", "b"], texts), np.inf)
    expect.close(student(model, ["a", "b"], ["a a"]), perplexity(model, ["a", "b"], ["a a"]), rtol=1e-9)


@check(
    "perplexity",
    hint="No sentences, and words without a row, have no perplexity: raise ValueError, even where another next word "
    "has probability 0.",
)
def refuses_what_has_no_perplexity(student, rng):
    model = _model(rng, 2)
    expect.raises(student, ValueError, model, ["a", "b"], [])
    expect.raises(student, ValueError, model, ["a", "b"], ["a", "a c"])
    expect.raises(student, ValueError, model, ["a", "b"], ["ab"])
    expect.raises(student, ValueError, np.eye(2), ["a"], ["a", "x"])
    expect.raises(student, ValueError, np.eye(2), ["a"], ["a x"])


# Task 3: compose


@oracle("compose")
def compose(left, right):
    """Every pair of states and every pair of arcs; then what cannot be reached goes."""
    arcs = []
    for a, after_a, reads, word, cost in left["arcs"]:
        if word == "":
            rights = {0, *(end for arc in right["arcs"] for end in arc[:2]), *(state for state, _ in right["finals"])}
            arcs += [((a, b), (after_a, b), reads, "", cost) for b in rights]
        else:
            arcs += [
                ((a, b), (after_a, after_b), reads, writes, cost + price)
                for b, after_b, heard, writes, price in right["arcs"]
                if heard == word
            ]
    reached, grew = {(0, 0)}, True
    while grew:
        new = {end for start, end, *_ in arcs if start in reached} - reached
        reached, grew = reached | new, bool(new)
    number = {pair: place for place, pair in enumerate(sorted(reached))}
    ends = [(number[a, b], p + q) for a, p in left["finals"] for b, q in right["finals"] if (a, b) in reached]
    kept = [(number[start], number[end], *rest) for start, end, *rest in arcs if start in reached]
    return {"arcs": kept, "finals": ends}


def _is_graph(graph, labels=(str,)):
    """A dictionary as the task describes it, with whole numbers for states."""
    if not (isinstance(graph, dict) and set(graph) == {"arcs", "finals"}):
        return False
    if not all(isinstance(graph[key], (list, tuple)) for key in graph):
        return False
    return all(
        isinstance(arc, (list, tuple))
        and len(arc) == 5
        and all(type(state) is int and state >= 0 for state in arc[:2])
        and isinstance(arc[2], labels)
        and isinstance(arc[3], str)
        and isinstance(arc[4], (int, float))
        for arc in graph["arcs"]
    ) and all(
        isinstance(end, (list, tuple))
        and len(end) == 2
        and type(end[0]) is int
        and end[0] >= 0
        and isinstance(end[1], (int, float))
        for end in graph["finals"]
    )


@covers("compose")
def are_graphs(left, right):
    """Graphs of which each state is final once, and the right one's arcs all read."""
    graphs = (left, right)
    return (
        all(map(_is_graph, graphs))
        and all(len({state for state, _ in graph["finals"]}) == len(graph["finals"]) for graph in graphs)
        and all(arc[2] != "" for arc in right["arcs"])
    )


@latitude("compose")
def is_the_same_but_for_numbers(arguments, reference, given):
    """States other than the start are numbered as one likes, and lists are in any order."""
    return _is_graph(given) and _fingerprint(given) == _fingerprint(reference)


def _fingerprint(graph, rounds=8):
    """What a graph is, whatever its states are called: colours of states, refined by their arcs' ends."""
    states = {0, *(end for arc in graph["arcs"] for end in arc[:2]), *(state for state, _ in graph["finals"])}
    ends = {}
    for state, cost in graph["finals"]:
        ends.setdefault(state, []).append(round(float(cost), 6))
    colour = {state: hash((state == 0, tuple(sorted(ends.get(state, []))))) for state in states}
    out, into = {}, {}
    for start, end, reads, writes, cost in graph["arcs"]:
        label = (reads, writes, round(float(cost), 6))
        out.setdefault(start, []).append((label, end))
        into.setdefault(end, []).append((label, start))
    for _ in range(rounds):
        colour = {
            state: hash(
                (
                    colour[state],
                    tuple(sorted((label, colour[end]) for label, end in out.get(state, []))),
                    tuple(sorted((label, colour[start]) for label, start in into.get(state, []))),
                )
            )
            for state in states
        }
    return sorted(colour.values())


def _same_graph(got, want):
    expect.true(
        _is_graph(got), hint="Return a dictionary with arcs of five parts and finals of two, states whole numbers."
    )
    expect.true(_fingerprint(got) == _fingerprint(want))


def _transducer(rng, n_states, n_arcs, reads, writes, silent=0.0):
    """A random graph whose state 0 leads somewhere; costs are real."""
    arcs = []
    for place in range(n_arcs):
        source = 0 if place < 2 else int(rng.integers(n_states))
        written = "" if rng.random() < silent else str(rng.choice(writes))
        cost = float(rng.uniform(0.1, 3))
        arcs.append((source, int(rng.integers(n_states)), str(rng.choice(reads)), written, cost))
    chosen = rng.permutation(n_states)[: rng.integers(1, n_states + 1)]
    return {"arcs": arcs, "finals": [(int(state), float(rng.uniform(0, 2))) for state in chosen]}


@check(
    "compose",
    hint="Draw two small graphs without silent arcs and compose them by hand: each pair of arcs whose words match "
    "makes an arc, from pair to pair, and the costs add. A state may have two arcs that read the same word; both "
    "count.",
)
def matches_words(student, rng):
    for _ in range(4):
        left = _transducer(rng, 3, 6, ["x", "y"], ["a", "b"])
        right = _transducer(rng, 3, 6, ["a", "b"], ["A", "B", ""])
        _same_graph(student(left, right), compose(left, right))
    left = {"arcs": [(0, 1, "x", "a", 0.5)], "finals": [(1, 0.0)]}
    right = {"arcs": [(0, 1, "a", "A", 1.0), (0, 2, "a", "B", 2.0)], "finals": [(1, 0.0), (2, 0.0)]}
    _same_graph(student(left, right), compose(left, right))


@check(
    "compose",
    hint="An arc that writes nothing moves the left graph alone; the right one stays in its state, wherever that is.",
)
def moves_alone_where_nothing_is_written(student, rng):
    for _ in range(4):
        left = _transducer(rng, 4, 8, ["x", "y"], ["a", "b"], silent=0.5)
        right = _transducer(rng, 3, 5, ["a", "b"], ["A", "B"])
        _same_graph(student(left, right), compose(left, right))


@check("compose", hint="Only pairs that can be reached from (0, 0) belong to the result, in arcs and in finals.")
def holds_only_what_can_be_reached(student, rng):
    for _ in range(3):
        left = _transducer(rng, 5, 5, ["x"], ["a", "b"])
        right = _transducer(rng, 5, 5, ["a", "c"], ["A"])
        _same_graph(student(left, right), compose(left, right))


@check("compose", hint="A pair is final if both of its states are, and costs what both cost; the start may be final.")
def ends_where_both_end(student, rng):
    p, q = (float(cost) for cost in rng.uniform(0.5, 2, 2))
    left = {"arcs": [(0, 1, "x", "a", 1.0), (1, 0, "y", "", 1.0)], "finals": [(0, p)]}
    right = {"arcs": [(0, 1, "a", "A", 1.0)], "finals": [(0, q), (1, p)]}
    _same_graph(student(left, right), compose(left, right))
    without = {"arcs": left["arcs"], "finals": []}
    _same_graph(student(without, right), compose(without, right))


@check("compose", hint="Two graphs whose words never meet have a composition: the start, without arcs.")
def knows_graphs_that_do_not_meet(student, rng):
    left = {"arcs": [(0, 1, "x", "a", 1.0)], "finals": [(1, 0.0)]}
    right = {"arcs": [(0, 1, "b", "B", 1.0)], "finals": [(1, 0.0)]}
    _same_graph(student(left, right), {"arcs": [], "finals": []})
    empty = {"arcs": [], "finals": [(0, 0.5)]}
    _same_graph(student(empty, empty), {"arcs": [], "finals": [(0, 1.0)]})


@check("compose", hint="Cycles are walked once: a pair that has a number already is not visited again.")
def ends_on_cycles(student, rng):
    left = {"arcs": [(0, 0, "x", "a", 0.5), (0, 0, "y", "", 0.25)], "finals": [(0, 0.0)]}
    right = {"arcs": [(0, 1, "a", "A", 1.0), (1, 0, "a", "B", 2.0)], "finals": [(1, 0.0)]}
    _same_graph(student(left, right), compose(left, right))


@check(
    "compose",
    hint="Five hundred states on each side are 250,000 pairs, of which few can be reached: go from the start, and look "
    "up arcs by state and word instead of trying all.",
)
def does_not_try_all_pairs(student, rng):
    n = 500
    words = [f"w{number}" for number in range(n)]
    left = {"arcs": [(i, i + 1, "x", words[i], 0.5) for i in range(n)], "finals": [(n, 0.0)]}
    right = {"arcs": [(i, i + 1, words[i], "W", 0.25) for i in range(n)], "finals": [(n, 0.0)]}
    made = student(left, right, seconds=4.0)
    expect.true(_is_graph(made) and len(made["arcs"]) == n)
    expect.close(sum(arc[4] for arc in made["arcs"]), 0.75 * n, atol=1e-6)


# Task 4: best_path


@oracle("best_path")
def best_path(graph):
    """Costs go round the graph until nothing gets cheaper (Bellman and Ford)."""
    states = {0, *(end for arc in graph["arcs"] for end in arc[:2])}
    best = dict.fromkeys(states, math.inf) | {0: 0.0}
    written = {0: []}
    for _ in states:
        for source, target, _, word, cost in graph["arcs"]:
            if best[source] + cost < best[target]:
                best[target] = best[source] + cost
                written[target] = written[source] + ([word] if word else [])
    ends = [
        (best[state] + cost, written[state]) for state, cost in graph["finals"] if best.get(state, math.inf) < math.inf
    ]
    return min(ends, key=lambda end: end[0], default=(math.inf, []))


@covers("best_path")
def is_a_graph_with_costs(graph):
    """A graph whose arcs cost 0 or more."""
    return _is_graph(graph, (str, int)) and all(math.isfinite(arc[4]) and arc[4] >= 0 for arc in graph["arcs"])


@latitude("best_path")
def costs_and_writes_the_same(arguments, reference, given):
    """The cost to a millionth. Where other paths cost the same, any of their texts."""
    if not (isinstance(given, (tuple, list)) and len(given) == 2 and isinstance(given[0], (int, float))):
        return False
    if not isinstance(given[1], (tuple, list)):
        return False
    near = given[0] == reference[0] or abs(given[0] - reference[0]) <= 1e-6
    return near and (list(given[1]) == list(reference[1]) or tuple(given[1]) in _texts_at(arguments[0], reference[0]))


def _texts_at(graph, cost):
    """What the simple paths write whose cost is ``cost``; of small graphs only."""
    leaving, ends, found = {}, {}, set()
    for arc in graph["arcs"]:
        leaving.setdefault(arc[0], []).append(arc)
    for state, price in graph["finals"]:
        ends.setdefault(state, []).append(price)
    waiting = [(0, 0.0, (), frozenset([0]))]
    for _ in range(20_000):
        if not waiting:
            break
        state, so_far, text, seen = waiting.pop()
        found |= {text for price in ends.get(state, []) if abs(so_far + price - cost) <= 1e-6}
        for _, target, _, word, price in leaving.get(state, []):
            if target not in seen:
                waiting.append((target, so_far + price, (*text, word) if word else text, seen | {target}))
    return found


def _expect_path(got, want):
    expect.true(
        isinstance(got, (tuple, list)) and len(got) == 2, hint="Return two things: the cost, and what is written."
    )
    expect.close(got[0], want[0], atol=1e-6)
    expect.equal(got[1], list(want[1]))


def _detours(rng, n_steps):
    """A chain of states, each with an expensive way on, a cheaper one through a second state, and a cheap dead end."""
    arcs = []
    for step in range(n_steps):
        through, dead = n_steps + 1 + step, 2 * n_steps + 1 + step
        direct, first, second = (float(cost) for cost in rng.uniform([2.5, 0.9, 0.1], [3.0, 1.0, 0.3]))
        arcs += [(step, step + 1, "x", "d", direct), (step, through, "x", "s", first)]
        arcs += [(through, step + 1, "x", "", second), (step, dead, "x", "t", 0.05)]
    finals = [(n_steps, float(rng.uniform(0, 1)))]
    return {"arcs": [arcs[place] for place in rng.permutation(len(arcs))], "finals": finals}


@check(
    "best_path",
    hint="Draw a graph of four states and list all of its paths: the cheapest may have more arcs than another, and the "
    "cost of the final state counts.",
)
def equals_exhaustive_search(student, rng):
    for n_states in (2, 3, 4, 5, 6):
        graph = _transducer(rng, n_states, 3 * n_states, ["x"], ["a", "b", "c"], silent=0.3)
        _expect_path(student(graph), best_path(graph))
    for n_steps in (3, 5, 8):
        graph = _detours(rng, n_steps)
        _expect_path(student(graph), best_path(graph))


@check("best_path", hint="States may have any numbers; later ones may lead back to earlier ones, with a lower cost.")
def takes_states_in_any_order(student, rng):
    order = [0, *(int(n) for n in rng.permutation(np.arange(1, 40)))]
    arcs = [(a, b, "x", str(rng.choice(list("abc"))), float(rng.uniform(0.1, 1))) for a, b in itertools.pairwise(order)]
    shortcut = (0, order[-2], "x", "s", 100.0)
    _expect_path(
        student({"arcs": [shortcut, *arcs], "finals": [(order[-1], 0.5)]}),
        best_path({"arcs": arcs, "finals": [(order[-1], 0.5)]}),
    )


@check("best_path", hint="What arcs write, in the order of the path, without the arcs that write nothing.")
def leaves_out_silent_arcs(student, rng):
    words = [str(word) for word in rng.choice(["a", "", "b", ""], 12)]
    arcs = [(n, n + 1, "x", word, 1.0) for n, word in enumerate(words)]
    _expect_path(student({"arcs": arcs, "finals": [(12, 0.0)]}), (12.0, [word for word in words if word]))


@check("best_path", hint="Without a way to a final state the answer is (np.inf, []); the start may be final itself.")
def knows_where_no_path_is(student, rng):
    arcs = [(0, 1, "x", "a", 1.0), (2, 3, "x", "b", 1.0)]
    for finals in ([], [(3, 0.0)], [(7, 0.0)]):
        _expect_path(student({"arcs": arcs, "finals": finals}), (math.inf, []))
    _expect_path(student({"arcs": [], "finals": [(0, 0.75)]}), (0.75, []))
    _expect_path(student({"arcs": arcs, "finals": [(0, 5.0), (1, 1.0)]}), (2.0, ["a"]))
    _expect_path(student({"arcs": arcs, "finals": [(0, 0.5), (1, 1.0)]}), (0.5, []))


@check("best_path", hint="The cost of a final state may be below 0: look at all of them before you stop.")
def looks_at_all_finals(student, rng):
    for _ in range(4):
        arcs = _transducer(rng, 6, 24, ["x"], ["a", "b"])["arcs"]
        finals = [(state, float(cost)) for state, cost in enumerate(rng.uniform(-9, 0, 6))]
        graph = {"arcs": arcs, "finals": finals}
        _expect_path(student(graph), best_path(graph))


@check("best_path", hint="Cycles, arcs from a state to itself and arcs that cost 0 must not keep you going round.")
def ends_on_cycles_too(student, rng):
    arcs = [(0, 1, "x", "a", 0.0), (1, 0, "x", "b", 0.0), (1, 1, "x", "c", 0.0), (1, 2, "x", "d", 1.5)]
    _expect_path(student({"arcs": arcs, "finals": [(2, 0.25)]}), (1.75, ["a", "d"]))


@check(
    "best_path",
    hint="Two hundred choices in a row have 2 to the power 200 paths: of two ways into a state keep the cheaper one, "
    "and forget the other.",
)
def does_not_try_all_paths(student, rng):
    n = 200
    costs = rng.uniform(0.1, 1, (n, 2))
    arcs = [(i, i + 1, "x", "ab"[place], float(costs[i, place])) for i in range(n) for place in (0, 1)]
    chosen = ["ab"[place] for place in costs.argmin(axis=1)]
    _expect_path(student({"arcs": arcs, "finals": [(n, 0.0)]}, seconds=4.0), (float(costs.min(axis=1).sum()), chosen))


# Task 5: beam_decode


@oracle("beam_decode")
def beam_decode(frame_costs, graph, beam):
    """A table of costs, frame by frame and state by state; the path is read from it backwards."""
    if not beam >= 0:
        raise ValueError(f"A beam of {beam} holds nothing.")
    frame_costs = np.asarray(frame_costs, dtype=float)
    if any(not 0 <= arc[2] < frame_costs.shape[1] for arc in graph["arcs"]):
        raise ValueError("An arc reads a unit without a column.")
    n_states = 1 + max(
        [0, *(end for arc in graph["arcs"] for end in arc[:2]), *(state for state, _ in graph["finals"])]
    )
    costs, came = np.full(n_states, np.inf), []
    costs[0] = 0.0
    alive = []
    for frame in frame_costs:
        step = [
            (costs[a] + frame[unit] + price, b, place) for place, (a, b, unit, _, price) in enumerate(graph["arcs"])
        ]
        costs, arcs = np.full(n_states, np.inf), np.full(n_states, -1)
        for total, state, place in step:
            if total < costs[state]:
                costs[state], arcs[state] = total, place
        costs[costs > costs.min() + beam] = np.inf
        came.append(arcs)
        alive.append(int(np.isfinite(costs).sum()))
    ends = [(costs[state] + price, state) for state, price in graph["finals"] if costs[state] < np.inf]
    cost, state = min(ends, default=(math.inf, None))
    return float(cost), _written(graph, came, state) if cost < math.inf else [], np.array(alive, dtype=int)


def _written(graph, came, state):
    words = []
    for arcs in reversed(came):
        before, _, _, word, _ = graph["arcs"][arcs[state]]
        words += [word] if word else []
        state = before
    return words[::-1]


@covers("beam_decode")
def is_a_search(frame_costs, graph, beam):
    """Costs without NaN or minus infinity, a graph that reads whole numbers, a number for the beam."""
    return (
        isinstance(frame_costs, np.ndarray)
        and frame_costs.ndim == 2
        and frame_costs.dtype.kind == "f"
        and not np.isnan(frame_costs).any()
        and not np.isneginf(frame_costs).any()
        and _is_graph(graph, (int,))
        and all(math.isfinite(arc[4]) for arc in graph["arcs"])
        and all(math.isfinite(end[1]) for end in graph["finals"])
        and isinstance(beam, (int, float))
    )


@latitude("beam_decode")
def finds_as_good_a_path(arguments, reference, given):
    """The cost to a millionth, the same tokens alive, the same words."""
    if not (isinstance(given, (tuple, list)) and len(given) == 3 and isinstance(given[0], (int, float))):
        return False
    near = given[0] == reference[0] or abs(given[0] - reference[0]) <= 1e-6
    return bool(near and list(given[1]) == list(reference[1]) and _alike(reference[2], given[2], 0))


def _expect_decoding(got, want):
    expect.true(
        isinstance(got, (tuple, list)) and len(got) == 3, hint="Return three things: the cost, the words, the counts."
    )
    expect.close(got[0], want[0], atol=1e-6)
    expect.equal(got[1], list(want[1]))
    expect.close(got[2], want[2], atol=0)


def _search(rng, n_states, n_units, n_frames, silent=0.4):
    """Frames, and a graph whose arcs read units; every state leads somewhere."""
    arcs = []
    for state in range(n_states):
        for target in {int(one) for one in rng.integers(n_states, size=3)} | {state}:
            word = "" if rng.random() < silent else str(rng.choice(["a", "b", "c"]))
            arcs.append((state, target, int(rng.integers(n_units)), word, float(rng.uniform(0, 2))))
    ends = [(int(state), float(rng.uniform(0, 2))) for state in rng.permutation(n_states)[: max(n_states // 2, 1)]]
    return rng.uniform(0, 4, (n_frames, n_units)), {"arcs": arcs, "finals": ends}


NOTHING = {"arcs": [], "finals": []}


def _every_path(frame_costs, graph):
    """The cheapest of all paths of the frames' length, tried one by one."""
    leaving = {}
    for arc in graph["arcs"]:
        leaving.setdefault(arc[0], []).append(arc)
    paths = [(0.0, 0, ())]
    for frame in frame_costs:
        paths = [
            (cost + price + frame[unit], target, (*words, word) if word else words)
            for cost, state, words in paths
            for _, target, unit, word, price in leaving.get(state, [])
        ]
    ends = [(cost + price, words) for cost, state, words in paths for end, price in graph["finals"] if end == state]
    return min(ends, default=(math.inf, ()))


@check(
    "beam_decode",
    hint="Without a beam the search misses nothing: on a graph of three states and four frames it finds what trying "
    "all paths finds.",
)
def equals_all_paths_without_a_beam(student, rng):
    for n_frames in (1, 2, 4, 5):
        frames, graph = _search(rng, 3, 4, n_frames)
        got = student(frames, graph, math.inf)
        cost, words = _every_path(frames, graph)
        _expect_decoding(got, (cost, words, beam_decode(frames, graph, math.inf)[2]))


@check(
    "beam_decode",
    hint="After each frame, when all tokens have moved: which cost more than the cheapest of that frame plus the beam? "
    "These die, and no others.",
)
def prunes_by_the_rule(student, rng):
    for beam in (0.0, 0.3, 1.0, 2.5, 6.0):
        frames, graph = _search(rng, 8, 5, 12)
        _expect_decoding(student(frames, graph, beam), beam_decode(frames, graph, beam))


@check("beam_decode", hint="A beam can make the path found dearer than the best one, never cheaper.")
def costs_no_less_with_a_beam(student, rng):
    frames, graph = _search(rng, 10, 6, 8)
    best = beam_decode(frames, graph, math.inf)[0]
    for beam in (0.2, 1.5, 4.0, 1e9):
        got = student(frames, graph, beam)
        expect.true(isinstance(got, (tuple, list)) and len(got) == 3)
        cost = expect.number(got[0], finite=False)
        expect.true(cost >= best - 1e-9)
        expect.close(cost, beam_decode(frames, graph, beam)[0], atol=1e-6)


@check("beam_decode", hint="A token exactly as far behind as the beam is wide lives; one a hair further dies.")
def keeps_what_is_exactly_on_the_edge(student, rng):
    arcs = [(0, 1, 0, "a", 0.0), (0, 2, 1, "b", 0.0), (1, 1, 0, "", 0.0), (2, 2, 1, "", 0.0)]
    graph = {"arcs": arcs, "finals": [(1, 8.0), (2, 0.0)]}
    frames = np.array([[1.0, 3.0], [1.0, 1.0]])
    for beam in (2.0, 1.75):
        _expect_decoding(student(frames, graph, beam), beam_decode(frames, graph, beam))


@check(
    "beam_decode",
    hint="Only tokens in a final state end a path, with that state's cost; the cheapest token of the last frame may be "
    "in another one. If none is final: (np.inf, [], alive).",
)
def ends_in_final_states_only(student, rng):
    frames, graph = _search(rng, 6, 4, 8)
    for finals in ([(5, 0.0)], [(0, 3.0), (1, 0.1)], [], [(9, 0.0)]):
        changed = {"arcs": graph["arcs"], "finals": finals}
        _expect_decoding(student(frames, changed, math.inf), beam_decode(frames, changed, math.inf))


@check("beam_decode", hint="Try no frames at all, one frame, a graph without arcs, and a start that is final.")
def knows_short_recordings(student, rng):
    arcs = [(0, 1, 0, "a", 0.5)]
    for graph in ({"arcs": arcs, "finals": [(0, 0.25), (1, 1.0)]}, {"arcs": arcs, "finals": [(1, 1.0)]}, NOTHING):
        for n_frames in (0, 1, 2):
            frames = rng.uniform(0, 1, (n_frames, 2))
            _expect_decoding(student(frames, graph, 5.0), beam_decode(frames, graph, 5.0))


@check("beam_decode", hint="An infinite cost is no cost at all: such a token does not live, and is not counted.")
def drops_the_impossible(student, rng):
    frames, graph = _search(rng, 6, 5, 9)
    frames[rng.random(frames.shape) < 0.3] = np.inf
    for beam in (3.0, math.inf):
        _expect_decoding(student(frames, graph, beam), beam_decode(frames, graph, beam))
    frames[4] = np.inf
    for beam in (3.0, math.inf):
        _expect_decoding(student(frames, graph, beam), beam_decode(frames, graph, beam))


@check("beam_decode", hint="Costs are minus log-likelihoods of densities: they may be below zero, and often are.")
def takes_costs_below_zero(student, rng):
    frames, graph = _search(rng, 7, 5, 10)
    _expect_decoding(student(frames - 6.0, graph, 2.0), beam_decode(frames - 6.0, graph, 2.0))


@check("beam_decode", hint="A beam that is negative or NaN, and arcs that read what no column is for: ValueError.")
def refuses_impossible_searches(student, rng):
    frames, graph = _search(rng, 3, 4, 3)
    for beam in (-0.5, math.nan):
        expect.raises(student, ValueError, frames, graph, beam)
    for unit in (4, -1):
        other = {"arcs": [*graph["arcs"], (0, 1, unit, "", 0.0)], "finals": graph["finals"]}
        expect.raises(student, ValueError, frames, other, 1.0)


@check(
    "beam_decode",
    hint="Four hundred frames through sixty states: of two tokens that meet in a state only the cheaper goes on, or "
    "their number doubles with every frame.",
)
def does_not_keep_every_path(student, rng):
    frames, graph = _search(rng, 60, 30, 400)
    _expect_decoding(student(frames, graph, math.inf, seconds=8.0), beam_decode(frames, graph, math.inf))


# Task 6: word_error_rate


def _edits(said, heard):
    """Least number of edits, by trying all three at every place, remembered."""

    @functools.cache
    def edits(i, j):
        if i == len(said) or j == len(heard):
            return len(said) - i + len(heard) - j
        if said[i] == heard[j]:
            return edits(i + 1, j + 1)
        return 1 + min(edits(i + 1, j + 1), edits(i + 1, j), edits(i, j + 1))

    for i in range(len(said), -1, -50):  # fills the memory from the end, so that calls do not nest deeply
        for j in range(len(heard), -1, -50):
            edits(i, j)
    return edits(0, 0)


@oracle("word_error_rate")
def word_error_rate(references, hypotheses):
    """All errors over all words."""
    if len(references) != len(hypotheses) or not references:
        raise ValueError("Expected a hypothesis for each reference, and at least one.")
    pairs = [(tuple(said.split()), tuple(heard.split())) for said, heard in zip(references, hypotheses, strict=True)]
    errors, words = sum(_edits(*pair) for pair in pairs), sum(len(said) for said, _ in pairs)
    if words:
        return errors / words
    return math.inf if errors else 0.0


@covers("word_error_rate")
def are_lists_of_text(references, hypotheses):
    """Lists of text."""
    return all(isinstance(one, list) and all(isinstance(text, str) for text in one) for one in (references, hypotheses))


@latitude("word_error_rate")
def counts_the_same(arguments, reference, given):
    """A billionth; whole numbers are numbers."""
    return isinstance(given, (int, float)) and (given == reference or abs(given - reference) <= 1e-9)


def _heard(rng, text, words):
    """The text with some words changed, lost and added."""
    heard = []
    for word in text.split():
        draw = rng.random()
        heard += [] if draw < 0.15 else [str(rng.choice(words))] if draw < 0.3 else [word]
        heard += [str(rng.choice(words))] if rng.random() < 0.15 else []
    return " ".join(heard)


@check(
    "word_error_rate",
    hint="The least number of replaced, deleted and inserted words: on texts of three words try all ways by hand. One "
    "missing word must not make all words after it wrong.",
)
def counts_the_least_edits(student, rng):
    for n_words in (2, 4, 6, 9, 12, 20):
        said = [" ".join(str(word) for word in rng.choice(["a", "b", "c"], n_words))]
        heard = [_heard(rng, said[0], ["a", "b", "c"])]
        expect.close(student(said, heard), word_error_rate(said, heard), atol=1e-9)


@check("word_error_rate", hint="Errors are added over all recordings and divided by all words: no mean of rates.")
def adds_up_over_recordings(student, rng):
    for n in (2, 5, 20):
        said = [*_texts(rng, list(LETTERS), n, 9), "a b"]
        heard = [_heard(rng, text, list(LETTERS)) for text in said]
        expect.close(student(said, heard), word_error_rate(said, heard), atol=1e-9)


@check("word_error_rate", hint="Which of the two is the reference? Its words are what one divides by.")
def divides_by_what_was_said(student, rng):
    n = int(rng.integers(3, 7))
    expect.close(student(["a"], [" ".join(["a"] * n)]), n - 1.0, atol=1e-9)
    expect.close(student([" ".join(["a"] * n)], ["a"]), (n - 1) / n, atol=1e-9)


@check("word_error_rate", hint="Silence is a text without words: try it as reference, as hypothesis, and as both.")
def knows_silence(student, rng):
    for said, heard in (([""], [""]), ([""], ["a"]), (["a b"], [""]), (["", "a"], ["b", "a"]), (["", ""], ["", " "])):
        expect.close(student(said, heard), word_error_rate(said, heard), atol=1e-9)


@check("word_error_rate", hint="Words, not letters: `forty` for `four` is one error, and spaces at the ends are none.")
def compares_whole_words(student, rng):
    expect.close(student(["four  one "], [" forty one"]), 0.5, atol=1e-9)
    expect.close(student(["ab c"], ["a bc"]), 1.0, atol=1e-9)


@check("word_error_rate", hint="A list that is longer than the other, or two without anything in them: ValueError.")
def refuses_unequal_lists(student, rng):
    for said, heard in ((["a"], []), (["a", "b"], ["a"]), ([], ["a"]), ([], [])):
        expect.raises(student, ValueError, said, heard)


@check(
    "word_error_rate",
    hint="Three hundred words against three hundred: a table with a row for each word is small; trying all is not.",
)
def does_not_try_all_ways(student, rng):
    said = [" ".join(str(word) for word in rng.choice(list(LETTERS), 300))]
    heard = [_heard(rng, said[0], list(LETTERS))]
    expect.close(student(said, heard, seconds=5.0), word_error_rate(said, heard), atol=1e-9)


# Task 7: error_interval


@oracle("error_interval")
def error_interval(errors, words, draws, level=0.95):
    """Sample by sample, and quantiles by their definition."""
    errors, words = np.asarray(errors), np.asarray(words)
    if len(errors) != len(words) or np.any(words < 1) or not 0 < level < 1:
        raise ValueError("Expected two numbers for each recording, words from 1 on, and a level inside (0, 1).")
    rates = sorted(sum(int(errors[i]) for i in draw) / sum(int(words[i]) for i in draw) for draw in np.asarray(draws))

    def quantile(share):
        place = share * (len(rates) - 1)
        below = math.floor(place)
        above = min(below + 1, len(rates) - 1)
        return rates[below] + (place - below) * (rates[above] - rates[below])

    return quantile((1 - level) / 2), quantile((1 + level) / 2)


@covers("error_interval")
def are_counts_and_draws(errors, words, draws, level=0.95):
    """Counts in one dimension, and draws among the recordings."""
    return (
        all(isinstance(one, np.ndarray) and one.ndim == 1 and one.dtype.kind in "iu" for one in (errors, words))
        and isinstance(draws, np.ndarray)
        and draws.ndim == 2
        and draws.dtype.kind in "iu"
        and draws.size > 0
        and bool(np.all((draws >= 0) & (draws < max(len(errors), 1))))
        and bool(np.all(errors >= 0))
        and isinstance(level, (int, float))
    )


@latitude("error_interval")
def has_the_same_ends(arguments, reference, given):
    """A billionth, in any kind of pair."""
    return isinstance(given, (tuple, list, np.ndarray)) and _alike(reference, given, 1e-9)


def _calls(rng, n, n_draws=200):
    words = rng.integers(1, 30, n)
    return rng.binomial(words, rng.uniform(0.05, 0.4)), words, rng.integers(n, size=(n_draws, n))


@check(
    "error_interval",
    hint="A sample's rate is all of its errors over all of its words: compute two samples by hand, with long and short "
    "recordings.",
)
def resamples_recordings(student, rng):
    for n in (1, 3, 12, 80):
        errors, words, draws = _calls(rng, n)
        expect.close(student(errors, words, draws, 0.95), error_interval(errors, words, draws), atol=1e-9)


@check("error_interval", hint="Half of what lies outside lies below, half above: (1 - level) / 2 and (1 + level) / 2.")
def follows_the_level(student, rng):
    errors, words, draws = _calls(rng, 15)
    for level in (0.5, 0.8, 0.9, 0.99):
        expect.close(student(errors, words, draws, level), error_interval(errors, words, draws, level), atol=1e-9)


@check("error_interval", hint="Quantiles lie between the rates of two samples: interpolate, as np.quantile does.")
def interpolates_between_samples(student, rng):
    for n_draws in (1, 2, 7):
        errors, words, draws = _calls(rng, 6, n_draws)
        expect.close(student(errors, words, draws, 0.7), error_interval(errors, words, draws, 0.7), atol=1e-9)


@check("error_interval", hint="A sample may hold more or fewer recordings than there are: its draws say how many.")
def takes_samples_of_any_size(student, rng):
    errors, words, _ = _calls(rng, 9)
    for n_drawn in (1, 4, 30):
        draws = rng.integers(9, size=(50, n_drawn))
        expect.close(student(errors, words, draws, 0.9), error_interval(errors, words, draws, 0.9), atol=1e-9)


@check("error_interval", hint="Two lengths, a recording without words, a level of 0 or 1: raise ValueError.")
def refuses_what_has_no_interval(student, rng):
    errors, words, draws = _calls(rng, 5)
    for arguments in (
        (errors[:4], words, draws, 0.95),
        (errors, words[:4], draws, 0.95),
        (errors, words * np.array([1, 1, 0, 1, 1]), draws, 0.95),
        (errors, words, draws, 0.0),
        (errors, words, draws, 1.0),
        (errors, words, draws, 1.5),
    ):
        expect.raises(student, ValueError, *arguments)
