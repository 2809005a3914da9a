"""The table of the corpus: case, status, score, and what stock nbgrader does with the same submission.

Run as a program, outside of the tests::

    python tests/autograder/hostile/table.py OUT_FOLDER [--only NAME ...] [--workers 2] [--without-stock]

Our grader grades every case in one class; stock nbgrader autogrades each in a throw-away sandbox of its own. Both
records are kept as JSON in the folder, so that a run that was interrupted goes on where it stopped, and ``table.md``
is written from them.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import click
from hostile_cases import CASES, SUBJECTS
from hostile_cases.case import LAB_ID, POINTS, SECRET, STRANGER, Case, Site, the_lab
from rich.console import Console
from stock_nbgrader.outside import SECONDS, StockOutcome, autograded, stock_class

from autograder.classroom import grade_class
from autograder.sandbox import Bubblewrap
from course.storage import write_atomic

FULL = sum(POINTS.values())
HEAD = f"| Case | What it does | Status | Points of {FULL} | Stock nbgrader 0.9.6 |\n|---|---|---|---|---|\n"
TITLES = {
    "forgery": "Forged verdicts: nothing is solved, so every point is forged",
    "answers": "Answers that are none",
    "escape": "Reaching outside: the tasks are solved, the attack is in a cell beside them",
    "exhaustion": "Time, memory, processes, disk, output",
    "files": "Files, names and damaged notebooks",
    "archives": "Archives",
    "innocent": "Honest work that a careless grader punishes",
}


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--only", multiple=True, metavar="NAME", help="A case, or a subject; all if not given.")
@click.option("--workers", default=2, show_default=True, help="Stock sandboxes at once.")
@click.option("--without-stock", is_flag=True, help="Grade with our grader alone.")
def main(out: Path, only: tuple[str, ...], workers: int, without_stock: bool) -> None:
    """Grade the corpus with our grader and with stock nbgrader, and write OUT/table.md."""
    order = [case for subject in TITLES for case in CASES.values() if case.subject == subject]
    chosen = [case for case in order if not only or {case.name, case.subject} & set(only)]
    ours, stock = out / "ours.json", out / "stock.json"
    if not without_stock:
        _keep(stock, _stock(_missing(stock, chosen), workers))
    _keep(ours, _ours(_missing(ours, chosen)))
    write_atomic(out / "table.md", "".join(_table(_kept(ours), _kept(stock))))
    click.echo(out / "table.md")


def _missing(path: Path, cases: list[Case]) -> list[Case]:
    return [case for case in cases if case.name not in _kept(path)]


def _kept(path: Path) -> dict[str, dict]:
    return json.loads(path.read_bytes()) if path.exists() else {}


def _keep(path: Path, records: Iterable[tuple[str, dict]]) -> None:
    """Add records to a file as they come."""
    for name, record in records:
        write_atomic(path, json.dumps(_kept(path) | {name: record}, indent=1, ensure_ascii=True))


def _ours(cases: list[Case]) -> Iterator[tuple[str, dict]]:
    """Grade the cases in one class."""
    if not cases:
        return
    os.environ["GRADER_SECRET"] = SECRET
    with tempfile.TemporaryDirectory(prefix="hostile-class-") as folder:
        site = Site(Path(folder), tcp=40_001, udp=40_002, abstract="a-service")
        (site.root / "source" / LAB_ID).mkdir(parents=True)
        (site.root / "source" / LAB_ID / f"{LAB_ID}.ipynb").write_text("{}")
        for case in cases:
            submission = site.root / "submitted" / case.folder / LAB_ID
            submission.mkdir(parents=True)
            case.hand_in(site, submission)
        report = grade_class(site.root, Bubblewrap(), 2, [the_lab()], Console(file=sys.stderr))
        results = {result.student: result for result in report.results}
        for case in cases:
            yield case.name, _our_record(case, results.get(case.folder))


def _our_record(case: Case, result) -> dict:
    if result is None:
        return {"status": STRANGER, "score": 0, "sentence": "The folder is not read, and the instructor is told."}
    return {"status": str(result.status), "score": result.score, "sentence": result.sentence, "notes": result.notes}


def _stock(cases: list[Case], workers: int) -> Iterator[tuple[str, dict]]:
    if not cases:
        return
    with stock_class() as root, ThreadPoolExecutor(workers) as pool:
        running = {pool.submit(autograded, root, case): case for case in cases}
        for done in as_completed(running):
            case = running[done]
            try:
                yield case.name, asdict(done.result())
            except (RuntimeError, subprocess.SubprocessError) as error:
                click.echo(f"{case.name} has no record, run again for it: {error}", err=True)


def _in_words(outcome: StockOutcome) -> str:
    """What stock nbgrader did, for the table."""
    if not outcome.ended:
        ending = f"not done after {SECONDS} s"
    elif outcome.exit_code:
        ending = "stops with an error"
    elif outcome.score is None:
        ending = "no grade"
    else:
        ending = f"{outcome.score:g} of {outcome.full:g}"
    ways = outcome.said.removeprefix("succeeded: ").count(", ") + 1
    attack = [f"the attack succeeds in {ways} ways"] if outcome.said.startswith("succeeded") else []
    return "; ".join([ending, *attack, *outcome.harm])


def _table(ours: dict[str, dict], stock: dict[str, dict]) -> Iterator[str]:
    for subject, title in TITLES.items():
        rows = [case for case in CASES.values() if case.subject == subject and case.name in ours]
        if not rows:
            continue
        yield f"## {title}\n\n{HEAD}"
        for case in rows:
            mine = ours[case.name]
            theirs = _in_words(StockOutcome(**stock[case.name])) if case.name in stock else "not run"
            cells = (f"`{case.name}`", case.what, mine["status"], str(mine["score"]), theirs)
            yield "| " + " | ".join(_cell(cell) for cell in cells) + " |\n"
        yield "\n"


def _cell(text: str) -> str:
    readable = "".join(letter if letter.isprintable() else "?" for letter in text)
    return readable.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    assert set(TITLES) == set(SUBJECTS)
    main()
