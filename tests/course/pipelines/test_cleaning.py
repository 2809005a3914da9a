"""Texts in one form, languages, and filters that say why."""

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.evaluation.intervals import accuracy_interval
from course.pipelines import languages
from course.pipelines.cleaning import FILTERS, clean, clean_turn, normalise_text, reason_to_drop
from course.pipelines.languages import LanguageProfiles, spoken_language, trigrams
from course.pipelines.made_up import made_up_records
from course.pipelines.redaction import redact_record


@given(st.text())
def test_normalising_twice_is_normalising_once(text):
    once = normalise_text(text)
    assert normalise_text(once) == once == once.strip() and "  " not in once
    assert unicodedata.is_normalized("NFKC", once)
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in once)


@given(st.text(alphabet=" ab-[]<>noise\u0301é\u200b", max_size=40))
def test_cleaning_twice_is_cleaning_once(text):
    assert clean_turn(clean_turn(text)) == clean_turn(text)


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  hello\t\nthere  ", "hello there"),
        ("cafe\u0301", "café"),
        ("ﬁne ｏｋ", "fine ok"),
        ("it’s “fine”", 'it\'s "fine"'),
        ("zero\u200bwidth\u00ad and \x07bell", "zerowidth and bell"),
        ("[noise] yes <unk> please [laughter]", "yes please"),
        ("i th- think so", "i think so"),
        ("a well-known bank", "a well-known bank"),
        ("my card is [CARD] [NAME]", "my card is [CARD] [NAME]"),
        ("[noise]", ""),
        ("", ""),
    ],
)
def test_what_cleaning_does(raw, cleaned):
    assert clean_turn(raw) == cleaned


def test_language_of_sentences_that_the_profiles_have_not_seen():
    verdicts = [(spoken_language(text), name) for name, sentences in languages.held_out().items() for text in sentences]
    right = accuracy_interval([found == name for found, name in verdicts])
    assert len(verdicts) == 40 and right.value > 0.9 and right.low > 0.8, right
    assert not any(found not in (name, None) for found, name in verdicts), "no sentence is taken for another language"


def test_no_sentence_is_both_learned_and_measured():
    learned, held = languages.learned_from(), languages.held_out()
    assert set(learned) == set(held) == {"en", "de", "es", "fr", "it"}
    for name in learned:
        assert len(learned[name]) == 16 and len(held[name]) == 8 and not set(learned[name]) & set(held[name])


def test_short_texts_are_of_no_known_language():
    assert spoken_language("") is None is spoken_language("no") and spoken_language("[CARD] 4211") is None


def test_every_made_up_call_is_english_and_its_placeholders_do_not_change_that():
    for record in made_up_records(60):
        assert spoken_language(record.text) == "en"
        assert spoken_language(redact_record(record)[0].text) == "en"


def test_likelihoods_are_those_of_counts_done_by_hand():
    profiles = LanguageProfiles({"a": ["ab"], "b": ["ab ab", "cd"]})
    # " ab" and "ab " once in a; twice in b, with "b a", " cd" and "cd "; 5 trigrams in all, and one for the others.
    found = profiles.log_likelihoods("ab")
    assert found["a"] == pytest.approx(2 * math.log(2 / (2 + 6)))
    assert found["b"] == pytest.approx(2 * math.log(3 / (7 + 6)))
    assert profiles.best("ab")[0] == "a" and trigrams("ab") == [" ab", "ab "]


def test_profiles_want_two_languages_with_words():
    for texts in ({}, {"en": ["hello"]}, {"en": ["hello"], "de": ["..."]}):
        with pytest.raises(ValueError, match="at least two languages"):
            LanguageProfiles(texts)


def test_each_filter_drops_what_it_names_and_nothing_else(dialog):
    fine = ["how can i help you today", "i would like to know what is left on my account please"]
    assert reason_to_drop(dialog(*fine)) is None
    cases = {
        "empty": dialog("12 - 3", "..."),
        "one-sided": dialog("is there anybody on the line at all"),
        "too many words": dialog("hello there", "i mean it " * 2000),
        "damaged letters": dialog(fine[0], "i donâ€™t know what is left on my account"),
        "not words": dialog("a b c", "17:04:22 0x3f 99% 12/11 {} == 00:00:00 7781 | 22"),
        "repetitive": dialog("hello", " ".join(["please hold the line for me"] * 10)),
        "another language": dialog("guten tag was kann ich für sie tun", "ich habe gestern meine karte verloren"),
    }
    assert {name: reason_to_drop(record) for name, record in cases.items()} == {name: name for name in FILTERS}


def test_made_up_calls_pass_all_filters():
    assert [reason_to_drop(clean(record)) for record in made_up_records(100)] == [None] * 100


def test_cleaning_a_record_leaves_out_turns_of_noise(dialog):
    cleaned = clean(dialog("hello [noise]", "[noise]", "are you th- there"))
    assert [turn.text for turn in cleaned.turns] == ["hello", "are you there"]
    assert clean(cleaned) == cleaned
