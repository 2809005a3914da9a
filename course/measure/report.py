"""A record shown: a table, plots, and a page that needs neither a server nor a network (Lecture 11)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import tinycss2
from jinja2 import Environment, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from course import kit
from course.bench.statistics import Interval
from course.errors import CourseError
from course.measure import plots, statistics
from course.measure.record import Phase, Record
from course.measure.rules import latency, roofline_seconds
from course.measure.statistics import Estimate
from course.measure.verify import Finding, verify
from course.plotting import GRID, INK, described
from course.storage import write_atomic

VERDICTS = {True: "holds", False: "does not hold", None: "not judged"}
DASH = "–"


@dataclass(frozen=True)
class Line:
    """A row of the table: a variant in a phase.

    Attributes:
        median: seconds per step.
        speed_up: over the baseline; None for the baseline itself.
        tokens_per_second: of all sequences together.
        roofline: share of the roofline's speed that was reached, None where there is none.
        in_processor_time: the speed-up without what other programs took, where they took much.
    """

    variant: str
    phase: str
    median: Estimate
    speed_up: Estimate | None
    tokens_per_second: float | None
    roofline: float | None
    in_processor_time: Estimate | None

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as it is shown."""
        if self.median.value is None:
            return (self.variant, self.phase, "refused", DASH, DASH, DASH, DASH)
        ratio = self.speed_up
        shown_ratio = "baseline" if ratio is None else DASH if ratio.value is None else f"{ratio.value:#.3g} ×"
        return (
            self.variant,
            self.phase,
            f"{1e3 * self.median.value:#.3g}",
            _ends(self.median.interval, 1e3),
            _grouped(self.tokens_per_second),
            shown_ratio + (f" ({_ends(ratio.interval)})" if ratio and ratio.value is not None else ""),
            DASH if self.roofline is None else f"{self.roofline:.0%}",
        )

    @property
    def remarks(self) -> Iterator[str]:
        """What has to be said beside the row: refusals and doubts."""
        if self.median.refused:
            yield self.median.refused
            return
        if self.median.doubt:
            yield f"{self.variant}, {self.phase}: {self.median.doubt}."
        if self.speed_up is not None and self.speed_up.refused:
            yield f"{self.variant}, {self.phase}: no speed-up, because {self.speed_up.refused}"
        if self.in_processor_time is not None and self.in_processor_time.value is not None:
            ratio = self.in_processor_time
            yield (
                f"{self.variant}, {self.phase}: in processor time the speed-up is {ratio.value:#.3g} × "
                f"({_ends(ratio.interval)})."
            )


COLUMNS = ("Variant", "Phase", "ms a step", "95 %", "Tokens/s", "Speed-up (95 %)", "Roofline")


def lines(record: Record) -> list[Line]:
    """The table's rows."""
    found = []
    for variant in record.variants:
        for phase in statistics.phases_of(record, variant.name):
            found.append(_line(record, variant.name, phase))
    return found


def remarks(record: Record) -> list[str]:
    """Refusals, doubts and faults, each once, as sentences."""
    found = [remark for line in lines(record) for remark in line.remarks]
    return list(dict.fromkeys([*found, *(estimate.refused for _, estimate in served(record) if estimate.refused)]))


def served(record: Record) -> list[tuple[str, Estimate]]:
    """Of the server scenario: each variant with the latency that the share of its requests stays below."""
    if record.load is None:
        return []
    names = [variant.name for variant in record.variants]
    return [(name, latency(record, name, record.load.share)) for name in names]


PARITY_COLUMNS = (
    "Variant",
    "Numbers",
    "Relative error",
    "Divergence, nats",
    "Top-1",
    "Greedy tokens",
    "MiB: predicted, process",
)


def parity_cells(record: Record, name: str) -> tuple[str, ...]:
    """A variant's parity with its reference, the memory that was predicted, and the peak of its whole process."""
    variant = record.variant(name)
    peak = max((trial.memory.allocated for trial in record.trials if trial.variant == name), default=None)
    memory = ", ".join(DASH if held is None else f"{held / 2**20:,.0f}" for held in (variant.memory_predicted, peak))
    parity = variant.parity
    if parity is None:
        return (name, variant.dtype, *(["not compared"] + [DASH] * 3), memory)
    return (
        name,
        variant.dtype,
        f"{max(parity.rel_l2):.2g}" if parity.whole else DASH,
        f"{sum(parity.kl) / len(parity.kl):.2g}" if parity.whole else DASH,
        f"{sum(parity.top1) / len(parity.top1):.1%}",
        f"{parity.agreement:.1%}",
        memory,
    )


def show(record: Record, console: Console) -> None:
    """Print what was measured, parity, what was refused, and faults."""
    table = Table(title=f"{record.scenario}: {record.device.name}")
    for place, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if place < 2 else "right")
    for line in lines(record):
        table.add_row(*map(escape, line.cells))
    if table.row_count:
        console.print(table)
    parity = Table(title="Answers, compared with the baseline's; memory predicted, and the peak of the whole process")
    for place, column in enumerate(PARITY_COLUMNS):
        parity.add_column(column, justify="left" if place < 2 else "right")
    for variant in record.variants:
        parity.add_row(*map(escape, parity_cells(record, variant.name)))
    console.print(parity)
    for name, found in served(record):
        if found.value is not None:
            console.print(f"{escape(name)}: {_served_words(record, found)}", soft_wrap=True, highlight=False)
    for remark in remarks(record):
        console.print(f"[yellow]![/] {escape(remark)}", soft_wrap=True, highlight=False)
    for fault in record.faults:
        console.print(f"[red]failed[/] {escape(fault)}", soft_wrap=True, highlight=False)


def write_page(record: Record, path: Path) -> None:
    """Write the report as one HTML file in the look of the site.

    Raises:
        CourseError: the site's style sheet is not there.
    """
    theme = kit.root() / "book" / "theme"
    environment = Environment(
        loader=PrefixLoader(
            {"measure": PackageLoader("course.measure"), "theme": FileSystemLoader(theme / "templates")}
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("measure/report.html").render(
        record=record,
        styles=_style_sheet(theme / "static" / "site.css"),
        columns=COLUMNS,
        lines=lines(record),
        parity_columns=PARITY_COLUMNS,
        parity=[parity_cells(record, variant.name) for variant in record.variants],
        served=[(name, _served_words(record, found)) for name, found in served(record) if found.value is not None],
        remarks=remarks(record),
        figures=list(_figures(record)),
        title=f"{record.scenario.capitalize()} on {record.device.name}",
        findings=[(finding, VERDICTS[finding.held]) for finding in verify(record)],
        facts=list(_facts(record)),
    )
    write_atomic(path, page)


def _line(record: Record, name: str, phase: Phase) -> Line:
    variant, middle = record.variant(name), statistics.median(record, name, phase)
    trial = record.measured(name)[0]
    steps = trial.timing(phase).steps
    least = roofline_seconds(record, variant, trial, phase)
    reference = variant.parity.reference if variant.parity else record.baseline
    tokens = variant.batch * (trial.prompt if phase == "prefill" else 1)
    known, share = middle.value is not None, statistics.share_computed(record, name, phase)
    shared = name != reference and share is not None and share < statistics.HAD
    return Line(
        variant=name,
        phase=phase,
        median=middle,
        speed_up=None if name == reference else statistics.speed_up(record, name, phase),
        tokens_per_second=tokens / middle.value if known else None,
        roofline=least / (middle.value * steps) if known and least else None,
        in_processor_time=statistics.speed_up(record, name, phase, clock="process_seconds") if shared else None,
    )


def _served_words(record: Record, found: Estimate) -> str:
    load = record.load
    met = (
        "met" if found.interval.high <= load.objective else "missed" if found.interval.low > load.objective else "open"
    )
    words = {
        "met": "the objective is met",
        "missed": "the objective is missed",
        "open": "whether the objective is met stays open",
    }
    return (
        f"{load.share:.0%} of {found.n} requests are answered within {1e3 * found.value:.4g} ms "
        f"({_ends(found.interval, 1e3)}); {words[met]}, {1e3 * load.objective:.4g} ms."
    )


def _figures(record: Record) -> Iterator[tuple[str, Markup]]:
    """Each plot that the record supports, as SVG in the page's colours, with its caption."""
    phases = {phase for variant in record.variants for phase in statistics.phases_of(record, variant.name)}
    drawings: list[tuple[str, str, Callable[[Record], Axes]]] = [
        (
            "Roofline: what was reached, under what the device can do.",
            "Rate over operations a byte on logarithmic axes: two ceilings as one bent line, and a point below it "
            "for each variant and phase; the numbers are in the table above.",
            plots.plot_roofline,
        ),
        (
            "Latency over throughput.",
            "What a token or a request waits, over what the machine delivers, one line for each backend.",
            plots.plot_latency_throughput,
        ),
    ]
    for phase in [phase for phase in ("prefill", "decode", "kernel") if phase in phases]:
        drawings.append(
            (
                f"Every raw sample of {phase}, in the order in which it was taken; warm-ups are hollow.",
                f"Time of each trial's {phase} over its place in the order, one colour and marker for each variant.",
                lambda record, phase=phase: plots.plot_trials(record, phase),
            )
        )
    for caption, alt, draw in drawings:
        try:
            svg = described(draw(record), alt).svg
        except ValueError:
            continue  # the record lacks what this plot shows; the table says so
        yield caption, Markup(svg.replace(INK, "var(--ink)").replace(GRID, "var(--line)"))


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    """How it was measured, as pairs of words."""
    yield "Made", f"{record.created:%Y-%m-%d %H:%M %Z}"
    yield "Lab", record.lab or "none"
    yield "Nonce", record.nonce or "none: self-reported"
    yield "Kit", record.kit or "no repository"
    yield (
        "Device",
        f"{record.device.name}, {record.device.memory_bytes:,} bytes, driver {record.device.driver or 'none'}",
    )
    yield "Clock", record.device.clock
    yield "Threads", str(record.device.threads)
    yield "Versions", ", ".join(f"{name} {version}" for name, version in record.device.versions.items())
    yield "State", ", ".join(f"{name}: {value}" for name, value in record.device.state.items()) or "not told"
    for kind, unit in (("flops", "GFLOP/s"), ("bytes", "GB/s")):
        best = record.ceiling(kind)
        yield f"Ceiling, {unit}", "not measured" if best is None else f"{best / 1e9:,.4g}"
    yield "Settings", ", ".join(f"{name} {_setting(value)}" for name, value in record.settings.items())
    yield "Digest", record.digest


def _grouped(value: float) -> str:
    """Three digits at least, thousands grouped."""
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def _setting(value) -> str:
    return " + ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)


def _style_sheet(path: Path) -> Markup:
    """The site's rules without its faces, which are files of their own."""
    if not path.is_file():
        raise CourseError(
            f"The site's style sheet was expected at {path} and is not there. Set COURSE_ROOT to a clone."
        )
    rules = tinycss2.parse_stylesheet(path.read_text(encoding="utf-8"), skip_comments=True, skip_whitespace=True)
    kept = [rule for rule in rules if not (rule.type == "at-rule" and rule.lower_at_keyword == "font-face")]
    return Markup("\n".join(rule.serialize() for rule in kept))


def _ends(interval: Interval | None, scale: float = 1.0) -> str:
    return DASH if interval is None else f"{scale * interval.low:#.3g} to {scale * interval.high:#.3g}"


def summary(findings: tuple[Finding, ...]) -> str:
    """How many rules hold, in a sentence."""
    broken = [finding.rule.name for finding in findings if finding.held is False]
    judged = sum(finding.held is not None for finding in findings)
    return f"{judged - len(broken)} of {judged} rules hold" + (f"; not: {', '.join(broken)}." if broken else ".")
