"""Splits: no group is torn, nothing depends on the order, and the shares come out."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.evaluation.contamination import OverlapIndex
from course.pipelines.made_up import made_up_records
from course.pipelines.splitting import (
    SHARES,
    check_shares,
    contamination,
    fraction,
    groups,
    leaks,
    part_of,
    split,
)

RECORDS = made_up_records(150)


@given(st.text(max_size=20), st.text(max_size=20))
def test_fractions_are_below_one_and_repeat(key, name):
    assert 0 <= fraction(key, name) < 1 and fraction(key, name) == fraction(key, name)


def test_fractions_are_spread_evenly_and_keys_are_independent():
    drawn = [fraction("a", str(n)) for n in range(4000)]
    for tenth in range(10):
        inside = sum(tenth / 10 <= value < (tenth + 1) / 10 for value in drawn)
        assert abs(inside - 400) < 4 * (4000 * 0.1 * 0.9) ** 0.5
    both = sum(value < 0.5 and fraction("b", str(n)) < 0.5 for n, value in enumerate(drawn))
    assert abs(both - 1000) < 4 * (4000 * 0.25 * 0.75) ** 0.5


def test_the_hash_is_the_same_on_every_machine_and_in_every_year():
    assert fraction("lecture 8", "caller caller-0-0") == 0.44983596861442776


def test_no_speaker_and_no_call_is_in_two_parts():
    parts = split(RECORDS, "key")
    assert leaks(parts) == {} and sum(map(len, parts.values())) == len(RECORDS) and list(parts) == list(SHARES)


def test_a_split_by_record_would_leak_and_is_caught():
    parts = {"train": RECORDS[::2], "test": RECORDS[1::2]}
    found = leaks(parts)
    assert found and set(found.values()) == {("test", "train")} and any(name.startswith("caller") for name in found)


def test_the_split_does_not_depend_on_the_order_or_on_what_else_there_is():
    parts = split(RECORDS, "key")
    place = {record.id: part for part, records in parts.items() for record in records}
    shuffled = random.Random(1).sample(RECORDS, len(RECORDS))
    again = split(shuffled, "key")
    assert {record.id: part for part, records in again.items() for record in records} == place
    callers = sorted({record.speakers("caller")[0] for record in RECORDS})[:20]
    some = [record for record in RECORDS if record.speakers("caller")[0] in callers]
    assert all(place[record.id] == part for part, records in split(some, "key").items() for record in records)


def test_another_key_is_another_split():
    assert [len(part) for part in split(RECORDS, "a").values()] != [len(part) for part in split(RECORDS, "b").values()]


def test_shares_come_out_of_many_groups():
    drawn = [part_of(str(n), "key", {"a": 0.7, "b": 0.3}) for n in range(3000)]
    assert abs(drawn.count("a") - 2100) < 4 * (3000 * 0.7 * 0.3) ** 0.5


def test_a_larger_share_takes_groups_and_gives_none():
    small, large = {"train": 0.5, "test": 0.5}, {"train": 0.6, "test": 0.4}
    for n in range(300):
        if part_of(str(n), "key", small) == "train":
            assert part_of(str(n), "key", large) == "train"


def test_calls_that_share_a_caller_are_one_group_through_others(dialog):
    records = [
        dialog("a", "b", name="1", caller="x"),
        dialog("a", "b", name="2", caller="x").model_copy(update={"conversation": "3"}),
        dialog("a", "b", name="3", caller="y"),
        dialog("a", "b", name="4", caller="z"),
    ]
    found = groups(records)
    assert found["conversation 1"] == found["conversation 3"] == found["caller y"] != found["conversation 4"]
    by_agents = groups(records, roles=("agent", "caller"))
    assert len({by_agents[f"conversation {number}"] for number in "134"}) == 1, "one agent ties all calls together"


@pytest.mark.parametrize("shares", [{}, {"a": 1.5, "b": -0.5}, {"a": 0.5}, {"a": 1.0, "b": 0.0}, {"a": float("nan")}])
def test_bad_shares_are_refused(shares):
    with pytest.raises(ValueError, match="add up to 1"):
        check_shares(shares)


def test_shares_that_add_up_to_a_little_less_lose_nothing():
    assert part_of("x", "key", {"a": 1 - 1e-10}) == "a"


def test_contamination_is_the_share_of_runs_that_training_has():
    train, test = RECORDS[:40], RECORDS[40:50]
    index = OverlapIndex([record.text for record in train], 8)
    assert contamination(train, test) == {record.id: index.share(record.text) for record in test}
    assert contamination(train, train[:1]) == {train[0].id: 1.0} and contamination([], test[:1]) == {test[0].id: 0.0}
