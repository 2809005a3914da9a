"""The audit finds what does not agree, and the next run repairs what can be made again."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from autograder.bench import recovery
from autograder.classroom import UNFINISHED
from autograder.records.consistency import audit
from autograder.records.gradebook import ClassGradebook
from course.errors import CourseError
from course.storage import PREFIX, SUFFIX

LAB = "small-lab"
TEARS = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
    "zeros at the end": lambda content: content[:-20] + bytes(20),
}


def tear(path, how):
    path.chmod(0o644)
    path.write_bytes(TEARS[how](path.read_bytes()))


def result_of(root, student):
    entry = ClassGradebook(root, "").ledger.latest[LAB, student]
    return root / "results" / LAB / student / f"{entry.key}.json"


def repaired(scenario, root):
    recovery.finish(scenario, root)
    return audit(root) + recovery.differences(scenario.after, recovery.state(root))


def test_a_sound_class_has_no_finding(after, before):
    assert audit(after) == []


def test_a_class_that_was_never_graded_has_no_finding(tmp_path):
    (tmp_path / "submitted").mkdir()
    assert audit(tmp_path) == []


@pytest.mark.parametrize("how", TEARS)
@pytest.mark.parametrize(
    "name",
    [
        "results",
        f"autograded/cem/{LAB}/{LAB}.ipynb",
        f"feedback/cem/{LAB}/{LAB}.html",
        "submission",
    ],
)
def test_what_is_torn_is_found_and_made_again(scenario, after, name, how):
    path = {"results": result_of(after, "cem"), "submission": max(after.glob("results/submissions/*"))}.get(name)
    path = path or after / name
    tear(path, how)
    (found,) = audit(after)
    assert found.startswith(str(path.relative_to(after)))
    assert repaired(scenario, after) == []


def test_what_is_missing_is_found_and_made_again(scenario, after):
    missing = [result_of(after, "ana"), after / "autograded" / "ben" / LAB / f"{LAB}.ipynb", after / "feedback"]
    for path in missing:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert len(audit(after)) == 2 + len(scenario.after["marks"])
    assert repaired(scenario, after) == []


def test_a_result_in_the_place_of_another_is_found_and_made_again(scenario, after):
    result_of(after, "ben").write_bytes(result_of(after, "ana").read_bytes())
    assert "in the place of another" in audit(after)[0]
    assert repaired(scenario, after) == []


def test_a_forged_result_does_not_agree_with_ledger_and_tasks(after):
    path = result_of(after, "ben")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"score": 9}))
    assert len([line for line in audit(after) if line.startswith("ben,") or "ben, " in line]) == 2


def test_a_score_that_somebody_wrote_into_the_gradebook_is_found(after):
    with closing(sqlite3.connect(after / "gradebook.db")) as database:
        database.execute("UPDATE grade SET auto_score = 100 WHERE auto_score = 4")
        database.commit()
    found = audit(after)
    assert len(found) == 4
    assert "ana, small-lab: the gradebook has 100 for check-rms_level, the ledger 4.0." in found


def test_a_mark_that_is_gone_is_found_in_the_last_copy(after):
    with closing(sqlite3.connect(after / "gradebook.db")) as database:
        database.execute("UPDATE grade SET manual_score = NULL")
        database.execute("UPDATE comment SET manual_comment = ''")
        database.commit()
    found = audit(after)
    assert len([line for line in found if "the score that a person entered for judgement" in line]) == 4
    assert all("not in the gradebook" in line for line in found)


def test_the_ledger_gets_back_the_line_that_a_power_cut_tore(scenario, after):
    path = after / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    found = audit(after)
    assert "ledger.jsonl, line 11: not an entry of the ledger." in found
    assert repaired(scenario, after) == []


def test_a_lost_ledger_gets_back_what_was_entered_last(scenario, after):
    (after / "ledger.jsonl").unlink()
    assert len(audit(after)) == len(scenario.after["marks"])
    recovery.finish(scenario, after)
    assert audit(after) == []
    last = {one["student"]: one for one in scenario.after["ledger"]}
    found = {one["student"]: one for one in recovery.state(after)["ledger"]}
    assert found == last


def test_a_changed_line_of_the_ledger_is_found(after):
    path = after / "ledger.jsonl"
    *lines, last = path.read_text().splitlines()
    path.write_text("\n".join([*lines, last.replace('"score":0', '"score":8'), "no entry", ""]))
    found = audit(after)
    assert any("line 12: not an entry" in line for line in found)
    assert any("gus" in line for line in found)


def test_an_interrupted_run_and_what_it_left_are_found_and_tidied_up(scenario, after):
    (after / UNFINISHED).touch()
    (after / "results" / f"{PREFIX}x{SUFFIX}").touch()
    (after / f"{PREFIX}folder{SUFFIX}").mkdir()
    assert len(audit(after)) == 3
    assert repaired(scenario, after) == []


@pytest.mark.parametrize("how", [*TEARS, "missing"])
def test_a_damaged_gradebook_names_the_last_good_copy_and_that_brings_all_back(scenario, after, how):
    gradebook = after / "gradebook.db"
    if how == "missing":
        gradebook.unlink()
    elif how == "zeros at the end":
        content = gradebook.read_bytes()
        gradebook.write_bytes(content[:4096] + bytes(4096) + content[8192:])
    else:
        tear(gradebook, how)
    bad, good = (
        after / "backups" / "gradebook-000099-20261122T000000Z.db",
        ClassGradebook(after, "").backups.last_good(),
    )
    bad.write_bytes(b"SQLite format 3\0" + bytes(1000))
    (found,) = [line for line in audit(after) if "cannot be read" in line]
    with pytest.raises(CourseError, match="cannot be read") as raised:
        recovery.run(scenario, after)
    for sentence in (found, str(raised.value)):
        assert f"The last good copy is {good}" in sentence
    bad.unlink()
    shutil.copy(good, gradebook)
    recovery.finish(scenario, after)
    assert audit(after) == []
    found = recovery.state(after)
    assert found["marks"] == scenario.after["marks"]
    assert len(found["ledger"]) == len(scenario.after["ledger"]) + 7


def test_without_any_good_copy_that_is_said(scenario, after):
    for copy in (after / "backups").iterdir():
        copy.unlink()
    (after / "gradebook.db").write_bytes(b"")
    with pytest.raises(CourseError, match="There is no good copy"):
        recovery.run(scenario, after)


def test_a_submission_that_the_ledger_does_not_know_is_found(after):
    with closing(sqlite3.connect(after / "gradebook.db")) as database:
        database.execute("UPDATE submitted_assignment SET student_id = 'zoe' WHERE student_id = 'ana'")
        database.execute("INSERT INTO student (id) VALUES ('zoe')")
        database.commit()
    found = audit(after)
    assert "zoe, small-lab: the gradebook has a submission that the ledger does not know." in found
    assert any(line.startswith("ana, small-lab: the gradebook has nothing for") for line in found)
