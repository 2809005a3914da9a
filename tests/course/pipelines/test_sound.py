"""Speech data sets: what is left out and why, no speaker in two parts, and the same bytes on every runner."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from click.testing import CliRunner
from pydantic import ValidationError

from course.channels import through_mu_law
from course.errors import CourseError
from course.pipelines.command import pipelines
from course.pipelines.duplicates import Banding, jaccard
from course.pipelines.records import DeadLetter
from course.pipelines.sound import (
    Clip,
    Listed,
    Settings,
    as_pcm,
    fingerprint,
    keep_one,
    load,
    parse_listed,
    part_of_clip,
    place_of,
    prepare,
    trimmed,
)
from course.pipelines.speech_sets import leaks, make_speech_set, read_part, seconds_of_speakers
from course.pipelines.stages import DEAD, Counted
from course.pipelines.writing import read_part as read_records
from course.pipelines.writing import verify
from course.recordings import digits

RATE = 8000
SETTINGS = Settings(validation=0.3, test=0.3)
TAKES = digits(takes=range(1), words=("zero", "seven", "nine"))


def listed(name: str, file: str = "", speaker: str = "ann", **changes) -> Listed:
    about = {"name": name, "file": file or f"{name}.wav", "speaker": speaker, "source": "test", "licence": "MIT"}
    return Listed(**about | changes)


def clip_of(signal, name: str = "one", speaker: str = "ann", rate: int = RATE) -> Clip:
    return Clip(listed(name, speaker=speaker), rate, as_pcm(signal))


def tone(seconds: float, rate: int = RATE, level: float = 0.3) -> np.ndarray:
    return level * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Digits of six speakers, and what goes wrong with recordings, in a folder with its list."""
    folder = tmp_path_factory.mktemp("recordings")
    lines = []

    def add(name: str, signal, speaker: str, rate: int = RATE, **form) -> None:
        soundfile.write(folder / f"{name}.wav", signal, rate, **form)
        lines.append(listed(name, speaker=speaker, text="zero").line)

    for take in TAKES:
        add(take.name, take.signal, take.speaker)
    first, second, third = TAKES[0], TAKES[1], TAKES[2]
    add("copy", first.signal, first.speaker)
    add("quiet-copy", second.signal * 0.5, second.speaker)
    add("telephoned-copy", through_mu_law(third).signal, third.speaker)
    stereo = soxr.resample(TAKES[4].signal, RATE, 16000)
    add("stereo-copy", np.stack([stereo, stereo], axis=1), TAKES[4].speaker, 16000)
    add("silence", np.zeros(RATE), "ann")
    add("click", np.r_[np.zeros(4000), 0.5, np.zeros(4000)][3990:4010], "ann")
    add("long", np.tile(tone(1.0), 61), "ann")
    add("nothing", np.zeros(0), "ann")
    add("broken-numbers", np.full(RATE, np.nan), "ann", subtype="FLOAT")
    (folder / "text.wav").write_text("this is no sound")
    lines += [listed("text").line, listed("absent").line, "{", '{"name": "x"}']
    lines.append(listed(first.name, "absent-too.wav", first.speaker).line)
    (folder / "list.jsonl").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def plain(folder, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("speech")
    assert make_speech_set(str(folder / "list.jsonl"), str(output), SETTINGS).ran
    return output


def files(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_everything_that_was_wrong_is_counted_under_its_reason(plain):
    counts = verify(plain).counts
    assert counts["dead letters"] == {
        "empty": 1,
        "malformed": 2,
        "missing": 2,
        "no sound file": 1,
        "not finite": 1,
    }
    assert counts["filtered"] == {"silent": 1, "too long": 1, "too short": 1}
    assert counts["duplicates"] == {"exact": 1, "near": 3}
    letters = [json.loads(line) for line in (plain / DEAD).read_text().splitlines()]
    assert len(letters) == 7 and all(letter["source"] == "list.jsonl" for letter in letters)
    assert sum(counts["written"].values()) == len(TAKES)


def test_no_speaker_is_in_two_parts_and_the_seconds_are_those_of_the_sound(plain):
    manifest = verify(plain)
    parts = {part: read_part(str(plain), part) for part in SETTINGS.shares}
    assert leaks(parts) == set() and sum(map(len, parts.values())) == len(TAKES)
    assert leaks({"a": parts["train"], "b": parts["train"]})
    seconds = seconds_of_speakers(manifest)
    for part, recordings in parts.items():
        for speaker in {about["speaker"] for about, _ in recordings}:
            heard = [sound.size / RATE for about, sound in recordings if about["speaker"] == speaker]
            assert seconds[part][speaker] == pytest.approx(sum(heard), abs=0.001 * len(heard))
            assert f"| {part} | {speaker} | {seconds[part][speaker]:.1f} |" in (plain / "README.md").read_text()


def test_flac_holds_the_very_samples(plain, folder):
    part = {s: p for p, speakers in seconds_of_speakers(verify(plain)).items() for s in speakers}
    take = TAKES[-1]
    (found,) = [sound for about, sound in read_part(str(plain), part[take.speaker]) if about["name"] == take.name]
    clip = load((1, listed(take.name, speaker=take.speaker)), str(folder / "list.jsonl"), SETTINGS)
    assert np.array_equal(found, trimmed(clip).signal)
    original = soundfile.read(folder / f"{take.name}.wav", dtype="int16")[0]
    assert np.array_equal(clip.signal, original)


@pytest.mark.parametrize(("runner", "workers"), [("direct", 1), ("multi-process", 2)])
def test_every_runner_writes_the_same_bytes(runner, workers, plain, folder, tmp_path, monkeypatch):
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "1")
    make_speech_set(str(folder / "list.jsonl"), str(tmp_path), SETTINGS, runner, workers)
    assert files(tmp_path) == files(plain)


def test_the_order_of_the_list_changes_nothing_but_where_dead_letters_are(plain, folder, tmp_path):
    lines = (folder / "list.jsonl").read_text().splitlines()
    backwards = folder / "backwards.jsonl"
    backwards.write_text("\n".join(lines[::-1]))
    make_speech_set(str(backwards), str(tmp_path), SETTINGS)
    found, expected = files(tmp_path), files(plain)
    assert {n: c for n, c in found.items() if n not in (DEAD, "run.json")} == {
        n: c for n, c in expected.items() if n not in (DEAD, "run.json")
    }


def test_a_finished_set_is_left_alone_until_a_recording_changes(folder, tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(1.0), RATE)
    (tmp_path / "list.jsonl").write_text(listed("a").line)
    arguments = (str(tmp_path / "list.jsonl"), str(tmp_path / "out"), SETTINGS)
    assert make_speech_set(*arguments).ran and not make_speech_set(*arguments).ran
    soundfile.write(tmp_path / "a.wav", tone(1.5), RATE)
    assert make_speech_set(*arguments).ran


def test_silence_goes_and_a_margin_stays():
    clip = clip_of(np.r_[np.zeros(4000), tone(0.5), np.zeros(8000)])
    kept = trimmed(clip)
    assert 0.5 <= kept.signal.size / RATE <= 0.5 + 2 * (0.05 + 0.025)
    assert np.abs(kept.signal).max() == np.abs(clip.signal).max()
    assert trimmed(clip_of(np.zeros(4000))).pcm == b"" == trimmed(clip_of(np.zeros(0))).pcm
    loud = clip_of(tone(0.5))
    assert trimmed(loud).signal.size >= loud.signal.size - 80, "nothing is cut off where nothing is silent"


def test_fingerprints_of_copies_are_alike_and_those_of_other_takes_are_not():
    original = [clip_of(take.signal, take.name) for take in TAKES]
    changed = [clip_of(0.4 * take.signal[24:], take.name) for take in TAKES]
    prints, copies = [list(map(fingerprint, clips)) for clips in (original, changed)]
    alike = [jaccard(a, b) for a, b in zip(prints, copies, strict=True)]
    apart = [jaccard(a, b) for i, a in enumerate(prints) for b in prints[:i]]
    assert min(alike) > 1.5 * Settings().near > 3 * max(apart)
    assert Banding(Settings().bands, Settings().rows).probability(min(alike)) > 0.99
    assert all(numbers.max() < 2**16 and (np.diff(numbers.astype(int)) > 0).all() for numbers in prints)


def test_a_very_short_sound_has_no_fingerprint_and_resembles_nothing():
    assert fingerprint(clip_of(tone(0.03))).size == 0


def test_of_duplicates_the_longest_stays_whatever_the_order():
    clips = [clip_of(tone(0.2), "b"), clip_of(tone(0.3), "c"), clip_of(tone(0.3), "a")]
    for order in (clips, clips[::-1]):
        kept, counts = keep_one(order, "near")
        assert kept.name == "a" and counts == [Counted("duplicates", "near")] * 2


def test_sound_in_two_channels_and_at_another_rate_becomes_one():
    signal = tone(1.0, 16000)
    buffer = io.BytesIO()
    soundfile.write(buffer, np.stack([signal, -signal], axis=1), 16000, format="WAV")
    from course.pipelines.sound import at_rate, decode

    decoded, rate = decode(buffer.getvalue())
    assert decoded.shape == (16000, 2) and rate == 16000
    assert np.abs(decoded.mean(axis=1)).max() < 1e-4
    assert np.allclose(at_rate(signal, 16000, 8000)[400:-400], tone(1.0)[400:-400], atol=1e-3)
    assert decode(b"") == decode(b"") and isinstance(decode(b"RIFF")[0], str)


def test_samples_are_rounded_and_clipped():
    assert np.frombuffer(as_pcm([0, 0.5, 1.5, -1.0, -2.0]), "<i2").tolist() == [0, 16384, 32767, -32768, -32768]


@pytest.mark.parametrize("line", [b"", b"[]", b"{", b'{"name": 1}', b"\xff", listed("a").line.encode()[:-1]])
def test_a_line_that_lists_nothing_is_a_dead_letter(line):
    found = parse_listed(line, "list", 7)
    assert isinstance(found, DeadLetter) and (found.reason, found.line) == ("malformed", 7)
    assert list(prepare(found, "list", SETTINGS)) == [Counted("dead letters", "malformed"), found]


def test_a_recording_without_a_licence_is_refused():
    without = json.loads(listed("a").line) | {"licence": ""}
    assert isinstance(parse_listed(json.dumps(without).encode()), DeadLetter)


def test_files_lie_beside_their_list():
    assert place_of(listed("a"), "x/y/list.jsonl") == "x/y/a.wav" and place_of(listed("a"), "list.jsonl") == "./a.wav"
    assert place_of(listed("a", "/z/a.wav"), "x/list.jsonl") == "/z/a.wav"
    assert place_of(listed("a", "gs://b/a.wav"), "x/list.jsonl") == "gs://b/a.wav"


def test_the_split_depends_on_the_key_and_the_speaker_alone():
    speakers = [f"speaker {n}" for n in range(300)]
    parts = [part_of_clip(clip_of(tone(0.1), speaker=s), SETTINGS) for s in speakers]
    again = [part_of_clip(clip_of(tone(0.2), "x", s), SETTINGS) for s in speakers]
    assert parts == again and 60 < parts.count("test") < 120
    assert parts != [part_of_clip(clip_of(tone(0.1), speaker=s), Settings(key="x")) for s in speakers]


@pytest.mark.parametrize("bad", [{"sample_rate": 11025}, {"shards": 0}, {"near": 0}, {"test": 0.5}, {"x": 1}])
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(ValidationError):
        Settings(**bad)


def test_errors_say_what_to_do(plain, tmp_path):
    with pytest.raises(CourseError, match="course pipelines collect"):
        make_speech_set(str(tmp_path / "none.jsonl"), str(tmp_path / "out"))
    with pytest.raises(CourseError, match="records were expected"):
        read_records(plain, "train")


def test_the_command(folder, tmp_path):
    arguments = ["speech", str(folder / "list.jsonl"), "--output", str(tmp_path), "--runner", "plain"]
    arguments += ["--validation", "0.3", "--test", "0.3"]
    first, second = (CliRunner().invoke(pipelines, arguments) for _ in range(2))
    assert first.exit_code == 0 and f"{len(TAKES)} recordings" in first.output, first.output
    assert second.exit_code == 0 and "Nothing to do" in second.output
