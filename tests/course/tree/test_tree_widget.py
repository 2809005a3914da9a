"""The widget's own side: what Python may set, what it is told when it may not, what goes to the browser."""

import pytest
from traitlets import TraitError

import course.tree.widget as widget
from course.errors import CourseError
from course.tree import ConversationTree, from_messages
from course.tree.made_up import made_up

TWO = from_messages([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello."}])


def test_the_browser_gets_the_data_and_the_component(built):
    tree = ConversationTree(TWO, selected="turn-2", height="20rem")
    state = tree.get_state()
    assert state["conversation"] == TWO and state["selected"] == "turn-2" and state["height"] == "20rem"
    assert state["_esm"] == built and "mountTree" in built


def test_a_click_is_an_event_in_python():
    tree, told = ConversationTree(TWO), []
    tree.observe(lambda change: told.append(change["new"]), "selected")
    tree.set_state({"selected": "turn-1"})  # as a message of the browser's does
    tree.set_state({"selected": None})
    assert told == ["turn-1", None]


@pytest.mark.parametrize(
    ("conversation", "words"),
    [
        ({"version": 3, "nodes": []}, "version 1"),
        ({"version": 1, "nodes": [TWO["nodes"][0], TWO["nodes"][0]]}, "twice"),
        ({"version": 1, "nodes": [TWO["nodes"][1]]}, "is none"),
    ],
)
def test_what_is_no_conversation_is_refused_and_the_old_one_stays(conversation, words):
    with pytest.raises(TraitError, match=words):
        ConversationTree(conversation)
    tree = ConversationTree(TWO)
    with pytest.raises(TraitError, match=words):
        tree.conversation = conversation
    assert tree.conversation == TWO


def test_a_selection_has_to_be_there_and_goes_with_its_turn():
    tree = ConversationTree(TWO, selected="turn-2")
    with pytest.raises(TraitError, match="'turn-9' is none"):
        tree.selected = "turn-9"
    with pytest.raises(TraitError, match="'turn-9' is none"):
        ConversationTree(TWO, selected="turn-9")
    assert tree.selected == "turn-2"
    tree.conversation = made_up(3)
    assert tree.selected == "turn-2"
    tree.conversation = made_up(1)
    assert tree.selected is None


def test_a_component_that_was_not_built_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setattr(widget, "MODULE", tmp_path / "widget.mjs")
    with pytest.raises(CourseError, match="npm ci --prefix course/tree --ignore-scripts && npm run build"):
        ConversationTree(TWO)
