"""Rows into the database: whole batches, in one transaction each, with the same end however often they come.

A turn is named by the digest of its content, and a second one of that name is left out. What is kept of a conversation
beside its turns are the least and the greatest of something, which a repetition cannot change either. A process that is
killed leaves all of a batch or nothing, and who ingests the same file again adds what is missing.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter

from django.db import connection, transaction

from services.portal.entries import Said
from services.portal.models import Conversation, Turn
from services.portal.trees import title

BATCH = 4000  # rows of a transaction
OF_TURN = [field.name for field in Turn._meta.concrete_fields if field.name not in ("digest", "conversation")]
AS_THEY_ARE = [name for name in OF_TURN if name not in ("created", "scores")]


def store(rows: Iterable[Said]) -> None:
    """Add what is not there yet."""
    once = list({row.digest: row for row in rows}.values())
    for start in range(0, len(once), BATCH):
        _store_batch(once[start : start + BATCH])


def _store_batch(rows: Sequence[Said]) -> None:
    by_conversation: dict[str, list[Said]] = {}
    for row in rows:
        by_conversation.setdefault(row.conversation, []).append(row)
    names = sorted(by_conversation)  # always in the same order, so that two writers never wait for each other
    with transaction.atomic():
        fresh = [_empty(by_conversation[name][0]) for name in names]
        Conversation.objects.bulk_create(fresh, ignore_conflicts=True)
        held = Conversation.objects.select_for_update().in_bulk(names)
        changed = [held[name] for name in names if _widen(held[name], by_conversation[name])]
        fields = ["title", "titled", "opened", "latest"]
        Conversation.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=fields)
        _insert_turns(rows)


def said(turn: Turn) -> Said:
    """The row that a turn was made from; its conversation has to be at hand."""
    of = turn.conversation
    rest = {name: getattr(turn, name) for name in OF_TURN}
    return Said(digest=turn.digest, conversation=of.id, owner=of.owner, name=of.name, **rest)


def _insert_turns(rows: Sequence[Said]) -> None:
    """Rows that are not there yet, by one statement: ``bulk_create`` takes four times as long to make its own."""
    quote, adapted = connection.ops.quote_name, connection.ops.adapt_datetimefield_value
    names = ["digest", "conversation", *AS_THEY_ARE, "created", "scores"]
    columns = ", ".join(quote(Turn._meta.get_field(name).column) for name in names)
    into, places = f"{quote(Turn._meta.db_table)} ({columns})", ", ".join(["%s"] * len(names))
    plain = attrgetter("digest", "conversation", *AS_THEY_ARE)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {into} VALUES ({places}) ON CONFLICT DO NOTHING",
            [(*plain(row), adapted(row.created), json.dumps(row.scores)) for row in rows],
        )


def _empty(row: Said) -> Conversation:
    return Conversation(id=row.conversation, owner=row.owner, name=row.name)


def _widen(kept: Conversation, rows: Sequence[Said]) -> bool:
    """Take rows into what is kept of their conversation; whether that changed it."""
    before = kept.opened, kept.latest, kept.titled
    times = [row.created for row in rows] + [time for time in before[:2] if isinstance(time, datetime)]
    kept.opened, kept.latest = min(times), max(times)
    for row in rows:
        given = f"{row.created.isoformat(timespec='microseconds')} {row.digest}"
        if (row.question or row.text) and (not kept.titled or given < kept.titled):
            kept.title, kept.titled = title(row), given
    return before != (kept.opened, kept.latest, kept.titled)
