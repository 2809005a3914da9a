"""The decoder against every path listed and priced, and what its pruning promises."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course import wfst
from course.decoding import SearchGraph, decode, utterance_graph, word_lattice
from course.wfst import speech

UNITS = ("a.0", "a.1", "b.0", "c.0")
seeds = st.integers(0, 2**32 - 1)


def recogniser_graph(seed):
    """Two or three words of one or two states each in a loop, a random grammar on top of it; epsilons inside."""
    rng = np.random.default_rng(seed)
    hmms = wfst.Wfst()
    hmms.set_final(hmms.add_state())
    for word, units in (("ay", ["a.0", "a.1"]), ("bee", ["b.0"]), ("sea", ["c.0"]), ("be", ["b.0"])):
        stay = rng.integers(1, 6, len(units)) / 2
        speech.add_chain(hmms, units, word, stay, rng.integers(1, 6, len(units)) / 2)
    grammar = wfst.Wfst()
    grammar.add_states(3)
    for _ in range(9):
        source, to = rng.integers(3, size=2)
        word = str(rng.choice(["ay", "bee", "sea", "be"]))
        grammar.add_arc(int(source), word, word, float(rng.integers(6)) / 2, int(to))
    grammar.add_arc(1, wfst.EPSILON, wfst.EPSILON, 1.0, 2)
    grammar.set_final(int(rng.integers(3)), 0.5)
    return wfst.compose(hmms, grammar)


def random_scores(seed, n_frames):
    return -np.random.default_rng(seed).integers(0, 12, (n_frames, len(UNITS))) / 2


def priced(graph, scores):
    """Every way through, frame by frame and by recursion: (cost, words)."""

    def walk(state, frame, cost, words, silent=()):
        if frame == len(scores) and state in graph.finals:
            yield cost + graph.finals[state], words
        for arc in graph.arcs[state]:
            more = words + (arc.output,) * bool(arc.output)
            if not arc.input:
                if arc.to not in silent:
                    yield from walk(arc.to, frame, cost + arc.weight, more, (*silent, arc.to))
            elif frame < len(scores):
                here = cost + arc.weight - scores[frame][UNITS.index(arc.input)]
                yield from walk(arc.to, frame + 1, here, more)

    return list(walk(graph.start, 0, 0.0, ()))


# ---------------------------------------------------------------------------------------------------------- exactness


@given(seeds, st.integers(1, 5))
def test_the_best_path_is_that_of_an_exhaustive_search(seed, n_frames):
    graph, scores = recogniser_graph(seed), random_scores(seed + 1, n_frames)
    if not graph.finals:
        return
    paths = priced(graph, scores)
    found = decode(SearchGraph(graph, UNITS), scores)
    if not paths:
        assert (found.words, found.cost, found.starts) == ("", math.inf, ())
        return
    least = min(cost for cost, _ in paths)
    assert found.cost == pytest.approx(least)
    assert tuple(found.words.split()) in {words for cost, words in paths if cost <= least + 1e-9}


@given(seeds, st.integers(1, 8))
def test_searching_is_composing_with_the_utterance(seed, n_frames):
    graph, scores = recogniser_graph(seed), random_scores(seed, n_frames)
    whole = wfst.compose(utterance_graph(scores, UNITS), graph)
    if not whole.finals:
        return
    found, best = decode(SearchGraph(graph, UNITS), scores), wfst.shortest_path(whole)
    assert found.cost == pytest.approx(best.weight) and len(best.inputs) == n_frames
    without = decode(SearchGraph(wfst.without_epsilons(graph), UNITS), scores)
    assert without.cost == pytest.approx(best.weight)


@given(seeds, st.integers(1, 4), st.floats(0, 3))
def test_the_lattice_holds_each_word_sequence_within_the_beam_once(seed, n_frames, beam):
    graph, scores = recogniser_graph(seed), random_scores(seed, n_frames)
    best_of = {}
    for cost, words in priced(graph, scores) if graph.finals else []:
        best_of[words] = min(cost, best_of.get(words, math.inf))
    lattice = word_lattice(graph, scores, UNITS, beam)
    found = {path.outputs: path.weight for path in wfst.all_paths(lattice)}
    assert len(found) == len(list(wfst.all_paths(lattice)))
    limit = min(best_of.values(), default=0) + beam
    wanted = {words: cost for words, cost in best_of.items() if cost <= limit - 1e-6}
    assert {words: found[words] for words in wanted} == pytest.approx(wanted, abs=1e-6)


def test_scaling_the_scores_is_scaling_them(rng):
    graph, scores = SearchGraph(recogniser_graph(1), UNITS), random_scores(2, 6)
    assert decode(graph, scores, acoustic_scale=0.3).cost == pytest.approx(decode(graph, 0.3 * scores).cost)


def test_words_are_dated_by_the_frame_that_they_begin_at():
    models = wfst.Wfst()
    models.set_final(models.add_state())
    speech.add_chain(models, ["a.0"], "ay", [0.0], [0.0])
    speech.add_chain(models, ["b.0"], "bee", [0.0], [0.0])
    scores = np.full((9, 4), -9.0)
    scores[:4, 0], scores[4:7, 2], scores[7:, 0] = 0, 0, 0
    found = decode(SearchGraph(models, UNITS), scores + np.array([0, 0, 0, 0]))
    assert found.words.split()[0] == "ay" and found.cost == 0
    assert {found.starts[i] for i, word in enumerate(found.words.split()) if word == "bee"} >= {4}


# ------------------------------------------------------------------------------------------------------------ pruning


@given(seeds, st.integers(1, 8), st.floats(0, 10), st.none() | st.integers(1, 6))
def test_pruning_never_finds_better_and_never_does_more(seed, n_frames, beam, most_tokens):
    graph, scores = recogniser_graph(seed), random_scores(seed, n_frames)
    if not graph.finals:
        return
    search = SearchGraph(graph, UNITS)
    full, narrow = decode(search, scores), decode(search, scores, beam, most_tokens)
    assert narrow.cost >= full.cost - 1e-9 and narrow.arcs <= full.arcs
    assert np.all(narrow.tokens <= full.tokens) and len(narrow.tokens) == n_frames
    if most_tokens is not None:
        assert narrow.tokens.max() <= most_tokens


@given(seeds, st.integers(1, 8))
def test_a_beam_as_wide_as_the_widest_gap_finds_the_best_path(seed, n_frames):
    graph, scores = recogniser_graph(seed), random_scores(seed, n_frames)
    if not graph.finals:
        return
    search = SearchGraph(graph, UNITS)
    full = decode(search, scores)
    if math.isfinite(full.cost):
        for beam in (full.widest_gap, full.widest_gap + 1):
            pruned = decode(search, scores, beam)
            assert pruned.cost == pytest.approx(full.cost)
            assert pruned.widest_gap <= full.widest_gap + 1e-9


@given(seeds, st.integers(1, 6), st.floats(0, 4))
def test_the_tokens_that_live_are_those_within_the_beam(seed, n_frames, beam):
    """With the first frame pruned only: its tokens by hand."""
    graph, scores = wfst.without_epsilons(recogniser_graph(seed)), random_scores(seed, n_frames)
    if not graph.finals:
        return
    costs = {}
    for arc in graph.arcs[graph.start]:
        cost = arc.weight - scores[0][UNITS.index(arc.input)]
        costs[arc.to] = min(cost, costs.get(arc.to, math.inf))
    alive = sum(cost - min(costs.values()) <= beam for cost in costs.values())
    assert decode(SearchGraph(graph, UNITS), scores, beam).tokens[0] == alive


def test_a_beam_of_nothing_follows_the_cheapest_token_into_a_dead_end():
    """Search error: the way that looks best at first has no end."""
    graph = wfst.Wfst()
    graph.add_states(3)
    graph.add_arc(0, "a.0", "trap", 0, 1)
    graph.add_arc(0, "b.0", "way", 1, 2)
    graph.add_arc(2, "b.0", "", 0, 2)
    graph.set_final(2)
    graph.add_arc(1, "a.0", "", 50, 2)
    scores = np.zeros((3, 4))
    search = SearchGraph(graph, UNITS)
    assert decode(search, scores).words == "way" and decode(search, scores).widest_gap == 1
    assert decode(search, scores, beam=0.5).words == "trap"
    assert decode(search, scores, beam=1).words == "way"


# ---------------------------------------------------------------------------------------------------------- bad input


def test_no_frames_are_the_empty_path():
    graph = wfst.Wfst()
    graph.add_states(1)
    graph.add_arc(0, "a.0", "ay", 0, 0)
    graph.set_final(0, 0.25)
    found = decode(SearchGraph(graph, UNITS), np.empty((0, 4)))
    assert (found.words, found.cost, found.tokens.size) == ("", 0.25, 0)


def test_units_that_cannot_be_leave_no_path():
    graph = wfst.linear(["a.0", "a.0"])
    found = decode(SearchGraph(graph, UNITS), np.full((2, 4), -np.inf))
    assert (found.words, found.cost) == ("", math.inf)


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        (np.zeros((3, 5)), "n_frames, 4"),
        (np.zeros(4), "n_frames, 4"),
        (np.full((3, 4), np.nan), "NaN"),
        (np.full((3, 4), np.inf), "NaN or"),
    ],
)
def test_scores_of_another_form_are_refused(scores, words):
    with pytest.raises(ValueError, match=words):
        decode(SearchGraph(wfst.linear(["a.0"]), UNITS), scores)
    with pytest.raises(ValueError, match=words):
        utterance_graph(scores, UNITS)


def test_pruning_everything_is_refused():
    search, scores = SearchGraph(wfst.linear(["a.0"]), UNITS), np.zeros((1, 4))
    for bad in (-1, math.nan):
        with pytest.raises(ValueError, match="beam of at least 0"):
            decode(search, scores, beam=bad)
    with pytest.raises(ValueError, match="limit of 0"):
        decode(search, scores, most_tokens=0)
    with pytest.raises(ValueError, match="finite beam"):
        word_lattice(wfst.linear(["a.0"]), scores, UNITS, math.inf)


def test_graphs_that_cannot_be_searched_are_refused():
    unconnected = wfst.Wfst()
    unconnected.add_states(2)
    unconnected.set_final(1)
    with pytest.raises(ValueError, match="none connects"):
        SearchGraph(unconnected, UNITS)
    with pytest.raises(ValueError, match="'#1'"):
        SearchGraph(wfst.linear(["#1"]), UNITS)
    paying = wfst.Wfst()
    paying.add_states(1)
    paying.add_arc(0, "", "ay", -0.5, 0)
    paying.set_final(0)
    with pytest.raises(ValueError, match="better each time round"):
        SearchGraph(paying, UNITS)


def test_ties_and_silence_end_in_one_answer():
    graph = recogniser_graph(4)
    answers = {decode(SearchGraph(graph, UNITS), np.zeros((5, 4))).words for _ in range(3)}
    assert len(answers) == 1
