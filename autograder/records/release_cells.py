"""The cells of a lab's release in nbgrader's gradebook, also when the lab gains tasks after grades were given."""

import contextlib

from nbgrader.api import Comment, Grade, Gradebook, MissingEntry, Notebook
from nbgrader.preprocessors import NbGraderPreprocessor, SaveCells

from autograder.grading import Assignment
from course.errors import CourseError

GONE = (
    "The gradebook has grades for cells that {lab} has no longer: {cells}. A cell whose grades are there cannot go or "
    "become of another kind; grade with the version of the lab that has it, or start a new class folder."
)


def register_cells(gradebook: Gradebook, assignment: Assignment) -> None:
    """Have nbgrader store a release's cells and points, as ``nbgrader generate_assignment`` does.

    Where submissions are there already, points may change, and cells that are new get an empty grade or comment in
    each submission, as if they had been there from the start.

    Raises:
        CourseError: submissions have grades or comments for a cell that is gone.
    """
    gradebook.update_or_create_assignment(assignment.lab.id)
    _ReleasedCells(gradebook, assignment).save()


class _ReleasedCells(SaveCells):
    """nbgrader's step for it, on a gradebook that is open already, so that all of it is one transaction."""

    def __init__(self, gradebook: Gradebook, assignment: Assignment):
        super().__init__()
        self.gradebook, self.release = gradebook, assignment.release
        self.notebook_id = self.assignment_id = assignment.lab.id
        self.new_grade_cells, self.new_solution_cells = {}, {}
        self.new_task_cells, self.new_source_cells = {}, {}

    def save(self) -> None:
        """Store the cells."""
        # Not SaveCells.preprocess, which opens a gradebook of its own; its parent's goes over the cells.
        NbGraderPreprocessor.preprocess(self, self.release, {})
        with contextlib.suppress(MissingEntry):
            notebook = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
            if notebook.submissions:
                self._require_old_cells(notebook)
                self._add_new_cells(notebook)
        self._create_notebook(self.release)

    def _require_old_cells(self, notebook: Notebook) -> None:
        gone = {cell.name for cell in notebook.grade_cells if cell.name not in self.new_grade_cells}
        gone |= {cell.name for cell in notebook.solution_cells if cell.name not in self.new_solution_cells}
        gone |= {cell.name for cell in notebook.source_cells if cell.name not in self.new_source_cells}
        if gone:
            raise CourseError(GONE.format(lab=self.assignment_id, cells=", ".join(sorted(gone))))

    def _add_new_cells(self, notebook: Notebook) -> None:
        """Add the cells that the gradebook lacks, to the notebook and to each submission of it."""
        where = self.notebook_id, self.assignment_id
        for old, new, add, entry in (
            (notebook.grade_cells, self.new_grade_cells, self.gradebook.add_grade_cell, Grade),
            (notebook.solution_cells, self.new_solution_cells, self.gradebook.add_solution_cell, Comment),
            (notebook.source_cells, self.new_source_cells, self.gradebook.add_source_cell, None),
        ):
            for name in new.keys() - {cell.name for cell in old}:
                cell = add(name, *where, **new[name])
                for submission in notebook.submissions if entry else ():
                    self.gradebook.db.add(entry(cell_id=cell.id, notebook=submission))
        self.gradebook.db.flush()
        self.gradebook.db.expire_all()
