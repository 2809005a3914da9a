"""What the database keeps: the same, however often, in whatever order and by however many writers rows come."""

import os
import random
import threading

import pytest
from django.db import IntegrityError, connection, transaction

from services.portal.entries import parse_entry
from services.portal.made_up import entries, lines
from services.portal.models import Conversation, Turn
from services.portal.store import said, store
from services.portal.trees import title

pytestmark = pytest.mark.django_db


def kept():
    """All that is kept of logs."""
    conversations = Conversation.objects.order_by("id").values_list()
    return [*conversations, *Turn.objects.order_by("digest").values_list()]


@pytest.fixture
def rows():
    return [parse_entry(line) for line in lines(list(entries(4, 6)))]


def test_the_database_is_the_one_that_was_set():
    wanted = os.environ.get("DATABASE_URL", "sqlite").partition(":")[0]
    assert wanted.startswith(connection.vendor[:8])


def test_a_turn_gives_its_row_back(rows):
    store(rows)
    found = sorted((said(one) for one in Turn.objects.select_related("conversation")), key=lambda row: row.digest)
    assert found == sorted(rows, key=lambda row: row.digest)


def test_again_and_in_another_order_is_the_same(rows):
    store(rows)
    once = kept()
    store(rows[::-1] + rows)
    assert kept() == once
    Conversation.objects.all().delete()
    chance = random.Random(1)
    shuffled = chance.sample(rows * 2, 2 * len(rows))
    for start in range(0, len(shuffled), 5):
        store(shuffled[start : start + 5])
    assert kept() == once


def test_a_conversation_knows_its_ends_and_its_title(rows):
    store(rows[3:6])
    store(rows[:3])
    one, own = Conversation.objects.get(pk="call-0-0"), [row for row in rows if row.name == "call-0-0"]
    first = min(own, key=lambda row: row.created)
    assert (one.opened, one.latest) == (first.created, max(row.created for row in own))
    assert one.title == title(first)


def test_a_batch_that_fails_leaves_nothing(rows):
    broken = rows[-1]._replace(kind=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        store([*rows[:-1], broken])
    assert kept() == []


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_lose_nothing(rows):
    halves, failures = (rows[::2], rows[1::2], rows[::-1]), []

    def write(part):
        try:
            for start in range(0, len(part), 3):
                store(part[start : start + 3])
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(part,)) for part in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    together = kept()
    with transaction.atomic():
        Conversation.objects.all().delete()
        store(rows)
    assert kept() == together
