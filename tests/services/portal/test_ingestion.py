"""Logs into the portal: by the loop and by Beam the same, dead letters in a file, and random kills without effect."""

import json

import pytest

from course.errors import CourseError
from services.portal.drill import run, state
from services.portal.ingestion import Counts, by_shard, ingest, ingest_in_a_loop
from services.portal.made_up import damaged, entries, lines
from services.portal.models import Conversation, Turn

pytestmark = pytest.mark.django_db(transaction=True)
MADE = lines(list(entries(8, 6)))


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "calls.jsonl"
    path.write_bytes(damaged(MADE, seed=1))
    return path


def letters(folder):
    return {path.name: [json.loads(line) for line in path.read_text().splitlines()] for path in folder.glob("*")}


def test_a_damaged_log_gives_every_turn_once_and_a_reason_for_the_rest(log, tmp_path):
    counts = ingest_in_a_loop([str(log)], tmp_path / "dead")
    assert counts == Counts(said=len(MADE) + len(MADE) // 10, other=0, dead=4)
    assert (Turn.objects.count(), Conversation.objects.count()) == (len(MADE), 8)
    (dead,) = letters(tmp_path / "dead").values()
    assert sorted(one["reason"] for one in dead) == ["half-written", "half-written", "malformed", "not UTF-8"]
    raw = log.read_bytes().splitlines()
    assert all(one["source"] == "calls.jsonl" and one["size"] == len(raw[one["line"] - 1]) for one in dead)


def test_beam_does_what_the_loop_does(log, tmp_path):
    more = tmp_path / "more.json"
    more.write_text(json.dumps(list(entries(3, 4, seed=5))))
    files = [str(log), str(more)]
    counts = ingest_in_a_loop(files, tmp_path / "loop", owner="ada")
    wanted = state(tmp_path / "loop")
    Conversation.objects.all().delete()
    for _ in range(2):
        assert ingest(files, tmp_path / "beam", owner="ada") == counts
        assert state(tmp_path / "beam") == wanted


def test_a_line_that_is_whole_later_is_no_dead_letter_any_more(tmp_path):
    path = tmp_path / "growing.jsonl"
    path.write_bytes(MADE[0] + b"\n" + MADE[1][:50])
    assert ingest_in_a_loop([str(path)], tmp_path / "dead").dead == 1
    assert [one["line"] for one in letters(tmp_path / "dead")["growing.jsonl.dead.jsonl"]] == [2]
    path.write_bytes(MADE[0] + b"\n" + MADE[1] + b"\n")
    assert ingest_in_a_loop([str(path)], tmp_path / "dead") == Counts(said=2)
    assert letters(tmp_path / "dead") == {} and Turn.objects.count() == 2


def test_rows_of_a_conversation_go_to_one_worker():
    from services.portal.entries import parse_entry

    shards = by_shard(parse_entry(line) for line in MADE)
    places = {}
    for number, rows in shards.items():
        for row in rows:
            assert places.setdefault(row.conversation, number) == number
    assert len(places) == 8 and len(shards) > 1


def test_files_are_told_apart_by_their_names(tmp_path):
    (tmp_path / "a").mkdir()
    same = [str(tmp_path / "x.jsonl"), str(tmp_path / "a" / "x.jsonl")]
    with pytest.raises(CourseError, match="Two files are called x.jsonl"):
        ingest_in_a_loop(same, tmp_path)
    with pytest.raises(CourseError, match="none was named"):
        ingest_in_a_loop([], tmp_path)


def test_twenty_kills_have_no_effect():
    """Real processes, ended by SIGKILL at random moments; a run of `course portal drill` makes more of them."""
    assert "20 of " in run(kills=20, n_entries=3000, seed=1)
