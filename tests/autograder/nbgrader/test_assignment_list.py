"""An intern fetches, checks and hands in a lab in JupyterLab; the instructor collects, grades and answers."""

import os
import re
from pathlib import Path

import nbformat
import pytest

from autograder.class_folder import COURSE_ID

LAB = "small-lab"


@pytest.fixture(scope="module")
def classroom(new_class):
    """A class that has handed out the lab and has nothing back."""
    return new_class()


@pytest.fixture(scope="module")
def intern(classroom, programs, serve, tab):
    """An intern's own folder, and the list of assignments in the JupyterLab over it."""
    environment = programs("intern")
    settings = Path(environment["JUPYTER_CONFIG_DIR"], "nbgrader_config.py")
    settings.parent.mkdir(parents=True, exist_ok=True)
    exchange = f"c.Exchange.root = {str(classroom.root / 'exchange')!r}"
    settings.write_text(f"c = get_config()\nc.CourseDirectory.course_id = {COURSE_ID!r}\n{exchange}\n")
    work = Path(environment["HOME"], "work")
    work.mkdir()
    with serve(work, environment) as address:
        tab.goto(address.format("lab"))
        tab.get_by_role("menuitem", name="Nbgrader").click()
        tab.get_by_role("menuitem", name="Assignment List", exact=True).click()
        yield work, tab.locator("#nbgrader-assignment-list")


def test_the_lab_is_offered_and_fetched(intern, lab):
    work, assignments = intern
    assignments.locator("#released_assignments_list").get_by_role("button", name="Fetch", exact=True).click()
    assignments.locator("#fetched_assignments_list").get_by_text(LAB, exact=True).first.wait_for()
    fetched = nbformat.read(work / LAB / f"{LAB}.ipynb", as_version=4)
    assert [cell.id for cell in fetched.cells][:2] == ["text-1", "setup-1"]
    assert not any("BEGIN SOLUTION" in cell.source for cell in fetched.cells)


def test_the_notebook_opens_and_validates(intern, tab, submission):
    work, assignments = intern
    (work / LAB / f"{LAB}.ipynb").write_bytes(submission({"judgement": "The level."}))
    fetched = assignments.locator("#fetched_assignments_list")
    fetched.locator("a.assignment-notebooks-link").click()
    fetched.get_by_role("button", name="Validate").click()
    dialog = tab.get_by_role("dialog")
    assert "Success! Your notebook passes all the tests." in dialog.inner_text()
    dialog.get_by_role("button").last.click()
    fetched.locator(".assignment-notebooks .item_name a").click()
    tab.locator(".jp-NotebookPanel h1", has_text="A small lab about levels").wait_for()
    tab.get_by_role("tab", name="Assignments").click()


def test_it_is_handed_in_collected_autograded_and_answered(intern, tab, classroom):
    work, assignments = intern
    assignments.locator("#fetched_assignments_list").get_by_role("button", name="Submit").click()
    handed_in = assignments.locator("#submitted_assignments_list")
    handed_in.get_by_role("button", name="Fetch Feedback").wait_for()
    steps = ("collect", "autograde", "generate_feedback", "release_feedback")
    done = classroom.nbgrader(*(f"{step} {LAB}" for step in steps))
    assert done.returncode == 0, done.stderr
    (student,) = classroom.scores()
    assert classroom.scores() == {student: 9.0}
    handed_in.get_by_role("button", name="Fetch Feedback").click()
    handed_in.get_by_text(re.compile("view feedback", re.I)).first.wait_for()
    (page,) = (work / LAB / "feedback").rglob("*.html")
    assert "hidden checks passed" in page.read_text()


def test_collecting_takes_no_link_no_pipe_and_no_forged_name(classroom):
    """What stands in an exchange is written by students: links stay links, other things and other names stay there."""
    inbound = classroom.root / "exchange" / COURSE_ID / "inbound"
    good = inbound / f"eve+{LAB}+2026-11-22 09:00:00.000000 UTC+random"
    good.mkdir()
    (good / f"{LAB}.ipynb").symlink_to(classroom.root / "source" / LAB / f"{LAB}.ipynb")
    os.mkfifo(good / "pipe")
    (good / "timestamp.txt").symlink_to("/etc/passwd")
    (inbound / f"<img src=x onerror=run()>+{LAB}+2026-11-22 09:00:00.000000 UTC+random").mkdir()
    (inbound / f"finn+{LAB}+never+random").mkdir()
    (inbound / f"gwen+{LAB}+2026-11-22 09:00:00.000000 UTC+random").symlink_to(classroom.root / "source" / LAB)
    done = classroom.nbgrader(f"collect {LAB}", f"autograde {LAB} --student eve")
    assert done.returncode == 0, done.stderr
    collected = classroom.root / "submitted"
    assert {"finn", "gwen"}.isdisjoint(path.name for path in collected.iterdir())
    assert not list(collected.glob("<*"))
    eve = collected / "eve" / LAB
    assert (eve / f"{LAB}.ipynb").is_symlink()
    assert {path.name for path in eve.iterdir()} == {f"{LAB}.ipynb", "timestamp.txt"}
    assert (eve / "timestamp.txt").read_text() == "2026-11-22 09:00:00.000000 UTC"
    assert classroom.scores()["eve"] == 0.0
    assert "is a link to another file" in classroom.autograded("eve")
