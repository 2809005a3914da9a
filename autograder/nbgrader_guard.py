"""Keeps ``nbgrader autograde`` from running a student's code in the instructor's process."""

from nbgrader.converters import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor


class GradeInSandbox(NbGraderPreprocessor):
    """Stands in the place of nbgrader's ``Execute`` and refuses; a class's configuration puts it there."""

    def preprocess(self, nb, resources):
        """Refuse.

        Raises:
            NbGraderException: always, with what to run instead.
        """
        raise NbGraderException(
            "This class is graded in a sandbox: run `course grade --class .` in the class folder. "
            "It fills the same gradebook, and formgrader shows the scores."
        )
