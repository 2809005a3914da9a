"""A dialog as a tree of alternatives, each with the probability that a model gives it (Lecture 7).

Two ways to find alternatives. :func:`likeliest_lines` is exact: a best-first search, as in Lecture 4, over all lines
that a model could say next; it needs a model whose choices are few and sure. :func:`prefix_tree` shows where a handful
of continuations from :func:`course.language.generation.continuations` agree and where they part.
"""

import heapq
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import torch

from course.language.cache import GrowingCache
from course.language.generation import Continuation, Tokens, as_prompt
from course.language.model import Llama

NEWLINE = 10  # the byte that ends a turn, in any BytePairTokenizer
SPEAKERS = ("agent", "caller")


@dataclass(frozen=True)
class Node:
    """Something that is said, and what may follow.

    Attributes:
        speaker: "agent" or "caller"; "" where it goes on with what is being said, or the text does not say who speaks.
        text: what is said.
        probability: given everything before it in the tree, from 0 to 1.
        children: alternatives for what comes next, likeliest first. Together they may have less than 1: the rest are
            alternatives that the tree leaves out.
    """

    speaker: str
    text: str
    probability: float = 1.0
    children: tuple["Node", ...] = ()

    def __post_init__(self):
        if not 0 <= self.probability <= 1:
            raise ValueError(f"A probability from 0 to 1 was expected and {self.probability} came.")

    def paths(self) -> Iterator[tuple[tuple["Node", ...], float]]:
        """Every way from this node to a leaf, with the product of the probabilities along it."""
        if not self.children:
            yield (self,), self.probability
        for child in self.children:
            for nodes, probability in child.paths():
                yield (self, *nodes), self.probability * probability

    def as_model(self) -> dict:
        """What the widget ``dialog-tree.mjs`` draws: plain data for JSON, probabilities to three digits that count."""
        children = [child.as_model() for child in self.children]
        return {"speaker": self.speaker, "text": self.text, "p": float(f"{self.probability:.3g}"), "children": children}


@dataclass(frozen=True)
class Line:
    """Tokens up to a stop token.

    Attributes:
        tokens: without the stop token.
        probability: of all of them and of stopping there.
    """

    tokens: tuple[int, ...]
    probability: float


def likeliest_lines(
    model: Llama, tokens: Tokens, stop: Collection[int], width: int = 3, longest: int = 40, least: float = 0.01
) -> list[Line]:
    """The ``width`` likeliest lines that may follow, likeliest first; no other line is likelier than the last of them.

    Best first: the likeliest beginning is always lengthened next. A beginning only loses probability as it grows, so
    that the first lines to end are the likeliest of all.

    Args:
        model: any.
        tokens: what has been said.
        stop: tokens that end a line.
        width: lines wanted.
        longest: tokens in a line; beginnings that reach it without an end are given up.
        least: lines less likely than this are not looked for, which bounds the search.

    Returns:
        At most ``width``; fewer where no more are as likely as ``least``.

    Raises:
        TypeError, ValueError: tokens as for :func:`course.language.generation.generate`; a width or a length below 1,
            no stop token, or a ``least`` that is not above 0 and at most 1.
    """
    if width < 1 or longest < 1 or not stop or not 0 < least <= 1:
        raise ValueError(
            "A width and a length of 1 or more, a stop token, and a least probability above 0 and at most 1 were "
            f"expected; {width}, {longest}, {stop} and {least} came."
        )
    read, beginnings, found = _Reader(model, as_prompt(tokens, model)), [(0.0, ())], []
    while beginnings and len(found) < width:
        cost, line = heapq.heappop(beginnings)  # cost: minus the natural logarithm of the probability
        if line and line[-1] in stop:
            found.append(Line(line[:-1], math.exp(-cost)))
        elif len(line) <= longest:
            for token, more in read.costs_after(line, -math.log(least) - cost):
                heapq.heappush(beginnings, (cost + more, (*line, token)))
    return found


class _Reader:
    """Costs of next tokens after beginnings of a line; what was said before is read once."""

    def __init__(self, model: Llama, prompt: torch.Tensor):
        self.model, self.cache = model, GrowingCache()
        self.n_prompt = prompt.shape[1]
        self.at_first = self._read(prompt)

    def costs_after(self, line: tuple[int, ...], most: float) -> list[tuple[int, float]]:
        """Tokens that cost at most ``most`` nats."""
        costs = self.at_first
        if line:
            self.cache.truncate(self.n_prompt)
            costs = self._read(torch.tensor([line], device=self.model.norm.weight.device))
        affordable = torch.nonzero(costs <= most).flatten().tolist()
        return [(token, float(costs[token])) for token in affordable]

    @torch.no_grad()
    def _read(self, tokens: torch.Tensor) -> torch.Tensor:
        return -self.model.next_logits(tokens, self.cache)[0].double().log_softmax(-1)


def next_turns(model: Llama, tokenizer, transcript: str, width: int = 3, least: float = 0.01) -> list[Node]:
    """What may be said next, in a transcript of lines such as "agent: hello".

    Args:
        model: trained on such transcripts.
        tokenizer: a :class:`course.language.tokenizer.BytePairTokenizer`, in which a line break is a token by itself.
        transcript: whole lines, the last with its line break.
        width, least: see :func:`likeliest_lines`.

    Raises:
        ValueError: a transcript that does not end in a line break; and as :func:`likeliest_lines`.
    """
    if not transcript.endswith("\n"):
        raise ValueError("A transcript of whole lines was expected, and its last has no line break.")
    lines = likeliest_lines(model, tokenizer.encode(transcript), {NEWLINE}, width, least=least)
    said: dict[str, float] = {}
    for line in lines:  # the same words can be cut into tokens in several ways
        words = tokenizer.decode(line.tokens)
        said[words] = said.get(words, 0.0) + line.probability
    return [Node(*speaker_and_text(words), probability) for words, probability in said.items() if words]


def grow(
    model: Llama, tokenizer, transcript: str, turns: int = 2, width: int = 3, least: float = 0.01
) -> tuple[Node, ...]:
    """The alternatives for the next turn, each with those for the turn after it, and so on.

    Args:
        model, tokenizer, transcript, width, least: see :func:`next_turns`.
        turns: depth of the tree, 1 or more.

    Raises:
        ValueError: turns below 1; and as :func:`next_turns`.
    """
    if turns < 1:
        raise ValueError(f"A tree of at least 1 turn was expected and {turns} came.")
    nodes = next_turns(model, tokenizer, transcript, width, least)
    if turns == 1:
        return tuple(nodes)
    return tuple(
        Node(
            node.speaker,
            node.text,
            node.probability,
            grow(model, tokenizer, f"{transcript}{node.speaker}: {node.text}\n", turns - 1, width, least),
        )
        for node in nodes
        if node.speaker  # after a line that nobody says, there is nothing to ask the model
    )


def speaker_and_text(line: str) -> tuple[str, str]:
    """ "agent: hello" as ("agent", "hello"); ("", the whole line) where neither side is named."""
    speaker, colon, text = line.partition(": ")
    return (speaker, text) if colon and speaker in SPEAKERS else ("", line)


def prefix_tree(
    continuations: Sequence[Continuation], text_of: Callable[[Sequence[int]], str], speaker: str = "agent"
) -> tuple[Node, ...]:
    """Continuations of one prompt as a tree: what they share stands once.

    Where there is a choice, each alternative is a node of one token, so that its probability can be compared with that
    of the others; where there is none, one node holds all tokens up to the next choice.

    Args:
        continuations: from :func:`course.language.generation.continuations`.
        text_of: tokens to text.
        speaker: who says all this; it stands at the first branches only.

    Returns:
        The first branches. A node's probability is that of its tokens, given those before it.
    """
    groups: dict[int, list[Continuation]] = {}
    for continuation in continuations:
        if continuation.tokens:
            groups.setdefault(continuation.tokens[0], []).append(continuation)
    choice = len(groups) > 1
    branches = [_branch(group, 1 if choice else _shared_length(group), text_of, speaker) for group in groups.values()]
    return tuple(sorted(branches, key=lambda node: -node.probability))


def _branch(group: list[Continuation], length: int, text_of, speaker: str) -> Node:
    """One node for the first ``length`` tokens, which all of the group share, and the tree of what follows them."""
    rest = [Continuation(path.tokens[length:], path.log_probs[length:], path.ended) for path in group]
    probability = min(1.0, math.exp(sum(group[0].log_probs[:length])))
    return Node(speaker, text_of(group[0].tokens[:length]), probability, prefix_tree(rest, text_of, speaker=""))


def _shared_length(group: Sequence[Continuation]) -> int:
    """How many tokens all of the group begin with alike."""
    paths = [continuation.tokens for continuation in group]
    for place, tokens in enumerate(zip(*paths, strict=False)):
        if len(set(tokens)) > 1:
            return place
    return min(map(len, paths))
