"""Measurement records that are handed in, and the leaderboard that is made of them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile

from course.measure.leaderboard import leaderboard
from course.measure.record import Refused
from course.measure.rehearsal import Measurement, NoSynchronisation
from services.portal.board import boards, hand_in
from services.portal.drawing import WIDTH, intervals
from services.portal.models import Account, MeasurementRecord

pytestmark = pytest.mark.django_db
LAB = "lab10-fast-inference"
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="session")
def record():
    """The bytes of a record, as if taken on a processor."""
    made = {}

    def make(seed=1, cls=Measurement, **fields):
        if (seed, cls) not in made:
            made[seed, cls] = cls(seed).record()
        on_cpu = made[seed, cls].device.model_copy(update={"kind": "cpu"})
        changed = made[seed, cls].model_copy(update={"lab": LAB, "device": on_cpu} | fields)
        return changed.sealed().model_dump_json().encode()

    return make


def send(client, data, name="record.json"):
    return client.post("/records/", {"record": SimpleUploadedFile(name, data)})


def test_a_record_is_kept_and_on_the_leaderboard_under_a_pseudonym(as_, people, record):
    answer = send(as_("ada"), record())
    assert answer.status_code == 302 and answer["Location"] == "/records/"
    page = as_("ada").get("/records/").content.decode()
    assert "Kept for" not in page or LAB in page
    (board,) = as_(None).get("/api/leaderboard/").json()["labs"]
    (row,) = board["rows"]
    assert (row["pseudonym"], row["status"], row["rank"], row["mine"]) == (
        people["ada"].pseudonym,
        "self-reported",
        None,
        False,
    )
    assert row["low"] < row["ratio"] < row["high"] and row["unit"] == "times" and "fast" in row["variant"]
    assert "ada" not in json.dumps(board) and as_("ada").get("/api/leaderboard/").json()["labs"][0]["rows"][0]["mine"]
    page = BeautifulSoup(as_("ada").get("/leaderboard/").content, "html.parser")
    assert json.loads(page.find("script", id="leaderboard-data").string)["rows"] == [row | {"mine": True}]
    assert people["ada"].pseudonym in page.select_one("[data-view=leaderboard] tr.mine").get_text()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda record: b"", "The file is empty"),
        (lambda record: b"no json", "not whole"),
        (lambda record: record()[:5000], "not whole"),
        (lambda record: b"[]", "schema version None"),
        (lambda record: record().replace(b'"schema_version":1', b'"schema_version":2'), "schema version 2"),
        (lambda record: record().replace(b'"fast"', b'"fest"', 1), "no valid record|changed after it was written"),
        (lambda record: record().replace(b'"kit":"', b'"kit":"x', 1), "changed after it was written"),
        (lambda record: record(lab=""), "names no lab"),
        (lambda record: record(cls=NoSynchronisation), "breaks the rules"),
        (lambda record: record(created=datetime(2999, 1, 1, tzinfo=UTC)), "set the clock"),
    ],
    ids=["empty", "text", "torn", "list", "version", "edited", "edited-kit", "no-lab", "rule", "future"],
)
def test_what_is_no_record_is_refused_with_its_sentence(make, sentence, as_, record):
    import re

    answer = send(as_("ada"), make(record))
    page = BeautifulSoup(answer.content, "html.parser")
    assert answer.status_code == 422 and re.search(sentence, page.select_one("[role=alert]").get_text())
    assert "/tmp" not in page.get_text() and not MeasurementRecord.objects.exists()


def test_no_file_and_too_long_a_file(as_, record, chosen):
    assert b"Choose the record" in as_("ada").post("/records/", {}).content
    chosen(upload_bytes=2048)
    answer = send(as_("ada"), record())
    assert answer.status_code == 422 and b"2 are taken at most" in answer.content


def test_a_nonce_that_was_given_out_is_asked_for(as_, record, chosen):
    chosen(nonce="week-3")
    assert b"week-3" in send(as_("ada"), record()).content
    assert send(as_("ada"), record(nonce="week-3")).status_code == 302


def test_the_same_measurement_counts_once_and_for_one_person(as_, record):
    assert send(as_("ada"), record()).status_code == 302
    for name in ("ada", "ben"):
        answer = send(as_(name), record())
        assert answer.status_code == 422 and b"handed in already" in answer.content
    assert MeasurementRecord.objects.count() == 1


def test_uploads_have_a_rate(as_, chosen):
    chosen(upload_rate="2/h")
    assert [send(as_("ada"), b"x").status_code for _ in range(3)] == [422, 422, 429]
    assert send(as_("ben"), b"x").status_code == 422


def test_the_rows_are_those_of_course_measure_leaderboard(people, record, chosen, tmp_path):
    """Verified by the grader's own record, ties sharing a rank, the last of each person counting, history kept."""
    for name, seed in (("ada", 1), ("ben", 3), ("iris", 4)):
        hand_in(people[name], record(seed), "f", NOW)
    hand_in(people["ada"], record(5), "f", NOW + timedelta(days=1))
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "grader.json").write_bytes(record(2))
    chosen(remeasured=tmp_path / "again")
    (tmp_path / "in").mkdir()
    for name, seed in (("ada", 5), ("ben", 3), ("iris", 4)):
        (tmp_path / "in" / f"{name}.json").write_bytes(record(seed))
    wanted = leaderboard(tmp_path / "in", tmp_path / "again").labs[LAB]
    (board,) = boards(people["ada"])
    by_name = {person.pseudonym: name for name, person in people.items()}
    assert [(by_name[row["pseudonym"]], row["rank"], row["status"]) for row in board["rows"]] == sorted(
        [(one.name, one.rank, one.status) for one in wanted],
        key=lambda told: [by_name[row["pseudonym"]] for row in board["rows"]].index(told[0]),
    )
    assert {row["rank"] for row in board["rows"]} == {1} and {row["status"] for row in board["rows"]} == {"verified"}
    assert {row["ratio"] for row in board["rows"]} == {wanted[0].remeasured.value}
    history = next(row["history"] for row in board["rows"] if row["mine"])
    assert [one["created"][:10] for one in history] == ["2026-11-24", "2026-11-25"]
    drawn = intervals(board["rows"])
    assert all(bar.tie and 0 < bar.low < bar.at < bar.low + bar.span < WIDTH for bar in drawn.bars)


def test_the_leaderboard_follows_what_the_grader_measures(people, record, chosen, tmp_path):
    hand_in(people["ada"], record(1), "f", NOW)
    chosen(remeasured=tmp_path)
    assert boards(people["ada"])[0]["rows"][0]["status"] == "self-reported"
    (tmp_path / "grader.json").write_bytes(record(2))
    assert boards(people["ada"])[0]["rows"][0]["status"] == "verified"


def test_a_row_without_a_ratio_is_drawn_without_a_bar():
    row = {"rank": None, "ratio": None, "low": None, "high": None}
    (bar,) = intervals([row]).bars
    assert bar.at is None and not bar.tie
    assert intervals([]).bars == ()


def test_pseudonyms_are_their_own(db):
    made = {Account.objects.create(username=f"u{number}").pseudonym for number in range(50)}
    assert len(made) == 50


def test_refusals_are_course_errors(people, record):
    with pytest.raises(Refused, match="not whole"):
        hand_in(people["ada"], b"{", "The file")
