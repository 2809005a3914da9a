"""Whole runs on the fake device: fresh processes, resuming, memory, and sentences for what cannot be measured."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from course.errors import CourseError
from course.measure import fake_backend, runner
from course.measure.plan import Plan
from course.measure.record import Trial, parse
from course.measure.rules import RULES
from course.measure.runner import Found, assemble, finish, partial_folder, run
from course.measure.sources import FakeSource, InferenceSource, code_of, source_for
from course.measure.statistics import speed_up
from course.measure.verify import holds, verify
from course.measure.worker import SIGN, Task, main, work

SMALL = {"device": "fake", "backends": ("slow", "fast"), "rounds": 4, "processes": 3, "prompt": 16, "generated": 5}


def quiet():
    return Console(file=io.StringIO())


def in_this_process(plan, folder, block, names, emit=None, first=None, done=(), attempt=0):
    """What a worker does, without a process of its own."""
    folder.mkdir(exist_ok=True)
    (folder / "plan.json").write_text(plan.model_dump_json())
    task = Task(
        process=block + attempt * plan.processes, names=names, first=block == 0 if first is None else first, done=done
    )
    name = f"process-{block}.attempt-{attempt}"
    (folder / f"{name}.task").write_text(task.model_dump_json())
    main(folder, name)
    return folder / f"{name}.jsonl"


@pytest.fixture
def plan():
    return Plan.checked(**SMALL)


def test_a_run_in_fresh_processes(plan, tmp_path):
    record = run(plan, quiet(), tmp_path)
    assert record == parse(record.model_dump_json().encode())
    assert {trial.process for trial in record.trials} == {0, 1, 2}
    assert len([trial for trial in record.trials if not trial.warm_up]) == 2 * 4 * 3
    assert holds(verify(record))
    assert speed_up(record, "fast", "decode").value == pytest.approx(2.0, rel=0.03)
    assert record.baseline == "slow" and record.settings["rounds"] == 4 and not record.faults
    prompts = {(trial.process, trial.round): set() for trial in record.trials if not trial.warm_up}
    for trial in record.measured("slow") + record.measured("fast"):
        prompts[trial.process, trial.round].add(trial.digest)
    assert all(len(digests) == 1 for digests in prompts.values())  # both variants met the same prompt
    assert len(set.union(*prompts.values())) == len(prompts)  # and each round another
    finish(plan, tmp_path)
    assert not tmp_path.exists()


def test_what_was_measured_before_an_end_is_not_measured_again(plan, tmp_path, capsys):
    """The first process is cut off in its third round, in the middle of a line; the run goes on there."""
    path = in_this_process(plan, tmp_path, 0, ("slow", "fast"))
    lines = path.read_bytes().split(b"\n")
    measured = [place for place, line in enumerate(lines) if b'"warm_up": false' in line]
    path.write_bytes(b"\n".join(lines[: measured[5]]) + b"\n" + lines[measured[5]][:40])
    kept = Found(path)
    assert not kept.done and sum(not trial.warm_up for trial in kept.trials) == 5
    record = run(plan, quiet(), tmp_path)
    assert all(any(trial == other.model_copy(update={"place": 0}) for other in record.trials) for trial in kept.trials)
    measured = [trial for trial in record.trials if not trial.warm_up]
    assert len(measured) == 2 * 4 * 3
    assert {trial.process for trial in measured} == {0, 1, 2, 3}  # a fresh process has a number of its own
    assert "kept" not in capsys.readouterr().err
    again = run(plan, quiet(), tmp_path)  # nothing is left to do
    assert again.trials == record.trials


def test_a_process_that_fails_leaves_a_sentence_and_its_trials(plan, tmp_path, monkeypatch):
    in_this_process(plan, tmp_path, 0, ("slow", "fast"))
    monkeypatch.setattr(runner.sys, "executable", "/bin/false")
    with pytest.raises(CourseError, match=r"ended with status 1.*\d+ trials are kept in .*goes on there"):
        run(plan, quiet(), tmp_path)
    assert Found(tmp_path / "process-0.attempt-0.jsonl").done


@pytest.mark.parametrize(
    ("status", "log", "words"),
    [
        (1, "Traceback (most recent call last):\n  File x\nOSError: no space\n", "with status 1: OSError: no space"),
        (1, "None of them could be loaded.\n", "with status 1: None of them could be loaded."),
        (-9, "", "was ended by SIGKILL, as the system does when memory is out."),
        (-15, "", "was ended by SIGTERM."),
        (3, "", "with status 3: it said nothing."),
    ],
)
def test_why_a_process_ended_is_a_sentence(status, log, words):
    said = runner._complaint(status, log)
    assert said.endswith(words) and "Traceback" not in said


def test_a_ceiling_is_the_best_of_all_processes(plan, tmp_path):
    record = run(plan, quiet(), tmp_path)
    assert [(one.kind, len(one.per_second) % plan.processes) for one in record.ceilings] == [("flops", 0), ("bytes", 0)]
    assert record.ceiling("flops") == max(record.ceilings[0].per_second)


def test_two_runs_of_one_plan_do_not_meet(plan, tmp_path):
    with runner._alone(tmp_path), pytest.raises(CourseError, match="Another run is measuring the same plan now"):
        run(plan, quiet(), tmp_path)


def test_a_damaged_file_is_named(plan, tmp_path):
    (tmp_path / "process-0.attempt-0.jsonl").write_bytes(b'{"kind": "trial", "content": 3}\n')
    with pytest.raises(CourseError, match="is damaged; remove .* and measure again"):
        assemble(plan, tmp_path)


def test_the_worker_tells_how_far_it_is(plan, tmp_path, capsys):
    in_this_process(plan, tmp_path, 0, ("slow", "fast"))
    told = [line.removeprefix(SIGN) for line in capsys.readouterr().out.splitlines()]
    assert told[:4] == ["began", "device", "ceilings", "variant"] and told[-1] == "done"
    assert told.count("trial") == 2 * plan.rounds and told.count("warm-up") >= 2 * 2 * plan.window


def test_variants_that_do_not_fit_together_take_turns_as_processes(monkeypatch):
    plan = Plan.checked(**SMALL | {"backends": ("slow", "fast", "rounded"), "rounds": 2})
    one = fake_backend.memory_bytes(1, plan.length)
    monkeypatch.setattr(FakeSource, "memory_needed", lambda self, plan, part: one)
    console = quiet()

    def free(n_bytes):
        monkeypatch.setattr(FakeSource, "free_memory", lambda self, plan: n_bytes)
        return FakeSource()

    units = runner._units(plan, free(int(2 * one / runner.HEADROOM)), console)
    assert "processes of its own" in console.file.getvalue()
    assert len(units) == len({unit.name for unit in units}) == 9 and all(unit.alone for unit in units)
    assert units[0].names == ("slow",)  # the others need its answers
    for block in range(3):
        assert sorted(unit.names[0] for unit in units if unit.block == block) == ["fast", "rounded", "slow"]
    together = runner._units(plan, free(4 * one), quiet())
    assert together == [(block, ("slow", "fast", "rounded"), False) for block in range(3)]
    with pytest.raises(CourseError, match=f"needs {one:,} bytes, and .* can be planned for on fake"):
        runner._units(plan, free(one), quiet())


def test_a_gpu_that_is_not_there_is_a_sentence():
    source, plan = InferenceSource(), Plan.checked(**SMALL | {"device": "cuda:7", "backends": ("eager",)})
    with pytest.raises(CourseError, match="memory of cuda:7 could not be read"):
        source.free_memory(plan)
    assert source.free_memory(Plan.checked(**SMALL | {"device": "cpu"})) > 0


def test_one_variant_a_process_is_a_whole_measurement(plan, tmp_path):
    """Processes of one variant each, block by block: the numbers of a block pair what it measured."""
    order = [(0, "slow"), (0, "fast"), (1, "fast"), (1, "slow"), (2, "slow"), (2, "fast")]
    for began, (block, name) in enumerate(order):
        lines: list[tuple] = [("began", float(began))]
        task = Task(process=block, names=(name,), first=block == 0)
        work(plan, task, FakeSource(), tmp_path, lambda kind, content, kept=lines: kept.append((kind, content)))
        text = "".join(json.dumps({"kind": kind, "content": content}) + "\n" for kind, content in lines)
        (tmp_path / f"{began}.jsonl").write_text(text)
    record = assemble(plan, tmp_path)
    assert holds(verify(record))
    assert speed_up(record, "fast", "decode").value == pytest.approx(2.0, rel=0.05)


def test_an_interrupt_says_how_to_go_on(plan, tmp_path, monkeypatch):
    in_this_process(plan, tmp_path, 0, ("slow", "fast"))

    def interrupt(*arguments, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "_run_unit", interrupt)
    with pytest.raises(CourseError, match=r"was ended\. \d+ trials are kept in .*; the same command goes on there"):
        run(plan, quiet(), tmp_path)


def test_batches_are_variants_with_a_reference_of_their_own(tmp_path):
    plan = Plan.checked(**SMALL | {"scenario": "offline", "batches": (1, 4), "rounds": 2, "processes": 1})
    in_this_process(plan, tmp_path, 0, tuple(part.name for part in plan.parts()))
    record = assemble(plan, tmp_path)
    assert [variant.name for variant in record.variants] == [
        "slow, batch 1",
        "slow, batch 4",
        "fast, batch 1",
        "fast, batch 4",
    ]
    assert record.variant("fast, batch 4").parity.reference == "slow, batch 4"
    assert {trial.batch for trial in record.measured("fast, batch 4")} == {4}
    assert len(record.variant("fast, batch 4").parity.tokens) == 4


def test_a_server_with_loads(tmp_path):
    rates = (5.0, 20.0)
    plan = Plan.checked(**SMALL | {"scenario": "server", "rates": rates, "requests": 150, "processes": 3})
    for block in range(3):
        in_this_process(plan, tmp_path, block, tuple(part.name for part in plan.parts()))
    record = assemble(plan, tmp_path)
    assert holds(verify(record))
    waits = {
        rate: sum(one.started - one.due for one in record.requests if one.variant == f"slow, {rate:g} a second")
        for rate in rates
    }
    assert 0 < waits[5.0] < waits[20.0]
    assert len(record.requests) == 2 * 2 * 150 * 3


def test_a_variant_that_cannot_be_loaded_is_a_fault_and_the_others_are_measured(plan, tmp_path, monkeypatch):
    load = FakeSource.load

    def refuse(self, plan, part, device):
        if part.backend == "fast":
            raise CourseError("The export failed.")
        return load(self, plan, part, device)

    monkeypatch.setattr(FakeSource, "load", refuse)
    in_this_process(plan, tmp_path, 0, ("slow", "fast"))
    record = assemble(plan, tmp_path)
    assert record.faults == ("fast: The export failed.",)
    assert [variant.name for variant in record.variants] == ["slow"]


def test_without_the_baseline_there_is_no_record(plan, tmp_path, monkeypatch):
    load = FakeSource.load

    def refuse(self, plan, part, device):
        if part.backend == "slow":
            raise CourseError("The port is taken.")
        return load(self, plan, part, device)

    monkeypatch.setattr(FakeSource, "load", refuse)
    with pytest.raises(CourseError, match="could be compared"):
        in_this_process(plan, tmp_path, 0, ("slow", "fast"))
    with pytest.raises(CourseError, match="baseline slow gave no sample. .*port is taken"):
        assemble(plan, tmp_path)


def test_answers_that_are_not_finite_have_no_parity(plan, tmp_path, monkeypatch):
    after = fake_backend.FakeBackend._logits_after

    def broken(self, tokens):
        return after(self, tokens) * (float("nan") if self.name == "fast" else 1.0)

    monkeypatch.setattr(fake_backend.FakeBackend, "_logits_after", broken)
    in_this_process(plan, tmp_path, 0, ("slow", "fast"))
    record = assemble(plan, tmp_path)
    assert "fast has no parity: Finite logits" in record.faults[0]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"backends": ()}, "backends"),
        ({"backends": ("slow", "slow")}, "each of the backends is named once"),
        ({"rounds": 0}, "rounds"),
        ({"generated": 1}, "generated"),
        ({"batches": (4,)}, "take the scenario offline"),
        ({"rates": (1.0,)}, "rates are of the server scenario"),
        ({"scenario": "server"}, "takes at least one"),
        ({"scenario": "server", "rates": (1.0,), "batches": (2,)}, "leave batch at 1"),
        ({"scenario": "server", "rates": (0.0,)}, "rates"),
        ({"dtype": "int8"}, "dtype"),
        ({"share": 1.0}, "share"),
    ],
)
def test_a_plan_that_makes_no_sense(fields, sentence):
    with pytest.raises(CourseError, match=f"This cannot be measured: .*{sentence}"):
        Plan.checked(**SMALL | fields)


def test_an_unknown_backend_is_named_with_those_there_are(plan):
    with pytest.raises(CourseError, match="No backend is called 'quick'; there are slow, fast"):
        run(Plan.checked(**SMALL | {"backends": ("quick",)}), quiet())
    assert source_for(plan).__class__ is FakeSource


def test_another_plan_has_another_folder(plan):
    other = Plan.checked(**SMALL | {"nonce": "abc"})
    assert partial_folder(plan) != partial_folder(other)
    assert partial_folder(plan) == partial_folder(Plan.checked(**SMALL))


def test_the_code_of_a_variant_is_that_of_its_files(tmp_path):
    (tmp_path / "a.py").write_text("1")
    first = code_of(tmp_path)
    assert first == code_of(Path(str(tmp_path)))
    code_of.cache_clear()
    (tmp_path / "a.py").write_text("2")
    assert code_of(tmp_path) != first


def test_every_trial_of_a_run_is_raw(plan, tmp_path):
    """No field of a trial is a summary; what rules need is in it."""
    path = in_this_process(plan, tmp_path, 0, ("slow", "fast"))
    trial = Found(path).trials[0]
    assert isinstance(trial, Trial) and trial.warm_up and [one.phase for one in trial.timings] == ["prefill", "decode"]
    assert trial.timings[1].steps == plan.generated - 1
    assert len(RULES) == len({rule.name for rule in RULES})
