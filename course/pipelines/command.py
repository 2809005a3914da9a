"""``course pipelines``: make a data set from raw dialogs, on one machine or on many (Lecture 8)."""

import logging
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table


@click.group()
def pipelines():
    """Raw dialogs to a data set: cleaned, redacted, without duplicates, split by caller."""


@pipelines.command()
@click.option(
    "--input", "inputs", multiple=True, required=True, metavar="PATTERN", help="Files of JSON lines; repeatable."
)
@click.option("--output", required=True, metavar="FOLDER", help="On this machine, or gs://…")
@click.option(
    "--runner",
    default="direct",
    show_default=True,
    help="plain (a loop without Beam), direct, multi-process, portable, or the class of a Beam runner.",
)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--shards", type=click.IntRange(1, 99_999), default=4, show_default=True, help="Files of each part.")
@click.option("--format", "form", type=click.Choice(["jsonl", "parquet"]), default="jsonl", show_default=True)
@click.option("--key", default="lecture 8", show_default=True, help="Of the split: another key, another split.")
@click.option("--near", type=click.FloatRange(0, 1, min_open=True), default=0.7, show_default=True, help="Similarity.")
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED)
def run(inputs, output, runner, workers, shards, form, key, near, beam_options):
    """Make a data set; what is done already is left as it is.

    Options of Beam's own follow a double dash: ``-- --region=europe-west1 --project=…``.
    """
    from course.pipelines.pipeline import run as run_pipeline
    from course.pipelines.stages import Settings

    logging.getLogger("apache_beam").setLevel(logging.ERROR)  # workers warn of what they do not need
    settings = Settings(shards=shards, format=form, key=key, near=near)
    outcome = run_pipeline(inputs, output, settings, runner, workers, beam_options)
    _show(outcome.manifest)
    click.echo(f"Written to {output}." if outcome.ran else f"Nothing to do: {output} is the result of this very run.")


@pipelines.command("make-raw")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--calls", type=click.IntRange(min=0), default=400, show_default=True)
@click.option("--files", type=click.IntRange(min=1), default=4, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def make_raw(folder: Path, calls: int, files: int, seed: int):
    """Write made-up calls with planted defects, to have something to run on."""
    from course.pipelines.made_up import write_raw

    raw = write_raw(folder, calls, files, seed)
    click.echo(f"{len(raw.lines)} lines in {files} files. Planted: {raw.planted}.")


@pipelines.command()
@click.argument("folder")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File of JSON lines."
)
@click.option("--model", type=click.Choice(["templates", "smollm"]), default="templates", show_default=True)
@click.option("--candidates", type=click.IntRange(min=0), default=100, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def generate(folder: str, output: Path, model: str, candidates: int, seed: int):
    """Have a model write more utterances like those of a data set's training part, as further input of a run."""
    from collections import Counter

    from course.pipelines import generating
    from course.pipelines.records import utterances
    from course.pipelines.writing import jsonl_bytes, read_part
    from course.storage import write_atomic

    seeds = [said for record in read_part(folder, "train") for said in utterances(record) if said.n_words >= 5]
    refusals = generating.Refusals(seeds, [record.text for record in read_part(folder, "test")])
    generator = generating.TemplateGenerator() if model == "templates" else generating.LanguageModel()
    kept, dropped = generating.accepted(generating.candidates(seeds, candidates, generator, seed), refusals)
    write_atomic(output, jsonl_bytes(kept))
    click.echo(f"{len(kept)} of {candidates} kept. Refused: {dict(Counter(one.reason for one in dropped))}.")


@pipelines.command()
@click.argument("folder")
def verify(folder: str):
    """Check every shard of a data set against its manifest."""
    from course.pipelines.writing import verify as verify_data_set

    _show(verify_data_set(folder))
    click.echo("Every shard is there, and as the manifest says.")


@pipelines.command("redaction")
@click.option("--dialogs", type=click.IntRange(min=1), default=200, show_default=True)
def redaction(dialogs: int):
    """Measure how much of what is personal the redaction finds in made-up dialogs."""
    from course.pipelines.redaction_measured import WORDINGS, annotated_dialogs, measured, with_form

    table = Table("Wording", "Form", "Recall", "Precision", title="Redaction, 95 % intervals over dialogs")
    for wording in WORDINGS:
        made = annotated_dialogs(dialogs, wording)
        for form, given in (("without names", made), ("with names", with_form(made))):
            found = measured(given)
            table.add_row(wording, form, found.recall.percent(), found.precision.percent())
    Console().print(table)


def _show(manifest) -> None:
    table = Table(
        "Stage", "Reason", "Times", title=f"{manifest.count('written')} records in {len(manifest.shards)} shards"
    )
    for stage, reasons in manifest.counts.items():
        for reason, times in reasons.items():
            table.add_row(stage, reason, str(times))
    Console().print(table)
