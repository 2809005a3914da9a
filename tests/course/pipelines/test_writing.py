"""Shards: the same bytes for the same records, whole or not there, and a manifest that nobody can argue with."""

import hashlib
import io
import json
import random
import tarfile

import numpy as np
import pytest
import soundfile

from course.errors import CourseError
from course.pipelines.made_up import made_up_records
from course.pipelines.records import canonical_json
from course.pipelines.writing import (
    FORMATS,
    READERS,
    data_card,
    finish,
    flac_bytes,
    manifest_of,
    read_manifest,
    read_part,
    recordings_bytes,
    shard_number,
    verify,
    write_recordings,
    write_shard,
)
from course.recordings import Recording
from course.storage import PREFIX, SUFFIX

RECORDS = made_up_records(30)


@pytest.mark.parametrize("form", list(FORMATS))
def test_the_bytes_of_a_shard_do_not_depend_on_the_order_and_give_the_records_back(form):
    content = FORMATS[form](RECORDS)
    for seed in range(3):
        assert FORMATS[form](random.Random(seed).sample(RECORDS, len(RECORDS))) == content
    forms_left_out = tuple(record.model_copy(update={"known": {}}) for record in RECORDS)
    assert FORMATS[form](forms_left_out) == content or form == "jsonl"
    expected = sorted(RECORDS if form == "jsonl" else forms_left_out, key=lambda record: record.id)
    assert READERS[form](content) == tuple(expected)


def test_numbers_of_shards_are_spread_and_stay(rng):
    numbers = [shard_number(f"record-{n}", 8) for n in range(4000)]
    assert set(numbers) == set(range(8))
    assert all(abs(numbers.count(n) - 500) < 4 * (4000 / 8 * 7 / 8) ** 0.5 for n in range(8))
    assert shard_number("record-1", 1) == 0
    with pytest.raises(ValueError, match="At least one shard"):
        shard_number("x", 0)


def written(folder, records=RECORDS, n_shards=3, form="jsonl"):
    shards = []
    for number in range(n_shards):
        inside = [record for record in records if shard_number(record.id, n_shards) == number]
        if inside:
            shards.append(write_shard(str(folder), "train", number, n_shards, inside, form))
    counts = {"read": {"records": len(records)}, "written": {"train": len(records)}, "filtered": {"empty": 2}}
    manifest = manifest_of(counts, shards, ["MIT", "MIT"], form, {"near": 0.7})
    finish(str(folder), manifest)
    return manifest


def test_a_data_set_is_verified_and_read_back(tmp_path):
    manifest = written(tmp_path)
    assert verify(tmp_path) == manifest == read_manifest(tmp_path) and manifest.licences == ("MIT",)
    assert read_part(tmp_path, "train") == tuple(sorted(RECORDS, key=lambda record: record.id))
    for shard in manifest.shards:
        content = (tmp_path / shard.file).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (shard.size, shard.sha256)
        assert content.count(b"\n") == shard.records
    assert read_part(tmp_path, "test") == ()
    with pytest.raises(CourseError, match="No part is called 'exam'"):
        read_part(tmp_path, "exam")


def test_written_again_it_is_the_same_to_the_byte(tmp_path):
    written(tmp_path / "a")
    written(tmp_path / "b", random.Random(1).sample(RECORDS, len(RECORDS)))
    assert files(tmp_path / "a") == files(tmp_path / "b")


def files(folder) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_what_an_earlier_or_killed_run_left_goes(tmp_path):
    written(tmp_path, n_shards=5)
    (tmp_path / "shards" / f"{PREFIX}killed{SUFFIX}").write_bytes(b"half")
    written(tmp_path, n_shards=2)
    verify(tmp_path)
    written(tmp_path / "fresh", n_shards=2)
    assert files(tmp_path / "fresh").items() <= {k: v for k, v in files(tmp_path).items()}.items()
    assert len(list((tmp_path / "shards").iterdir())) == 2


def test_damage_is_found(tmp_path):
    manifest = written(tmp_path)
    first = tmp_path / manifest.shards[0].file
    content = first.read_bytes()
    first.write_bytes(content[:-1] + b" ")
    with pytest.raises(CourseError, match="is not the file that the manifest names"):
        verify(tmp_path)
    first.unlink()
    with pytest.raises(CourseError, match="missing"):
        verify(tmp_path)
    first.write_bytes(content)
    (tmp_path / "shards" / "more.jsonl").write_text("")
    with pytest.raises(CourseError, match="not named by the manifest"):
        verify(tmp_path)
    (tmp_path / "manifest.json").write_text('{"shards": []')
    with pytest.raises(CourseError, match="no manifest of this version"):
        verify(tmp_path)
    with pytest.raises(CourseError, match="has not ended; run it again"):
        verify(tmp_path / "nowhere")


def test_the_card_says_what_the_manifest_says(tmp_path):
    manifest = written(tmp_path)
    card = (tmp_path / "README.md").read_text()
    assert card == data_card(manifest) and "30 records of 30 lines" in card and "| filtered | empty | 2 |" in card
    assert "Licences of the sources: MIT." in card and "| near | 0.7 |" in card
    assert "Nothing." in data_card(manifest_of({}, [], [], "jsonl", {}))


def test_nothing_in_a_data_set_says_when_or_where_it_was_made(tmp_path):
    written(tmp_path, form="parquet")
    everything = b"".join(files(tmp_path).values())
    assert str(tmp_path).encode() not in everything and b"2026" not in everything


def recording(name: str, rng, seconds: float = 0.05) -> Recording:
    signal = rng.uniform(-0.5, 0.5, round(8000 * seconds)).astype(np.float32)
    return Recording(name, signal, 8000, "four two", "george", "test", False)


def test_flac_gives_the_sound_back_to_half_a_step(rng):
    signal = rng.uniform(-0.9, 0.9, 500)
    decoded, rate = soundfile.read(io.BytesIO(flac_bytes(signal, 8000)))
    assert rate == 8000 and np.abs(decoded - signal).max() <= 1 / 2**15
    assert flac_bytes(signal, 8000) == flac_bytes(signal, 8000)


def test_recordings_in_an_archive_have_no_dates_and_any_order(rng):
    made = [recording(f"take {n}", rng) for n in range(4)]
    content = recordings_bytes(made)
    assert recordings_bytes(made[::-1]) == content
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        entries = archive.getmembers()
        assert [entry.name for entry in entries[:2]] == ["take-0.flac", "take-0.json"] and len(entries) == 8
        assert {(entry.mtime, entry.uid, entry.gid, entry.uname) for entry in entries} == {(0, 0, 0, "")}
        about = json.load(archive.extractfile("take-1.json"))
        assert about["speaker"] == "george" and about["sample_rate"] == 8000 and canonical_json(about)
    with pytest.raises(ValueError, match="different names"):
        recordings_bytes([made[0], made[0]])


def test_recordings_are_sharded_and_verified(tmp_path, rng):
    made = [recording(f"take {n}", rng) for n in range(12)]
    shards = write_recordings(tmp_path, {"train": made[:9], "test": made[9:]}, 2)
    finish(str(tmp_path), manifest_of({"written": {"train": 9, "test": 3}}, shards, ["CC-BY-SA-4.0"], "flac", {}))
    manifest = verify(tmp_path)
    assert sum(shard.records for shard in manifest.shards) == 12
    assert {shard.part for shard in manifest.shards} == {"train", "test"}
