"""``course bench inference``: joins ``course bench`` by an entry point."""

from pathlib import Path

import click
from rich.console import Console

from course.bench.options import OUTPUT, QUICK
from course.kit import build_dir

CHOICES = ("generation", "cache", "batches", "attention")


@click.command()
@OUTPUT
@QUICK
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:N, or auto.")
@click.option("--only", multiple=True, type=click.Choice(CHOICES), help="Measure this part alone; may be repeated.")
@click.option("--processes", type=click.IntRange(min=1), help="Fresh processes; fewer than three judge nothing.")
@click.option("--rounds", type=click.IntRange(min=1), help="Trials of each variant in each process.")
@click.option("--seed", type=int, help="Of prompts and order.")
def inference(output: Path | None, quick: bool, device: str = "auto", only: tuple[str, ...] = (), **chosen: int | None):
    """Measure inference: cache, attention, ONNX Runtime and int8 on a processor; roofline and eager on a GPU.

    The measurement records are kept beside the benchmark's own; `course measure show` and `verify` read them. A run
    that is ended keeps its samples, and the same command goes on there, except for attention.
    """
    from course.bench.inference_findings import judge
    from course.bench.inference_plot import draw
    from course.bench.inference_runs import attention_trials, measure_all
    from course.bench.inference_settings import PARTS, settings_of
    from course.bench.report import keep, measure, show
    from course.measure.devices import device_named, resolved

    console, folder = Console(), output or build_dir() / "bench"
    named = resolved(device)
    device_named(named)
    given = {name: value for name, value in chosen.items() if value is not None}
    settings = settings_of(named, quick, parts=tuple(part for part in PARTS if not only or part in only), **given)
    record = measure(
        "inference",
        attention_trials(settings),
        settings.seed,
        settings.model_dump(mode="json"),
        lambda samples, findings: judge(settings, samples, findings),
        console,
        lambda: measure_all(settings, console, folder),
    )
    show(record, console)
    keep(record, draw(record), folder, console)
    raise SystemExit(0 if record.passed else 1)
