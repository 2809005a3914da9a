"""Everything in a record computed again from its raw samples: what holds and what does not (Lecture 11)."""

from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from course.measure.record import Record
from course.measure.rules import RULES, SHOWN, Rule

WORDS = {True: "[green]holds[/]", False: "[red]does not hold[/]", None: "[dim]not judged[/]"}


@dataclass(frozen=True)
class Finding:
    """What came of a rule: ``held`` is None where the record has nothing that the rule could judge."""

    rule: Rule
    held: bool | None
    sentences: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """The first sentences, and how many more there are."""
        more = len(self.sentences) - SHOWN
        return " ".join(self.sentences[:SHOWN]) + (f" And {more} more." if more > 0 else "")


def verify(record: Record) -> tuple[Finding, ...]:
    """All rules, in their order."""
    findings = []
    for rule in RULES:
        sentences = rule.check(record)
        findings.append(Finding(rule, None if sentences is None else not sentences, tuple(sentences or ())))
    return tuple(findings)


def holds(findings: tuple[Finding, ...]) -> bool:
    """Whether no rule is broken."""
    return all(finding.held is not False for finding in findings)


def show_findings(findings: tuple[Finding, ...], console: Console) -> None:
    """Print a table of what holds and what does not."""
    table = Table(title="Recomputed from the raw samples", show_lines=True)
    table.add_column("Rule", no_wrap=True)
    table.add_column("What has to hold")
    table.add_column("Found")
    for finding in findings:
        found = WORDS[finding.held] + (f"\n{escape(finding.summary)}" if finding.sentences else "")
        table.add_row(finding.rule.name, finding.rule.states, found)
    console.print(table)
