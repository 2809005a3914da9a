"""The grading of many submissions as a Beam pipeline: one element each, graded wherever the engine sends it.

The last transform is the one that grades, and it has one output: so the pipeline runs the same on every runner,
Beam's Dask runner included, which computes only the last.
"""

from collections.abc import Collection, Iterator

import apache_beam as beam

from autograder.scale.plan import Element, Plan
from autograder.scale.worker import GradingServer


class GradeSubmission(beam.DoFn):
    """Grades elements, each once: what has a verdict in the store is left as it is.

    Beam sets it up once for many elements; a grading process is kept for as long.
    """

    def __init__(self, plan: Plan):
        self.plan = plan
        self.server: GradingServer | None = None

    def setup(self) -> None:
        """Start the grading process.

        Raises:
            Unfit: this worker cannot grade.
        """
        self.server = GradingServer(self.plan)

    def process(self, element: Element) -> Iterator[str]:
        """Have the element's result in the store; yield its key."""
        self.server.grade(element)
        yield element.key

    def teardown(self) -> None:
        """End the grading process."""
        if self.server is not None:
            self.server.close()


def grade_elements(pipeline: beam.Pipeline, plan: Plan, elements: Collection[Element]) -> beam.PCollection[str]:
    """Add the grading of ``elements`` to a pipeline; the result is a collection of their results' keys."""
    return (
        pipeline
        | "Submissions" >> beam.Create(list(elements))
        | "Spread over workers" >> beam.Reshuffle()
        | "Grade" >> beam.ParDo(GradeSubmission(plan))
    )
