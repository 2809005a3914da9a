"""What a check of the site found: a table for people, JSON for programs."""

from pydantic import BaseModel, computed_field
from rich.console import Console
from rich.table import Table


class Finding(BaseModel):
    """One thing to mend: the page it was seen on, and a sentence."""

    page: str
    message: str


class CheckResult(BaseModel):
    """The outcome of one check over the whole site.

    Attributes:
        name: as ``course site check --only`` takes it.
        covered: what was looked at, such as "14 pages in 3 views".
        findings: what is to be mended; none means passed.
    """

    name: str
    covered: str
    findings: list[Finding] = []

    @computed_field
    @property
    def passed(self) -> bool:
        return not self.findings


class PageWeight(BaseModel):
    """Gzipped bytes that a first visit transfers, with figures and audio counted apart."""

    page: str
    kind: str
    text: int
    figures: int
    audio: int
    limit: int | None


class PageScore(BaseModel):
    """Lighthouse's mobile scores of one page, 0 to 100; ``performance`` holds every run, the best one counts."""

    page: str
    performance: list[int]
    accessibility: int
    best_practices: int
    seo: int


class Report(BaseModel):
    """All checks of one site."""

    site: str
    checks: list[CheckResult] = []
    weights: list[PageWeight] = []
    scores: list[PageScore] = []

    @computed_field
    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    def print(self, console: Console) -> None:
        """Tables first, then every finding with its page."""
        if self.weights:
            console.print(_weight_table(self.weights))
        if self.scores:
            console.print(_score_table(self.scores))
        console.print(_check_table(self.checks))
        for check in self.checks:
            for finding in check.findings:
                console.print(f"[red]{check.name}[/] {finding.page}: ", end="")
                console.print(finding.message, markup=False, highlight=False, soft_wrap=True)


def _weight_table(weights: list[PageWeight]) -> Table:
    table = Table(title="Weight of a first visit, gzipped, KiB")
    table.add_column("page")
    for column in ("text and code", "limit", "figures", "audio"):
        table.add_column(column, justify="right")
    for weight in weights:
        limit = f"{weight.limit / 1024:.0f}" if weight.limit else ""
        sizes = [f"{size / 1024:.1f}" for size in (weight.text, weight.figures, weight.audio)]
        table.add_row(weight.page, sizes[0], limit, *sizes[1:])
    return table


def _score_table(scores: list[PageScore]) -> Table:
    table = Table(title="Lighthouse, mobile (performance is noisy: up to 3 runs, the best counts)")
    table.add_column("page")
    for column in ("performance", "accessibility", "best practices", "SEO"):
        table.add_column(column, justify="right")
    for score in scores:
        runs = f"{max(score.performance)}"
        if len(score.performance) > 1:
            runs += f" (best of {', '.join(map(str, score.performance))})"
        table.add_row(score.page, runs, str(score.accessibility), str(score.best_practices), str(score.seo))
    return table


def _check_table(checks: list[CheckResult]) -> Table:
    table = Table(title="course site check")
    for column in ("check", "covered", "result"):
        table.add_column(column)
    for check in checks:
        result = "[green]passed[/]" if check.passed else f"[red]{len(check.findings)} to mend[/]"
        table.add_row(check.name, check.covered, result)
    return table
