"""Training, validation and test set by a keyed hash of the group, so that no group is torn (Lecture 8).

A speaker who is in the training set and in the test set makes the test easier than the world is. So what is drawn is
neither a record nor a call but a *group*: all calls that are connected by a caller. The hash decides alone, without
knowing the other groups, so the split does not change when data are added, and every worker of a cluster comes to the
same answer. The key makes it another split for those who want one.

Agents are on hundreds of calls each: connected by agents, all calls would be one group. They are in every part, and the
data card says so.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from course.evaluation.contamination import OverlapIndex
from course.pipelines.duplicates import connected
from course.pipelines.records import Record

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
ROLES = ("caller",)
RUN = 8  # words that a test dialog and the training set have to share in a row


def fraction(key: str, name: str) -> float:
    """A number from 0 up to but not including 1 that depends on key and name alone, and looks drawn at random."""
    digest = hashlib.blake2b(name.encode(), key=hashlib.blake2b(key.encode(), digest_size=32).digest(), digest_size=8)
    return (int.from_bytes(digest.digest(), "big") >> 11) / 2**53  # 53 bits are what a float holds exactly


def part_of(group: str, key: str, shares: Mapping[str, float] | None = None) -> str:
    """The part that a group belongs to.

    Args:
        group: its name.
        key: of the split.
        shares: name of each part to its share, in order; all together 1.

    Raises:
        ValueError: shares that are not positive or do not add up to 1.
    """
    shares = SHARES if shares is None else shares
    check_shares(shares)
    place, reached = fraction(key, group), 0.0
    for part, share in shares.items():
        reached += share
        if place < reached:
            return part
    return part  # the shares added up to a little less than 1


def check_shares(shares: Mapping[str, float]) -> None:
    """Raise ValueError unless there are shares, all above 0, that add up to 1."""
    if not shares or not all(share > 0 for share in shares.values()) or abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"Shares above 0 that add up to 1 were expected and {dict(shares)} came; try {SHARES}.")


def edges(record: Record, roles: Sequence[str] = ROLES) -> Iterator[tuple[str, str]]:
    """What a record connects: its conversation with itself, and with each speaker in a role that must not be torn."""
    conversation = f"conversation {record.conversation}"
    yield conversation, conversation
    for role in roles:
        yield from ((conversation, f"{role} {speaker}") for speaker in record.speakers(role))


def groups(records: Iterable[Record], roles: Sequence[str] = ROLES) -> dict[str, str]:
    """The group of every conversation and speaker: the smallest name that it is connected to."""
    return connected(edge for record in records for edge in edges(record, roles))


def group_of(record: Record, all_groups: Mapping[str, str]) -> str:
    """The group that a record belongs to.

    Raises:
        KeyError: the groups were made without its conversation.
    """
    return all_groups[f"conversation {record.conversation}"]


def split(
    records: Iterable[Record], key: str, shares: Mapping[str, float] | None = None, roles: Sequence[str] = ROLES
) -> dict[str, list[Record]]:
    """The records of each part, in the order in which they came; a part without records is an empty list.

    Raises:
        ValueError: as :func:`part_of`.
    """
    records, shares = list(records), SHARES if shares is None else shares
    all_groups, parts = groups(records, roles), {part: [] for part in shares}
    for record in records:
        parts[part_of(group_of(record, all_groups), key, shares)].append(record)
    return parts


def leaks(parts: Mapping[str, Iterable[Record]], roles: Sequence[str] = ROLES) -> dict[str, tuple[str, ...]]:
    """Conversations and speakers that are in more than one part, with those parts; empty for a split that holds."""
    places = defaultdict(set)
    for part, records in parts.items():
        for record in records:
            for edge in edges(record, roles):
                for node in edge:
                    places[node].add(part)
    return {node: tuple(sorted(found)) for node, found in sorted(places.items()) if len(found) > 1}


def contamination(train: Iterable[Record], test: Iterable[Record], n: int = RUN) -> dict[str, float]:
    """For each test record, the share of its runs of ``n`` words that the training set has too (Lecture 9)."""
    index = OverlapIndex((record.text for record in train), n)
    return {record.id: index.share(record.text) for record in test}
