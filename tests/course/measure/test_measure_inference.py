"""The harness on the backends of Lecture 11, with the smallest model: counts, parity, and sentences."""

import json

import pytest

from course.errors import CourseError
from course.measure.plan import Plan
from course.measure.runner import assemble
from course.measure.sources import InferenceSource
from course.measure.statistics import per_step
from course.measure.verify import verify
from course.measure.worker import Task, work

TINY = {
    "device": "cpu",
    "backends": ("eager", "sdpa"),
    "model": "tiny",
    "prompt": 24,
    "generated": 5,
    "rounds": 2,
    "processes": 1,
    "window": 2,
    "most_warm_ups": 6,
    "parity_prompts": 2,
    "parity_steps": 4,
    "ceiling_seconds": 0.005,
}


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """One process of a measurement, in this process."""
    plan, folder = Plan.checked(**TINY), tmp_path_factory.mktemp("measured")
    lines: list[tuple] = [("began", 0.0)]
    task = Task(process=0, names=("eager", "sdpa"), first=True)
    work(plan, task, InferenceSource(), folder, lambda kind, content: lines.append((kind, content)))
    text = "".join(json.dumps({"kind": kind, "content": content}) + "\n" for kind, content in lines)
    (folder / "0.jsonl").write_text(text)
    return assemble(plan, folder)


def test_what_does_not_depend_on_the_machine_holds(record):
    """Also that operations and bytes, counted there and here by other code, agree."""
    held = {finding.rule.name: finding.held for finding in verify(record)}
    assert [held[name] for name in ("parity", "equal work", "work counted", "synchronised", "fresh cache")] == [
        True
    ] * 5
    assert held["processes"] is False
    assert {variant.name for variant in record.variants} == {"eager", "sdpa"} and not record.faults


def test_the_record_says_what_was_measured(record):
    eager = record.variant("eager")
    assert (eager.dtype, eager.batch, eager.shape.n_layers, len(eager.code)) == ("float32", 1, 4, 64)
    assert eager.memory_predicted < min(trial.memory.allocated for trial in record.trials)
    assert eager.parity.rel_l2 == (0.0, 0.0) and len(eager.parity.tokens) == 2
    assert 0 < max(record.variant("sdpa").parity.rel_l2) < 1e-4
    assert record.ceiling("flops", "float32") > 1e8 and record.ceiling("bytes") > 1e8
    assert len(per_step(record, "sdpa", "decode", clock="process_seconds")[0]) == 2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"backends": ("eager", "warp")}, "No backend is called 'warp'; there are eager"),
        ({"model": "gpt"}, "model has to be one of"),
        ({"prompt": 600}, "has 512 positions"),
        ({"backends": ("sdpa-cudnn",)}, "sdpa-cudnn cannot run here"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_loaded(fields, sentence):
    with pytest.raises(CourseError, match=sentence):
        InferenceSource().check(Plan.checked(**TINY | fields))


def test_memory_is_predicted():
    source, plan = InferenceSource(), Plan.checked(**TINY | {"model": "llama-8b"})
    part = plan.parts()[0]
    assert source.memory_needed(plan, part) > 4 * 8e9
