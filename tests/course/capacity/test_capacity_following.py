"""A request followed through logs: doubles, any order, missing parents, circles, and entries of something else."""

import random

import pytest

from course.capacity.following import answered, conversation, outline, spans
from course.errors import CourseError


def entry(number, message, parent=None, **more):
    payload = {
        "event": "chat.completion",
        "message_id": message,
        "parent_id": parent,
        "conversation_id": "call-7",
        "question": f"question {message}",
        "answer": "yes",
        "seconds": 2.0,
        "queue_seconds": 0.5,
        "first_token_seconds": 0.8,
    } | more
    return {"insertId": f"p-{number:03d}", "timestamp": f"2026-11-23T09:00:{number:02d}Z", "jsonPayload": payload}


TREE = [entry(1, "a"), entry(2, "b", "a"), entry(3, "c", "b"), entry(4, "d", "b"), entry(5, "e")]
LINES = ["question a", "   question b", "      question c", "      question d", "question e"]


def lines(entries):
    return outline(conversation(answered(entries), "call-7"))


def test_a_conversation_is_a_tree():
    assert lines(TREE) == LINES


@pytest.mark.parametrize("seed", range(5))
def test_doubles_and_disorder_change_nothing(seed):
    entries = TREE + TREE[:3]
    random.Random(seed).shuffle(entries)
    assert lines(entries) == LINES


def test_a_missing_parent_is_said():
    assert lines([entry(2, "b", "gone"), entry(3, "c", "b")]) == [
        "question b (its parent is missing)",
        "   question c",
    ]


def test_a_circle_is_shown_once_and_said():
    found = lines([entry(1, "a", "c"), entry(2, "b", "a"), entry(3, "c", "b"), entry(4, "x", "x")])
    assert found == ["question a (in a circle)", "   question b", "      question c", "question x (in a circle)"]


def test_a_long_conversation_needs_no_deep_recursion():
    entries = [entry(0, "0")] + [entry(0, str(n), str(n - 1)) | {"insertId": f"p-{n:06d}"} for n in range(1, 3_000)]
    assert len(lines(entries)) == 3_000


def test_other_entries_and_failures_are_left_out():
    others = [
        {"insertId": "s", "timestamp": "2026", "jsonPayload": {"event": "started"}},
        {"insertId": "t", "timestamp": "2026", "textPayload": "hello"},
        {"timestamp": "2026", "jsonPayload": {"event": "chat.completion"}},
        entry(9, "z", problem="timed_out"),
    ]
    assert lines(TREE + others) == LINES
    assert outline([]) == [] and conversation(answered(TREE), "call-8") == []


def test_spans_are_the_whole_time_without_gaps():
    found = spans(TREE[0]["jsonPayload"])
    assert [span.name for span in found] == ["in line", "reading", "writing"]
    assert [span.began for span in found] == [0.0, 0.5, 0.8]
    assert sum(span.seconds for span in found) == pytest.approx(2.0)


@pytest.mark.parametrize("broken", [{}, {"queue_seconds": None, "first_token_seconds": 1, "seconds": 2}])
def test_a_request_without_an_answer_has_no_spans(broken):
    with pytest.raises(CourseError, match="answered chat"):
        spans(broken)
