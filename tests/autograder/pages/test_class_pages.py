"""What the pages of a class say, and that no name, code or error of a student does more than be read."""

import re
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from bs4 import BeautifulSoup

from autograder.pages.class_view import Event, lab_view, mark
from autograder.pages.feedback import (
    address,
    class_page,
    feedback_page,
    feedback_path,
    folder_name,
    lab_page,
    similar_page,
    write_class_pages,
)
from autograder.pages.similarity import Fragment, Line, Pair, Similar
from autograder.pages.theme import USED, style_sheet, theme_folder
from autograder.records.gradebook import ByHand
from autograder.result import Hint, Status

EVIL = "</style><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"
NAMES = [
    EVIL,
    "../../../../etc/passwd",
    "..",
    ".",
    "",
    "a/b",
    "nul\0l",
    "x" * 300,
    "é" * 200,
    "\udcff\udcfe",
    "\u202egnp.exe",
]


@pytest.fixture(scope="module")
def written(shared_class):
    return shared_class


def all_pages(root):
    return sorted(path for path in root.rglob("*.html") if path.is_file())


def soup(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def stopped(result, **detail):
    """The result with an exception in its first task."""
    task = result.tasks[0]
    details = (Hint(text="Look at the ends.", **detail), Hint(text="Look at the middle.", **detail))
    task = task.model_copy(update={"score": 0, "checks_passed": 1, "details": details, "failed": ("a_secret_check",)})
    return result.model_copy(update={"tasks": (task, *result.tasks[1:])})


def test_nothing_that_students_choose_becomes_markup(written):
    root, results = written
    pages = all_pages(root)
    assert len(pages) == len(results) + 3
    for path in pages:
        page = soup(path)
        assert not page.find_all(["script", "img", "iframe", "object", "form", "base"])
        assert not [tag for tag in page.find_all(True) if any(name.startswith("on") for name in tag.attrs)]
        assert not [link for link in page.find_all("a") if re.match(r"\s*(javascript|data|https?):", link["href"])]
        assert "default-src 'none'" in page.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]


def test_every_link_leads_to_a_page_that_is_there(written):
    root, _ = written
    for path in [root / "summary.html", *(root / "summary").glob("*.html")]:
        page = soup(path)
        for link in page.find_all("a"):
            file, _, fragment = link["href"].partition("#")
            target = (path.parent / unquote(file)).resolve() if file else path
            assert target.is_file(), link
            assert root in target.parents
            assert not fragment or soup(target).find(id=fragment), link


@pytest.mark.parametrize("name", NAMES)
def test_no_name_leaves_the_feedback_folder(tmp_path, make_result, name):
    result = make_result("ann").model_copy(update={"student": name})
    path = feedback_path(tmp_path, result)
    assert path.resolve().parents[2] == (tmp_path / "feedback").resolve()
    assert len(path.parts[-3].encode(errors="surrogateescape")) <= 255
    assert "/" not in folder_name(name) and folder_name(name).strip(".")
    assert address(name, result.lab).isascii() and ".." not in address(name, result.lab)


def test_names_stay_apart_and_ordinary_ones_stay_as_they_are():
    assert len({folder_name(name) for name in NAMES}) == len(NAMES)
    for name in ("ada", "Zoë Ångström", "mia <b>&", "李雷", "..a", "=1+1"):
        assert folder_name(name) == name


@pytest.mark.parametrize("name", [EVIL, "\udcff\udcfe", "x" * 300, "\u202egnp.exe"])
def test_pages_of_odd_names_are_written_and_read_back(tmp_path, make_result, name):
    result = make_result(name[:80])
    write_class_pages(tmp_path, [result], {}, [])
    page = soup(feedback_path(tmp_path, result))
    assert page.h1.text == result.lab_title
    assert "\u202e" not in page.text and not page.find("img")


def test_feedback_has_no_name_and_no_line_of_a_hidden_check(written, lab01):
    root, results = written
    names = [check.name for task in lab01.tasks for check in lab01.checks.of(task.id)]
    lines = {line.strip() for line in lab01.checks.path.read_text().splitlines()}
    secret = [line for line in lines if len(line) > 25 and "hint=" not in line and not line.startswith(("#", '"'))]
    assert len(names) > 40 and len(secret) > 100
    for result in results:
        text = soup(feedback_path(root, result)).text
        assert not [name for name in names if name in text]
        assert not [line for line in secret if line in text]


def test_the_lab_page_tells_the_instructor_the_checks(written, lab01):
    root, results = written
    text = soup(root / "summary" / f"{lab01.id}.html").text
    failed = {name for result in results for task in result.tasks if mark(task) == "not yet" for name in task.failed}
    assert sum(name in text for name in failed) > len(failed) / 2


def test_feedback_says_each_task_points_hints_and_what_a_person_added(make_result, lab01, wrong_of):
    wrong = {lab01.tasks[2].id: wrong_of[lab01.tasks[2].id][0], lab01.tasks[4].id: "unsolved"}
    result = make_result("ann", wrong, notes=("Handed in as other.ipynb.",))
    page = BeautifulSoup(
        feedback_page(result, {"judgement": ByHand(2.5, "Say why <i>.\nThen compare.")}), "html.parser"
    )
    sections = page.find_all("section")
    words = [section.find(class_="word").text for section in sections]
    assert words == ["Right", "Right", "Not yet", "Right", "Not begun", "Right", "Right", "Right", "Read"]
    assert [section.find(class_="value").text for section in sections[:2]] == [
        f"{task.points} of {task.points} points" for task in lab01.tasks[:2]
    ]
    assert result.tasks[2].hints[0] in sections[2].text
    assert "gave 2.5 points" in sections[8].text and "Say why <i>.\nThen compare." in sections[8].text
    assert "Handed in as other.ipynb." in page.text
    assert f"{result.score} of 26 points" in page.find(class_="score").text
    assert "2.5 of 4 from your instructor" in " ".join(page.find(class_="score").text.split())


def test_an_exception_is_shown_once_with_the_students_own_lines(make_result):
    lines = ("cell synthesise, line 2: return 1 / 0 # <b>",)
    page = feedback_page(stopped(make_result("ann"), error="ZeroDivisionError: division by zero", lines=lines), {})
    section = BeautifulSoup(page, "html.parser").section
    assert section.find("pre").text == f"ZeroDivisionError: division by zero\n{lines[0]}"
    assert len(section.find_all("pre")) == 1
    assert [item.text for item in section.find_all("li")] == ["Look at the ends.", "Look at the middle."]
    assert "a_secret_check" not in page


def test_a_very_long_error_is_cut(make_result):
    """A student may put what a hidden check passed into an error's message; a page has no room for an array."""
    page = feedback_page(stopped(make_result("ann"), error="ValueError: " + "9" * 5000), {})
    assert "9" * 180 in page and "9" * 220 not in page


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.GRADED])
def test_every_status_is_said(make_result, status):
    result = make_result("ann", status=status)
    text = BeautifulSoup(feedback_page(result, {}), "html.parser").text
    assert f"{status.capitalize()}." in text and result.sentence in text
    assert ("Tasks" in text) == (status not in (Status.MALFORMED, Status.REFUSED, Status.INFRASTRUCTURE))


def test_a_submission_that_was_trusted_is_told(make_result):
    environment = make_result("ann").environment | {"sandbox": "none: submissions were trusted"}
    assert "without a sandbox" in feedback_page(make_result("ann", environment=environment), {})


def test_the_histogram_has_its_table(written, lab01):
    root, results = written
    page = soup(root / "summary" / f"{lab01.id}.html")
    rows = page.find("div", {"aria-label": "Scores as a table"}).tbody.find_all("tr")
    counts = {int(row.th.text): int(row.td.text) for row in rows}
    assert counts == {score: sum(result.score == score for result in results) for score in range(27)}


def test_similar_submissions_are_a_lead_and_never_a_verdict(written, lab01):
    root, _ = written
    summary, side_by_side = (soup(root / "summary" / f"{lab01.id}{end}.html") for end in ("", "-similar"))
    assert "never a verdict" in summary.find(id="similar").find_next("p").text
    assert "never a verdict" in side_by_side.find(class_="warning").text
    assert side_by_side.find(id="pair-1").text == "student-000 and student-001"
    sources = [pre.text for pre in side_by_side.find("section").find_all("pre")]
    assert len(sources) >= 4 and "def " in sources[0] and "# my own idea" in sources[1]


def test_code_of_students_is_shown_as_text(make_result):
    lines = (Line(1, EVIL, True), Line(2, "", False))
    pair = Pair(EVIL, "b", 0.9, 0.1, (Fragment(EVIL, "cell 2", lines, lines, 9),))
    page = BeautifulSoup(similar_page(lab_view([make_result("b")]), Similar((pair,), 20, 0.4)), "html.parser")
    assert not page.find_all(["script", "img"])
    assert EVIL in page.find("pre").text


def test_pages_of_nothing_can_be_written(make_result):
    assert "Nothing has been handed in yet" in class_page([], [])
    lab = lab_view([make_result("ann")])
    for similar in (None, Similar((), 3, None), Similar((), 30, 0.4)):
        assert "Similar submissions" in lab_page(lab, similar)


def test_what_a_person_adds_changes_that_page_alone(tmp_path, make_result, lab01):
    results = [make_result(student) for student in ("ann", "ben", "cy")]
    given = {lab01.id: {"ben": {"judgement": ByHand(2.5, "Say why.")}}}
    write_class_pages(tmp_path, results, {}, [])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    write_class_pages(tmp_path, results, {}, [])
    assert {path: path.stat().st_mtime_ns for path in before} == before
    write_class_pages(tmp_path, results, given, [])
    changed = [path for path in before if path.stat().st_mtime_ns != before[path]]
    assert changed == [feedback_path(tmp_path, results[1])]


def test_time_without_a_trend_says_so(make_result, lab01):
    event = Event(datetime(2026, 11, 1, tzinfo=UTC), True, "ann", 3, "graded")
    assert "there is no trend yet" in lab_page(lab_view([make_result("ann")], [event]), None)


def test_the_style_is_the_sites_and_no_more_than_is_needed():
    site = (theme_folder() / "static" / "site.css").read_text()
    sheet = style_sheet("../")
    assert "--accent: light-dark(" in sheet and len(sheet) < 0.75 * len(site)
    assert 'url("../assets/source-serif.woff2")' in sheet
    for name in ("predict", "player", "syllabus"):
        assert name not in sheet
    for name in USED:
        assert re.search(rf"\.{name}\b", site), f"the site's style sheet has no class {name}"
