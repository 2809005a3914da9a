"""Conversations as data: what is a tree of version 1, and the sentence where it is not."""

import networkx
import pytest

from course.tree import ConversationError, checked, from_messages
from course.tree.made_up import made_up


def whole(*nodes, **more):
    return {"version": 1, "nodes": [{"role": "user", "text": "x"} | node for node in nodes]} | more


@pytest.mark.parametrize(
    ("conversation", "words"),
    [
        (None, "version 1 was expected and None came"),
        ([], "version 1 was expected"),
        ({"version": 2, "nodes": []}, "version 1 was expected and 2 came"),
        ({"version": "1", "nodes": []}, "version 1 was expected and '1' came"),
        ({"version": True, "nodes": []}, "version 1 was expected and True came"),
        ({"version": 1}, "nodes"),
        ({"version": 1, "nodes": {}}, "nodes"),
        (whole({"id": "a"}, {"id": "a"}), "'a' came twice"),
        (whole({"id": ""}), "id"),
        (whole({"id": 7}), "nodes[0].id"),
        (whole({"id": "a", "text": None}), "nodes[0].text"),
        (whole({"id": "a", "parent": "b"}), "'b' is none"),
        (whole({"id": "a", "parent": "a"}), "'a' follows itself"),
        (whole({"id": "a", "parent": "b"}, {"id": "b", "parent": "c"}, {"id": "c", "parent": "a"}), "follows itself"),
        (whole({"id": "a", "seconds": -1.0}), "nodes[0].seconds"),
        (whole({"id": "a", "scores": {"wer": float("nan")}}), "scores.wer"),
        (whole({"id": "a", "colour": "red"}), "nodes[0].colour"),
        (whole({"id": "a"}, problems=[{"node": "b", "kind": "clock", "message": "late"}]), "names 'b'"),
        (whole({"id": "a"}, problems=[{"node": "a", "kind": "rain", "message": "wet"}]), "problems[0].kind"),
    ],
)
def test_what_is_no_tree_is_refused_in_a_sentence(conversation, words):
    with pytest.raises(ConversationError) as refusal:
        checked(conversation)
    message = str(refusal.value)
    assert words in message and "\n" not in message and message.endswith(".")


def test_a_circle_off_the_tree_is_found_and_a_long_chain_is_none():
    chain = [{"id": str(one), "parent": str(one - 1) if one else None} for one in range(20_000)]
    assert len(checked(whole(*chain))["nodes"]) == 20_000
    with pytest.raises(ConversationError, match="follows itself"):
        checked(whole(*chain, {"id": "x", "parent": "y"}, {"id": "y", "parent": "x"}))


def test_fields_that_are_missing_are_filled_and_parents_may_come_late():
    (late, first) = checked(whole({"id": "b", "parent": "a"}, {"id": "a"}))["nodes"]
    assert (late["parent"], first["scores"], first["chosen"], first["status"]) == ("a", {}, False, "ok")


def test_messages_become_a_chain_and_lists_of_them_alternatives():
    found = from_messages(
        [
            {"role": "system", "content": "Be brief."},
            [{"role": "assistant", "content": "Yes.", "seconds": 0.5}, {"role": "assistant", "content": "No."}],
            {"role": "user", "content": "Thanks."},
        ]
    )
    told = [(node["id"], node["parent"], node["text"], node["chosen"], node["seconds"]) for node in found["nodes"]]
    assert told == [
        ("turn-1", None, "Be brief.", True, None),
        ("turn-2", "turn-1", "Yes.", True, 0.5),
        ("turn-2-2", "turn-1", "No.", False, None),
        ("turn-3", "turn-2", "Thanks.", True, None),
    ]


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([[]], "Message 1"),
        (["hello"], "turn-1"),
        ([{"role": "user"}], "turn-1"),
        ([{"content": "hello"}], "role"),
        ([{"role": "user", "content": "hello", "wer": 1.0}], "wer"),
    ],
)
def test_messages_that_are_none_are_refused(messages, words):
    with pytest.raises(ConversationError, match=words):
        from_messages(messages)


@pytest.mark.parametrize("n_turns", [1, 2, 300])
def test_made_up_conversations_are_trees_with_one_chosen_way(n_turns):
    made = checked(made_up(n_turns, seed=4))
    graph = networkx.DiGraph((node["parent"] or "top", node["id"]) for node in made["nodes"])
    assert networkx.is_arborescence(graph) and graph.number_of_nodes() == n_turns + 1
    chosen = [node["id"] for node in made["nodes"] if node["chosen"]]
    assert networkx.shortest_path(graph, "top", made["nodes"][-1]["id"]) == ["top", *chosen]
    assert made_up(n_turns, seed=4) == made_up(n_turns, seed=4)


def test_no_conversation_has_no_turns():
    with pytest.raises(ValueError, match="at least 1"):
        made_up(0)
