"""The report of ``course lab check-grading``: as data, and for a person at a terminal."""

from collections import Counter
from collections.abc import Iterable

from pydantic import BaseModel
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from autograder.check_grading.behaviour import Difference
from autograder.check_grading.judging import Verdict
from autograder.check_grading.matrix import Row
from autograder.check_grading.mutation import unified_diff
from course.errors import shown
from course.lab.source import Lab

BAR = 0.95  # of the mutants that are wrong, the share that hidden checks catch


class MutantRecord(BaseModel):
    """What became of a mutant.

    ``caught_by`` is a check, ``timeout`` or ``crash``; where it is None, ``difference`` says how the mutant differs
    from the reference: ``wrong`` (on inputs that the task's text covers, by more than it allows), ``undocumented``
    (on other inputs only), ``latitude`` (never by more than the text allows) or ``none`` (not in anything tried).
    ``differs_on`` is the number of documented inputs on which it is wrong.
    """

    task: str
    operator: str
    line: int
    diff: str
    caught_by: str | None
    difference: Difference | None
    differs_on: int
    example: str
    fault: str | None

    @property
    def change(self) -> str:
        """The new lines of the diff."""
        return " ".join(line[1:].strip() for line in self.diff.splitlines()[3:] if line.startswith("+"))


class MutantReport(BaseModel):
    """All mutants. ``inputs`` counts, by task, the inputs that survivors were tried on, and the documented among them.

    ``share`` is caught / (caught + wrong); ``share_of_all_differences`` counts every mutant that was seen to differ.
    """

    mutants: list[MutantRecord]
    inputs: dict[str, tuple[int, int]]
    share: float
    share_of_all_differences: float


class Report(BaseModel):
    """What the grading of a lab tells apart, and what it does not."""

    lab: str
    seed: int
    solutions: list[Row]
    mutants: MutantReport | None = None

    @property
    def passed(self) -> bool:
        """Whether every known solution earned what it should and enough mutants were caught."""
        if any(row.problems for row in self.solutions):
            return False
        return self.mutants is None or (
            self.mutants.share >= BAR and not any(one.fault for one in self.mutants.mutants)
        )


def mutant_report(lab: Lab, verdicts: Iterable[Verdict], inputs: dict[str, tuple[int, int]]) -> MutantReport:
    """The report of all verdicts, in the order of ``lab.md``."""
    records = [
        MutantRecord(
            task=one.mutant.task,
            operator=one.mutant.operator,
            line=one.mutant.line,
            diff=unified_diff(lab, one.mutant),
            caught_by=one.caught_by,
            difference=one.difference,
            differs_on=one.differs_on,
            example=one.example,
            fault=one.fault,
        )
        for one in sorted(verdicts, key=lambda one: (one.mutant.line, one.mutant.operator, one.mutant.source))
    ]
    found = Counter("caught" if one.caught_by else one.difference for one in records)
    differing = found["caught"] + found[Difference.WRONG]
    all_differing = differing + found[Difference.UNDOCUMENTED] + found[Difference.LATITUDE]
    return MutantReport(
        mutants=records,
        inputs=inputs,
        share=found["caught"] / differing if differing else 1.0,
        share_of_all_differences=found["caught"] / all_differing if all_differing else 1.0,
    )


def print_report(console: Console, lab: Lab, report: Report) -> None:
    """The matrix, the table of mutants, the survivors, and what has to be mended."""
    _print_matrix(console, lab, report.solutions)
    if report.mutants:
        _print_mutants(console, lab, report.mutants)
        _print_survivors(console, lab, report.mutants.mutants)
    verdict = "[green]as it should be[/]" if report.passed else "[red]not yet as it should be[/]"
    console.print(f"The grading of {report.lab} is {verdict}.")


def _print_matrix(console: Console, lab: Lab, rows: list[Row]) -> None:
    numbers = {task_id: str(number) for number, task_id in enumerate(lab.task_ids, 1)}
    listed = ", ".join(f"{number} {task_id}" for task_id, number in numbers.items())
    console.print(f"Points by task: {listed}", soft_wrap=True)
    columns = [Column(number, justify="right") for number in numbers.values()]
    table = Table(Column("Solution", no_wrap=True), *columns, "Fails", box=box.SIMPLE)
    for row in sorted(rows, key=lambda row: (row.task is not None, numbers.get(row.task, ""), row.solution)):
        cells = [str(row.points[task]) if row.points[task] else "[yellow]0[/]" for task in numbers]
        name = escape(row.solution)
        table.add_row(f"[red]{name}[/]" if row.problems else name, *cells, escape(row.fails or ""))
    console.print(table)
    wrong = [row for row in rows if row.task]
    right = sum(not row.problems for row in wrong)
    console.print(f"{right} of {len(wrong)} wrong solutions lose exactly their own task's points, as they say.")
    for problem in (problem for row in rows for problem in row.problems):
        console.print(f"[red]{escape(problem)}[/]", soft_wrap=True)


def _print_mutants(console: Console, lab: Lab, report: MutantReport) -> None:
    kinds = ["caught", *Difference]
    heads = ["Mutants", "Caught", "Wrong", "Undocumented", "Latitude", "None", "Share", "Inputs", "Documented"]
    table = Table(Column("Task", no_wrap=True), *(Column(head, justify="right") for head in heads), box=box.SIMPLE)
    for task_id in [*(task for task in lab.task_ids if task in {one.task for one in report.mutants}), None]:
        ours = [one for one in report.mutants if task_id in (one.task, None)]
        found = Counter("caught" if one.caught_by else one.difference for one in ours)
        counted = found["caught"] + found[Difference.WRONG]
        tried = map(str, report.inputs.get(task_id, ()))
        share = f"{found['caught'] / counted:.1%}" if counted else ""
        table.add_row(task_id or "all", str(len(ours)), *(str(found[kind]) for kind in kinds), share, *tried)
    console.print(table)
    console.print(
        "Mutants that no check fails are [i]wrong[/] where the task's text says what to answer, or they differ only "
        "where it says nothing ([i]undocumented[/]), by no more than the [i]latitude[/] that it leaves, or in nothing "
        "that was tried ([i]none[/]). Share: caught / (caught + wrong).",
        soft_wrap=True,
    )
    console.print(
        f"Hidden checks catch {report.share:.1%} of the mutants that are wrong (the bar is {BAR:.0%}), and "
        f"{report.share_of_all_differences:.1%} of those that differ from the reference in anything that was tried.",
        soft_wrap=True,
    )


def _print_survivors(console: Console, lab: Lab, mutants: list[MutantRecord]) -> None:
    for one in (one for one in mutants if one.fault):
        console.print(f"[red]{shown(lab.path)}:{one.line}: a check stumbles: {escape(one.fault)}[/]", soft_wrap=True)
        console.print(escape(one.diff), soft_wrap=True)
    for one in (one for one in mutants if one.difference is Difference.WRONG):
        where = f"{shown(lab.path)}:{one.line}"
        console.print(f"[red]{where}: wrong and not caught[/] ({one.operator}, on {one.differs_on} inputs)")
        console.print(escape(one.diff) + escape(one.example) + "\n", soft_wrap=True, highlight=False)
    others = {
        Difference.UNDOCUMENTED: "Differ only where the task's text promises nothing:",
        Difference.LATITUDE: "Differ by no more than the task's text allows:",
        Difference.NONE: "No difference found in anything that was tried:",
    }
    for difference, head in others.items():
        listed = [one for one in mutants if one.difference is difference]
        if listed:
            console.print(head)
        for one in listed:
            console.print(f"  {one.line}: {escape(one.change)} [bright_black]({one.operator})[/]", soft_wrap=True)
