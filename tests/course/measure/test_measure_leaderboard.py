"""The leaderboard: planted records, each with the status and the sentence that it has to get."""

import json
from datetime import timedelta

import pytest
from rich.console import Console

from course.errors import CourseError
from course.measure.leaderboard import Leaderboard, leaderboard, show_leaderboard
from course.measure.record import read
from course.measure.rehearsal import Measurement, NoSynchronisation

LAB = "lab10-fast-inference"


def changed(record, **fields):
    """A record with other fields, sealed again, as by someone who knows how."""
    return type(record).model_validate_json(record.model_copy(update=fields).sealed().model_dump_json())


@pytest.fixture(scope="session")
def taken():
    """Honest records by seed, as if taken on a processor; whatever is changed in them is sealed again."""
    made = {}

    def take(seed, cls=Measurement, **fields):
        if (seed, cls) not in made:
            made[seed, cls] = cls(seed).record()
        record = made[seed, cls]
        on_cpu = record.device.model_copy(update={"kind": "cpu"})
        return changed(record, **{"lab": LAB, "device": on_cpu} | fields)

    return take


@pytest.fixture
def board(tmp_path, now):
    """From handed-in records, and the grader's, to the leaderboard."""

    def make(handed_in, remeasured=(), lab=LAB, **options):
        for folder, records in (("in", dict(handed_in)), ("again", dict(remeasured))):
            for name, record in records.items():
                record.write(tmp_path / folder / f"{name}.json")
        again = tmp_path / "again" if remeasured else None
        return leaderboard(tmp_path / "in", again, lab, now=now, **options)

    return make


def slower(record, by):
    """The record with all times of its fast variant stretched, as of other code."""
    trials = [
        trial.model_copy(
            update={
                "timings": tuple(
                    one.model_copy(
                        update={
                            "seconds": one.seconds * by,
                            "device_seconds": None if one.device_seconds is None else one.device_seconds * by,
                        }
                    )
                    if trial.variant == "fast"
                    else one
                    for one in trial.timings
                )
            }
        )
        for trial in record.trials
    ]
    return changed(record, trials=tuple(trials), claims=())


def only(found):
    (entry,) = found.labs[LAB]
    return entry


def test_a_record_that_was_measured_again_is_verified_and_ranked(board, taken):
    entry = only(board({"ada": taken(1)}, {"grader": taken(2)}))
    assert (entry.status, entry.rank, entry.why) == ("verified", 1, "")
    assert (entry.backend, entry.device) == ("fast", "cpu")
    assert entry.speed_up.value == pytest.approx(2, rel=0.05) and entry.remeasured != entry.speed_up


def test_without_the_grader_a_record_is_self_reported(board, taken):
    entry = only(board({"ada": taken(1)}))
    assert (entry.status, entry.rank) == ("self-reported", None)
    assert "has not measured this code" in entry.why


def test_another_number_than_the_graders_is_not_verified(board, taken):
    entry = only(board({"ada": slower(taken(1), 0.8)}, {"grader": taken(2)}))
    assert (entry.status, entry.rank) == ("self-reported", None)
    assert entry.why.startswith("The grader measured 2") and "was handed in" in entry.why


@pytest.mark.parametrize(
    "difference",
    [
        lambda one: {"variants": tuple(each.model_copy(update={"code": "other"}) for each in one.variants)},
        lambda one: {"settings": one.settings | {"generated": 9_999}},
        lambda one: {"settings": one.settings | {"threads": 16}},
        lambda one: {"lab": "lab11"},
    ],
    ids=["code", "work", "threads", "lab"],
)
def test_what_the_grader_measured_otherwise_verifies_nothing(board, taken, difference):
    again = taken(2)
    entry = only(board({"ada": taken(1)}, {"grader": changed(again, **difference(again))}))
    assert entry.status == "self-reported" and entry.remeasured is None


def test_ranks_follow_the_graders_numbers(board, taken):
    """What counts is what the grader measured, not what was handed in; equal numbers share a rank."""
    other = tuple(each.model_copy(update={"code": "other"}) for each in taken(1).variants)
    handed_in = {
        "ada": taken(1),
        "bob": slower(taken(3, variants=other), 0.96),
        "eve": taken(4),
        "nobody": changed(taken(5), settings=taken(5).settings | {"prompt": 1}),
    }
    again = {"one": taken(2), "two": slower(taken(2, variants=other), 0.96)}
    found = board(handed_in, again)
    assert [(entry.name, entry.rank, entry.status) for entry in found.labs[LAB]] == [
        ("bob", 1, "verified"),
        ("ada", 2, "verified"),
        ("eve", 2, "verified"),
        ("nobody", None, "self-reported"),
    ]


def test_what_is_refused_says_why(board, taken, tmp_path, now):
    without = tuple(each.model_copy(update={"parity": None}) for each in taken(1).variants)
    handed_in = {
        "edited": taken(1),
        "future": taken(2, created=now + timedelta(days=1)),
        "other": taken(3, lab="lab05-ctc"),
        "none": taken(3, lab=""),
        "parity": taken(4, variants=without, claims=()),
        "early": taken(1, NoSynchronisation),
        "torn": taken(5),
        "schema": taken(5),
    }
    board(handed_in)
    folder = tmp_path / "in"
    content = json.loads((folder / "edited.json").read_text())
    content["trials"][30]["timings"][1]["seconds"] /= 2
    (folder / "edited.json").write_text(json.dumps(content))
    (folder / "torn.json").write_text((folder / "torn.json").read_text()[:500])
    (folder / "schema.json").write_text("[]")
    found = leaderboard(folder, None, LAB, now=now)
    reasons = {entry.name: entry.why for entry in found.labs[LAB]}
    assert {entry.status for entry in found.labs[LAB]} == {"refused"} and len(reasons) == 8
    for name, words in {
        "edited": "changed after it was written",
        "future": "set the clock",
        "other": "of the lab 'lab05-ctc', and one of the lab 'lab10-fast-inference' was expected",
        "none": "of no lab",
        "parity": "came without parity",
        "early": "breaks the rules: synchronised",
        "torn": "is not whole",
        "schema": "schema version None",
    }.items():
        assert words in reasons[name], name


def test_a_quick_record_and_a_made_up_device_have_no_rank(board, taken, record):
    few = taken(1)
    first = tuple(trial for trial in few.trials if trial.process == 0)
    quick = changed(few, trials=tuple(one.model_copy(update={"place": n}) for n, one in enumerate(first)), claims=())
    entries = {entry.name: entry for entry in board({"quick": quick, "fake": changed(record, lab=LAB)}).labs[LAB]}
    assert entries["quick"].status == "refused" and "processes" in entries["quick"].why
    assert entries["fake"].status == "self-reported" and "made-up device" in entries["fake"].why


def test_a_copy_is_told(board, taken):
    found = board({"ada": taken(1), "eve": taken(1)}, {"grader": taken(2)}).labs[LAB]
    assert [(entry.status, entry.rank) for entry in found] == [("self-reported", None)] * 2
    assert found[0].why == "The same measurement was handed in as eve."


def test_a_nonce_counts(board, taken):
    entry = only(board({"ada": taken(1)}, {"grader": taken(2)}, nonce="given out"))
    assert entry.status == "refused" and "measure again with it" in entry.why


def test_labs_are_apart_where_none_is_asked_for(board, taken):
    found = board({"ada": taken(1), "bob": taken(2, lab="lab99")}, lab="")
    assert sorted(found.labs) == [LAB, "lab99"]


def test_a_record_of_the_grader_that_cannot_be_used_is_told(board, taken, now):
    found = board({"ada": taken(1)}, {"late": taken(2, created=now + timedelta(days=9))})
    assert only(found).status == "self-reported" and "late.json is not used" in found.unused[0]


def test_it_is_shown_and_kept_as_json(board, taken):
    found = board({"[bold]ada": taken(1)}, {"grader": taken(2)})
    assert Leaderboard.model_validate_json(found.model_dump_json()) == found
    console = Console(record=True, width=160)
    show_leaderboard(found, console)
    assert "[bold]ada" in console.export_text()


def test_folders_that_are_not_there(tmp_path):
    with pytest.raises(CourseError, match="expected at .*nowhere, and there is none"):
        leaderboard(tmp_path / "nowhere")
    with pytest.raises(CourseError, match="expected below"):
        leaderboard(tmp_path)


def test_links_are_not_followed(board, taken, tmp_path, now):
    board({"ada": taken(1)})
    (tmp_path / "in" / "link.json").symlink_to(tmp_path / "in" / "ada.json")
    assert [entry.name for entry in leaderboard(tmp_path / "in", None, LAB, now=now).labs[LAB]] == ["ada"]
    assert read(tmp_path / "in" / "ada.json").lab == LAB
