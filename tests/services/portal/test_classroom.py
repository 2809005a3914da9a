"""The class, read only, as the autograder's folder has it."""

import json
import re

import pytest
from bs4 import BeautifulSoup

from autograder.pages.feedback import write_class_pages
from autograder.records.ledger import Ledger, LedgerEntry
from autograder.records.result_store import result_path
from autograder.result import Result, Status, TaskResult
from course.errors import CourseError
from services.portal.classroom import as_json, classroom

pytestmark = pytest.mark.django_db


def result(student, score, lab="lab01-sound", status=Status.GRADED):
    tasks = [
        TaskResult(
            id=name, title=f"Task {name}", score=6 if at < score else 0, max_score=6, hints=("Look at <b>ties</b>.",)
        )
        for at, name in enumerate(("frames", "energy"))
    ]
    return Result(
        key=f"key-{student}", parts={}, lab=lab, lab_title="Sound as numbers", student=student, submission="0" * 64,
        status=status, sentence="It ran too long." if status is Status.TIMEOUT else "", score=6 * score, max_score=12,
        tasks=tuple(tasks), seconds=1.0, environment={"python": "3", "numpy": "2", "sandbox": "bubblewrap"},
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Three students: one has all, one nothing, one ran out of time."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for one in (result("ada", 2), result("ben", 0), result("chloe", 1, status=Status.TIMEOUT)):
        result_path(tmp_path, one.lab, one.student, one.key).parent.mkdir(parents=True)
        one.write(result_path(tmp_path, one.lab, one.student, one.key))
        ledger.add(LedgerEntry.of(one, {}, None, None, 1))
    return tmp_path


def before_and_after(folder):
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}


def test_the_class_page_says_who_is_stuck_and_how_tasks_go(folder, as_, chosen):
    chosen(class_folder=folder)
    before = before_and_after(folder)
    page = BeautifulSoup(as_("iris").get("/class/").content, "html.parser")
    stuck = page.find("div", {"aria-label": "Who is stuck"})
    assert [row.th.get_text() for row in stuck.select("tbody tr")] == ["ben", "chloe"]
    tasks = page.find("div", {"aria-label": "Tasks"})
    assert [[cell.get_text() for cell in row.find_all("td")[:2]] for row in tasks.select("tbody tr")] == [
        ["2", "1"],
        ["1", "2"],
    ]
    assert "<b>ties" in stuck.get_text() and not page.find("b")
    data = json.loads(page.find("script", id="class-data").string)
    assert data == as_json(classroom(folder).labs["lab01-sound"])
    rows = {row["student"]: row for row in data["rows"]}
    assert rows["ada"]["stuck"] == "" and rows["ada"]["tasks"] == {"frames": 6, "energy": 6}
    assert rows["ben"]["stuck"].startswith("Task frames") and rows["chloe"]["stuck"] == "It ran too long."
    assert before_and_after(folder) == before


def test_an_intern_sees_their_own_results_and_nobody_elses(folder, as_, chosen):
    chosen(class_folder=folder)
    page = as_("ben").get("/account/").content.decode()
    assert "0 of 12" in page and "Task frames" in page and "chloe" not in page
    assert "12 of 12" in as_("ada").get("/account/").content.decode()


@pytest.fixture
def with_feedback(folder):
    """The class with the feedback pages that the autograder writes, a font, and a file that nobody is to see."""
    write_class_pages(folder, [result("ada", 2), result("ben", 0), result("chloe", 1, status=Status.TIMEOUT)], {}, [])
    (folder / "secret.html").write_text("secret")
    return folder


def test_feedback_is_for_its_student_and_for_instructors(with_feedback, as_, chosen):
    chosen(class_folder=with_feedback)
    page = BeautifulSoup(as_("iris").get("/class/").content, "html.parser")
    rows = json.loads(page.find("script", id="class-data").string)["rows"]
    links = [link["href"] for link in page.select("[data-view] th a")]
    assert links == [row["url"] for row in rows] and len(links) == 3
    for student, link in zip(("ada", "ben", "chloe"), links, strict=True):
        answer = as_("iris").get(link)
        assert answer.status_code == 200 and f"feedback for {student}" in answer.content.decode()
    own = BeautifulSoup(as_("ben").get("/account/").content, "html.parser").select_one("tbody a")["href"]
    assert own == links[1]
    assert [as_("ben").get(link).status_code for link in links] == [404, 200, 404]
    assert as_(None).get(own).status_code == 302


def test_a_feedback_page_may_use_its_own_style_and_fonts_and_nothing_else(with_feedback, as_, chosen):
    chosen(class_folder=with_feedback)
    answer = as_("ben").get("/class/feedback/ben/lab01-sound/lab01-sound.html")
    policy = dict(part.split(" ", 1) for part in answer["Content-Security-Policy"].split("; "))
    assert (policy["default-src"], policy["style-src"], policy["font-src"]) == ("'none'", "'unsafe-inline'", "'self'")
    assert "script-src" not in policy
    fonts = set(re.findall(r"\.\./\.\./\.\./(assets/[\w-]+\.woff2)", answer.content.decode()))
    for font in fonts:
        found = as_("ben").get(f"/class/{font}")
        assert found["Content-Type"] == "font/woff2" and found.content == (with_feedback / font).read_bytes()
    assert len(fonts) == 2


@pytest.mark.parametrize(
    "address",
    [
        "feedback/ben/lab01-sound/..%2F..%2F..%2Fsecret.html",
        "feedback/../../secret/x/y.html",
        "feedback/ben/lab02/lab02.html",
        "assets/../secret.woff2",
        "assets/..%2Fledger.woff2",
    ],
)
def test_no_other_file_of_the_class_is_served(with_feedback, as_, chosen, address):
    chosen(class_folder=with_feedback)
    assert as_("iris").get(f"/class/{address}").status_code == 404


def test_feedback_that_was_not_written_is_not_found(folder, as_, chosen):
    chosen(class_folder=folder)
    assert as_("ben").get("/class/feedback/ben/lab01-sound/lab01-sound.html").status_code == 404


def test_a_class_that_is_graded_again_is_read_again(folder):
    assert classroom(folder).of("ben")[0].score == 0
    better = result("ben", 2).model_copy(update={"key": "key-better"})
    better.write(result_path(folder, better.lab, "ben", better.key))
    Ledger(folder / "ledger.jsonl").add(LedgerEntry.of(better, {}, None, None, 2))
    assert classroom(folder).of("ben")[0].score == 12


def test_results_that_are_missing_are_told(folder, as_, chosen):
    chosen(class_folder=folder)
    result_path(folder, "lab01-sound", "ben", "key-ben").unlink()
    assert b"ben for lab01-sound is not in results/" in as_("iris").get("/class/").content


def test_no_class_is_no_error(tmp_path, as_, chosen):
    chosen(class_folder=tmp_path)
    with pytest.raises(CourseError, match="PORTAL_CLASS_FOLDER"):
        classroom(tmp_path)
    assert b"No class has been graded here yet" in as_("iris").get("/class/").content
    (tmp_path / "ledger.jsonl").write_text("torn")
    assert as_("iris").get("/class/").status_code == as_("ada").get("/account/").status_code == 200
