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
    help="plain (a loop), direct, multi-process, portable, cluster (Dask), or the class of a Beam runner.",
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


@pipelines.command("make-log")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--events", type=click.IntRange(min=0), default=2000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def make_log(file: Path, events: int, seed: int):
    """Write a made-up call log in which lines come late, twice, in disorder and broken."""
    from course.pipelines.made_up import write_log

    raw = write_log(file, events, seed)
    click.echo(f"{len(raw.lines)} lines in order of arrival. Planted: {raw.planted}.")


@pipelines.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--size", type=click.FloatRange(min=0, min_open=True), default=600, show_default=True, help="Window, s.")
@click.option("--lateness", type=click.FloatRange(min=0), default=1800, show_default=True, help="Allowed, seconds.")
@click.option("--lag", type=click.FloatRange(min=0), default=120, show_default=True, help="Of the watermark, seconds.")
@click.option("--engine", type=click.Choice(["plain", "beam"]), default="plain", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The panes, as JSON lines.")
def stream(files: tuple[Path, ...], size: float, lateness: float, lag: float, engine: str, output: Path | None):
    """Play call logs as a stream: statistics for each queue and window, on time and again when a late event comes.

    The lines of a log are in the order in which they arrived. Both engines give the same panes.
    """
    from course.pipelines import streaming
    from course.storage import write_atomic

    lines = _lines_of(files)
    script, dead = streaming.script_of(lines, lag)
    if engine == "beam":
        from course.pipelines.stream_transforms import panes_through_beam

        given = panes_through_beam(script, size, lateness)
    else:
        given = sorted(streaming.panes(script, size, lateness)[0], key=streaming.pane_order)
    if output:
        write_atomic(output, "".join(f"{streaming.pane_line(pane)}\n" for pane in given))
    table = Table("What", "Times", title=f"{len(lines)} lines, windows of {size:g} s")
    for what, times in streaming.summary(script, given).items():
        table.add_row(what, str(times))
    table.add_row("lines that are no event", str(len(dead)))
    Console().print(table)


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


@pipelines.command()
@click.argument("source")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="JSON lines.")
@click.option("--file", help="Of message trees in the layout of OpenAssistant.")
@click.option("--licence", help="Of that file: an SPDX identifier such as Apache-2.0.")
def collect(source: str, output: Path, file: str | None, licence: str | None):
    """Bring an open corpus into the form that `run` or `speech` reads.

    SOURCE is harper-valley or message-trees (dialogs, for `run`), fsdd or librispeech-test-other (recordings, for
    `speech`).
    """
    from collections import Counter

    from course.pipelines.collecting import collect as collect_from
    from course.pipelines.records import DeadLetter
    from course.storage import write_atomic

    found = list(collect_from(source, file, licence))
    kept = [one for one in found if not isinstance(one, DeadLetter)]
    write_atomic(output, "".join(f"{one.line}\n" for one in kept))
    refused = Counter(one.reason for one in found if isinstance(one, DeadLetter))
    click.echo(f"{len(kept)} of {len(found)} written to {output}. Refused: {dict(refused)}.")


@pipelines.command()
@click.argument("list_file", metavar="LIST")
@click.option("--output", required=True, metavar="FOLDER", help="On this machine, or gs://…")
@click.option("--runner", default="direct", show_default=True, help="As for `run`, but for cluster.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--rate", type=click.Choice(["8000", "16000"]), default="8000", show_default=True, help="Hz.")
@click.option("--shards", type=click.IntRange(1, 99_999), default=2, show_default=True, help="Archives of each part.")
@click.option("--key", default="lecture 8", show_default=True, help="Of the split: another key, another split.")
@click.option("--validation", type=click.FloatRange(0, 0.5, True, True), default=0.1, show_default=True)
@click.option("--test", type=click.FloatRange(0, 0.5, True, True), default=0.1, show_default=True)
@click.argument("beam_options", nargs=-1, type=click.UNPROCESSED)
def speech(list_file, output, runner, workers, rate, shards, key, validation, test, beam_options):
    """Make a data set of the recordings in LIST: one rate, no silence, no duplicates, FLAC, split by speaker."""
    from course.pipelines.sound import Settings
    from course.pipelines.speech_sets import make_speech_set, seconds_of_speakers

    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    settings = Settings(sample_rate=int(rate), shards=shards, key=key, validation=validation, test=test)
    outcome = make_speech_set(list_file, output, settings, runner, workers, beam_options)
    table = Table("Part", "Speakers", "Seconds", title=f"{outcome.manifest.count('written')} recordings")
    for part, seconds in seconds_of_speakers(outcome.manifest).items():
        table.add_row(part, str(len(seconds)), f"{sum(seconds.values()):.1f}")
    Console().print(table)
    click.echo(f"Written to {output}." if outcome.ran else f"Nothing to do: {output} is the result of this very run.")


@pipelines.command()
@click.option("--input", "inputs", multiple=True, required=True, metavar="gs://…", help="A file; repeatable.")
@click.option("--output", required=True, metavar="gs://…", help="Folder.")
@click.option("--project", required=True, help="Of Google Cloud.")
@click.option("--region", default="europe-west1", show_default=True)
@click.option("--bucket", required=True, metavar="gs://…", help="For what Beam stages.")
@click.option("--image", required=True, help="Container image of the workers, with this package in it.")
@click.option("--workers", type=click.IntRange(min=1), default=10, show_default=True, help="At most.")
def job(inputs, output, project, region, bucket, image, workers):
    """Show the job that `run --runner DataflowRunner` would start on Dataflow; start nothing."""
    import json
    import shlex

    from course.pipelines import dataflow
    from course.pipelines.stages import Settings

    made = dataflow.job(inputs, output, Settings(), project, region, bucket, image, workers)
    click.echo(json.dumps(made, indent=1, sort_keys=True))
    given = [word for name in inputs for word in ("--input", name)] + ["--output", output]
    beam_options = dataflow.options(project, region, bucket, image, workers)
    words = ["course", "pipelines", "run", "--runner", dataflow.RUNNER, *given, "--", *beam_options]
    click.echo(f"{dataflow.NOT_DONE} To start it:\n{shlex.join(words)}")


@pipelines.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--runner", default="plain", show_default=True, help="As for `run`.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--candidates", type=click.IntRange(min=0), default=100, show_default=True, help="To be generated.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of what is generated.")
@click.option("--wait", type=click.IntRange(min=0), default=0, show_default=True, help="For another night, seconds.")
def nightly(folder: Path, runner: str, workers: int, candidates: int, seed: int, wait: int):
    """Do what is to be done of a night's work on FOLDER: collect, run, verify, generate, run again, stream.

    The work is that of a script, course/pipelines/nightly.sh, whose head says what FOLDER holds.
    """
    import subprocess

    from course.pipelines.nightly import command, environment

    settings = {"runner": runner, "workers": workers, "candidates": candidates, "seed": seed, "wait": wait}
    raise SystemExit(subprocess.run(command(folder), env=environment(settings)).returncode)


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


def _lines_of(files: tuple[Path, ...]) -> list[bytes]:
    from course.pipelines.files import open_for_reading
    from course.pipelines.records import read_lines

    lines = []
    for file in files:
        with open_for_reading(str(file)) as opened:
            lines += [line.rstrip(b"\r\n") for _, line in read_lines(opened)]
    return lines


def _show(manifest) -> None:
    table = Table(
        "Stage", "Reason", "Times", title=f"{manifest.count('written')} records in {len(manifest.shards)} shards"
    )
    for stage, reasons in manifest.counts.items():
        for reason, times in reasons.items():
            table.add_row(stage, reason, str(times))
    Console().print(table)
