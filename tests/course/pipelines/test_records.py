"""Lines become records or dead letters, whatever they hold."""

import hashlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from course.pipelines.made_up import made_up_records
from course.pipelines.records import (
    LONGEST_LINE,
    REASONS,
    DeadLetter,
    Record,
    canonical_json,
    parse_file,
    parse_line,
    read_lines,
    utterances,
)

RECORDS = made_up_records(5)
LINE = RECORDS[0].line


def test_a_record_survives_its_line():
    for record in RECORDS:
        assert parse_line(record.line) == record == parse_line(record.line.encode() + b"\r\n")
        assert "\n" not in record.line and json.loads(record.line)["schema_version"] == 1


def test_equal_records_have_equal_lines():
    shuffled = json.dumps(dict(reversed(json.loads(LINE).items())), indent=1).replace("\n", " ")
    assert shuffled != LINE and parse_line(shuffled).line == LINE


def changed(**fields) -> str:
    return json.dumps(json.loads(LINE) | fields)


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        (LINE[:-1], "half-written", "EOF"),
        (LINE[: len(LINE) // 2], "half-written", "EOF"),
        ("", "half-written", "EOF"),
        (LINE.replace(":", "=", 1), "malformed", "column"),
        (LINE + LINE, "malformed", "trailing"),
        ("[" * 500 + "]" * 500, "malformed", "recursion"),
        (LINE.replace("hello", "\x00", 1), "malformed", "control character"),
        (LINE.replace("hello", "\\ud800", 1), "malformed", "hex escape"),
        (b"\xff\xfe" + LINE.encode(), "not UTF-8", "at byte 0"),
        (LINE.encode()[:-3] + b"\xc3", "not UTF-8", "at byte"),
        ('"' + "x" * LONGEST_LINE + '"', "too long", str(LONGEST_LINE)),
        (changed(schema_version=2), "another version", "should be 1"),
        (changed(schema_version="1"), "another version", "should be 1"),
        (changed(kind="letter"), "wrong form", "kind"),
        (changed(turns=[]), "wrong form", "turns"),
        (changed(turns="hello"), "wrong form", "turns"),
        (changed(id=7), "wrong form", "id"),
        (changed(id=""), "wrong form", "id"),
        (changed(kind="utterance"), "wrong form", "an utterance has one turn"),
        ("7", "wrong form", "record"),
        ("null", "wrong form", "record"),
    ],
)
def test_what_is_no_record_is_a_dead_letter(line, reason, detail):
    letter = parse_line(line, "calls.jsonl", 12)
    assert isinstance(letter, DeadLetter) and letter.reason == reason and letter.reason in REASONS
    assert detail in letter.detail and (letter.source, letter.line) == ("calls.jsonl", 12)
    content = line.encode() if isinstance(line, str) else line
    assert letter.size == len(content) and letter.sha256 == hashlib.sha256(content).hexdigest()


def test_a_dead_letter_quotes_nothing_of_what_was_said():
    secret = "four two one one"
    broken = [
        changed(turns=[{"role": "caller", "speaker": "c", "text": 4211}], task=secret),
        changed(**{secret: 1}),
        changed(known={secret: secret}),
        LINE.replace("{", "{" + secret, 1),
    ]
    for line in broken:
        letter = parse_line(line)
        assert isinstance(letter, DeadLetter), line[:80]
        assert secret not in f"{letter.reason} {letter.detail}"


@given(st.binary(max_size=300))
def test_no_bytes_raise(content):
    assert isinstance(parse_line(content), DeadLetter)


@given(st.text(max_size=100))
def test_any_text_can_be_said(text):
    record = RECORDS[0].with_texts([text, *["yes"] * (len(RECORDS[0].turns) - 1)])
    assert parse_line(record.line) == record


def test_every_cut_of_a_line_is_a_dead_letter_and_a_whole_one_is_not():
    content = LINE.encode()
    cuts = {type(parse_line(content[:end])) for end in range(0, len(content), 7)}
    assert cuts == {DeadLetter} and isinstance(parse_line(content), Record)


def test_lines_of_a_file_have_their_numbers_and_blank_ones_are_passed_over():
    file = io.BytesIO(b"a\n\n  \r\nb\r\nc")
    assert list(read_lines(file)) == [(1, b"a\n"), (4, b"b\r\n"), (5, b"c")]
    assert list(read_lines(io.BytesIO(b""))) == []


@pytest.mark.parametrize("length", [9, 10, 11, 12, 25])
def test_a_long_line_takes_no_memory_and_the_next_is_read(length):
    lines = list(read_lines(io.BytesIO(b"x" * length + b"\nnext\n"), longest=10))
    assert lines[0][1] == (b"x" * length + b"\n")[:11] and lines[1] == (2, b"next\n")


def test_a_file_with_bad_lines_gives_all_its_good_ones():
    content = b"\n".join([RECORDS[0].line.encode(), b"{", RECORDS[1].line.encode(), RECORDS[2].line.encode()[:50]])
    found = list(parse_file(io.BytesIO(content), "f"))
    assert [type(one).__name__ for one in found] == ["Record", "DeadLetter", "Record", "DeadLetter"]
    assert [one.line for one in found if isinstance(one, DeadLetter)] == [2, 4]


def test_json_has_no_infinity():
    with pytest.raises(ValueError):
        canonical_json({"x": float("inf")})


def test_records_do_not_change_and_have_no_other_fields(dialog):
    record = dialog("hello", "hi")
    with pytest.raises(ValidationError):
        record.id = "other"
    with pytest.raises(ValidationError):
        Record(**record.model_dump() | {"mood": "good"})
    with pytest.raises(ValueError):
        record.with_texts(["one text for two turns"])


def test_empty_turns_go_but_for_the_last(dialog):
    record = dialog("hello", "[noise]", "bye")
    assert [turn.text for turn in record.with_texts(["a", "", "b"]).turns] == ["a", "b"]
    assert [turn.text for turn in record.with_texts(["", "", ""]).turns] == [""]


def test_utterances_are_records_of_one_turn_with_their_dialog_as_parent():
    said = utterances(RECORDS[0])
    assert len(said) == sum(turn.role == "caller" for turn in RECORDS[0].turns)
    for one in said:
        assert parse_line(one.line) == one and one.provenance.parents == (RECORDS[0].id,)
        assert one.conversation == RECORDS[0].conversation and one.kind == "utterance"
    assert len({one.id for one in said}) == len(said)
