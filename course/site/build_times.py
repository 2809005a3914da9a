"""Build times: from nothing, after a changed sentence, after no change; and what the pages weigh.

Each round builds a copy of the kit in a temporary folder, so that neither the kit nor its caches are touched.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from course.bench.record import Bar, Ratio, Record, Sample, Verdict, ratio, values
from course.bench.statistics import ratio_interval
from course.bench.trials import Command, seconds_of
from course.errors import CourseError
from course.kit import ROOT_MARKS
from course.plotting import BLUE, ORANGE, panels
from course.site.build import build_site
from course.site.checks import check_site

BUILD = "build"
COLD, CHANGED, SAME = "from nothing", "one sentence changed", "nothing changed"
WEIGHTS = "gzipped bytes of text and code"
HEAVY = "pages above their limit"
NODE_MODULES = "node_modules"
# Only what changed is done again: executing every lecture anew would take as long as a build from nothing.
QUICKER = Bar("build time, from nothing / one sentence changed", 2.0, "at least")


def build_three_times(kit: Path, folder: Path) -> list[Sample]:
    """Build a copy of the kit: from nothing, again, and after a sentence of a lecture was changed.

    Args:
        kit: the kit to copy.
        folder: where the copy is made and removed.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        copy = Path(place) / "kit"
        copy_kit(kit, copy)
        command = (sys.executable, "-m", "course.command", "site", "build")
        build = [Command(command, copy, os.environ | {"COURSE_ROOT": str(copy), "COURSE_BUILD": f"{place}/build"})]
        seconds = {COLD: seconds_of(build), SAME: seconds_of(build)}
        change_a_sentence(copy)
        seconds[CHANGED] = seconds_of(build)
    return [Sample(trial=0, quantity=BUILD, variant=name, unit="s", value=value) for name, value in seconds.items()]


def copy_kit(kit: Path, copy: Path) -> None:
    """Copy what a site is made from; the theme's tools from npm are linked to."""
    copy.mkdir()
    for name in ROOT_MARKS:
        if (kit / name).is_dir():
            shutil.copytree(kit / name, copy / name, ignore=shutil.ignore_patterns(NODE_MODULES, "__pycache__"))
        else:
            shutil.copy(kit / name, copy / name)
    if (kit / "book" / "theme" / NODE_MODULES).is_dir():
        (copy / "book" / "theme" / NODE_MODULES).symlink_to(kit / "book" / "theme" / NODE_MODULES)


def change_a_sentence(kit: Path) -> None:
    """Add a sentence to the first lecture, below its front matter.

    Raises:
        CourseError: the kit has no lecture.
    """
    lecture = next(iter(sorted((kit / "notebooks").glob("*/lecture.md"))), None)
    if lecture is None:
        raise CourseError(f"A lecture was expected in {kit / 'notebooks'} and there is none; add one.")
    fence, front_matter, text = lecture.read_text(encoding="utf-8").split("---\n", 2)
    lecture.write_text(f"{fence}---\n{front_matter}---\n\nThis sentence is new.\n{text}", encoding="utf-8")


def judge(samples: Sequence[Sample], found: dict[str, Any]) -> tuple[list[Ratio], list[Verdict]]:
    """Ratios of build times; whether a small change is quick, and each lecture light enough."""
    ratios = [ratio(samples, BUILD, COLD, variant) for variant in (CHANGED, SAME)]
    quick = ratio_interval(values(samples, BUILD, COLD), values(samples, BUILD, CHANGED))
    return ratios, [QUICKER.judge(quick), *([light_enough(found[HEAVY])] if HEAVY in found else [])]


def light_enough(heavy: list[str]) -> Verdict:
    """Whether every lecture is within its limit; ``heavy`` names those that are not."""
    return Verdict(bar="weight of every lecture: within its limit", met=not heavy, found=", ".join(heavy) or "all are")


def weights(console: Console) -> dict[str, Any]:
    """Gzipped bytes of text and code that a first visit to each page of the kit's own site transfers."""
    built = build_site(console)
    report = check_site(built.folder, only=["weight"])
    (weight,) = report.checks
    return {
        WEIGHTS: {one.page: one.text for one in report.weights},
        HEAVY: [finding.page for finding in weight.findings],
    }


def show_weights(found: dict[str, Any], console: Console) -> None:
    """Print what a first visit to each page transfers."""
    table = Table(title=f"{WEIGHTS}, KiB", title_justify="left")
    table.add_column("Page")
    table.add_column("KiB", justify="right")
    for page, size in found.get(WEIGHTS, {}).items():
        table.add_row(page, f"{size / 1024:.1f}")
    console.print(table)


def draw(record: Record) -> Figure:
    """Build times, a dot for each build."""
    ax = panels()
    for row, variant in enumerate((COLD, CHANGED, SAME)):
        found = values(record.samples, BUILD, variant)
        ax.barh(row, np.median(found) if found else 0, color=BLUE, height=0.6, alpha=0.7)
        ax.plot(found, [row] * len(found), linestyle="none", marker="o", markersize=3, color=ORANGE)
    ax.set_yticks(range(3), (COLD, CHANGED, SAME))
    ax.invert_yaxis()
    ax.set(title="Building the site", xlabel="s", xlim=(0, None))
    return ax.figure
