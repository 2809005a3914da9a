"""Examples of dialog acts, their splits, and their words."""

from dataclasses import replace

import pytest

from course.errors import CourseError
from course.finetuning.tasks import WORDS, act_examples, draw, split_at_random, split_by_family
from course.language.calls import families, made_up_calls


@pytest.fixture(scope="module")
def examples():
    return act_examples(made_up_calls(60, seed=1))


def test_every_turn_comes_once_with_its_act_and_a_word(examples):
    texts = [example.text for example in examples]
    assert len(set(texts)) == len(texts) > 300
    assert {example.act for example in examples} == set(WORDS) and len(set(WORDS.values())) == len(WORDS)
    assert examples[0].text.startswith("agent: ") and examples[0].prompt == f"{examples[0].text}\nDialog act:"
    assert {example.group for example in examples} == {f"{e.family}, {e.act}" for e in examples}


def test_held_out_families_are_only_in_the_test(examples):
    train, test = split_by_family(examples, ["formal", "unsure"])
    assert {e.family for e in test} == {"formal", "unsure"} and {e.family for e in train} == set(families()) - {
        "formal",
        "unsure",
    }
    assert len(train) + len(test) == len(examples)
    with pytest.raises(ValueError, match="family 'loud'"):
        split_by_family(examples, ["loud"])


def test_a_random_split_mixes_families_and_loses_nothing(examples):
    train, test = split_at_random(examples, 0.3, seed=2)
    assert len(test) == round(0.3 * len(examples)) and {*train, *test} == set(examples)
    assert {e.family for e in test} == {e.family for e in train}
    assert split_at_random(examples, 0)[1] == () and split_at_random(examples, 1)[0] == ()
    with pytest.raises(ValueError, match="share from 0 to 1"):
        split_at_random(examples, -0.1)


def test_drawing_is_by_seed_and_without_repetition(examples):
    assert draw(examples, 50, 3) == draw(examples, 50, 3) != draw(examples, 50, 4)
    assert len(set(draw(examples, len(examples)))) == len(examples)
    with pytest.raises(ValueError, match="can be drawn"):
        draw(examples, len(examples) + 1)


def test_an_act_without_a_word_is_a_sentence():
    call = made_up_calls(1)[0]
    strange = replace(call, turns=(replace(call.turns[0], dialog_act="singing"),))
    with pytest.raises(CourseError, match="No word stands for the dialog act 'singing'"):
        act_examples([strange])
