"""From what was said, in any order and any number of times, to one tree: pure functions on `Said`.

The tree is a function of the *set* of rows. Nothing is decided by which came first into the database, so that a replay,
a late parent or a repeated entry cannot change it. Where rows contradict each other the earliest counts, by time and
then by digest, and the contradiction is told as a problem of the node.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.portal.entries import Said

VERSION = 1
SKEW = timedelta(seconds=1)  # how much earlier than its parent a node may be, before the clocks are said to differ
SHOWN_TITLE = 80  # letters
NEVER = (datetime.min.replace(tzinfo=UTC), "")


@dataclass
class Node:
    """A turn in the tree; its fields are those of the JSON, version 1, that the views read."""

    id: str
    parent: str | None
    role: str
    text: str
    created: datetime
    key: tuple[datetime, str]
    status: str = "ok"
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
    scores: dict[str, float] = field(default_factory=dict)
    audio: str | None = None
    chosen: bool = False


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong with a node: "orphan", "cycle", "duplicate" or "clock", and a sentence."""

    node: str
    kind: str
    message: str


@dataclass(frozen=True)
class Tree:
    """Nodes, parents before children and alternatives by time, and what is wrong with them.

    ``preferred`` has the node to go on with below each; below None, the one to begin with.
    """

    nodes: tuple[Node, ...]
    problems: tuple[Problem, ...]
    preferred: dict[str | None, str]

    def way(self, through: str | None = None) -> list[Node]:
        """The nodes from the top to an end, by way of one of them, or as they were chosen."""
        by_id = {node.id: node for node in self.nodes}
        way, at = [], by_id.get(through)
        while at is not None:
            way.append(at)
            at = by_id.get(at.parent)
        way.reverse()
        while (next_id := self.preferred.get(way[-1].id if way else None)) is not None:
            way.append(by_id[next_id])
        return way


def tree(rows: Iterable[Said]) -> Tree:
    """The tree of one conversation; orphans and what was a cycle begin at the top."""
    told, problems = _one_for_each_entry(rows)
    nodes, more = _nodes([row for row in told if row.kind != "score"])
    problems += more
    _score(nodes, told)
    cut = _cut_orphans(nodes) + _cut_cycles(nodes)
    problems += cut + _clocks(nodes)
    children = _children(nodes)
    ordered = _parents_first(children)
    preferred = _prefer(ordered, children, _votes(told), {problem.node for problem in cut})
    found = Tree(tuple(ordered), tuple(sorted(set(problems))), preferred)
    for node in found.way():
        node.chosen = True
    return found


def title(row: Said) -> str:
    """What a conversation is called that begins with this row."""
    text = " ".join((row.question or row.text).split())
    return text if len(text) <= SHOWN_TITLE else text[: SHOWN_TITLE - 1].rstrip() + "…"


def question_id(parent: str, question: str) -> str:
    """The id of a question: answers to the same question at the same place are alternatives below one node."""
    return "q-" + hashlib.sha256(f"{parent}\0{question}".encode()).hexdigest()[:24]


def as_json(identifier: str, name: str, found: Tree) -> dict[str, Any]:
    """The conversation as the views read it, version 1.

    Args:
        identifier: of the conversation, in addresses.
        name: its title.
        found: its tree.
    """
    fields = ("id", "parent", "role", "text", "created", "status", "model", "prompt_tokens", "completion_tokens")
    fields += ("seconds", "scores", "audio", "chosen")
    nodes = [{name: getattr(node, name) for name in fields} for node in found.nodes]
    for node in nodes:
        node["created"] = node["created"].isoformat().replace("+00:00", "Z")
    problems = [{"node": one.node, "kind": one.kind, "message": one.message} for one in found.problems]
    return {"version": VERSION, "id": identifier, "title": name, "nodes": nodes, "problems": problems}


def _one_for_each_entry(rows: Iterable[Said]) -> tuple[list[Said], list[Problem]]:
    """One row for each digest and for each name of an entry, the least of those that share it."""
    named: dict[str, list[Said]] = defaultdict(list)
    for row in {row.digest: row for row in rows}.values():
        named[row.insert_id or row.digest].append(row)
    kept, problems = [], []
    for group in named.values():
        first = min(group, key=_key)
        kept.append(first)
        if len(group) > 1:
            sentence = f"{len(group)} different log entries have the name {first.insert_id}; the earliest counts."
            problems.append(Problem(first.message, "duplicate", sentence))
    return sorted(kept, key=_key), problems


def _key(row: Said) -> tuple[datetime, str]:
    return row.created, row.digest


def _nodes(rows: Sequence[Said]) -> tuple[dict[str, Node], list[Problem]]:
    """The nodes by id; ``rows`` are sorted by time."""
    nodes: dict[str, Node] = {}
    problems: list[Problem] = []
    times: dict[str, int] = defaultdict(int)
    for row in rows:
        times[row.message] += 1
        if times[row.message] > 1:
            continue
        parent = row.parent or None
        if row.question:
            parent = question_id(row.parent, row.question)
            asked = row.created - timedelta(seconds=row.seconds or 0.0) if _representable(row) else row.created
            question = Node(parent, row.parent or None, "user", row.question, asked, (asked, row.digest))
            if parent not in nodes or question.key < nodes[parent].key:
                nodes[parent] = question
        nodes[row.message] = Node(
            id=row.message,
            parent=parent,
            role=row.role,
            text=row.text,
            created=row.created,
            key=_key(row),
            status=row.status,
            model=row.model or None,
            prompt_tokens=row.prompt_tokens,
            completion_tokens=row.completion_tokens,
            seconds=row.seconds,
            scores=dict(row.scores),
            audio=row.audio or None,
        )
    for name, count in times.items():
        if count > 1:
            problems.append(Problem(name, "duplicate", f"{count} turns have this name; the earliest counts."))
    return nodes, problems


def _representable(row: Said) -> bool:
    """Whether the time at which a request began is a time that there is."""
    return (row.created.replace(tzinfo=None) - datetime.min).total_seconds() > (row.seconds or 0.0)


def _score(nodes: dict[str, Node], rows: Sequence[Said]) -> None:
    """Add scores that came in entries of their own, the latest of each name last."""
    for row in rows:
        if row.kind == "score" and row.message in nodes:
            nodes[row.message].scores |= row.scores
    for node in nodes.values():
        node.scores = dict(sorted(node.scores.items()))


def _votes(rows: Sequence[Said]) -> dict[str, tuple[bool, tuple[datetime, str]]]:
    """What was said last of each turn's being chosen, and when."""
    return {row.message: (row.chosen, _key(row)) for row in rows if row.chosen is not None}


def _cut_orphans(nodes: dict[str, Node]) -> list[Problem]:
    found = []
    for node in nodes.values():
        if node.parent is not None and node.parent not in nodes:
            sentence = f"It follows {node.parent}, which is in no log that was read."
            found.append(Problem(node.id, "orphan", sentence))
            node.parent = None
    return found


def _cut_cycles(nodes: dict[str, Node]) -> list[Problem]:
    """Cut each circle of parents before its earliest node."""
    found, done = [], set()
    for start in nodes:
        walk: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in done and at not in walk:
            walk[at] = None
            at = nodes[at].parent
        if at in walk:
            names = list(walk)
            circle = names[names.index(at) :]
            first = min((nodes[name] for name in circle), key=lambda node: node.key)
            sentence = f"It follows itself, by way of {len(circle)} turns; it is shown where the circle begins."
            found.append(Problem(first.id, "cycle", sentence))
            first.parent = None
        done |= walk.keys()
    return found


def _clocks(nodes: dict[str, Node]) -> list[Problem]:
    """Nodes that say that they are older than what they follow."""
    found = []
    for node in nodes.values():
        early = nodes[node.parent].created - node.created if node.parent else timedelta()
        if early > SKEW:
            sentence = f"By its clock it is {early.total_seconds():.1f} s older than what it follows."
            found.append(Problem(node.id, "clock", sentence))
    return found


def _children(nodes: dict[str, Node]) -> dict[str | None, list[Node]]:
    """The nodes below each, by time; those at the top are below None."""
    children: dict[str | None, list[Node]] = defaultdict(list)
    for node in sorted(nodes.values(), key=lambda node: (node.created, node.id)):
        children[node.parent].append(node)
    return children


def _parents_first(children: dict[str | None, list[Node]]) -> list[Node]:
    ordered, waiting = [], list(reversed(children[None]))
    while waiting:
        node = waiting.pop()
        ordered.append(node)
        waiting += reversed(children.get(node.id, ()))
    return ordered


def _prefer(
    ordered: Sequence[Node], children: dict[str | None, list[Node]], votes: dict, cut: set[str]
) -> dict[str | None, str]:
    """At each turning what was chosen last, else what was not cut off, else where the conversation went on last."""
    newest = {}
    for node in reversed(ordered):
        below = [newest[child.id] for child in children.get(node.id, ())]
        newest[node.id] = max([(node.created, node.id), *below])

    def rank(node: Node) -> tuple:
        said, when = votes.get(node.id, (None, NEVER))
        return (said is True, said is None, when if said else NEVER, node.id not in cut, newest[node.id])

    return {above: max(level, key=rank).id for above, level in children.items() if level}
