"""Formgrader in a browser: autograde by its button, grade a question by hand, show hostile text, tell the student."""

import io
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers
from rich.console import Console

from autograder.classroom import grade_class
from autograder.nbgrader.html import safe_markdown

LAB = "small-lab"
RAN = "document.documentElement.dataset.ran"
COMMENT = "Say what a *peak* hides. <b>Then</b> <script>document.documentElement.dataset.ran = 'comment'</script> stop."


@pytest.fixture(scope="module")
def formgrader(graded, serve, tmp_path_factory):
    """Formgrader over a copy of the class that nbgrader autograded: the class, and the address of a page."""
    root = tmp_path_factory.mktemp("formgrader") / "class"
    subprocess.run(["cp", "-a", graded[0].root, root], check=True)
    classroom = replace(graded[0], root=root)
    with serve(classroom.root, classroom.environment) as address:
        yield classroom, lambda page: address.format(f"formgrader/{page}")


def row(tab, student):
    """The row of a student in formgrader's table of submissions."""
    return tab.locator("#main-table tr", has=tab.locator(".student-id", has_text=re.compile(f"^{re.escape(student)}$")))


def page_of(classroom, student):
    """The page on which a student's submission is graded by hand."""
    with classroom.gradebook() as gradebook:
        return f"submissions/{gradebook.find_submission_notebook(LAB, LAB, student).id}/"


def test_the_menu_opens_formgrader_and_the_lab_is_no_draft(formgrader, tab):
    _, address = formgrader
    tab.goto(address("").replace("formgrader/", "lab"))
    tab.get_by_role("menuitem", name="Nbgrader").click()
    tab.get_by_role("menuitem", name="Formgrader", exact=True).click()
    frame = tab.frame_locator("iframe[src*=formgrader]")
    line = frame.locator("#main-table tr", has_text=LAB)
    assert line.locator(".status").inner_text() == "released"
    assert line.locator(".num-submissions").inner_text() == "15"


def test_everybody_is_listed_and_nobody_waits_for_autograding(formgrader, tab):
    _, address = formgrader
    tab.goto(address(f"manage_submissions/{LAB}"))
    row(tab, "ada").locator(".score").wait_for()
    assert row(tab, "ada").locator(".score").inner_text() == "9 / 12"
    assert row(tab, "jan").locator(".status").inner_text() == "graded"
    assert tab.locator("#main-table tr").count() == 15
    assert tab.get_by_text("needs autograding").count() == 0


def test_the_button_grades_what_was_handed_in_since(formgrader, tab, submission):
    classroom, address = formgrader
    classroom.file("bob").write_bytes(submission())
    classroom.file("bob").with_name("timestamp.txt").write_text("2026-11-22 11:00:00 UTC\n")
    tab.goto(address(f"manage_submissions/{LAB}"))
    bob = row(tab, "bob")
    assert bob.locator(".status").inner_text() == "needs autograding"
    bob.locator(".autograde a").click()
    modal = tab.locator("#success-modal, #error-modal")
    modal.wait_for()
    assert "Successfully autograded" in modal.inner_text()
    assert "bob: graded, 9 of 9 points" in modal.inner_text()
    modal.get_by_role("button", name="OK").click()
    assert bob.locator(".score").inner_text() == "9 / 12"
    assert classroom.scores()["bob"] == 9.0


def test_a_question_is_graded_by_hand_and_all_pages_tell(formgrader, tab, full_assignment):
    """Points and a comment, entered in formgrader, are in both kinds of feedback and survive another grading."""
    classroom, address = formgrader
    tab.goto(address(page_of(classroom, "ada")))
    # Formgrader fetches points and comments after the page, and listens to the boxes from then on.
    tab.wait_for_load_state("networkidle")
    with tab.expect_response(re.compile("/api/grade/")) as saved:
        tab.fill("input.score#judgement", "2.5")
        tab.keyboard.press("Tab")
    assert saved.value.ok
    with tab.expect_response(re.compile("/api/comment/")) as saved:
        tab.fill("#judgement-comment", COMMENT)
        tab.keyboard.press("Tab")
    assert saved.value.ok
    tab.goto(address(f"manage_submissions/{LAB}"))
    row(tab, "ada").locator(".generate-feedback a").click()
    tab.locator("#success-modal").wait_for()
    assert row(tab, "ada").locator(".status").inner_text() == "graded"
    nbgraders = (classroom.root / "feedback-notebooks" / "ada" / LAB / f"{LAB}.html").read_text()
    assert "Score: 2.5 / 3.0" in nbgraders
    assert "Say what a <em>peak</em> hides." in nbgraders
    before = classroom.marks()["ada"]
    grade_class(classroom.root, full_assignment.runner, 2, [full_assignment.lab], Console(file=io.StringIO()))
    assert classroom.marks()["ada"] == before
    assert before["grades"]["judgement"] == (None, 2.5, False)
    ours = (classroom.root / "feedback" / "ada" / LAB / f"{LAB}.html").read_text()
    assert "2.5" in ours
    assert "Say what a *peak* hides. &lt;b&gt;" in ours


def test_no_script_of_a_student_runs_in_formgrader(formgrader, tab):
    classroom, address = formgrader
    tab.goto(address(page_of(classroom, "kim")))
    tab.wait_for_load_state("load")
    assert tab.get_by_text("My answer.").count() == 1
    assert tab.locator("h1").first.inner_text().startswith("A small lab about levels")
    assert tab.locator("b", has_text="4 of 4 points").count() == 1
    assert tab.get_by_text("document.documentElement.dataset.ran").count() > 0
    assert tab.evaluate(RAN) is None
    assert tab.locator("[onerror], a[href^=javascript]").count() == 0


def test_a_name_is_text(formgrader, tab):
    classroom, address = formgrader
    tab.goto(address(page_of(classroom, "mia <b>&")))
    assert tab.locator("a.name-shown").text_content().strip() == "mia <b>&"


def test_no_script_runs_in_feedback(formgrader, tab):
    classroom, _ = formgrader
    done = classroom.nbgrader(f"generate_feedback {LAB} --force")
    assert done.returncode == 0, done.stderr
    for student in ("kim", "ada", "mia <b>&"):
        for kind in ("feedback-notebooks", "feedback"):
            tab.goto((classroom.root / kind / student / LAB / f"{LAB}.html").as_uri())
            assert tab.evaluate(RAN) is None, (student, kind)


def test_the_scripts_would_run_without_our_filter(formgrader, tab, tmp_path):
    """nbgrader's template writes answers past ``sanitize_html``: what the tests above see is the work of the filter."""
    classroom, _ = formgrader
    shown = {}
    for name, filters in (("stock", {}), ("ours", {"markdown2html": safe_markdown})):
        exporter = HTMLExporter(
            template_name="formgrade",
            extra_template_basedirs=[handlers.template_path],
            sanitize_html=True,
            filters=filters,
        )
        notebook = nbformat.reads(classroom.autograded("kim"), as_version=4)
        resources = {name: "" for name in ("base_url", "submission_id", "notebook_id", "assignment_id")}
        page, _ = exporter.from_notebook_node(notebook, resources=resources | {"index": 0, "total": 1})
        Path(tmp_path, f"{name}.html").write_text(page)
        tab.goto((tmp_path / f"{name}.html").as_uri())
        shown[name] = tab.evaluate(RAN)
    assert shown["stock"] in ("script", "picture")
    assert shown["ours"] is None
