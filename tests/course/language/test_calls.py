"""Made-up bank calls: their form, their variety, and real ones in the same form."""

from collections import Counter

import pytest

from course import harper_valley
from course.errors import CourseError
from course.language import calls as module
from course.language.calls import (
    bank_calls,
    by_family,
    families,
    from_published,
    in_words,
    made_up_calls,
    tasks,
)

CALLS = made_up_calls(600)


def test_the_same_seed_makes_the_same_calls_and_longer_lists_begin_with_shorter_ones():
    assert made_up_calls(20) == CALLS[:20]
    assert made_up_calls(20, seed=1) != CALLS[:20]
    assert made_up_calls(0) == ()


def test_tasks_families_and_acts_all_occur():
    assert len(tasks()) == 8 and {call.task for call in CALLS} == set(tasks())
    assert len(families()) == 6 and {call.family for call in CALLS} == set(families())
    assert len({turn.dialog_act for call in CALLS for turn in call.turns}) >= 12
    rarest = min(Counter(call.task for call in CALLS).values())
    assert rarest > len(CALLS) / 8 / 2


def test_calls_are_written_as_transcribers_write():
    for call in CALLS:
        assert {turn.speaker_role for turn in call.turns} == {"agent", "caller"}
        assert call.turns[0].dialog_act == "greeting" and call.turns[-1].dialog_act == "closing"
        for turn in call.turns:
            assert turn.text == turn.text.lower().strip() and turn.text
            assert not set(turn.text) - set("abcdefghijklmnopqrstuvwxyz' "), turn.text
            assert "  " not in turn.text


def test_calls_differ():
    assert len({call.text for call in CALLS}) == len(CALLS)
    assert len({turn.text for call in CALLS for turn in call.turns}) > 3_000
    assert len({call.sid for call in CALLS}) == len(CALLS)


def test_every_template_fits_its_slots():
    """Each template of each family has as many forms as there are ways of speaking, and can be filled."""
    phrases = module._phrases()
    lists = [*phrases["agent"].values(), *phrases["caller"].values(), *phrases["questions"].values()]
    lists += [task[part] for task in phrases["tasks"].values() for part in ("wants", "explain", "done")]
    assert all(len(templates) == len(families()) for templates in lists)
    assert sum(map(len, lists)) > 250
    assert all(template.count("(") == template.count(")") for templates in lists for template in templates)


def test_held_out_families_share_no_long_turn_with_the_others():
    others, held_out = by_family(CALLS, ["roundabout", "formal"])
    assert len(others) + len(held_out) == len(CALLS) and {call.family for call in held_out} == {"roundabout", "formal"}
    said = {turn.text for call in others for turn in call.turns}
    long_turns = [turn.text for call in held_out for turn in call.turns if len(turn.text.split()) > 5]
    assert not said & set(long_turns)


def test_the_summary_says_what_was_settled():
    call = next(call for call in CALLS if call.task == "transfer money")
    name = next(turn.text for turn in call.turns if turn.dialog_act == "data response")
    assert call.summary.split()[1].lower() in name and "dollars from" in call.summary
    assert all(call.summary.endswith(".") and "{" not in call.summary for call in CALLS)


def test_some_facts_are_misheard_and_then_mended():
    mended = [call for call in CALLS if any(turn.dialog_act == "no" for turn in call.turns)]
    assert 0.05 < len(mended) / len(CALLS) < 0.3
    for call in mended:
        acts = [turn.dialog_act for turn in call.turns]
        assert acts[acts.index("no") - 1] == "data confirmation" and acts[acts.index("no") + 1] == "response"


def test_text_and_sides():
    call = CALLS[0]
    lines = call.text.splitlines()
    assert call.text.endswith("\n") and len(lines) == len(call.turns) and lines[0].startswith("agent: ")
    assert len(call.said_by("agent").splitlines()) + len(call.said_by("caller").splitlines()) == len(lines)
    assert call.made_up


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (10, "ten"),
        (45, "forty five"),
        (90, "ninety"),
        (100, "one hundred"),
        (319, "three hundred nineteen"),
        (2000, "two thousand"),
        (9999, "nine thousand nine hundred ninety nine"),
    ],
)
def test_numbers_in_words(number, words):
    assert in_words(number) == words


def published(acts=("gridspace_data_question",)):
    segments = [
        {"index": 1, "speaker_role": "agent", "human_transcript": "Your account number [noise]", "dialog_acts": acts},
        {"index": 2, "speaker_role": "caller", "human_transcript": "[noise]", "dialog_acts": ()},
    ]
    times = {"offset_ms": 0, "start_ms": 0, "duration_ms": 10, "transcript": ""}
    metadata = {"sid": "ab", "session": "1", "agent": {"speaker_id": 1}, "caller": {"speaker_id": 2}}
    return harper_valley.Call(
        metadata=metadata | {"tasks": [{"task_type": "pay bill"}]}, segments=[segment | times for segment in segments]
    )


def test_a_published_call_has_the_same_form():
    call = from_published(published())
    assert call.text == "agent: your account number\n" and call.turns[0].dialog_act == "data question"
    assert (call.sid, call.task, call.made_up) == ("ab", "pay bill", False) and call.summary.endswith("pay bill.")
    assert from_published(published(acts=())).turns[0].dialog_act == "other"


def test_bank_calls_reads_the_corpus(monkeypatch):
    monkeypatch.setattr(harper_valley, "call_ids", lambda: ("ab", "cd"))
    monkeypatch.setattr(harper_valley, "read_call", lambda sid: published())
    assert len(bank_calls()) == 2 and len(bank_calls(1)) == 1


def test_without_the_corpus_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(harper_valley, "call_ids", tuple)
    with pytest.raises(CourseError, match="course data pull harper-valley"):
        bank_calls()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: made_up_calls(-1), "at least 0"),
        (lambda: made_up_calls(1.5), "at least 0"),
        (lambda: by_family(CALLS, ["polite"]), "Families of wording"),
        (lambda: CALLS[0].said_by("bank"), "'agent' or 'caller'"),
        (lambda: in_words(10_000), "from 0 to 9,999"),
    ],
)
def test_bad_input_is_told_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()
