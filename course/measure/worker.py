"""One fresh process of a measurement: loads variants, compares their answers, warms up, and takes trials in turns.

``python -m course.measure.worker FOLDER NAME`` reads the plan and its task from FOLDER and appends one line of JSON for
each trial to FOLDER/NAME.jsonl as soon as it is taken, so that a run that is ended loses the trial that it was at.
"""

import json
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from course.bench.record import Strict
from course.errors import CourseError
from course.measure import loadgen
from course.measure.devices import Device, FakeDevice
from course.measure.plan import Part, Plan
from course.measure.record import Parity, Trial
from course.measure.scenarios import SERVER, answer, poisson_arrivals, serve_virtually
from course.measure.sources import Source, source_for
from course.measure.trial import Answers, Loaded, Place, answers, compare, draw_prompt, take_trial, warm_up
from course.storage import append_line

SIGN = "@measure "  # before what the worker tells the runner on standard output; libraries print there, too
PARITY_KEY = 2**20  # of the prompts for parity, a process number that no process has

Emit = Callable[[str, Any], None]


class Task(Strict):
    """What a process has to do.

    Attributes:
        process: its number in the record.
        names: of the variants that it holds.
        done: rounds and variants that an earlier attempt has measured.
        first: whether it describes device, ceilings and parity.
        ceilings: whether it measures the ceilings in any case: other programs may have held the first one's down.
    """

    process: int
    names: tuple[str, ...]
    done: tuple[tuple[int, str], ...] = ()
    first: bool = False
    ceilings: bool = False


def work(plan: Plan, task: Task, source: Source, folder: Path, emit: Emit) -> None:
    """Do the task; every finding goes to ``emit`` with its kind, and "done" comes last.

    Raises:
        CourseError: none of the variants could be loaded.
    """
    device = source.open_device(plan, task.process)
    drawn = random.Random(f"{plan.seed} {task.process} {' '.join(task.names)}")
    if task.first:
        emit("device", device.describe().model_dump(mode="json"))
    if task.first or task.ceilings:
        emit("ceilings", [ceiling.model_dump(mode="json") for ceiling in source.ceilings(plan, device)])
    loaded = _load(plan, task, source, device, emit)
    try:
        if task.first:
            loaded = _describe(plan, loaded, folder, emit)
        for one in drawn.sample(loaded, len(loaded)):
            _warm_up(plan, task, one, device, emit)
        if plan.scenario == SERVER:
            for one in drawn.sample(loaded, len(loaded)):
                _serve(plan, task, one, device, emit)
        else:
            _rounds(plan, task, loaded, device, drawn, emit)
    finally:
        for one in loaded:
            one.backend.close()
    emit("done", None)


def main(folder: Path, name: str) -> None:
    """Do the task ``name`` in ``folder`` and tell the runner on standard output how far it is."""
    plan = Plan.model_validate_json((folder / "plan.json").read_bytes())
    task = Task.model_validate_json((folder / f"{name}.task").read_bytes())
    path = folder / f"{name}.jsonl"

    def emit(kind: str, content: Any) -> None:
        append_line(path, json.dumps({"kind": kind, "content": content}, allow_nan=False).encode())
        print(SIGN + kind, flush=True)

    emit("began", time.time())
    work(plan, task, source_for(plan), folder, emit)


def _load(plan: Plan, task: Task, source: Source, device: Device, emit: Emit) -> list[Loaded]:
    loaded, reasons = [], []
    for part in plan.parts():
        if part.name not in task.names:
            continue
        try:
            loaded.append(source.load(plan, part, device))
        except CourseError as error:
            reasons.append(f"{part.name}: {error}")
            emit("fault", reasons[-1])
    if not loaded:
        raise CourseError(f"None of {', '.join(task.names)} could be loaded. {' '.join(reasons)}")
    return loaded


def _describe(plan: Plan, loaded: Sequence[Loaded], folder: Path, emit: Emit) -> list[Loaded]:
    """Compare the answers of variants with those of their reference, which is measured first; emit them with parity.

    A variant that gives no comparable answers is left out, with a fault.
    """
    kept = []
    by_name = {part.name: part for part in plan.parts()}
    for one in sorted(loaded, key=lambda one: by_name[one.variant.name].reference != one.variant.name):
        part = by_name[one.variant.name]
        try:
            parity = _parity(plan, part, one, folder)
        except (CourseError, ValueError) as error:
            emit("fault", f"{part.name} has no parity: {error}")
            one.backend.close()
            continue
        described = one.variant.model_copy(update={"parity": parity})
        emit("variant", described.model_dump(mode="json"))
        kept.append(Loaded(described, one.backend, one.as_tokens))
    if not kept:
        raise CourseError("None of the variants could be compared with the baseline, so that no speed may be shown.")
    return kept


def _parity(plan: Plan, part: Part, loaded: Loaded, folder: Path) -> Parity:
    groups = -(-plan.parity_prompts // part.batch)
    vocabulary = loaded.backend.config.vocab_size
    prompts = [draw_prompt(vocabulary, part.batch, plan.prompt, plan.seed, PARITY_KEY, n) for n in range(groups)]
    path = _parity_file(folder, part)
    if part.name == part.reference and not path.exists():
        _keep(path, answers(loaded, prompts, plan.parity_steps))
    if not path.exists():
        raise CourseError(f"the answers of {part.reference} are not there")
    reference = _kept(path)
    other = answers(loaded, prompts, plan.parity_steps, forced=reference)
    return compare(part.reference, reference, other, dict(loaded.backend.limits))


def _parity_file(folder: Path, part: Part) -> Path:
    return folder / f"reference-batch-{part.batch}.npz"


def _keep(path: Path, kept: Answers) -> None:
    """Store answers so that a reader finds all of them or nothing."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.npz")
    np.savez(temporary, logits=np.stack(kept.logits), tokens=np.array(kept.tokens))
    temporary.replace(path)


def _kept(path: Path) -> Answers:
    with np.load(path, allow_pickle=False) as stored:
        tokens = tuple(tuple(int(token) for token in sequence) for sequence in stored["tokens"])
        return Answers(tuple(stored["logits"]), tokens)


def _warm_up(plan: Plan, task: Task, one: Loaded, device: Device, emit: Emit) -> None:
    def take(number: int) -> Trial:
        prompt = _prompt(plan, task, one, 0, number)
        return take_trial(one, device, Place(task.process, 0, warm_up=True), prompt, plan.generated)

    for trial in warm_up(take, plan.window, plan.most_warm_ups):
        emit("warm-up", trial.model_dump(mode="json"))


def _rounds(plan: Plan, task: Task, loaded: Sequence[Loaded], device: Device, drawn: random.Random, emit: Emit) -> None:
    for number in range(1, plan.rounds + 1):
        for one in drawn.sample(loaded, len(loaded)):
            if (number, one.variant.name) in task.done:
                continue
            place = Place(task.process, number, warm_up=False)
            trial = take_trial(one, device, place, _prompt(plan, task, one, number, 0), plan.generated)
            emit("trial", trial.model_dump(mode="json"))


def _serve(plan: Plan, task: Task, one: Loaded, device: Device, emit: Emit) -> None:
    def prompt(number: int) -> np.ndarray:
        return _prompt(plan, task, one, 1, number)

    name, rate = one.variant.name, one.variant.rate
    if isinstance(device, FakeDevice):
        due = poisson_arrivals(rate, plan.requests, plan.seed, task.process)
        served = serve_virtually(one, device, due, prompt, plan.generated, task.process)
    else:
        served = loadgen.serve_load(
            lambda number: answer(one, device, prompt(number), plan.generated),
            rate,
            plan.requests,
            plan.objective,
            plan.share,
            plan.seed + task.process + 1,
            name,
            task.process,
            plan.generated,
        )
    emit("requests", [request.model_dump(mode="json") for request in served])


def _prompt(plan: Plan, task: Task, one: Loaded, number: int, index: int) -> np.ndarray:
    """The prompt of a trial: the same for all variants of a round, and new in each."""
    vocabulary = one.backend.config.vocab_size
    return draw_prompt(vocabulary, one.variant.batch, plan.prompt, plan.seed, task.process, number, index)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except CourseError as complaint:
        print(complaint, file=sys.stderr)
        raise SystemExit(1) from None
