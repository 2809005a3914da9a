"""From lines to what was said: every line becomes a row, is passed over or is a dead letter, and none raises."""

import gzip
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.errors import CourseError
from course.pipelines.records import DeadLetter
from services.portal.entries import LONGEST_ENTRY, OTHER, Said, parse_entry, read_blocks
from services.portal.made_up import entries, lines

MADE = list(entries(2, 3))


def read(path, size=1000):
    return [one for block in read_blocks(str(path), size) for one in block.entries]


def changed(**fields):
    """The first made-up entry with other fields of its payload, as a line."""
    return json.dumps(MADE[0] | {"jsonPayload": MADE[0]["jsonPayload"] | fields}).encode()


def test_an_exchange_has_its_question_answer_tokens_seconds_and_scores():
    payload, row = MADE[1]["jsonPayload"], parse_entry(lines(MADE)[1])
    assert (row.kind, row.role, row.status, row.conversation) == ("exchange", "assistant", "ok", "call-0-0")
    assert (row.question, row.text) == (payload["question"], payload["answer"])
    assert (row.prompt_tokens, row.completion_tokens) == (payload["prompt_tokens"], payload["completion_tokens"])
    assert (row.seconds, row.scores, row.model) == (payload["seconds"], payload["scores"], "fake-chat")
    assert row.created == datetime(2026, 11, 23, 9, 0, 5, tzinfo=UTC) and row.parent == payload["parent_id"]


def test_a_failed_request_is_a_turn_that_says_what_went_wrong():
    row = parse_entry(changed(problem="timed_out", answer=""))
    assert (row.status, row.text) == ("error", "timed_out")


def test_a_transcription_is_what_the_caller_said():
    row = parse_entry(changed(event="audio.transcription", question="", answer="My card is gone."))
    assert (row.kind, row.role, row.text) == ("turn", "caller", "My card is gone.")


def test_entries_about_other_things_are_passed_over():
    for entry in ({"insertId": "1", "textPayload": "hello"}, {"insertId": "1", "jsonPayload": {"event": "started"}}):
        assert parse_entry(json.dumps(entry).encode()) == OTHER
    assert parse_entry(json.dumps({"insertId": "1", "jsonPayload": {"event": ["turn"]}}).encode()) == OTHER


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        (lines(MADE)[0][:100], "half-written", "EOF"),
        (b"Traceback (most recent call last):", "malformed", "expected value"),
        (b'{"insertId": NaN}', "malformed", "expected value"),
        (b'{"insertId": "\xff"}', "not UTF-8", "at byte 14"),
        (b'{"a": "' + b"x" * LONGEST_ENTRY + b'"}', "too long", "more than"),
        (b"[1, 2]", "wrong form", "JSON object"),
        (b"{}", "wrong form", "nothing of a LogEntry"),
        (b"[" * 100_000, "malformed", "recursion"),
        (changed(message_id="a b"), "wrong form", "jsonPayload.message_id"),
        (changed(message_id=None), "wrong form", "jsonPayload.message_id"),
        (changed(conversation_id="../../etc"), "wrong form", "jsonPayload.conversation_id"),
        (changed(conversation_id="ada~call"), "wrong form", "jsonPayload.conversation_id"),
        (changed(prompt_tokens=-1), "wrong form", "jsonPayload.prompt_tokens"),
        (changed(prompt_tokens=2**31), "wrong form", "jsonPayload.prompt_tokens"),
        (changed(seconds=-0.5), "wrong form", "jsonPayload.seconds"),
        (changed(scores={"a": "much"}), "wrong form", "jsonPayload.scores"),
        (changed(scores={"a": 1e308 * 10}), "malformed", "expected value"),
        (changed(event="turn", role="wizard", text=""), "wrong form", "jsonPayload.role"),
        (changed(event="turn", role="caller", audio="javascript:alert(1)//"), "wrong form", "jsonPayload.audio"),
        (json.dumps(MADE[0] | {"timestamp": "yesterday"}).encode(), "wrong form", "timestamp"),
        (json.dumps(MADE[0] | {"timestamp": "2026-11-23T09:00:00"}).encode(), "wrong form", "timestamp"),
        (json.dumps(MADE[0] | {"timestamp": "0001-01-01T00:00:00+14:00"}).encode(), "wrong form", "timestamp"),
        (json.dumps(MADE[0] | {"timestamp": None}).encode(), "wrong form", "timestamp"),
        (json.dumps(MADE[0] | {"insertId": 7}).encode(), "wrong form", "insertId"),
        (json.dumps(MADE[0] | {"labels": {"owner": "a/b"}}).encode(), "wrong form", "labels.owner"),
    ],
    ids=range(25),
)
def test_what_cannot_be_read_is_a_dead_letter_that_says_why_and_quotes_nothing(line, reason, detail):
    found = parse_entry(line, "calls.jsonl", 7)
    assert isinstance(found, DeadLetter)
    assert (found.source, found.line, found.reason, found.size) == ("calls.jsonl", 7, reason, len(line))
    assert detail in found.detail and "wizard" not in found.detail and "javascript" not in found.detail


def test_owners_keep_conversations_of_the_same_name_apart():
    line = lines(MADE)[0]
    ada, ben = parse_entry(line, owner="ada"), parse_entry(line, owner="ben")
    assert (ada.conversation, ben.conversation, ada.name) == ("ada~call-0-0", "ben~call-0-0", "call-0-0")
    labelled = json.dumps(MADE[0] | {"labels": {"owner": "ben"}}).encode()
    assert parse_entry(labelled, owner="ada") == ben


def test_the_digest_is_of_what_is_said_and_not_of_how_the_entry_came():
    again = MADE[0] | {"receiveTimestamp": "2026-11-23T10:00:00Z", "timestamp": "2026-11-23T10:00:00.000000+01:00"}
    assert parse_entry(json.dumps(again, indent=2, sort_keys=True).encode()) == parse_entry(lines(MADE)[0])
    assert parse_entry(changed(answer="Something else.")).digest != parse_entry(lines(MADE)[0]).digest


def test_nanoseconds_and_letters_that_a_database_cannot_hold():
    nine = json.dumps(MADE[0] | {"timestamp": "2026-11-23T09:00:00.123456789Z"}).encode()
    assert parse_entry(nine).created.microsecond == 123456
    assert parse_entry(changed(answer="a\0b")).text == "a\ufffdb"
    assert parse_entry(changed(answer="\ud800")).reason == "malformed"


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_no_line_raises(line):
    assert isinstance(parse_entry(line), Said | DeadLetter | str)


@given(
    st.dictionaries(
        st.sampled_from(sorted(MADE[0]["jsonPayload"])), st.none() | st.integers() | st.text() | st.floats()
    )
)
def test_no_payload_raises(fields):
    assert isinstance(parse_entry(changed(**fields)), Said | DeadLetter | str)


def test_lines_arrays_and_packed_files_are_read_alike(tmp_path):
    wanted = lines(MADE)
    (tmp_path / "lines.jsonl").write_bytes(b"\n\n" + b"\r\n".join(wanted))
    with gzip.open(tmp_path / "packed.jsonl.gz", "wb") as file:
        file.write(b"\n".join(wanted))
    (tmp_path / "array.json").write_text(json.dumps(MADE, indent=2))
    (tmp_path / "marked.json").write_text("\ufeff " + json.dumps(MADE))
    parsed = [parse_entry(line) for line in wanted]
    for name in ("lines.jsonl", "packed.jsonl.gz", "array.json", "marked.json"):
        assert [parse_entry(line) for _, line in read(tmp_path / name, 2)] == parsed, name
    assert [number for number, _ in read(tmp_path / "array.json")] == list(range(1, 7))


@pytest.mark.parametrize("cut", range(1, 400, 13))
def test_an_array_that_breaks_off_keeps_what_is_whole(tmp_path, cut):
    text = json.dumps(MADE[:3])
    (tmp_path / "array.json").write_text(text[:-cut])
    found = [parse_entry(line) for _, line in read(tmp_path / "array.json")]
    assert found[-1].reason == "half-written"
    whole = [parse_entry(line) for line in lines(MADE[:3])]
    assert found[:-1] == whole[: len(found) - 1] and len(found) - 1 >= 2 - (cut > 350)


@pytest.mark.parametrize("text", ["[]", " [ ] ", "", "\n\n"])
def test_a_file_without_entries_is_no_error(tmp_path, text):
    (tmp_path / "empty.json").write_text(text)
    assert read(tmp_path / "empty.json") == []


def test_an_array_with_rubbish_in_it_says_where(tmp_path):
    (tmp_path / "array.json").write_text("[" + lines(MADE)[0].decode() + ", oops, {}]")
    first, second = [parse_entry(line) for _, line in read(tmp_path / "array.json")]
    assert isinstance(first, Said) and second.reason == "malformed"


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(CourseError, match="expected at .*nothing.jsonl and it cannot be read"):
        read(tmp_path / "nothing.jsonl")
    (tmp_path / "torn.jsonl.gz").write_bytes(gzip.compress(b"{}\n" * 1000)[:30])
    with pytest.raises(CourseError, match="cannot be read"):
        read(tmp_path / "torn.jsonl.gz")
