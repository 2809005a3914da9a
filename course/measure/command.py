"""``course measure``: measure inference, show a record, verify it, and rehearse the classic mistakes."""

from pathlib import Path

import click
from rich.console import Console

QUICK = {"rounds": 3, "processes": 1, "window": 2, "prompt": 32, "generated": 9, "ceiling_seconds": 0.05}


class Numbers(click.ParamType):
    """Numbers separated by commas."""

    name = "numbers"

    def __init__(self, kind: type):
        self.kind = kind

    def convert(self, value, parameter, context):
        if isinstance(value, tuple):
            return value
        try:
            return tuple(self.kind(part) for part in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is no list of numbers such as 1,4,16.", parameter, context)


@click.group()
def measure():
    """Measure inference so that the numbers can be defended: raw samples, parity first, intervals."""


@measure.command()
@click.option(
    "--backends", default="eager,sdpa", show_default=True, help="Names, by commas; the first is the baseline."
)
@click.option("--model", default="smollm2", show_default=True, help="smollm2, tiny, llama-1b, llama-8b.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:N, auto, or fake.")
@click.option("--dtype", type=click.Choice(["float32", "bfloat16", "float16"]), default="float32", show_default=True)
@click.option("--scenario", type=click.Choice(["single-stream", "offline", "server"]), default="single-stream")
@click.option("--batches", type=Numbers(int), help="Sequences side by side (offline), such as 1,4,16.")
@click.option("--rates", type=Numbers(float), help="Requests a second (server), such as 0.5,1,2.")
@click.option("--objective", type=float, help="Seconds that a share of the requests should stay below (server).")
@click.option("--share", type=float, help="That share, 0.9 if not given (server).")
@click.option("--requests", type=int, help="Of each variant in each process (server).")
@click.option("--prompt", type=int, help="Tokens that are read.")
@click.option("--generated", type=int, help="Tokens that are written.")
@click.option("--rounds", type=int, help="Trials of each variant in each process.")
@click.option("--processes", type=int, help="Fresh processes; at least 3 for a speed-up.")
@click.option("--window", type=int, help="Trials: warming up ends when so many are not faster than as many before.")
@click.option("--threads", type=int, default=1, show_default=True, help="Of the processor.")
@click.option("--shards", type=int, help="Processes that share the model (tensor-parallel, deepspeed); 2 if not given.")
@click.option("--port", type=int, help="Of their group on this machine; a free one if not given.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of prompts and order.")
@click.option("--lab", default="", help="Id of the lab that the record is for.")
@click.option("--nonce", default="", help="What the grader gave out.")
@click.option("--quick", is_flag=True, help="One process and a few small trials: shows that it works, judges nothing.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The record; in build/measure if not given."
)
def run(backends: str, quick: bool, output: Path | None, **options):
    """Measure backends in turns, in fresh processes, and keep every raw sample.

    A run that is ended keeps what it has; the same command goes on there.

    \b
    The exit status is
      0  when all backends were measured,
      1  when one could not be; a record of the others is kept, unless the baseline is missing,
      2  when the command line is wrong.
    """
    from course.errors import shown
    from course.kit import build_dir
    from course.measure.plan import Plan
    from course.measure.report import show, summary
    from course.measure.runner import finish
    from course.measure.runner import run as measure_all
    from course.measure.verify import verify

    given = {name: value for name, value in options.items() if value is not None}
    names = tuple(name.strip() for name in backends.split(",") if name.strip())
    plan = Plan.checked(backends=names, **((QUICK if quick else {}) | given))
    console = Console()
    record = measure_all(plan, console)
    path = output or build_dir() / "measure" / f"{plan.model}-{plan.scenario}-{plan.key}.json"
    record.write(path)
    finish(plan)
    show(record, console)
    console.print(f"{summary(verify(record))} Record: {shown(path)}", soft_wrap=True, highlight=False)
    raise SystemExit(1 if record.faults else 0)


@measure.command("show")
@click.argument("record", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with plots there.")
def show_record(record: Path, html: Path | None):
    """Show a record: medians with intervals, speed-ups, and what is refused."""
    from course.errors import shown
    from course.measure.record import read
    from course.measure.report import show, write_page

    found, console = read(record), Console()
    show(found, console)
    if html:
        write_page(found, html)
        console.print(f"Page: {shown(html)}", soft_wrap=True, highlight=False)


@measure.command("verify")
@click.argument("record", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--lab", default="", help="The lab that it has to be of.")
@click.option("--nonce", help="The nonce that was given out; any if not given.")
def verify_record(record: Path, lab: str, nonce: str | None):
    """Recompute everything from the raw samples, and say what holds.

    \b
    The exit status is
      0  when every rule holds that can be judged,
      1  when one does not, or the record is refused,
      2  when the command line is wrong.
    """
    from course.measure.record import accept, read
    from course.measure.report import summary
    from course.measure.verify import holds, show_findings, verify

    found, console = accept(read(record), lab, nonce), Console()
    findings = verify(found)
    show_findings(findings, console)
    console.print(summary(findings), highlight=False)
    raise SystemExit(0 if holds(findings) else 1)


@measure.command("leaderboard")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--remeasured", type=click.Path(file_okay=False, path_type=Path), help="Folder of the grader's own records."
)
@click.option("--lab", default="", help="The lab that all have to be of; what each record names if not given.")
@click.option("--nonce", help="The nonce that was given out; any if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON there, too.")
def show_board(folder: Path, remeasured: Path | None, lab: str, nonce: str | None, as_json: bool, output: Path | None):
    """Rank the measurement records below FOLDER: verified, self-reported or refused.

    A record has a rank if the grader measured the same code, variant and work, and the intervals of the speed-up
    overlap. All others are shown with the reason.
    """
    from course.measure.leaderboard import leaderboard, show_leaderboard
    from course.storage import write_atomic

    found = leaderboard(folder, remeasured, lab, nonce)
    text = found.model_dump_json(indent=1)
    if output:
        write_atomic(output, text + "\n")
    if as_json:
        click.echo(text)
    else:
        show_leaderboard(found, Console())


@measure.command()
@click.option("--seed", type=int, default=0, show_default=True, help="Of the fake device.")
def rehearse(seed: int):
    """Plant the classic mistakes on a made-up device, and show which rule finds each."""
    from course.measure.rehearsal import rehearse as take_all
    from course.measure.rehearsal import show_matrix

    show_matrix(take_all(seed), Console())
