"""Trees of alternatives: the likeliest lines against trying them all, and the tree of continuations."""

import itertools
import math

import pytest
import torch

from course.language.generation import Continuation, continuations
from course.language.model import LlamaConfig, random_llama
from course.language.tokenizer import BytePairTokenizer
from course.language.tree import Node, grow, likeliest_lines, next_turns, prefix_tree, speaker_and_text

SMALL = LlamaConfig(5, 16, n_layers=2, n_heads=2, n_kv_heads=1, intermediate_size=32, max_positions=64)
STOP = {4}


@pytest.fixture(scope="module")
def small():
    """A model of five tokens that is not quite undecided."""
    model = random_llama(SMALL, seed=3)
    with torch.no_grad():
        model.embed_tokens.weight.mul_(30)
    return model


def lines_by_force(model, prompt, longest):
    """Every line up to a length, with its probability, from whole texts without a cache."""
    found = {}
    for n in range(longest + 1):
        for line in itertools.product(range(4), repeat=n):
            tokens = torch.tensor([[*prompt, *line, 4]])
            with torch.no_grad():
                log_probs = model(tokens)[0].double().log_softmax(-1)
            places = range(len(prompt), tokens.shape[1])
            found[line] = math.exp(sum(float(log_probs[place - 1, tokens[0, place]]) for place in places))
    return found


def test_the_likeliest_lines_are_those_of_trying_all(small):
    every = lines_by_force(small, [0, 1, 2], 4)
    best = sorted(every, key=every.get, reverse=True)[:5]
    found = likeliest_lines(small, [0, 1, 2], STOP, width=5, longest=4, least=1e-6)
    assert [line.tokens for line in found] == best
    assert [line.probability for line in found] == pytest.approx([every[line] for line in best], rel=1e-4)


def test_lines_below_the_least_are_left_out(small):
    lines = likeliest_lines(small, [0, 1, 2], STOP, width=50, longest=4, least=1e-6)
    least = lines[3].probability * 0.999
    assert len(likeliest_lines(small, [0, 1, 2], STOP, width=50, longest=4, least=least)) == 4


def test_lines_longer_than_the_longest_are_left_out(small):
    lines = likeliest_lines(small, [0], STOP, width=10, longest=1, least=1e-12)
    assert {len(line.tokens) for line in lines} == {0, 1} and len(lines) == 5


class Script:
    """Stands for a model that knows two scripts by heart: what comes next follows from how many lines there are."""

    def __init__(self, tokenizer, lines):
        self.config, self.tokenizer, self.lines = LlamaConfig(256, 16, 1, 1, 1, 32, max_positions=512), tokenizer, lines
        self.norm = random_llama(self.config).norm

    def next_logits(self, tokens, cache):
        text = bytes(cache_text(cache, tokens)).decode()
        logits = torch.full((1, 256), -30.0)
        begun = text.rpartition("\n")[2]
        for line, probability in self.lines[text.count("\n")].items():
            if (line + "\n").startswith(begun):
                at = (line + "\n")[len(begun)].encode()[0]
                logits[0, at] = torch.logaddexp(logits[0, at], torch.tensor(math.log(probability)))
        return logits


def cache_text(cache, tokens):
    """All bytes read so far, kept in the cache's place for keys."""
    new = tokens.float().reshape(1, 1, -1, 1)
    keys, _ = cache.update(0, new, new)
    return keys.flatten().int().tolist()


SCRIPT = [
    {"agent: hello": 1.0},
    {"caller: hi": 0.6, "caller: my card": 0.3, "beep": 0.1},
    {"agent: bye": 0.5, "agent: yes": 0.5},
]


def test_a_tree_of_turns_has_the_probabilities_of_the_script():
    tokenizer = BytePairTokenizer()
    tree = grow(Script(tokenizer, SCRIPT), tokenizer, "agent: hello\n", turns=2, width=3)
    assert [(node.speaker, node.text) for node in tree] == [("caller", "hi"), ("caller", "my card")]
    assert [node.probability for node in tree] == pytest.approx([0.6, 0.3], abs=1e-3)
    assert {child.text for child in tree[0].children} == {"bye", "yes"}
    assert [child.probability for child in tree[1].children] == pytest.approx([0.5, 0.5], abs=1e-3)


def test_a_line_that_nobody_says_is_shown_but_not_continued():
    tokenizer = BytePairTokenizer()
    nodes = next_turns(Script(tokenizer, SCRIPT), tokenizer, "agent: hello\n")
    assert [(node.speaker, node.text) for node in nodes][-1] == ("", "beep")


def test_paths_multiply():
    tree = Node("caller", "hi", 1.0, (Node("agent", "a", 0.5, (Node("caller", "b", 0.4),)), Node("agent", "c", 0.25)))
    assert [(tuple(n.text for n in nodes), p) for nodes, p in tree.paths()] == [
        (("hi", "a", "b"), 0.2),
        (("hi", "c"), 0.25),
    ]


def test_as_model_is_plain_data():
    tree = Node("caller", "hi", 1.0, (Node("agent", "a", 1 / 3),))
    child = {"speaker": "agent", "text": "a", "p": 0.333, "children": []}
    assert tree.as_model() == {"speaker": "caller", "text": "hi", "p": 1.0, "children": [child]}


def test_a_prefix_tree_says_shared_beginnings_once():
    half, log = math.log(0.5), math.log
    paths = [
        Continuation((1, 2, 3), (half, log(0.9), log(0.5))),
        Continuation((1, 2, 4), (half, log(0.9), log(0.25))),
        Continuation((7,), (log(0.125),), ended=True),
    ]
    first, second = prefix_tree(paths, lambda tokens: "".join(map(str, tokens)))
    assert (first.speaker, first.text, second.text) == ("agent", "1", "7")
    assert (first.probability, second.probability) == pytest.approx((0.5, 0.125)) and not second.children
    (shared,) = first.children
    assert (shared.speaker, shared.text) == ("", "2") and shared.probability == pytest.approx(0.9)
    assert [(node.speaker, node.text) for node in shared.children] == [("", "3"), ("", "4")]
    assert [node.probability for node in shared.children] == pytest.approx([0.5, 0.25])


def test_a_prefix_tree_of_a_models_continuations_keeps_their_probabilities(small):
    paths = continuations(small, [0, 1, 2], 5, width=3, depth=2)
    root = Node("caller", "", 1.0, prefix_tree(paths, str))
    assert sorted(p for _, p in root.paths()) == pytest.approx(
        sorted(math.exp(p.log_probability) for p in paths), rel=1e-5
    )


def test_who_speaks():
    assert speaker_and_text("agent: hello: you") == ("agent", "hello: you")
    assert speaker_and_text("bank: hello") == ("", "bank: hello") and speaker_and_text("agent") == ("", "agent")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda model: likeliest_lines(model, [0], STOP, width=0), "width and a length"),
        (lambda model: likeliest_lines(model, [0], STOP, longest=0), "width and a length"),
        (lambda model: likeliest_lines(model, [0], set()), "stop token"),
        (lambda model: likeliest_lines(model, [0], STOP, least=0), "least probability"),
        (lambda model: likeliest_lines(model, [], STOP), "n of 1 or more"),
        (lambda model: next_turns(model, BytePairTokenizer(), "agent: hello"), "line break"),
        (lambda model: grow(model, BytePairTokenizer(), "agent: hello\n", turns=0), "at least 1 turn"),
        (lambda model: Node("agent", "a", 1.5), "from 0 to 1"),
    ],
)
def test_bad_input_is_told_what_was_expected(small, call, message):
    with pytest.raises(ValueError, match=message):
        call(small)
