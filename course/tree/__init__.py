"""The conversation tree: calls and dialogs with a model, with all that was said in a turn's place.

One component for three hosts. ``src`` has its JavaScript, which the portal's front end imports; ``dist/widget.mjs``,
which set-up builds, is the same as an anywidget module, for JupyterLab (:class:`ConversationTree`) and the book. The
data is JSON, version 1, as the portal's ``GET /api/conversations/<id>/`` has it.
"""

from course.tree.conversation import ConversationError, checked, from_messages
from course.tree.widget import ConversationTree

__all__ = ["ConversationError", "ConversationTree", "checked", "from_messages"]
