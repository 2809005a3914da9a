"""Personal data: found in what people say, never found twice, and measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.language.calls import made_up_calls
from course.pipelines.made_up import name_in
from course.pipelines.redaction import (
    KINDS,
    ORDINARY,
    Span,
    Token,
    asked_for,
    find,
    redact,
    redact_record,
    runs_of_digits,
)
from course.pipelines.redaction_measured import annotated_dialogs, measured, with_form


def redacted(*texts: str, known=()) -> list[str]:
    return redact(texts, known)[0]


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("my name is maria gonzalez", "my name is [NAME]"),
        ("my name is will young and i lost my card", "my name is [NAME] and i lost my card"),
        ("my account number is four two one one", "my account number is [ACCOUNT]"),
        ("the card ends in double four two oh", "the card ends in [CARD]"),
        ("the card ends in double oh double 7", "the card ends in [CARD]"),
        ("it's four one one one two two two two three three three three four four four four", "it's [CARD]"),
        ("4111 1111 1111 1111 please", "[CARD] please"),
        ("call me at five five five zero one four two nine nine three", "call me at [PHONE]"),
        ("it is 617-555-0142", "it is [PHONE]"),
        ("i was born on march third nineteen eighty two", "i was born on [DATE_OF_BIRTH]"),
        ("i was born 03/14/1982", "i was born [DATE_OF_BIRTH]"),
        ("write to maria dot gonzalez at example dot com", "write to [EMAIL]"),
        ("write to maria.gonzalez@example.com please", "write to [EMAIL] please"),
        ("i live at twelve maple avenue apartment three", "i live at [ADDRESS]"),
        ("i live at 1600 north hill road", "i live at [ADDRESS]"),
        ("that is g o n z a l e z", "that is [NAME]"),
    ],
)
def test_what_is_personal_is_replaced(said, left):
    assert redacted(said) == [left]


@pytest.mark.parametrize(
    "said",
    [
        "i would like three hundred and five dollars",
        "on monday at nine forty five",
        "the fourth of march at ten fifteen",
        "i need two boxes of checks",
        "it takes five to seven business days",
        "may i have your name please",
        "i'm calling about my bill this is not right",
        "the main street branch is open from nine to five",
        "one moment please",
        "oh that is a double charge",
        "",
    ],
)
def test_what_is_not_personal_stays(said):
    assert redacted(said) == [said]


def test_what_the_agent_asks_says_what_an_answer_is():
    assert redacted("what is your account number", "uh four two one")[1] == "uh [ACCOUNT]"
    assert redacted("and the phone number", "um", "three one nine zero")[2] == "[PHONE]"
    assert redacted("how many boxes", "four two one")[1] == "four two one"
    assert redacted("what's your name", "maria gonzalez")[1] == "[NAME]"
    assert redacted("what is your date of birth", "the third of march")[1] == "the [DATE_OF_BIRTH]"


def test_a_name_is_looked_for_in_the_whole_dialog():
    texts = redacted("how can i help", "hi my name is fatima okafor", "well ms okafor", "fatima's card", "bye fatima")
    assert texts == ["how can i help", "hi my name is [NAME]", "well ms [NAME]", "[NAME] card", "bye [NAME]"]


def test_the_form_finds_names_that_no_rule_would():
    texts = ("so will day is what it says", "yes will day")
    assert redacted(*texts) == list(texts)
    assert redacted(*texts, known=["Will Day"]) == ["so [NAME] is what it says", "yes [NAME]"]
    assert redacted("are you okafor", known=["fatima okafor"]) == ["are you [NAME]"]


def test_a_record_loses_its_form(dialog):
    record, counts = redact_record(dialog("hello", "this call is for okafor", known=["fatima okafor"]))
    assert record.known == {} and record.turns[1].text == "this call is for [NAME]" and counts == {"NAME": 1}


SPOKEN = """my name is maria gonzalez will this it's speaking four two one double oh seven nineteen eighty march third
born account card phone number what your address email at dot com maple avenue street hundred dollars um [NAME] [CARD]
a b c 4211 617-555-0142 x@y.org 12 and hello"""
WORDS = st.sampled_from(SPOKEN.split())


@given(st.lists(st.lists(WORDS, max_size=12).map(" ".join), max_size=5), st.lists(WORDS, max_size=2))
def test_redacting_twice_is_redacting_once(texts, known):
    once, _ = redact(texts, known)
    again, counts = redact(once)
    assert again == once and not counts


@given(st.lists(st.text(max_size=60), max_size=4))
def test_any_text_can_be_redacted_and_spans_lie_in_it(texts):
    for text, spans in zip(texts, find(texts), strict=True):
        assert all(0 <= span.start < span.end <= len(text) and span.kind in KINDS for span in spans)
        assert all(a.end <= b.start for a, b in zip(spans, spans[1:], strict=False))
    once, _ = redact(texts)
    assert redact(once)[0] == once


def test_letters_whose_lower_case_is_longer_move_nothing():
    assert redacted("İİİ my account number is four two one one") == ["İİİ my account number is [ACCOUNT]"]


def test_runs_of_digits():
    def digits(text: str) -> list[str]:
        tokens, place = [], 0
        for word in text.split():
            place = text.index(word, place)
            tokens.append(Token(place, place + len(word), word))
            place += len(word)
        return [run.digits for run in runs_of_digits(text, tokens)]

    assert digits("four two double seven then nineteen eighty two") == ["4277", "1982"]
    assert digits("double oh seven") == ["007"] and digits("nine triple o double 4") == ["900044"]
    assert digits("double 12") == ["12"] and digits("double oak") == []
    assert digits("triple nine oh one") == ["99901"] and digits("oh dear") == []
    assert digits("twenty zero thirteen") == ["20013"] and digits("12 34 five") == ["12345"]


def test_questions():
    assert asked_for("what is your e-mail address") == "EMAIL" and asked_for("your address") == "ADDRESS"
    assert asked_for("hello my name is david") is None and asked_for("and your last name") == "NAME"


def test_names_in_made_up_calls_are_found_with_the_form_and_counted_without():
    calls = made_up_calls(60)
    for call in calls:
        texts = redacted(*(turn.text for turn in call.turns), known=[name_in(call)])
        assert name_in(call) not in " ".join(texts)
        assert not set(name_in(call).split()) & set(" ".join(texts).split()) - ORDINARY


def test_recall_is_high_on_familiar_wording_and_lower_on_other():
    known, other = (annotated_dialogs(60, wording) for wording in ("familiar", "unfamiliar"))
    familiar, unfamiliar, with_names = measured(known), measured(other), measured(with_form(other))
    assert familiar.recall.low > 0.95 and familiar.precision.low > 0.98
    assert unfamiliar.recall.high < familiar.recall.low, "the rules do know the words that they were written for"
    assert with_names.recall.low > unfamiliar.recall.high, "a form with the name on it helps"
    assert set(familiar.by_kind) == set(KINDS) and unfamiliar.by_kind["NAME"].value < 0.5


def test_annotations_are_where_they_say():
    for dialog in annotated_dialogs(40, "unfamiliar", seed=2):
        assert len(dialog.texts) == len(dialog.spans)
        for text, spans in zip(dialog.texts, dialog.spans, strict=True):
            assert all(text[span.start : span.end].strip() for span in spans)
    assert annotated_dialogs(5, "familiar") == annotated_dialogs(9, "familiar")[:5]
    with pytest.raises(ValueError, match="wordings"):
        annotated_dialogs(1, "strange")


def test_measuring_counts_by_hand():
    from course.pipelines.redaction_measured import Annotated

    dialog = Annotated(("call ann lee at 12",), ((Span(5, 12, "NAME"), Span(16, 18, "ACCOUNT")),))
    half = measured([dialog], lambda texts, form: [[Span(5, 8, "NAME"), Span(13, 18, "ACCOUNT")]])
    assert half.recall.value == 0.5 and half.missed == ("ann lee",)
    assert half.precision.value == pytest.approx(2 / 3)  # "ann" and "12", not "at"
    none = measured([dialog], lambda texts, form: [[]])
    assert none.recall.value == 0 and none.precision.value == 1
    with pytest.raises(ValueError, match="something to find"):
        measured([Annotated(("hello",), ((),))])
