"""The tree in a notebook: an anywidget whose selection Python and the reader share."""

from pathlib import Path
from typing import Any

import traitlets
from anywidget import AnyWidget

from course.errors import CourseError
from course.tree.conversation import ConversationError, checked

MODULE = Path(__file__).parent / "dist" / "widget.mjs"
BUILD = "npm ci --prefix course/tree --ignore-scripts && npm run build --prefix course/tree"


def module_text() -> str:
    """The component's JavaScript, all of it, as one module.

    Raises:
        CourseError: set-up has not built it.
    """
    if not MODULE.is_file():
        raise CourseError(
            f"The tree's module was expected at {MODULE} and is not there: run `{BUILD}` in the kit's folder."
        )
    return MODULE.read_text(encoding="utf-8")


class ConversationTree(AnyWidget):
    """A conversation with its alternatives: pan, zoom, search, keys, and a card for each turn.

    Args:
        conversation: JSON, version 1, as the portal's ``GET /api/conversations/<id>/`` has it; it may be set again.
        selected: id of the turn whose ring and card are shown, or None. A reader's click sets it:
            ``tree.observe(print, "selected")``.
        height: a CSS length; if not given, the tree takes what a page of usual size has.

    Raises:
        TraitError: the conversation is not one (see :func:`course.tree.conversation.checked`), or has no such turn.
        CourseError: set-up has not built the component.
    """

    conversation = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    height = traitlets.Unicode(None, allow_none=True).tag(sync=True)

    def __init__(self, conversation: dict[str, Any], selected: str | None = None, **more: Any):
        super().__init__(conversation=conversation, selected=selected, **more)

    @property
    def _esm(self) -> str:
        return module_text()

    @traitlets.validate("conversation")
    def _is_conversation(self, proposal: dict[str, Any]) -> dict[str, Any]:
        try:
            return checked(proposal["value"])
        except ConversationError as error:
            raise traitlets.TraitError(str(error)) from error

    @traitlets.validate("selected")
    def _is_turn(self, proposal: dict[str, Any]) -> str | None:
        name = proposal["value"]
        if name is not None and all(node["id"] != name for node in self.conversation["nodes"]):
            raise traitlets.TraitError(
                f"A turn of the conversation was expected as selected and {name!r} is none: try one of its ids."
            )
        return name

    @traitlets.observe("conversation")
    def _keep_selection(self, change: dict[str, Any]) -> None:
        if all(node["id"] != self.selected for node in change["new"]["nodes"]):
            self.selected = None
