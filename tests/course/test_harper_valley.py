"""The reader of the Harper Valley calls, on made-up calls in the published layout."""

import hashlib
import json

import numpy as np
import pytest
import soundfile

from course.data import CORPORA
from course.errors import CourseError
from course.harper_valley import call_ids, read_call, recordings
from course.registry import CHECKSUMS

SID = "00ab34cd56ef7890"
RATE = 8000


def segment(index: int, role: str, offset_ms: int, words: str, **changes) -> dict:
    """A segment as published, a second long."""
    spoken = words.split()
    published = {
        "channel_index": 2 if role == "agent" else 1,
        "dialog_acts": ["gridspace_greeting"],
        "duration_ms": 1000,
        "emotion": {"neutral": 0.5, "negative": 0.25, "positive": 0.25},
        "human_transcript": words,
        "index": index,
        "offset_ms": offset_ms,
        "speaker_role": role,
        "start_ms": offset_ms - 500 if role == "agent" else offset_ms,
        "start_timestamp_ms": 1591056787005 + offset_ms,
        "transcript": words,
        "word_durations_ms": [100] * len(spoken),
        "word_offsets_ms": [100 * i for i in range(len(spoken))],
    }
    return published | changes


METADATA = {
    "agent": {"speaker_id": 46, "metadata": {"agent_name": "Elizabeth"}, "responses": []},
    "caller": {"speaker_id": 44, "metadata": {}, "responses": [{"submit_time_ms": 1591056823619}]},
    "sid": SID,
    "session": "Little Harper Valley 3",
    "labels": {"caller_mos": 3.0},
    "tasks": [{"replacement card type": "debit", "task_type": "replace card"}],
}
SEGMENTS = [
    segment(2, "caller", 2000, "hi i lost my [laughter] debit card"),
    segment(1, "agent", 700, "hello this is harper valley national bank"),
    segment(3, "caller", 3000, "[noise]"),
]


def tones() -> dict[str, np.ndarray]:
    """Four seconds for each side; every whole second has a level of its own."""
    levels = np.repeat([0.1, 0.2, 0.3, 0.4], RATE)
    return {"agent": levels, "caller": -levels}


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """A folder in the cache with one made-up call; call the result to store it, with changes if wanted."""
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("COURSE_DATA_MIRROR", raising=False)
    folder = tmp_path / "harper-valley"

    def store(metadata=METADATA, segments=SEGMENTS, sides=None):
        for room in ("metadata", "transcript", "audio/agent", "audio/caller"):
            (folder / room).mkdir(parents=True, exist_ok=True)
        (folder / f"metadata/{SID}.json").write_text(json.dumps(metadata))
        (folder / f"transcript/{SID}.json").write_text(json.dumps(segments))
        for role, signal in (sides or tones()).items():
            soundfile.write(folder / f"audio/{role}/{SID}.wav", signal, RATE, subtype="PCM_16")
        sums = [
            f"{path.relative_to(folder).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n"
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != CHECKSUMS
        ]
        (folder / CHECKSUMS).write_text("".join(sums))
        return folder

    return store


def test_a_call_is_read_in_the_order_in_which_it_was_spoken(corpus):
    corpus()
    assert call_ids() == (SID,)
    call = read_call(SID)
    assert [segment.index for segment in call.segments] == [1, 2, 3]
    assert (call.metadata.tasks[0].task_type, call.metadata.agent.speaker_id) == ("replace card", 46)
    first = call.segments[0]
    assert first.words == first.machine_words == "hello this is harper valley national bank"
    assert first.dialog_acts == ("gridspace_greeting",) and first.emotion["neutral"] == 0.5
    assert len(first.word_offsets_ms) == 7


def test_words_come_without_tags_and_noise_is_no_recording(corpus):
    corpus()
    spoken = recordings(read_call(SID))
    assert [one.text for one in spoken] == ["hello this is harper valley national bank", "hi i lost my debit card"]
    assert [one.speaker for one in spoken] == ["agent 46", "caller 44"]
    assert all(one.recorded and one.sample_rate == RATE and one.signal.size == RATE for one in spoken)


def test_sound_is_cut_where_the_recording_counts_from(corpus):
    corpus()
    agent, caller = recordings(read_call(SID))
    np.testing.assert_allclose(agent.signal[:2400], 0.1, atol=1e-4)  # from 0.7 s on, not from 0.2 s
    np.testing.assert_allclose(agent.signal[2401:], 0.2, atol=1e-4)
    np.testing.assert_allclose(caller.signal, -0.3, atol=1e-4)


def test_a_segment_beyond_the_end_of_the_sound_is_named(corpus):
    corpus(segments=[segment(1, "agent", 3500, "bye")])
    with pytest.raises(CourseError, match="ends at 4.50 s, but the agent's recording has 4.00 s"):
        recordings(read_call(SID))


def test_an_older_form_without_dialog_acts_is_read(corpus):
    old = segment(1, "agent", 0, "hello")
    del old["dialog_acts"]
    corpus(segments=[old])
    assert read_call(SID).segments[0].dialog_acts == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"speaker_role": "robot"}, "0.speaker_role"),
        ({"offset_ms": None}, "0.offset_ms"),
        ({"word_offsets_ms": [0]}, "1 word offsets, but 2"),
    ],
)
def test_other_forms_are_refused_with_the_place(corpus, change, message):
    corpus(segments=[segment(1, "agent", 0, "hello there") | change])
    with pytest.raises(CourseError, match=f"does not have the published form: .*{message}"):
        read_call(SID)


def test_files_that_are_no_json_are_refused(corpus):
    folder = corpus()
    (folder / f"metadata/{SID}.json").write_text("{")
    with pytest.raises(CourseError, match="SHA-256 differs"):
        read_call(SID)


def test_an_unknown_call_and_a_missing_file_are_named(corpus):
    folder = corpus()
    with pytest.raises(CourseError, match="no file 'metadata/ffff.json'"):
        read_call("ffff")
    (folder / f"audio/caller/{SID}.wav").unlink()
    with pytest.raises(CourseError, match=f"audio/caller/{SID}.wav of the Harper Valley calls has gone"):
        recordings(read_call(SID))


def test_without_the_corpus_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    assert call_ids() == ()
    with pytest.raises(CourseError, match="course data pull harper-valley"):
        read_call(SID)
    assert CORPORA["harper-valley"].licence == "Apache-2.0"
