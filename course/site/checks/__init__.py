"""Check a built site: links, requests, accessibility, weight, Lighthouse, spelling, markup."""

from collections.abc import Callable, Collection
from pathlib import Path

from course.errors import CourseError
from course.site.checks.browser import judge_visits, take_screenshots, visit_pages, weigh
from course.site.checks.hosting import hosted
from course.site.checks.lighthouse import score_pages
from course.site.checks.links import check_external_assets, check_links
from course.site.checks.markup import check_markup
from course.site.checks.pages import Page, read_pages
from course.site.checks.report import Report
from course.site.checks.spelling import check_spelling

IN_BROWSER = ("external", "console", "widgets", "axe", "phone", "weight")
CHECKS = ("links", "markup", "spelling", *IN_BROWSER, "lighthouse")


def check_site(
    site: Path,
    *,
    only: Collection[str] | None = None,
    screenshots: Path | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> Report:
    """Check the site in a folder, served under a sub-path of a loopback port for as long as it takes.

    Args:
        site: the folder with the built site.
        only: names out of CHECKS; all of them by default.
        screenshots: a folder for pictures of the three kinds of page on desktop and phone, light and dark.
        progress: is told what is being looked at.

    Raises:
        CourseError: no site there, an unknown check, or a tool that a check needs is missing.
    """
    chosen = set(CHECKS if only is None else only)
    if chosen - set(CHECKS):
        raise CourseError(f"Checks are {', '.join(CHECKS)}; {', '.join(sorted(chosen - set(CHECKS)))} is none of them.")
    pages = read_pages(site)
    report = Report(site=str(site))
    _check_files(report, site, pages, chosen)
    with hosted(site) as address:
        if chosen & set(IN_BROWSER):
            _check_in_browser(report, site, pages, chosen, address, progress)
        if "lighthouse" in chosen:
            result, report.scores = score_pages(pages, address, progress)
            report.checks.append(result)
        if screenshots:
            progress("screenshots")
            take_screenshots(pages, address, screenshots)
    return report


def _check_files(report: Report, site: Path, pages: list[Page], chosen: set[str]) -> None:
    if "links" in chosen:
        report.checks.append(check_links(site, pages))
    if "markup" in chosen:
        report.checks.append(check_markup(pages))
    if "spelling" in chosen:
        report.checks.append(check_spelling(pages))


def _check_in_browser(
    report: Report, site: Path, pages: list[Page], chosen: set[str], address: str, progress: Callable[[str], None]
) -> None:
    visits = visit_pages(pages, address, progress)
    results = judge_visits(visits, check_external_assets(site, pages))
    weight, weights = weigh(visits)
    report.checks += [result for result in (*results, weight) if result.name in chosen]
    if "weight" in chosen:
        report.weights = weights
