"""The runs of ``course bench inference``: plans measured one after the other, and their records kept."""

import re
from functools import partial
from pathlib import Path

from rich.console import Console

from course.bench.inference_attention import attention_trial, quantity
from course.bench.inference_findings import Findings, Records, find
from course.bench.inference_settings import ATTENTION, GENERATION, PARTS, Settings, backends_of, plan_of
from course.bench.trials import Trial
from course.errors import CourseError
from course.inference import available
from course.measure.plan import Plan
from course.measure.record import Record
from course.measure.report import show
from course.measure.runner import finish, run

Measured = dict[str, Record]


def attention_trials(settings: Settings) -> list[Trial]:
    """Fresh processes that compare attention at each length."""
    if ATTENTION not in settings.parts:
        return []
    return [
        Trial(
            quantity(length),
            settings.attention_processes,
            partial(attention_trial, settings.device, length, settings.attention_rounds),
        )
        for length in settings.lengths
    ]


def plans(settings: Settings) -> tuple[dict[str, Plan], dict[str, str]]:
    """What ``course.measure`` is to measure, by name, and why some backends are left out.

    A name is that of the part, followed by the model where a part is measured with several.
    """
    found, missing = {}, {}
    for part in PARTS:
        if part == ATTENTION or part not in settings.parts:
            continue
        for model in settings.models if part == GENERATION else settings.models[:1]:
            lacks = available(settings.device, model=model, dtype=settings.dtype)
            wanted = backends_of(settings, part)
            missing |= {f"{name}, {model}": lacks[name] for name in wanted if lacks[name]}
            able = tuple(name for name in wanted if not lacks[name])
            several = part == GENERATION and len(settings.models) > 1
            found[f"{part} {model}" if several else part] = plan_of(settings, part, model, able)
    return found, missing


def measure_all(settings: Settings, console: Console, folder: Path) -> Findings:
    """Measure every plan, keep its record in ``folder``, and say what the records show.

    A plan that cannot be measured, for want of memory, say, is told among what is missing.

    Raises:
        CourseError: none could be measured, although some were to be; or the run was ended at the keyboard.
    """
    wanted, missing = plans(settings)
    records: Measured = {}
    for name, plan in wanted.items():
        console.print(f"{name}: {', '.join(plan.backends)}", highlight=False, soft_wrap=True)
        try:
            records[name] = run(plan, console)
        except CourseError as error:
            if isinstance(error.__cause__, KeyboardInterrupt):
                raise
            missing[name] = str(error)
            continue
        records[name].write(folder / file_of(name))
        finish(plan)
        show(records[name], console)
    if wanted and not records:
        raise CourseError(" ".join(missing.values()))
    return find(records, missing)


def file_of(name: str) -> str:
    """Of a record, beside the benchmark's own."""
    return f"inference-{re.sub('[^a-z0-9]+', '-', name)}.json"


def read_all(folder: Path, findings: Findings) -> Records:
    """The records that belong to findings, from the folder of the benchmark.

    Raises:
        CourseError: one is missing, was edited, or is another one than the findings are of.
    """
    from course.measure.record import read

    found = {}
    for name, kept in findings.get("records", {}).items():
        found[name] = read(folder / file_of(name))
        if found[name].digest != kept["digest"]:
            raise CourseError(f"{file_of(name)} is not the record that the findings are of.")
    return found
