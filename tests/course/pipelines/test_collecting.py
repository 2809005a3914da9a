"""Adapters of published layouts: every record says where it is from, and nothing comes in without a licence."""

import gzip
import hashlib
import json

import pytest
from click.testing import CliRunner

from course.data import CORPORA
from course.errors import CourseError
from course.pipelines.collecting import SOURCES, Message, best_path, checked_licence, collect
from course.pipelines.command import pipelines
from course.pipelines.pipeline import run
from course.pipelines.records import LONGEST_LINE, DeadLetter, Record, parse_line
from course.pipelines.sound import Listed, Settings
from course.pipelines.speech_sets import make_speech_set
from course.pipelines.writing import verify
from course.registry import CHECKSUMS

SID = "00ab34cd56ef7890"


def message(name: str, *replies: dict, role: str = "prompter", rank: int | None = None, **changes) -> dict:
    return {
        "message_id": name,
        "text": f"text of {name}",
        "role": role,
        "lang": "en",
        "rank": rank,
        "deleted": False,
        "review_result": True,
        "synthetic": False,
        "labels": {"quality": {"value": 0.9, "count": 3}},
        "replies": list(replies),
    } | changes


def tree(name: str, prompt: dict) -> dict:
    return {"message_tree_id": name, "tree_state": "ready_for_export", "prompt": prompt}


ASKED = message(
    "q",
    message("bad", role="assistant", rank=1),
    message("good", message("thanks", message("welcome", role="assistant")), role="assistant", rank=0),
    message("gone", role="assistant", rank=-1, deleted=True),
    message("refused", role="assistant", rank=-2, review_result=False),
)


@pytest.fixture
def trees(tmp_path):
    lines = [
        tree("one", ASKED),
        tree("two", message("frage", lang="de")),
        tree("three", message("q3", message("m3", role="assistant", synthetic=True, model_name="toy-1"))),
        tree("four", message("q4", deleted=True)),
        tree("five", message("q5", role="moderator")),
        {"message_tree_id": "six"},
    ]
    content = "\n".join(map(json.dumps, lines)).encode() + b'\n{"message_tree_id\n' + b"x" * (LONGEST_LINE + 1)
    path = tmp_path / "trees.jsonl.gz"
    path.write_bytes(gzip.compress(content))
    return path


def test_of_each_tree_the_best_ranked_conversation_comes(trees):
    found = list(collect("message-trees", str(trees), "Apache-2.0"))
    records = [one for one in found if isinstance(one, Record)]
    assert [record.id for record in records] == ["tree-one", "tree-three"]
    first = records[0]
    assert [turn.text for turn in first.turns] == [f"text of {name}" for name in ("q", "good", "thanks", "welcome")]
    assert [turn.role for turn in first.turns] == ["caller", "agent", "caller", "agent"]
    assert first.provenance.parents == ("q", "good", "thanks", "welcome")
    assert {record.provenance.licence for record in records} == {"Apache-2.0"}
    assert {record.provenance.source for record in records} == {"trees.jsonl.gz"}


def test_what_a_model_wrote_says_so(trees):
    three = list(collect("message-trees", str(trees), "Apache-2.0"))[1]
    assert (three.provenance.origin, three.provenance.model) == ("generated", "toy-1")


def test_lines_that_are_no_tree_are_dead_letters(trees):
    dead = [one for one in collect("message-trees", str(trees), "MIT") if isinstance(one, DeadLetter)]
    assert [(letter.line, letter.reason) for letter in dead] == [
        (5, "malformed"),
        (6, "malformed"),
        (7, "malformed"),
        (8, "too long"),
    ]


def test_ties_and_missing_ranks_are_settled_by_the_id():
    given = message("q", *(message(name, role="assistant") for name in "cab"), message("z", role="assistant", rank=5))
    assert [one.message_id for one in best_path(Message.model_validate(given))] == ["q", "z"]
    given["replies"].pop()
    for replies in (given["replies"], given["replies"][::-1]):
        assert best_path(Message.model_validate(given | {"replies": replies}))[1].message_id == "a"


@pytest.mark.parametrize("licence", [None, "", "  ", "unknown", "None", "NOASSERTION", "All rights reserved"])
def test_without_a_licence_nothing_comes_in(licence, trees):
    with pytest.raises(CourseError, match="licence"):
        list(collect("message-trees", str(trees), licence))
    assert checked_licence(" CC-BY-4.0 ", "x") == "CC-BY-4.0"


def test_what_is_collected_goes_through_the_pipeline(trees, tmp_path):
    kept = [one for one in collect("message-trees", str(trees), "Apache-2.0") if isinstance(one, Record)]
    assert all(parse_line(record.line) == record for record in kept)
    (tmp_path / "raw.jsonl").write_text("\n".join(record.line for record in kept))
    run([str(tmp_path / "raw.jsonl")], str(tmp_path / "out"))
    manifest = verify(tmp_path / "out")
    assert manifest.count("read") == 2 and manifest.licences == ("Apache-2.0",)
    assert manifest.count("written") == 2 - manifest.count("filtered") - manifest.count("duplicates") > 0


@pytest.fixture
def harper_valley(tmp_path, monkeypatch):
    """One made-up call in the published layout, in the cache."""
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSE_DATA_MIRROR", raising=False)
    folder = tmp_path / "cache" / "harper-valley"
    sides = {"agent": {"speaker_id": 46}, "caller": {"speaker_id": 44}}
    tasks = [{"task_type": "replace card"}]
    said = [
        (2, "caller", "hi i lost my [laughter] debit card"),
        (1, "agent", "hello this is harper valley national bank"),
        (3, "caller", "[noise]"),
    ]
    segments = [
        {"index": index, "speaker_role": role, "offset_ms": 0, "start_ms": 0, "duration_ms": 1}
        | {"human_transcript": words, "transcript": words}
        for index, role, words in said
    ]
    contents = {
        f"metadata/{SID}.json": {"sid": SID, "session": "s", "tasks": tasks} | sides,
        f"transcript/{SID}.json": segments,
    }
    sums = []
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
        sums.append(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n")
    (folder / CHECKSUMS).write_text("".join(sums))


def test_calls_of_harper_valley_become_dialogs(harper_valley):
    (record,) = collect("harper-valley")
    assert [(turn.role, turn.speaker) for turn in record.turns] == [
        ("agent", "harper-valley agent 46"),
        ("caller", "harper-valley caller 44"),
    ]
    assert record.turns[1].text == "hi i lost my [laughter] debit card", "cleaning comes later"
    assert record.task == "replace card" and record.id == f"harper-valley-{SID}"
    assert record.provenance.licence == "Apache-2.0" and "Git commit" in record.provenance.source


def test_a_corpus_that_is_not_here_is_named_with_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("COURSE_DATA_MIRROR", raising=False)
    for source in ("harper-valley", "fsdd", "librispeech-test-other"):
        with pytest.raises(CourseError, match=f"course data pull {source}"):
            list(collect(source))


@pytest.mark.parametrize(("source", "file"), [("nowhere", None), ("message-trees", None), ("message-trees", "absent")])
def test_bad_sources_are_one_sentence(source, file):
    with pytest.raises(CourseError, match="No source|was expected"):
        collect(source, file, "MIT")


@pytest.mark.parametrize(("corpus", "n", "speakers"), [("fsdd", 3000, 6), ("librispeech-test-other", 80, 8)])
def test_recordings_are_listed_with_speaker_text_and_licence(corpus, n, speakers, tmp_path):
    first = next(iter(file for file in CORPORA[corpus].hashes if file.endswith((".wav", ".flac"))))
    if CORPORA.locate(corpus, first) is None:
        pytest.skip(f"{corpus} is not on this machine")
    listed = list(collect(corpus))
    assert len(listed) == n and len({one.speaker for one in listed}) == speakers
    assert all(isinstance(one, Listed) and one.text and one.licence == CORPORA[corpus].licence for one in listed)
    assert len({one.name for one in listed}) == n
    (tmp_path / "list.jsonl").write_text("\n".join(one.line for one in listed[:: n // 8]))
    manifest = make_speech_set(str(tmp_path / "list.jsonl"), str(tmp_path / "out"), Settings()).manifest
    assert manifest.count("written") == len(listed[:: n // 8])


def test_the_command(trees, tmp_path):
    out = tmp_path / "raw.jsonl"
    arguments = ["collect", "message-trees", "-o", str(out), "--file", str(trees)]
    assert CliRunner().invoke(pipelines, arguments).exit_code != 0 and not out.exists()
    done = CliRunner().invoke(pipelines, [*arguments, "--licence", "Apache-2.0"])
    assert done.exit_code == 0 and "2 of 6 written" in done.output and "'too long': 1" in done.output
    assert len(out.read_text().splitlines()) == 2 and "message-trees" in SOURCES
