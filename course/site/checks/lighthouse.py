"""Lighthouse's mobile scores of a page, from its own command in the theme's node packages."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from course import kit
from course.errors import CourseError
from course.site.checks.browser import chromium_flags, find_chromium, representatives
from course.site.checks.pages import Page
from course.site.checks.report import CheckResult, Finding, PageScore

RUNS = 3  # performance is a timing on a shared machine: the best of so many runs counts
SECONDS = 180
KINDS = ("landing", "lecture", "lab")


def score_pages(
    pages: list[Page], address: str, progress: Callable[[str], None]
) -> tuple[CheckResult, list[PageScore]]:
    """Measure the landing page, a lecture and a lab; each must score 100 in all four categories.

    Args:
        pages: the site's pages.
        address: URL of the landing page.
        progress: is told each page as it is measured.
    """
    measured = representatives(pages)
    missing = set(KINDS) - {page.kind for page in measured}
    findings = [Finding(page="site", message=f"there is no {kind} page to measure.") for kind in sorted(missing)]
    scores = []
    for page in measured:
        progress(f"Lighthouse {page.path}")
        score, problems = _score(page, address + page.address)
        scores.append(score)
        findings += [Finding(page=page.path, message=problem) for problem in problems]
    return CheckResult(name="lighthouse", covered=f"{len(measured)} pages, mobile", findings=findings), scores


def _score(page: Page, url: str) -> tuple[PageScore, list[str]]:
    """The page's scores, and what keeps them from 100; only performance is tried again."""
    report = _run(url)
    performance = [_points(report, "performance")]
    while max(performance) < 100 and len(performance) < RUNS:
        again = _run(url)
        performance.append(_points(again, "performance"))
        if performance[-1] == max(performance):
            report["categories"]["performance"] = again["categories"]["performance"]
            report["audits"] |= {name: again["audits"][name] for name in _failed(again, "performance")}
    problems = [
        f"{category} {_points(report, category)}: {', '.join(_failed(report, category))}"
        for category in ("accessibility", "best-practices", "seo")
        if _points(report, category) < 100
    ]
    if max(performance) < 100:
        runs = ", ".join(map(str, performance))
        problems.append(f"performance {max(performance)} (runs: {runs}): {', '.join(_failed(report, 'performance'))}")
    score = PageScore(
        page=page.path,
        performance=performance,
        accessibility=_points(report, "accessibility"),
        best_practices=_points(report, "best-practices"),
        seo=_points(report, "seo"),
    )
    return score, problems


def _points(report: dict, category: str) -> int:
    return round(100 * (report["categories"][category]["score"] or 0))


def _failed(report: dict, category: str) -> list[str]:
    """Names of the audits with weight that are short of full marks."""
    weighted = [entry["id"] for entry in report["categories"][category]["auditRefs"] if entry["weight"]]
    scores = {name: report["audits"][name]["score"] for name in weighted}
    return [name for name, score in scores.items() if score is not None and score < 1]


def _run(url: str) -> dict:
    """One run of Lighthouse's default, mobile, configuration.

    Raises:
        CourseError: Lighthouse or node is missing, or the run failed.
    """
    script, node = kit.root() / "book/theme/node_modules/lighthouse/cli/index.js", shutil.which("node")
    if not script.is_file() or not node:
        raise CourseError(f"node and Lighthouse were expected ({script}). Install the theme's packages: make site.")
    with tempfile.TemporaryDirectory(prefix="lighthouse-") as scratch:
        result = Path(scratch) / "report.json"
        flags = " ".join(["--headless=new", *chromium_flags(), f"--user-data-dir={scratch}/profile"])
        command = [node, script, url, "--output=json", f"--output-path={result}", "--quiet", f"--chrome-flags={flags}"]
        output = _finish([str(part) for part in command], os.environ | {"CHROME_PATH": find_chromium()})
        if not result.is_file():
            raise CourseError(f"Lighthouse measured nothing on {url}: {output.strip()[-500:] or 'no message'}")
        report = json.loads(result.read_text(encoding="utf-8"))
    if report.get("runtimeError"):
        raise CourseError(f"Lighthouse could not measure {url}: {report['runtimeError']['message']}")
    return report


def _finish(command: list[str], environment: dict[str, str]) -> str:
    """Run the command in a process group of its own, so that its browser ends with it; return what it said."""
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        return process.communicate(timeout=SECONDS)[0]
    except subprocess.TimeoutExpired:
        return f"no answer in {SECONDS} seconds"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
