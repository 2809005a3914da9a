"""The process that runs a pipeline: engines bring threads, servers and logs that the grader itself must not have.

It reads what to run from its standard input and stays as long as that is open: it, and everything that it has started,
is one process group, which ends when the grader does, whatever ended it. What an engine says goes to standard error;
if the pipeline fails, the sentence for a person is written to standard output.
"""

import contextlib
import os
import re
import select
import signal
import sys
import threading
from typing import TextIO

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, TestOptions
from apache_beam.runners.runner import PipelineState
from pydantic import BaseModel

from autograder.scale.engines import started
from autograder.scale.pipeline import grade_elements
from autograder.scale.plan import Element, Plan
from course.errors import CourseError

# Engines hand an exception on as text, with its traceback before it and where it was raised behind.
UNFIT = re.compile(r"\bUnfit: (.*?)(?: \[while running|\\n|\n|$)")


class Run(BaseModel):
    """What to run: the elements, on which runner, with which options of the engine."""

    plan: Plan
    elements: list[Element]
    runner: str
    workers: int
    options: list[str]


def main() -> None:
    """Run what standard input says; the exit code is 0 if the pipeline came to its end."""
    run = Run.model_validate_json(sys.stdin.buffer.readline())
    # Whatever an engine prints is log; the sentence alone is for the grader.
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    threading.Thread(target=_end_with, args=(sys.stdin.fileno(),), daemon=True).start()
    try:
        execute(run)
    except CourseError as error:
        sys.exit(_say(answer, str(error)))
    except Exception as error:
        sys.excepthook(type(error), error, error.__traceback__)
        sys.exit(_say(answer, cause(error)))


def execute(run: Run) -> None:
    """Run the pipeline and wait for its end.

    Raises:
        CourseError: it ended otherwise than done.
    """
    with started(run.runner, run.workers, len(run.elements)) as options:
        beam_options = PipelineOptions([*options, *run.options])
        pipeline = beam.Pipeline(options=beam_options)
        grade_elements(pipeline, run.plan, run.elements)
        result = pipeline.run()
        try:
            state = result.wait_until_finish() or result.state
        except SystemExit:
            with contextlib.suppress(NotImplementedError):
                result.cancel()
            raise
    if beam_options.view_as(TestOptions).dry_run:
        raise CourseError("The job was built, and not sent because of --dry_run.")
    if state != PipelineState.DONE:
        raise CourseError(f"The pipeline ended in the state {state}.")


def cause(error: BaseException) -> str:
    """The sentence of the worker that could not grade, if that was the reason; else the error's last line."""
    told = UNFIT.search(str(error))
    if told:
        return told[1]
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"


def _say(answer: TextIO, sentence: str) -> int:
    print(sentence, file=answer, flush=True)
    return 1


def _end_with(descriptor: int) -> None:
    """Wait until the other end of the pipe is closed, then kill this process and everything that it has started."""
    hanging_up = select.poll()
    hanging_up.register(descriptor, 0)
    hanging_up.poll()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
