"""One tree, whatever the order: properties of the merge, and each problem that logs have."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portal.entries import parse_entry
from services.portal.made_up import START, entries, entry, lines
from services.portal.trees import as_json, question_id, title, tree

NAMES = ["a", "b", "c", "d", "e"]


@pytest.fixture
def rows(turn):
    """Rows of turns, each told by (message, parent, second) or by a whole entry."""

    def make(*told):
        made = [one if isinstance(one, dict) else turn(*one) for one in told]
        return [parse_entry(line) for line in lines(made)]

    return make


def shape(found):
    return {node.id: node.parent for node in found.nodes}


def kinds(found):
    return {(problem.node, problem.kind) for problem in found.problems}


# Entries as a storm delivers them: the same names again and again, parents that are not there, circles, wrong clocks.
told = st.fixed_dictionaries(
    {
        "insert_id": st.sampled_from(["", "x", "y", "z", "w"]),
        "event": st.sampled_from(["turn", "chat.completion", "score"]),
        "message_id": st.sampled_from(NAMES),
        "parent_id": st.none() | st.sampled_from(NAMES),
        "second": st.integers(-50, 50),
        "text": st.sampled_from(["", "yes", "no"]),
        "chosen": st.none() | st.booleans(),
        "scores": st.dictionaries(st.sampled_from(["wer", "politeness"]), st.integers(0, 3), max_size=2),
    }
)


def row(one):
    payload = {"conversation_id": "call", "role": "caller", "question": one["text"], "answer": one["text"], **one}
    second, insert_id = payload.pop("second"), payload.pop("insert_id")
    time = START.replace(minute=1 + abs(second) % 50, second=second % 60)
    return parse_entry(json.dumps(entry(insert_id, time, "call") | {"jsonPayload": payload}).encode())


@given(st.lists(told, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_tree_is_the_same_in_every_order_and_with_everything_twice(storm, chance):
    made = [row(one) for one in storm]
    wanted = tree(made)
    again = made + chance.choices(made, k=len(made))
    chance.shuffle(again)
    assert tree(again) == wanted


@given(st.lists(told, min_size=1, max_size=12))
def test_it_is_a_tree_in_which_every_turn_is_found(storm):
    made = [row(one) for one in storm]
    found = tree(made)
    seen = {None}
    for node in found.nodes:
        assert node.parent in seen and node.id not in seen
        seen.add(node.id)
    said = [one for one in made if one.kind != "score"]
    if len({one.insert_id or one.digest for one in made}) == len(made):
        assert seen >= {one.message for one in said}
    way = found.way()
    assert [node.id for node in way] == [node.id for node in found.nodes if node.chosen]
    assert bool(way) == bool(found.nodes)
    for above, below in zip([None, *way], way, strict=False):
        assert below.parent == (above and above.id)
    for problem in found.problems:
        assert problem.node in seen or problem.kind == "duplicate"


@given(st.lists(told, min_size=1, max_size=12), st.integers(0, 12))
def test_rows_that_come_later_only_add(storm, cut):
    """What a half of the rows makes is replaced by what all make; nothing of the half stays behind."""
    made = [row(one) for one in storm]
    tree(made[:cut])
    assert tree(made) == tree(made[cut:] + made[:cut])


def test_answers_to_the_same_question_are_alternatives_below_it():
    made = [parse_entry(line) for line in lines(list(entries(1, 8, seed=3)))]
    found = tree(made)
    questions = {(one.parent, one.question) for one in made}
    assert len(found.nodes) == len(made) + len(questions) and not found.problems
    for one in made:
        assert shape(found)[one.message] == question_id(one.parent, one.question)
        assert shape(found)[question_id(one.parent, one.question)] == (one.parent or None)


def test_a_late_parent_attaches(rows):
    child, parent = rows(("b", "a", 5), ("a", None, 0))
    early = tree([child])
    assert shape(early) == {"b": None} and kinds(early) == {("b", "orphan")}
    assert shape(tree([child, parent])) == {"a": None, "b": "a"} and not tree([child, parent]).problems


@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_a_circle_is_cut_before_its_earliest_turn(rows, length):
    names = [f"m{number}" for number in range(length)]
    circle = [(name, names[number - 1], 10 + number) for number, name in enumerate(names)]
    found = tree(rows(*circle, ("after", "m0", 30)))
    assert ("m0", "cycle") in kinds(found) and shape(found)["m0"] is None and shape(found)["after"] == "m0"
    assert sum(parent is None for parent in shape(found).values()) == 1


def test_two_entries_with_one_name_are_told_and_the_earliest_counts(rows, turn):
    first, second = turn("a", None, 0, text="one"), turn("b", None, 9, text="two", insert_id="call-a")
    found = tree(rows(first, second))
    assert shape(found) == {"a": None} and kinds(found) == {("a", "duplicate")}
    again = tree(
        rows(turn("a", None, 3, text="later", insert_id="x"), turn("a", None, 1, text="earlier", insert_id="y"))
    )
    assert [node.text for node in again.nodes] == ["earlier"] and kinds(again) == {("a", "duplicate")}


def test_a_child_that_is_older_than_its_parent_is_told_and_stays_a_child(rows):
    found = tree(rows(("a", None, 30), ("b", "a", 28.9), ("c", "a", 29.1)))
    assert kinds(found) == {("b", "clock")} and shape(found)["b"] == "a"
    assert "1.1 s older" in found.problems[0].message


def test_scores_that_come_later_count_and_the_latest_of_a_name_last(rows, turn):
    def score(second, **scores):
        made = turn("a", None, second, insert_id=f"s{second}", scores=scores)
        made["jsonPayload"]["event"] = "score"
        return made

    found = tree(rows(turn("a", scores={"wer": 0.5}), score(9, wer=0.2), score(5, wer=0.3, clear=1.0)))
    assert found.nodes[0].scores == {"clear": 1.0, "wer": 0.2}


def test_the_way_is_what_was_chosen_else_where_it_went_on_last(rows, turn):
    told = [("a", None, 0), ("b", "a", 1), ("c", "a", 2), ("d", "b", 9), ("e", "c", 3)]
    assert [node.id for node in tree(rows(*told)).way()] == ["a", "b", "d"]
    chosen = tree(rows(*told[:2], turn("c", "a", 2, chosen=True), *told[3:]))
    assert [node.id for node in chosen.nodes if node.chosen] == ["a", "c", "e"]
    assert [node.id for node in chosen.way("b")] == ["a", "b", "d"] and chosen.way("nobody") == chosen.way()
    orphaned = tree(rows(*told, ("z", "nobody", 99)))
    assert [node.id for node in orphaned.way()] == ["a", "b", "d"]
    refused = tree(rows(*told[:1], turn("b", "a", 1, chosen=False), *told[2:]))
    assert [node.id for node in refused.way()] == ["a", "c", "e"]


def test_texts_that_were_not_logged_leave_the_shape():
    made = list(entries(1, 3))
    for one in made:
        del one["jsonPayload"]["question"], one["jsonPayload"]["answer"]
    found = tree(parse_entry(line) for line in lines(made))
    assert len(found.nodes) == 3 and {node.text for node in found.nodes} == {""}


def test_a_request_that_took_longer_than_there_has_been_time():
    made = list(entries(1, 1))
    made[0] |= {"timestamp": "0001-01-01T00:00:01Z", "jsonPayload": made[0]["jsonPayload"] | {"seconds": 1e9}}
    assert len(tree(parse_entry(line) for line in lines(made)).nodes) == 2


def test_five_thousand_turns_in_one_line_or_below_one(turn):
    """No recursion: Python's stack would end."""
    deep = [turn(f"m{number}", f"m{number - 1}" if number else None, number) for number in range(5000)]
    flat = [turn(f"m{number}", "m0" if number else None, number) for number in range(5000)]
    for told_ in (deep, flat):
        random.Random(0).shuffle(told_)
        found = tree(parse_entry(line) for line in lines(told_))
        assert len(found.nodes) == 5000 and not found.problems
    assert len(tree(parse_entry(line) for line in lines(deep)).way()) == 5000


def test_the_json_is_version_1():
    made = [parse_entry(line) for line in lines(list(entries(1, 2)))]
    data = json.loads(json.dumps(as_json("call-0-0", "A call", tree(made))))
    assert set(data) == {"version", "id", "title", "nodes", "problems"} and data["version"] == 1
    fields = {"id", "parent", "role", "text", "created", "status", "model", "prompt_tokens", "completion_tokens"}
    assert all(set(node) == fields | {"seconds", "scores", "audio", "chosen"} for node in data["nodes"])
    assert data["nodes"][0]["created"].startswith("2026-11-23T08:59:5") and data["nodes"][0]["created"].endswith("Z")


def test_titles_are_short(rows, turn):
    (long,) = rows(turn("a", text="word " * 50))
    assert len(title(long)) <= 80 and title(long).endswith("word…")
    assert title(rows(turn("a", text=" one\n two "))[0]) == "one two"
