"""Late penalties as nbgrader's configuration of a class has them, for gradings that nbgrader did not start."""

from pathlib import Path

from nbgrader.api import SubmittedNotebook
from nbgrader.preprocessors import AssignLatePenalties

from autograder.class_folder import read_config


class LatePenalties:
    """The penalties that the class folder ``root`` is configured with; nbgrader's default takes nothing off."""

    def __init__(self, root: Path):
        step = AssignLatePenalties(config=read_config(root))
        step.init_plugin()
        self.plugin = step.plugin_inst

    def assign(self, notebook: SubmittedNotebook) -> None:
        """Set the penalty of a submitted notebook, from 0 to its score, as nbgrader does; the caller commits."""
        late = notebook.assignment.total_seconds_late
        penalty = None
        if late > 0:
            penalty = self.plugin.late_submission_penalty(notebook.student.id, notebook.score, late)
        notebook.late_submission_penalty = None if penalty is None else min(max(penalty, 0.0), notebook.score)
