"""Misspelt words in the prose of the built pages, found by codespell's list of common misspellings."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bs4 import BeautifulSoup

from course.errors import CourseError
from course.site.checks.pages import Page
from course.site.checks.report import CheckResult, Finding

# Code and formulas, and the names of people in citations and references.
NOT_PROSE = "script, style, pre, code, kbd, samp, math, svg, cite, a.cite, li[id^=cite-]"
REPORTED = re.compile(r"^(?P<file>.+?):(?P<line>\d+): (?P<words>.+)$", re.MULTILINE)


def check_spelling(pages: list[Page]) -> CheckResult:
    """Every page's prose: text, titles, descriptions and alternative texts; code and formulas are left out."""
    with tempfile.TemporaryDirectory(prefix="spelling-") as scratch:
        names = {}
        for number, page in enumerate(pages):
            names[f"{number}.txt"] = page.path
            (Path(scratch) / f"{number}.txt").write_text("\n".join(prose(page.soup)), encoding="utf-8")
        command = [sys.executable, "-m", "codespell_lib", "--builtin=clear,rare", "--disable-colors", "."]
        run = subprocess.run(command, cwd=scratch, capture_output=True, text=True)
    if run.stderr.strip():
        raise CourseError(f"codespell failed: {run.stderr.strip()[-500:]}")
    findings = [
        Finding(page=names[Path(match["file"]).name], message=f"{match['words']}.")
        for match in REPORTED.finditer(run.stdout)
    ]
    return CheckResult(name="spelling", covered=f"{len(pages)} pages", findings=findings)


def prose(soup: BeautifulSoup) -> list[str]:
    """The pieces of text that a reader reads as language."""
    pieces = [tag["alt"] for tag in soup.find_all(alt=True)]
    pieces += [tag["content"] for tag in soup.find_all("meta", attrs={"name": "description", "content": True})]
    left_out = {id(tag) for tag in soup.select(NOT_PROSE)}
    for text in soup.find_all(string=True):
        if not any(id(parent) in left_out for parent in text.parents) and text.strip():
            pieces.append(str(text).strip())
    return pieces
