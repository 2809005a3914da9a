"""``course lab check-grading``: the matrix of known solutions, and mechanical mutants of the reference."""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import track

from autograder.check_grading.behaviour import comparisons
from autograder.check_grading.judging import compared, judged_by_checks
from autograder.check_grading.matrix import graded_solutions
from autograder.check_grading.mutation import Mutant, mutants_of
from autograder.check_grading.report import MutantReport, Report, mutant_report, print_report
from course.lab.source import Lab, find_lab
from course.storage import write_atomic

PIPE_WIDTH = 120


@click.command("check-grading")
@click.argument("name", metavar="LAB")
@click.option("--task", "tasks", multiple=True, help="Only this task; may be given several times.")
@click.option("--seed", default=0, show_default=True, help="What hidden inputs and samples are drawn from.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes at a time; one per core if not given.")
@click.option("--no-mutants", is_flag=True, help="Grade the known solutions only.")
@click.option("--sample", type=click.IntRange(min=1), help="Only so many mutants, drawn at random.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the report as JSON to this file.")
def check_grading(name, tasks, seed, jobs, no_mutants, sample, as_json, output):
    """Try the grading of LAB on solutions whose verdict is known.

    The reference, the untouched release and the wrong solutions are graded in the sandbox. Then the reference is
    changed mechanically, one small mistake at a time; the hidden checks should fail at least 95 % of what that makes
    wrong. Mutants run on this machine, in processes with limits: they are made of the lab's own code.

    \b
    The exit status is
      0  when all known solutions earn what they should, and enough mutants are caught,
      1  when not, or when the lab has a mistake.
    """
    lab = find_lab(name)
    if unknown := set(tasks) - set(lab.task_ids):
        raise click.BadParameter(f"{lab.id} has no task {unknown.pop()}; its tasks are {', '.join(lab.task_ids)}.")
    chosen = [task_id for task_id in lab.task_ids if task_id in (tasks or lab.task_ids)]
    jobs = jobs or len(os.sched_getaffinity(0))
    report = check_lab(lab, chosen, seed, jobs, mutants=not no_mutants, sample=sample)
    if output:
        write_atomic(output, report.model_dump_json(indent=2) + "\n")
    if as_json:
        click.echo(report.model_dump_json(indent=2))
    else:
        print_report(_console(), lab, report)
    sys.exit(0 if report.passed else 1)


def check_lab(
    lab: Lab, task_ids: list[str], seed: int, jobs: int, mutants: bool = True, sample: int | None = None
) -> Report:
    """Grade the known solutions of these tasks, judge their mutants, and report."""
    n_wrong = sum(one.task in task_ids for one in lab.wrong)
    rows = list(_tracked(graded_solutions(lab, task_ids, seed, jobs), "Grading solutions", n_wrong + 2))
    found = check_mutants(lab, task_ids, seed, jobs, sample) if mutants else None
    return Report(lab=lab.id, seed=seed, solutions=rows, mutants=found)


def check_mutants(lab: Lab, task_ids: list[str], seed: int, jobs: int, sample: int | None = None) -> MutantReport:
    """Judge mutants of these tasks' references by the hidden checks, and compare survivors with the reference.

    Args:
        lab: a valid lab.
        task_ids: whose references.
        seed: what hidden inputs, the inputs for comparison and the sample are drawn from.
        jobs: processes at a time.
        sample: only so many mutants, drawn at random; all of them if not given.
    """
    mutants = [mutant for task_id in task_ids for mutant in mutants_of(lab, task_id)]
    if sample is not None and sample < len(mutants):
        drawn = np.random.default_rng(seed).permutation(len(mutants))[:sample]
        mutants = [mutants[index] for index in sorted(drawn)]
    judged = list(_tracked(judged_by_checks(lab, mutants, seed, jobs), "Checking mutants", len(mutants)))
    done = [one for one in judged if one.caught_by or one.fault]
    survivors: list[Mutant] = [one.mutant for one in judged if not (one.caught_by or one.fault)]
    of_tasks = [task_id for task_id in task_ids if task_id in {one.task for one in survivors}]
    inputs = comparisons(lab, of_tasks, seed, jobs)
    done += _tracked(compared(lab, survivors, inputs, jobs), "Comparing survivors", len(survivors))
    counts = {name: (len(one.inputs), sum(given.documented for given in one.inputs)) for name, one in inputs.items()}
    return mutant_report(lab, done, counts)


def _console() -> Console:
    """The terminal; in a pipe or a file there is room for the tables."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)


def _tracked(items: Iterable, description: str, total: int) -> Iterator:
    """The items, with a progress bar on a terminal's error stream."""
    console = Console(stderr=True)
    return track(items, description, total, console=console, transient=True, disable=not console.is_terminal)
