"""Duplicates: exact ones by a hash, near ones by MinHash and bands, and one that stays (Lecture 8).

The *similarity* of two texts is that of their sets of shingles (runs of words): what both have, divided by what either
has (Jaccard). Comparing all pairs of a million texts is out of the question. MinHash turns a set into a short signature
in which each number agrees with another text's with a probability equal to their similarity; bands of the signature,
used as keys, bring likely pairs together; and only those are compared.

Sources: A. Broder, On the resemblance and containment of documents, 1997; J. Leskovec, A. Rajaraman and J. Ullman,
Mining of Massive Datasets, chapter 3; K. Lee et al., Deduplicating Training Data Makes Language Models Better, ACL
2022.
"""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple, TypeVar

import numpy as np

from course.pipelines.records import Record
from course.scoring import normalise

PRIME = 4_294_967_311  # the first prime above 2**32, so that a * x + b below is less than 2**64
SHINGLE = 3  # words
SEED = 8

Node = TypeVar("Node", bound=Hashable)


class Dropped(NamedTuple):
    """A record that does not go on, and why."""

    id: str
    stage: str
    reason: str


def exact_key(text: str) -> str:
    """SHA-256 of the words of a text, in hexadecimal: equal for texts that differ in case or punctuation alone."""
    return hashlib.sha256(normalise(text).encode()).hexdigest()


def shingles(text: str, n: int = SHINGLE) -> np.ndarray:
    """The runs of ``n`` words of a text as sorted, different 32-bit hashes, ``(n_shingles,)`` uint64.

    A text of fewer words is one shingle, a text without words has none.

    Raises:
        ValueError: ``n`` is below 1.
    """
    if n < 1:
        raise ValueError(f"Shingles of at least one word were expected and {n} came; 3 is usual for speech.")
    words = normalise(text).split()
    runs = {" ".join(words[start : start + n]) for start in range(max(len(words) - n, 0) + 1)} if words else set()
    hashes = {int.from_bytes(hashlib.blake2b(run.encode(), digest_size=4).digest(), "little") for run in runs}
    return np.array(sorted(hashes), dtype=np.uint64)


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """The similarity of two sets of shingles, 0 to 1; of two empty ones, 1."""
    both = np.intersect1d(a, b, assume_unique=True).size
    either = a.size + b.size - both
    return both / either if either else 1.0


@dataclass(frozen=True)
class Banding:
    """How a signature is made and cut: ``n_bands`` keys of ``n_rows`` numbers each.

    Raises:
        ValueError: fewer than one band or row.
    """

    n_bands: int = 32
    n_rows: int = 4

    def __post_init__(self):
        if self.n_bands < 1 or self.n_rows < 1:
            raise ValueError(f"At least one band of one row was expected; {self.n_bands} of {self.n_rows} came.")

    @property
    def n_permutations(self) -> int:
        """Numbers of a signature."""
        return self.n_bands * self.n_rows

    def probability(self, similarity):
        """How likely two texts are to share a key: ``1 - (1 - s ** n_rows) ** n_bands``; of arrays, for each."""
        return 1 - (1 - np.asarray(similarity, dtype=float) ** self.n_rows) ** self.n_bands

    @property
    def threshold(self) -> float:
        """Where the curve is steepest, about: ``(1 / n_bands) ** (1 / n_rows)``."""
        return (1 / self.n_bands) ** (1 / self.n_rows)

    def keys(self, shingled: np.ndarray) -> list[str]:
        """A key for each band; a set without shingles has none, because it resembles nothing."""
        if not shingled.size:
            return []
        signature = minhash(shingled, self.n_permutations).reshape(self.n_bands, self.n_rows)
        return [f"{band}:{row.tobytes().hex()}" for band, row in enumerate(signature)]


def minhash(shingled: np.ndarray, n_permutations: int, seed: int = SEED) -> np.ndarray:
    """The smallest member of a set after each of ``n_permutations`` permutations of all possible members.

    A permutation is ``x -> (a * x + b) mod PRIME`` with ``a`` from 1 and ``b`` from 0 to ``PRIME - 1``.

    Args:
        shingled: ``(n_shingles,)`` uint64, at least one, each below 2**32.
        n_permutations: numbers of the signature; the first do not depend on how many there are.
        seed: of the permutations; signatures of different seeds can't be compared.

    Returns:
        ``(n_permutations,)`` uint64.

    Raises:
        ValueError: an empty set, or a member of 2**32 or more.
    """
    shingled = np.asarray(shingled, dtype=np.uint64)
    if not shingled.size or int(shingled.max()) >= 2**32:
        raise ValueError("At least one shingle was expected, and each below 2**32.")
    a, b = _coefficients(n_permutations, seed)
    return ((a[:, None] * shingled + b[:, None]) % np.uint64(PRIME)).min(axis=1)


def _coefficients(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    drawn = np.random.default_rng(seed).integers(0, 2**32 - 1, size=(n, 2), dtype=np.uint64)
    return drawn[:, 0] + np.uint64(1), drawn[:, 1]


def estimated_similarity(a: np.ndarray, b: np.ndarray) -> float:
    """The share of a signature's numbers in which two agree; its standard error is ``sqrt(s * (1 - s) / n)``."""
    return float(np.mean(np.asarray(a) == np.asarray(b)))


def similar_in_bucket(members: Iterable[tuple[str, np.ndarray]], threshold: float) -> Iterator[tuple[str, str]]:
    """The pairs of a bucket whose similarity reaches a threshold, each with the smaller id first.

    The time grows with the square of the bucket; exact duplicates, which would fill one, have gone before.

    Args:
        members: id and shingles of each text that has the bucket's key.
        threshold: similarity, 0 to 1.
    """
    for (one, a), (other, b) in combinations(sorted(members, key=lambda member: member[0]), 2):
        if jaccard(a, b) >= threshold:
            yield one, other


def similar_pairs(
    shingled: Mapping[str, np.ndarray], threshold: float, banding: Banding | None = None
) -> set[tuple[str, str]]:
    """All pairs that share a key and whose similarity reaches a threshold.

    Args:
        shingled: id to shingles.
        threshold: similarity, 0 to 1.
        banding: how candidates are found; pairs that it misses are missed.
    """
    banding, buckets = banding or Banding(), defaultdict(list)
    for name, one in shingled.items():
        for key in banding.keys(one):
            buckets[key].append((name, one))
    return {pair for members in buckets.values() for pair in similar_in_bucket(members, threshold)}


def all_similar_pairs(shingled: Mapping[str, np.ndarray], threshold: float) -> set[tuple[str, str]]:
    """The same by comparing every pair, which misses none and takes the square of the number of texts."""
    return set(similar_in_bucket(shingled.items(), threshold))


def connected(edges: Iterable[tuple[Node, Node]]) -> dict[Node, Node]:
    """Every node of some edges, with the smallest node that it is connected to (union-find).

    The answer does not depend on the order of the edges.
    """
    parent: dict[Node, Node] = {}

    def root(node: Node) -> Node:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for one, other in edges:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return {node: root(node) for node in parent}


def preference(record: Record) -> tuple:
    """Sorts the record that is to stay first: most words, then smallest id; equal only for equal records."""
    return -record.n_words, record.id, record.line


def keep_one(records: Iterable[Record], stage: str, reason: str) -> tuple[Record, list[Dropped]]:
    """Of several records the one to keep, whatever their order, and the others with the reason.

    Raises:
        ValueError: no records.
    """
    kept, *others = sorted(records, key=preference)
    return kept, [Dropped(other.id, stage, reason) for other in others]


def keep_one_of_each(groups: Iterable[Sequence[Record]], stage: str, reason: str) -> tuple[list[Record], list[Dropped]]:
    """One record of each group, and all the others."""
    kept, dropped = [], []
    for group in groups:
        record, others = keep_one(group, stage, reason)
        kept.append(record)
        dropped += others
    return kept, dropped


def without_duplicates(
    records: Iterable[Record], threshold: float, banding: Banding | None = None
) -> tuple[list[Record], list[Dropped]]:
    """Records without those of the same id, of the same words, and of nearly the same words, in this order.

    Args:
        records: in any order.
        threshold: similarity from which two texts are nearly the same.
        banding: how near duplicates are found.
    """
    records, same_id = keep_one_of_each(grouped(records, lambda record: record.id), "duplicates", "same id")
    records, exact = keep_one_of_each(grouped(records, lambda record: exact_key(record.text)), "duplicates", "exact")
    pairs = similar_pairs({record.id: shingles(record.text) for record in records}, threshold, banding)
    group_of = connected(pairs)
    records, near = keep_one_of_each(grouped(records, lambda r: group_of.get(r.id, r.id)), "duplicates", "near")
    return records, same_id + exact + near


def grouped(records: Iterable[Record], key) -> list[list[Record]]:
    """The records with equal keys together."""
    groups = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    return list(groups.values())
