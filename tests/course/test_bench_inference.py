"""`course bench inference`: what is measured, how records meet the bars, and what is said where nothing can be."""

import json

import pytest
from click.testing import CliRunner
from rich.console import Console

from course.bench import inference_runs
from course.bench.inference import inference
from course.bench.inference_attention import attention_trial, compare, functions, samples_of
from course.bench.inference_findings import clock_of, find, judge, roof_share, whole_answer
from course.bench.inference_plot import draw
from course.bench.inference_settings import BATCHES, CACHE, GENERATION, PARTS, backends_of, settings_of
from course.bench.record import Record
from course.bench.report import measure
from course.bench.trials import Trial
from course.errors import CourseError
from course.measure.record import Record as Measured
from course.measure.rehearsal import Measurement

ON_CPU, ON_GPU = settings_of("cpu", quick=False), settings_of("cuda", quick=False)


def named(record, names, **fields):
    """A made-up record with other names of variants and other fields."""
    text = record.model_copy(update=fields).model_dump_json()
    for old, new in names.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    return Measured.model_validate_json(text).sealed()


@pytest.fixture(scope="module")
def slow_and_fast():
    return Measurement(3).record()


@pytest.fixture
def generation(slow_and_fast):
    return named(slow_and_fast, {"slow": "sdpa", "fast": "onnx-fused"})


@pytest.fixture
def cache(slow_and_fast):
    """The baseline, here the slower one, plays the model that has a cache; it is compared the other way round."""
    return named(slow_and_fast, {"slow": "eager", "fast": "uncached"})


def attention(flash, rounds=6):
    """Samples in which flash attention is so many times faster."""
    samples = [
        one.model_copy(update={"trial": trial, "value": one.value * (1 + trial / 100)})
        for trial in range(rounds)
        for one in samples_of({"naive": [1.0], "tiled": [2.0], "flash": [1.0 / flash]}, 2048)
    ]
    return samples


def ratio(name, low, high, part=GENERATION, **fields):
    kept = {"record": part, "ratio": name, "clock": "seconds", "value": (low * high) ** 0.5, "low": low, "high": high}
    return kept | {"processes": 3, "refused": ""} | fields


def parity(**fields):
    return {"dtype": "float32", "reference": False, "rel_l2": 1e-6, "kl": 1e-9, "top1": 1.0, "failures": []} | fields


def findings(*ratios, **variants):
    return {
        "ratios": list(ratios),
        "parity": {GENERATION: variants or {"onnx-fused": parity()}, CACHE: {"eager": parity(reference=True)}},
        "memory roofline": {},
    }


def verdicts(settings, samples, found):
    return {one.bar: one for one in judge(settings, samples, found)[1]}


def the(found, words):
    (verdict,) = [one for bar, one in found.items() if words in bar]
    return verdict


@pytest.mark.parametrize(("flash", "met"), [(7.0, True), (3.0, False)])
def test_attention_meets_its_bar_or_not(flash, met):
    assert the(verdicts(ON_CPU, attention(flash), findings()), "flash over naive").met is met


def test_too_few_processes_of_attention_are_not_judged():
    ratios, judged = judge(ON_CPU, attention(7.0, rounds=5), findings())
    assert judged[0].met is None and "too few" in judged[0].found
    assert all(one.value is None for one in ratios)


@pytest.mark.parametrize(("low", "high", "met"), [(1.7, 2.0, True), (1.5, 2.0, False), (None, None, None)])
def test_onnx_runtime_meets_its_bar_or_not(low, high, met):
    kept = ratio("onnx-fused over sdpa", low or 1.0, high or 1.0) | {"low": low, "high": high}
    assert the(verdicts(ON_CPU, [], findings(kept)), "fused").met is met


def test_int8_states_its_divergence():
    kept = ratio("onnx-int8-blocks over sdpa", 3.2, 3.4)
    found = findings(kept, **{"onnx-int8-blocks": parity(dtype="int8", kl=0.006, top1=0.97)})
    verdict = the(verdicts(ON_CPU, [], found), "int8")
    assert verdict.met and "0.006 nats" in verdict.found and "97.0%" in verdict.found


def test_of_the_int8_variants_the_fastest_with_parity_counts():
    ratios = [
        ratio(f"onnx-int8-{name} over sdpa", *span) for name, span in (("rows", (3.1, 3.4)), ("blocks", (2, 2.2)))
    ]
    rows, blocks = parity(dtype="int8", kl=0.05, top1=0.9), parity(dtype="int8", kl=0.007, top1=0.97)
    found = findings(*ratios, **{"onnx-int8-rows": rows, "onnx-int8-blocks": blocks})
    verdict = the(verdicts(ON_CPU, [], found), "int8")
    assert verdict.met and "by onnx-int8-rows, whose divergence is 0.05 nats" in verdict.found
    found["parity"][GENERATION]["onnx-int8-rows"] = rows | {"failures": ["its best token agrees in 70%"]}
    verdict = the(verdicts(ON_CPU, [], found), "int8")
    assert not verdict.met and "measured 2 to 2.2; by onnx-int8-blocks" in verdict.found


def test_a_variant_without_parity_misses_its_bar_however_fast():
    kept = ratio("onnx-int8-blocks over sdpa", 9.0, 9.9) | {"value": None, "refused": "no parity"}
    broken = parity(dtype="int8", kl=0.65, failures=["its divergence is 0.65, and 0.5 is allowed"])
    verdict = the(verdicts(ON_CPU, [], findings(kept, **{"onnx-int8-blocks": broken})), "int8")
    assert verdict.met is False and "without parity no speed" in verdict.found


@pytest.mark.parametrize(("error", "met"), [(9e-5, True), (2e-4, False)])
def test_errors_of_float32_are_judged_and_those_of_int8_are_not(error, met):
    variants = {"onnx-fused": parity(rel_l2=error), "int8": parity(dtype="int8", rel_l2=0.5)}
    verdict = the(verdicts(ON_CPU, [], findings(**variants)), "relative error")
    assert verdict.met is met and "onnx-fused (generation)" in verdict.found


def test_what_was_left_out_and_a_missing_gpu_give_no_number():
    found = verdicts(ON_CPU, [], {})
    assert {one.met for one in found.values()} == {None}
    for words in ("memory roofline", "over eager"):
        assert the(found, words).found == "not measured here: no CUDA device"
    assert the(found, "a cache over none").found == "not measured: left out of this run"


def test_processor_time_is_said():
    kept = ratio("eager over uncached", 4.0, 5.0, part=CACHE, clock="process_seconds")
    verdict = the(verdicts(ON_CPU, [], findings(kept)), "a cache over none")
    assert verdict.met and "in processor time" in verdict.found


def test_on_a_gpu_the_best_variant_of_the_best_model_counts():
    roofs = [
        {"variant": "compiled", "record": "llama-8b", "value": 0.82, "low": 0.8, "high": 0.84},
        {"variant": "vllm", "record": "llama-1b", "value": None, "low": None, "high": None},
    ]
    eager = ratio("compiled over eager, decode", 5.5, 6.0, part="generation smollm2")
    found = findings(eager, ratio("sdpa over eager, decode", 1.1, 1.2, part="generation llama-8b"))
    found["memory roofline"] = {"generation llama-8b": roofs}
    judged = verdicts(ON_GPU, attention(9.0), found)
    assert the(judged, "memory roofline").met and "compiled (llama-8b)" in the(judged, "memory roofline").found
    assert the(judged, "over eager").met and "generation smollm2" in the(judged, "over eager").found
    assert "int8" not in " ".join(judged)
    none = verdicts(ON_GPU, [], findings())
    assert the(none, "memory roofline").met is None


def test_findings_follow_from_the_records(generation, cache):
    found = find({GENERATION: generation, CACHE: cache, BATCHES: generation}, {"vllm, smollm2": "not here"})
    json.dumps(found, allow_nan=False)
    by_name = {(one["record"], one["ratio"]): one for one in found["ratios"]}
    assert by_name[GENERATION, "onnx-fused over sdpa"]["value"] == pytest.approx(2, rel=0.05)
    assert by_name[GENERATION, "onnx-fused over sdpa, decode"]["value"] == pytest.approx(2, rel=0.05)
    assert by_name[CACHE, "eager over uncached"]["value"] == pytest.approx(0.5, rel=0.05)
    assert found["memory roofline"][GENERATION][1]["value"] == pytest.approx(0.5, rel=0.1)
    assert found["parity"][GENERATION]["sdpa"]["reference"]
    assert found["tokens a second"][BATCHES]["onnx-fused"] > found["tokens a second"][BATCHES]["sdpa"]
    assert found["missing"] == {"vllm, smollm2": "not here"}
    steps = found["steps"][GENERATION]["sdpa"]
    assert steps["first token, s"]["value"] > steps["further token, s"]["value"] > 0


def test_without_parity_or_processes_there_is_no_ratio(generation):
    sdpa, fused = generation.variants
    blind = generation.model_copy(update={"variants": (sdpa, fused.model_copy(update={"parity": None}))})
    assert "without parity" in whole_answer(blind, "onnx-fused", "sdpa").refused
    assert roof_share(blind, blind.variants[1]).value is None
    one = tuple(trial for trial in generation.trials if trial.process == 0)
    assert "too few" in whole_answer(generation.model_copy(update={"trials": one}), "onnx-fused", "sdpa").refused
    assert "contains 1" in whole_answer(generation, "sdpa", "sdpa").refused


@pytest.mark.parametrize(("share", "clock"), [(0.99, "seconds"), (0.6, "process_seconds")])
def test_a_busy_machine_is_judged_in_processor_time(generation, share, clock):
    trials = tuple(
        trial.model_copy(
            update={
                "timings": tuple(
                    one.model_copy(update={"process_seconds": share * one.seconds}) for one in trial.timings
                )
            }
        )
        for trial in generation.trials
    )
    on_cpu = generation.device.model_copy(update={"kind": "cpu"})
    busy = generation.model_copy(update={"trials": trials, "device": on_cpu})
    assert clock_of(busy, ("sdpa", "onnx-fused")) == clock
    assert whole_answer(busy, "onnx-fused", "sdpa", clock).value == pytest.approx(2, rel=0.05)


def test_what_cannot_run_here_is_left_out_with_its_reason(monkeypatch):
    def lacks(device, **setup):
        return {
            name: "no such package" if name.startswith("onnx") else "" for name in backends_of(ON_CPU, GENERATION)
        } | {"uncached": ""}

    monkeypatch.setattr(inference_runs, "available", lacks)
    plans, missing = inference_runs.plans(ON_CPU)
    assert plans[GENERATION].backends == ("eager", "sdpa", "transformers-sdpa")
    assert missing["onnx-fused, smollm2"] == "no such package"
    assert plans[CACHE].backends == ("eager", "uncached") and plans[BATCHES].batches == (1, 4, 16)


def test_a_gpu_is_measured_with_three_models(monkeypatch):
    monkeypatch.setattr(
        inference_runs,
        "available",
        lambda *_, **__: dict.fromkeys(backends_of(ON_GPU, GENERATION), "") | {"uncached": ""},
    )
    plans, missing = inference_runs.plans(ON_GPU)
    assert list(plans) == ["generation smollm2", "generation llama-1b", "generation llama-8b", CACHE, BATCHES]
    assert not missing and {plan.dtype for plan in plans.values()} == {"bfloat16"}


@pytest.fixture
def runs(monkeypatch, generation, cache):
    """The harness, made up: the cache cannot be measured."""

    def run(plan, console):
        if "uncached" in plan.backends:
            raise CourseError("eager needs 9 bytes, and 8 can be planned for.")
        return generation

    monkeypatch.setattr(inference_runs, "run", run)
    monkeypatch.setattr(inference_runs, "finish", lambda plan: None)
    return generation


def test_records_are_kept_and_belong_to_the_findings(runs, tmp_path):
    found = inference_runs.measure_all(ON_CPU, Console(quiet=True), tmp_path)
    assert found["missing"]["cache"] == "eager needs 9 bytes, and 8 can be planned for."
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inference-batches.json", "inference-generation.json"]
    assert inference_runs.read_all(tmp_path, found)[GENERATION] == runs
    Measurement(4).record().write(tmp_path / "inference-generation.json")
    with pytest.raises(CourseError, match="is not the record that the findings are of"):
        inference_runs.read_all(tmp_path, found)


def test_an_end_at_the_keyboard_ends_the_benchmark(monkeypatch, tmp_path):
    def run(plan, console):
        raise CourseError("The measurement was ended.") from KeyboardInterrupt()

    monkeypatch.setattr(inference_runs, "run", run)
    with pytest.raises(CourseError, match="was ended"):
        inference_runs.measure_all(ON_CPU, Console(quiet=True), tmp_path)


def test_nothing_measured_is_a_fault(runs, tmp_path):
    only_cache = ON_CPU.model_copy(update={"parts": (CACHE,)})
    with pytest.raises(CourseError, match="9 bytes"):
        inference_runs.measure_all(only_cache, Console(quiet=True), tmp_path)


def test_the_record_is_whole_and_drawn(runs, tmp_path):
    console = Console(quiet=True)
    record = measure(
        "inference",
        [Trial("attention", 6, lambda: samples_of({"naive": [1.0], "tiled": [2.0], "flash": [0.1]}, 2048))],
        0,
        ON_CPU.model_dump(mode="json"),
        lambda samples, found: judge(ON_CPU, samples, found),
        console,
        lambda: inference_runs.measure_all(ON_CPU, console, tmp_path),
    )
    record.write(tmp_path / "inference.json")
    assert Record.read(tmp_path / "inference.json").verdicts == record.verdicts
    assert [the({one.bar: one for one in record.verdicts}, words).met for words in ("flash", "fused")] == [True, True]
    above, below = draw(record).axes
    assert "Times faster" in above.get_xlabel() and len(below.lines) == 3
    nothing = draw(record.model_copy(update={"samples": (), "estimates": (), "findings": {}}))
    assert not any(axes.lines for axes in nothing.axes)


def test_the_functions_agree_and_are_measured_in_a_process_of_their_own():
    samples = attention_trial("cpu", 32, 1)
    assert {(one.variant, one.quantity, one.size) for one in samples} == {
        (name, "attention over 32", 32) for name in ("naive", "tiled", "flash")
    }


def test_a_function_that_errs_is_not_measured(monkeypatch):
    def wrong(inputs):
        right = functions(inputs)
        return right | {"flash": lambda: 2 * right["flash"]()}

    monkeypatch.setattr("course.bench.inference_attention.functions", wrong)
    with pytest.raises(CourseError, match="flash does not give the answer of naive"):
        compare("cpu", 16, 1)


def test_a_process_that_fails_is_one_sentence():
    with pytest.raises(CourseError, match="^attention over 16 positions could not be measured: No device is called"):
        attention_trial("abacus", 16, 1)


def test_the_command_measures_a_part_and_keeps_it(monkeypatch, tmp_path):
    def trial(device, length, rounds):
        return samples_of({"naive": [2.0], "tiled": [3.0], "flash": [1.0]}, length)

    monkeypatch.setattr(inference_runs, "attention_trial", trial)
    monkeypatch.setattr("course.bench.machine.commit", lambda: "")
    arguments = ["--quick", "--only", "attention", "--device", "cpu", "-o", str(tmp_path)]
    done = CliRunner().invoke(inference, arguments)
    assert done.exit_code == 0, done.output
    assert "attention over 64" in done.output and "left out of this run" in done.output
    kept = Record.read(tmp_path / "inference.json")
    assert kept.settings["parts"] == ["attention"] and {one.met for one in kept.verdicts} == {None}
    assert (tmp_path / "inference.svg").is_file()


def test_a_gpu_that_is_not_there_is_one_sentence(tmp_path):
    from course.inference.protocol import no_device

    if not no_device("cuda"):
        pytest.skip("there is a GPU here")
    found = CliRunner().invoke(inference, ["--device", "cuda", "-o", str(tmp_path)])
    assert isinstance(found.exception, CourseError) and "No GPU is visible" in str(found.exception)


def test_every_part_has_a_plan_or_trials():
    assert set(PARTS) == {GENERATION, CACHE, BATCHES, "attention"}
    assert len(inference_runs.attention_trials(ON_CPU)) == 3
    assert not inference_runs.attention_trials(ON_CPU.model_copy(update={"parts": (CACHE,)}))
