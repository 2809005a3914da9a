"""Transducers against brute force: every path of small random graphs listed, and their weights added up by hand."""

import itertools
import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course import ngrams, wfst
from course.plotting import described
from course.wfst import EPSILON, LOG, TROPICAL, speech
from course.wfst.drawing import plot_graph

seeds = st.integers(0, 2**32 - 1)
semirings = st.sampled_from([TROPICAL, LOG])


def random_graph(seed, semiring=TROPICAL, inputs="ab", outputs="xy", n_arcs=7, n_states=4):
    """Acyclic, so that all of its paths can be listed; epsilons on both sides."""
    rng = np.random.default_rng(seed)
    graph = wfst.Wfst(semiring)
    graph.add_states(n_states)
    for _ in range(n_arcs):
        source, to = sorted(rng.choice(n_states, 2, replace=False))
        labels = [str(rng.choice([*letters, EPSILON])) for letters in (inputs, outputs)]
        graph.add_arc(int(source), *labels, float(rng.integers(0, 8)) / 2, int(to))
    for state in {n_states - 1, int(rng.integers(n_states))}:
        graph.set_final(state, float(rng.integers(0, 4)) / 2)
    return graph


def listed(graph):
    """Every path as (inputs, outputs, weight), by recursion."""

    def walk(state, inputs, outputs, weight):
        if state in graph.finals:
            yield inputs, outputs, weight + graph.finals[state]
        for arc in graph.arcs[state]:
            more = inputs + (arc.input,) * bool(arc.input), outputs + (arc.output,) * bool(arc.output)
            yield from walk(arc.to, *more, weight + arc.weight)

    return list(walk(0, (), (), 0.0)) if graph.n_states else []


def joined(weights, semiring):
    return min(weights) if semiring is TROPICAL else -math.log(sum(math.exp(-weight) for weight in weights))


def relation(paths, semiring):
    """(inputs, outputs) to the joint weight."""
    weights = defaultdict(list)
    for inputs, outputs, weight in paths:
        weights[inputs, outputs].append(weight)
    return {key: joined(values, semiring) for key, values in weights.items()}


def says_the_same(graph, expected):
    return relation(listed(graph), graph.semiring) == pytest.approx(expected, abs=1e-6)


# ----------------------------------------------------------------------------------------------------- composition


@given(seeds, seeds, semirings)
def test_composition_pairs_every_two_paths_that_fit(one, other, semiring):
    first, second = random_graph(one, semiring), random_graph(other, semiring, inputs="xy", outputs="pq")
    pairs = [
        (a_in, b_out, a_weight + b_weight)
        for (a_in, a_out, a_weight), (b_in, b_out, b_weight) in itertools.product(listed(first), listed(second))
        if a_out == b_in
    ]
    product = wfst.compose(first, second)
    assert says_the_same(product, relation(pairs, semiring))
    assert len(listed(product)) == len(pairs)  # none twice, though epsilons could be taken in several orders


@given(seeds, seeds, seeds)
def test_composition_may_be_bracketed_either_way(a, b, c):
    graphs = random_graph(a, n_arcs=5), random_graph(b, inputs="xy", n_arcs=5), random_graph(c, inputs="xy", n_arcs=5)
    left = wfst.compose(wfst.compose(graphs[0], graphs[1]), graphs[2])
    right = wfst.compose(graphs[0], wfst.compose(graphs[1], graphs[2]))
    assert says_the_same(left, relation(listed(right), TROPICAL))


def test_composing_with_nothing_in_common_leaves_nothing():
    product = wfst.compose(wfst.linear(["a"]), wfst.linear(["b"]))
    assert (product.n_states, product.n_arcs, product.finals) == (1, 0, {})


def test_graphs_over_different_semirings_or_without_states_are_refused():
    with pytest.raises(ValueError, match="tropical and log came"):
        wfst.compose(wfst.linear("a"), wfst.linear("a", LOG))
    with pytest.raises(ValueError, match="no states"):
        wfst.compose(wfst.Wfst(), wfst.linear("a"))


@given(seeds, seeds, st.floats(0, 5))
def test_a_union_has_the_paths_of_both(one, other, extra):
    first, second = random_graph(one), random_graph(other)
    paths = listed(first) + [(inputs, outputs, weight + extra) for inputs, outputs, weight in listed(second)]
    assert says_the_same(wfst.union(first, second, extra), relation(paths, TROPICAL))


# -------------------------------------------------------------------------------------------------- smaller graphs


@given(seeds, semirings)
def test_trimming_and_pushing_and_removing_epsilons_change_nothing_that_is_said(seed, semiring):
    graph = random_graph(seed, semiring, n_arcs=9)
    expected = relation(listed(graph), semiring)
    for smaller in (wfst.trimmed(graph), wfst.pushed(graph), wfst.without_epsilons(graph)):
        assert says_the_same(smaller, expected)
    silent = [arc for _, arc in wfst.without_epsilons(graph).every_arc() if not (arc.input or arc.output)]
    assert not silent


@given(seeds, semirings)
def test_trimmed_states_all_lie_on_a_path(seed, semiring):
    graph = wfst.trimmed(random_graph(seed, semiring, n_arcs=4, n_states=6))
    if graph.finals:
        on_paths = set()
        for path in walks(graph):
            on_paths |= set(path)
        assert on_paths == set(range(graph.n_states))


def walks(graph, state=0, path=(0,)):
    if state in graph.finals:
        yield path
    for arc in graph.arcs[state]:
        yield from walks(graph, arc.to, (*path, arc.to))


def random_acceptor(seed, semiring):
    """Reads and writes the same, has no epsilons, and is far from deterministic."""
    graph = random_graph(seed, semiring, n_arcs=10)
    graph.arcs = [
        [arc._replace(input=arc.input or "a", output=arc.input or "a") for arc in arcs] for arcs in graph.arcs
    ]
    return graph


@given(seeds, semirings)
def test_determinised_and_minimised_graphs_say_the_same(seed, semiring):
    graph = random_acceptor(seed, semiring)
    expected = relation(listed(graph), semiring)
    smaller = wfst.determinised(graph)
    for state in range(smaller.n_states):
        read = [arc.input for arc in smaller.arcs[state]]
        assert len(read) == len(set(read))
    assert says_the_same(smaller, expected)
    smallest = wfst.minimised(smaller)
    assert says_the_same(smallest, expected)
    assert smallest.n_states <= smaller.n_states
    assert wfst.minimised(smallest).n_states == smallest.n_states


@given(st.sets(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=8))
def test_a_minimal_graph_has_one_state_for_each_set_of_endings(words):
    graph = wfst.Wfst()
    start = graph.add_state()
    for word in words:
        state = start
        for letter in word:
            state, before = graph.add_state(), state
            graph.add_arc(before, letter, letter, 0, state)
        graph.set_final(state)
    beginnings = {word[:i] for word in words for i in range(len(word) + 1)}
    endings = {frozenset(word[len(b) :] for word in words if word.startswith(b)) for b in beginnings}
    assert wfst.minimised(wfst.determinised(graph)).n_states == len(endings)  # Myhill and Nerode


@given(seeds)
def test_words_are_written_once_they_are_certain(seed):
    """A transducer with one output for each input keeps it, however late its paths part."""
    rng = np.random.default_rng(seed)
    inputs = {"".join(rng.choice(list("ab"), rng.integers(1, 5))) for _ in range(6)}
    graph = wfst.Wfst()
    start = graph.add_state()
    for word in sorted(inputs):
        state = start
        for i, letter in enumerate(word):
            after = graph.add_state()
            graph.add_arc(state, letter, f"{word}{i}" if rng.random() < 0.5 else EPSILON, float(rng.integers(4)), after)
            state = after
        graph.set_final(state)
    assert says_the_same(wfst.determinised(graph), relation(listed(graph), TROPICAL))


def test_two_outputs_for_one_input_are_refused_with_both():
    graph = wfst.Wfst()
    graph.add_states(2)
    graph.set_final(1)
    for word in ("two", "to"):
        graph.add_arc(0, "T", word, 0, 1)
    with pytest.raises(ValueError, match="'to' and as 'two'"):
        wfst.determinised(graph)


def test_a_graph_that_cannot_be_determinised_is_given_up():
    """Two loops whose outputs part for ever: the twins of Mohri's theorem."""
    graph = wfst.Wfst()
    graph.add_states(4)
    for loop, word, end in ((1, "x", "b"), (2, "y", "c")):
        graph.add_arc(0, "a", word, 0, loop)
        graph.add_arc(loop, "a", word, 0, loop)
        graph.add_arc(loop, end, EPSILON, 0, 3)
    graph.set_final(3)
    with pytest.raises(ValueError, match="passed 50 states"):
        wfst.determinised(graph, most_states=50)


def test_determinisation_wants_epsilons_removed():
    graph = wfst.Wfst()
    graph.add_states(2)
    graph.add_arc(0, EPSILON, "x", 0, 1)
    with pytest.raises(ValueError, match="Remove epsilons first"):
        wfst.determinised(graph)


def test_a_silent_cycle_is_summed_up():
    """1 + 1/2 + 1/4 … = 2 in the log semiring; the best way is not to go round in the tropical one."""
    for semiring, weight in ((LOG, -math.log(2)), (TROPICAL, 0)):
        graph = wfst.Wfst(semiring)
        graph.add_states(1)
        graph.add_arc(0, EPSILON, EPSILON, math.log(2), 0)
        graph.set_final(0)
        assert wfst.without_epsilons(graph).finals[0] == pytest.approx(weight)
        assert wfst.total_weight(graph) == pytest.approx(weight)


def test_a_cycle_that_pays_is_refused():
    graph = wfst.Wfst()
    graph.add_states(2)
    graph.add_arc(0, "a", "a", -1, 1)
    graph.add_arc(1, "a", "a", 0.5, 0)
    graph.set_final(1)
    with pytest.raises(ValueError, match="better each time round"):
        wfst.shortest_path(graph)


# ----------------------------------------------------------------------------------------------------------- paths


@given(seeds, semirings)
def test_best_and_joint_weights_are_those_of_the_list(seed, semiring):
    graph = random_graph(seed, semiring, n_arcs=9)
    paths = listed(graph)
    if not paths:
        assert wfst.total_weight(graph) == math.inf and wfst.best_paths(graph, 3) == []
        with pytest.raises(ValueError, match="none connects"):
            wfst.shortest_path(graph)
        return
    weights = sorted(weight for _, _, weight in paths)
    assert wfst.total_weight(graph) == pytest.approx(joined(weights, semiring))
    best = wfst.shortest_path(graph)
    assert best.weight == pytest.approx(weights[0])
    assert (best.inputs, best.outputs) in {(i, o) for i, o, weight in paths if weight <= weights[0] + 1e-9}
    assert [path.weight for path in wfst.best_paths(graph, 5)] == pytest.approx(weights[:5])
    every = Counter((path.inputs, path.outputs, path.weight) for path in wfst.all_paths(graph))
    assert every == Counter(paths)


def test_a_cycle_of_no_cost_ends_the_shortest_path_all_the_same():
    graph = wfst.Wfst()
    graph.add_states(3)
    graph.add_arc(0, "a", "a", 0, 1)
    graph.add_arc(1, "b", "b", 0, 0)
    graph.add_arc(1, "c", "c", 0, 2)
    graph.set_final(2)
    assert wfst.shortest_path(graph).inputs == ("a", "c")


def test_random_paths_are_as_frequent_as_their_weights_say(rng):
    graph = random_graph(7, n_arcs=9)
    paths = listed(graph)
    shares = Counter()
    for inputs, outputs, weight in paths:
        shares[inputs, outputs] += math.exp(-weight)
    drawn = Counter((path.inputs, path.outputs) for path in (wfst.random_path(graph, rng) for _ in range(1000)))
    for key, share in shares.items():
        assert drawn[key] / 1000 == pytest.approx(share / sum(shares.values()), abs=0.06)


@given(seeds, st.floats(0, 5))
def test_what_is_within_the_beam_is_what_the_list_says(seed, beam):
    graph = random_graph(seed, n_arcs=9)
    paths = listed(graph)
    kept = listed(wfst.within(graph, beam)) if paths else []
    limit = min((weight for _, _, weight in paths), default=0) + beam
    assert not Counter(p for p in paths if p[2] <= limit) - Counter(kept)
    assert {p for p in kept if p[2] <= limit} == {p for p in paths if p[2] <= limit}


def test_impossible_arcs_are_refused():
    graph = wfst.Wfst()
    graph.add_state()
    with pytest.raises(ValueError, match="between 0 and 0"):
        graph.add_arc(0, "a", "a", 0, 1)
    with pytest.raises(ValueError, match="NaN"):
        graph.set_final(0, math.nan)
    with pytest.raises(ValueError, match="3 came"):
        graph.set_final(3)


# ---------------------------------------------------------------------------------------------------------- speech

SENTENCES = ["press two", "press ten", "press to end"]
PRONUNCIATIONS = {"press": ["P R EH S"], "two": ["T UW"], "to": ["T UW", "T AH"], "ten": ["T EH N"], "end": ["EH N D"]}
PHONES = sorted({phone for ways in PRONUNCIATIONS.values() for way in ways for phone in way.split()})
MARKS = ("#1", "#2")


def words_of(graph, longest=40):
    return {" ".join(path.outputs) for path in wfst.all_paths(graph, longest)}


def test_a_grammar_of_sentences_holds_these_at_their_probabilities():
    prior = {"press two": 0.5, "press ten": 0.25, "press to end": 0.25}
    found = {
        " ".join(p.outputs): math.exp(-p.weight) for p in wfst.all_paths(speech.grammar_of_sentences(prior, prior))
    }
    assert found == pytest.approx(prior)
    assert words_of(speech.grammar_of_sentences(SENTENCES * 2)) == set(SENTENCES)
    with pytest.raises(ValueError, match="one has none"):
        speech.grammar_of_sentences(SENTENCES, {"press two": 1.0})
    for bad in ([], ["press", ""]):
        with pytest.raises(ValueError, match="at least one word each"):
            speech.grammar_of_sentences(bad)


def test_grammars_of_any_words_hold_all_of_them():
    two = {" ".join(pair) for pair in itertools.product("abc", repeat=2)}
    found = {" ".join(path.outputs): path.weight for path in wfst.all_paths(speech.grammar_of_length("abc", 2))}
    assert found == pytest.approx(dict.fromkeys(two, 2 * math.log(3)))
    loop = {" ".join(path.outputs): path.weight for path in wfst.all_paths(speech.grammar_of_words("abc"), 2)}
    assert loop == pytest.approx(found | dict.fromkeys("abc", math.log(3)) | {"": 0.0})
    assert min(p.weight for p in wfst.all_paths(speech.grammar_of_words("ab", penalty=7.0), 1) if p.outputs) == 7.0


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4).map(" ".join), min_size=1, max_size=5), st.integers(1, 3))
def test_a_grammar_of_ngrams_costs_what_the_model_says(texts, order):
    """The way round through back-off arcs is never the cheaper one for pairs; for triples it may be, as it forgets."""
    model = ngrams.witten_bell(texts, order) if len(texts) % 2 else ngrams.kneser_ney(texts, order)
    graph = speech.grammar_of_ngrams(model, weight=2.0, penalty=0.5)
    for text in [*texts, "a b a", ""]:
        known = [word for word in text.split() if word in model.vocabulary]
        wanted = -2 * model.sentence_log_probs(known).sum() + 0.5 * len(known)
        through = wfst.shortest_path(wfst.compose(wfst.linear(known), graph))
        assert through.outputs == tuple(known) and through.weight <= wanted + 1e-6
        assert order == 3 or through.weight == pytest.approx(wanted)


def test_a_lexicon_reads_phones_and_writes_words():
    graph = wfst.compose(wfst.linear(["P", "R", "EH", "S", "T", "UW", "#1"]), speech.lexicon(PRONUNCIATIONS))
    assert words_of(graph) == {"press two"}
    unmarked = speech.lexicon(PRONUNCIATIONS, disambiguate=False)
    assert words_of(wfst.compose(wfst.linear(["P", "R", "EH", "S", "T", "UW"]), unmarked)) == {"press two", "press to"}
    for bad, disambiguate in itertools.product(({}, {"two": []}, {"two": [""]}), (True, False)):
        with pytest.raises(ValueError, match="pronunciation each"):
            speech.lexicon(bad, disambiguate)


def test_contexts_name_each_phone_with_its_neighbours():
    graph = wfst.compose(speech.contexts(PHONES, MARKS), wfst.linear(["T", "EH", "N"]))
    assert [path.inputs for path in wfst.all_paths(graph)] == [("|-T+EH", "T-EH+N", "EH-N+|")]
    marked = wfst.compose(speech.contexts(PHONES, MARKS), wfst.linear(["T", "UW", "#1", "EH"]))
    assert [path.inputs for path in wfst.all_paths(marked)] == [("|-T+UW", "#1", "T-UW+EH", "UW-EH+|")]


def test_hidden_markov_models_repeat_their_states():
    graph = wfst.compose(speech.hidden_markov_models(["x"], n_states=2, stay=0.75), wfst.linear(["x"]))
    walks = {path.inputs: path.weight for path in wfst.all_paths(graph, 7)}
    assert walks["x.0", "x.1"] == pytest.approx(-2 * math.log(0.25))
    assert walks["x.0", "x.0", "x.1"] == pytest.approx(-2 * math.log(0.25) - math.log(0.75))
    for bad in ({"n_states": 0}, {"stay": 0.0}, {"stay": 1.0}):
        with pytest.raises(ValueError, match="between 0 and 1"):
            speech.hidden_markov_models(["x"], **bad)


def test_the_whole_recogniser_says_the_sentences_of_its_grammar_and_nothing_else():
    context = speech.contexts(PHONES, MARKS)
    names = sorted({arc.input for _, arc in context.every_arc() if "-" in arc.input})
    hmms, grammar = speech.hidden_markov_models(names, marks=MARKS), speech.grammar_of_sentences(SENTENCES)
    steps = speech.composed(hmms, context, speech.lexicon(PRONUNCIATIONS), grammar)
    assert list(steps) == ["G", "L∘G", "det(L∘G)", "min(det(L∘G))", "C∘L∘G", "H∘C∘L∘G"]
    assert steps["det(L∘G)"].n_states < steps["L∘G"].n_states
    for graph in list(steps.values())[:-1]:
        assert words_of(graph) == set(SENTENCES)
    last = steps["H∘C∘L∘G"]
    last.arcs = [[a for a in arcs if a.to != s or a.output] for s, arcs in enumerate(last.arcs)]  # no repetitions
    assert words_of(last) == set(SENTENCES)
    assert not any(speech.is_mark(arc.input) for _, arc in last.every_arc())
    shortest = min(len(path.inputs) for path in wfst.all_paths(last, 60))
    assert shortest == 3 * len(["P", "R", "EH", "S", "T", "UW"])


# --------------------------------------------------------------------------------------------------------- drawing


@pytest.mark.parametrize("labels", [True, False])
def test_a_drawing_shows_every_state_and_word(labels):
    graph = wfst.compose(speech.lexicon(PRONUNCIATIONS), speech.grammar_of_sentences(SENTENCES))
    ax = plot_graph(graph, weights=labels, labels=labels)
    circles = [patch for patch in ax.patches if type(patch).__name__ == "Circle"]
    assert len(circles) == graph.n_states + len(graph.finals)
    written = " ".join(text.get_text() for text in ax.texts)
    assert all(word in written for word in PRONUNCIATIONS)
    described(ax, "A lexicon composed with a grammar.")


def test_no_two_states_are_drawn_on_top_of_each_other():
    graph = wfst.trimmed(random_graph(3, n_arcs=40, n_states=8))
    centres = [patch.center for patch in plot_graph(graph).patches if type(patch).__name__ == "Circle"]
    assert graph.n_states > 3 and len({tuple(np.round(centre, 3)) for centre in centres}) == graph.n_states


def test_nothing_is_not_drawn():
    with pytest.raises(ValueError, match="without came"):
        plot_graph(wfst.Wfst())
