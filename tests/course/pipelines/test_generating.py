"""Generated utterances: where each comes from, why each is refused, and that the order of work does not matter."""

import random

import pytest

from course.errors import CourseError
from course.pipelines.duplicates import jaccard, shingles
from course.pipelines.generating import (
    LanguageModel,
    Refusals,
    TemplateGenerator,
    accepted,
    candidate,
    candidates,
    distinct,
    diversity,
    first_line,
    prompt_of,
)
from course.pipelines.made_up import made_up_records
from course.pipelines.records import parse_line, utterances

SAID = [said for record in made_up_records(60) for said in utterances(record) if said.n_words >= 6]
SEEDS, TEST = SAID[:60], [record.text for record in SAID[200:240]]


class Says:
    """A model that always says the same."""

    name = "parrot"

    def __init__(self, text: str):
        self.text = text

    def generate(self, prompt: str, seed: int) -> str:
        return self.text


def test_every_candidate_says_where_it_comes_from():
    made = candidates(SEEDS, 20, TemplateGenerator())
    by_id = {record.id: record for record in SEEDS}
    for record in made:
        assert parse_line(record.line) == record and record.provenance.origin == "generated"
        assert len(record.provenance.parents) == 3 and record.provenance.model == "templates"
        shown = [by_id[parent].text for parent in record.provenance.parents]
        assert record.provenance.prompt == prompt_of(shown)
        again = TemplateGenerator().generate(record.provenance.prompt, record.provenance.seed)
        assert first_line(again) == record.turns[0].text, "prompt, model and seed are enough to make it again"


def test_candidates_depend_on_their_number_alone():
    made = candidates(SEEDS, 12, TemplateGenerator(), seed=5)
    assert made[:5] == candidates(SEEDS, 5, TemplateGenerator(), seed=5)
    assert made[7] == candidate(random.Random(0).sample(SEEDS, len(SEEDS)), 7, TemplateGenerator(), seed=5)
    assert (
        made != candidates(SEEDS, 12, TemplateGenerator(), seed=6) and candidates(SEEDS, 0, TemplateGenerator()) == []
    )


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (SEEDS[0].text, "copy of a seed"),
        (SEEDS[0].text.upper() + " please", "copy of a seed"),
        (TEST[0], "in the test set"),
        ("", "too short"),
        ("\n\n", "too short"),
        ("okay then", "too short"),
        ("so " * 100, "too long"),
        ("12 44 81 - 99 == 3", "no English sentence"),
        ("ich habe gestern meine brieftasche verloren und brauche eine neue karte", "no English sentence"),
        ("somebody has stolen a bicycle from in front of your branch\nmore text", None),
    ],
)
def test_each_reason_to_refuse(said, reason):
    seeds = [record for record in SEEDS if jaccard(shingles(record.text, 2), shingles(TEST[0], 2)) < 0.6]
    assert Refusals(seeds, TEST).reason(candidate(SEEDS, 0, Says(said))) == reason


def test_of_copies_of_one_another_the_first_stays_whatever_the_order():
    made = candidates(SEEDS, 80, TemplateGenerator())
    refusals = Refusals(SEEDS, TEST)
    kept, dropped = accepted(made, refusals)
    assert len(kept) + len(dropped) == 80 and 0 < len(kept) < 80
    assert {one.reason for one in dropped} >= {"copy of a seed"}
    for seed in range(3):
        assert accepted(random.Random(seed).sample(made, 80), refusals) == (kept, dropped)
    same = [made[0].model_copy(update={"id": name}) for name in ("b", "a")]
    fresh, others = accepted(
        [candidate(SEEDS, n, Says("somebody has stolen my bicycle again")) for n in range(3)], refusals
    )
    assert len(fresh) == 1 and [one.reason for one in others] == ["copy of another"] * 2 and same


def test_what_was_accepted_is_no_copy():
    refusals = Refusals(SEEDS, TEST)
    kept, _ = accepted(candidates(SEEDS, 80, TemplateGenerator()), refusals)
    for one in kept:
        own = set(shingles(one.text, 2).tolist())
        for seed in SEEDS:
            other = set(shingles(seed.text, 2).tolist())
            assert len(own & other) / len(own | other) < 0.6
    found, seeds = diversity(kept, refusals), diversity(SEEDS, refusals)
    assert found.copied < 0.6 < seeds.copied == 1.0


def test_distinct_runs_by_hand():
    assert distinct(["a b a b"], 1) == 0.5 and distinct(["a b a b"], 2) == pytest.approx(2 / 3)
    assert distinct(["a", "b c"], 2) == 1
    for texts, n in ((["a"], 2), ([], 1), (["a"], 0)):
        with pytest.raises(ValueError):
            distinct(texts, n)


def test_a_model_needs_seeds_and_a_number_of_candidates():
    with pytest.raises(ValueError, match="At least one seed"):
        candidates([], 1, TemplateGenerator())
    with pytest.raises(ValueError, match="0 or more"):
        candidates(SEEDS, -1, TemplateGenerator())
    assert TemplateGenerator().generate("no numbered lines", 0) == ""
    assert Refusals([], []).similarity(SEEDS[0]) == 0


def test_the_language_model_says_one_line_and_the_same_for_the_same_seed():
    """Six tokens of SmolLM2, where it is on the machine."""
    try:
        model = LanguageModel(longest=6)
    except CourseError as error:
        pytest.skip(str(error))
    made = [candidate(SEEDS, number, model) for number in (0, 1, 0)]
    assert made[0] == made[2] and made[0].provenance.model == "SmolLM2-135M-Instruct"
    assert all("\n" not in one.text and parse_line(one.line) == one for one in made)
    assert model.generate(made[0].provenance.prompt, 1) != model.generate(made[0].provenance.prompt, 2)
