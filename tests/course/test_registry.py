"""The registries: right bytes are used, wrong ones never, and the good copy stays."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from course import data, registry
from course.command import course
from course.errors import CourseError
from course.models import MODELS
from course.registry import DebianPackage, Registry, Resource, Wheel
from course.voices import speak

GOOD, BAD = b"the right bytes", b"the wrong bytes"


class Tiny(Resource):
    """A resource whose manifest is written by the test."""

    @property
    def hashes(self):
        return {"a.bin": hashlib.sha256(GOOD).hexdigest()}


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """A registry with one resource whose cache, mirror and package folder are empty folders of the test's."""
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_DATA_MIRROR", str(tmp_path / "mirror"))
    origin = DebianPackage(package="no-such-package-anywhere", folder=tmp_path / "installed")
    facts = {"title": "Tiny", "licence": "CC0-1.0", "citation": "none", "homepage": "https://example.org", "bytes": 15}
    return Registry("corpus", [Tiny(name="tiny", origin=origin, **facts)]), tmp_path


def put(folder: Path, content: bytes):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a.bin").write_bytes(content)
    return folder / "a.bin"


@pytest.mark.parametrize("place", ["cache/tiny", "mirror/tiny", "installed"])
def test_a_right_file_is_found_in_each_place(kit, place):
    corpora, folder = kit
    path = put(folder / place, GOOD)
    assert corpora.fetch("tiny", "a.bin") == path
    assert corpora.verify("tiny") == {"a.bin": "right"}


def test_a_wrong_file_is_never_used_and_the_next_right_one_is(kit):
    corpora, folder = kit
    wrong = put(folder / "cache/tiny", BAD)
    with pytest.raises(CourseError, match="SHA-256 differs"):
        corpora.fetch("tiny", "a.bin")
    right = put(folder / "installed", GOOD)
    assert corpora.fetch("tiny", "a.bin") == right
    assert wrong.read_bytes() == BAD


def test_a_pull_that_delivers_wrong_bytes_keeps_the_good_copy(kit, monkeypatch):
    corpora, folder = kit
    good = put(folder / "cache/tiny", GOOD)
    monkeypatch.setattr(DebianPackage, "pull", lambda self, target: put(target, BAD))
    with pytest.raises(CourseError, match="1 of 1 files missing or with another SHA-256"):
        corpora.pull("tiny")
    assert good.read_bytes() == GOOD
    assert [path.name for path in (folder / "cache").iterdir()] == ["tiny"]


def test_a_package_that_cannot_be_had_says_what_to_try(kit):
    corpora, _ = kit
    with pytest.raises(CourseError, match="apt-get could not fetch it|needs a Debian-based machine"):
        corpora.fetch("tiny", "a.bin")


def test_unknown_names_list_what_there_is(kit):
    corpora, _ = kit
    with pytest.raises(CourseError, match="No corpus is called 'huge'; there are: tiny"):
        corpora.fetch("huge", "a.bin")
    with pytest.raises(CourseError, match="has no file 'b.bin'"):
        corpora.fetch("tiny", "b.bin")


def test_a_wheel_is_unpacked_without_being_installed(tmp_path, monkeypatch):
    def fake_download(command, folder, attempt):
        with zipfile.ZipFile(Path(folder) / "carrier-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr("carrier/a.bin", GOOD)
            wheel.writestr("carrier/deep/b.bin", BAD)
            wheel.writestr("other.py", "raise SystemExit")

    monkeypatch.setattr(registry, "_run", fake_download)
    Wheel(requirement="carrier==1.0", folder=Path("carrier")).pull(tmp_path / "out")
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == {"a.bin": GOOD}


def test_every_registered_resource_has_a_manifest_of_sha256():
    for resource in [*data.CORPORA, *MODELS]:
        assert resource.hashes and all(len(digest) == 64 for digest in resource.hashes.values())


def test_the_command_lists_licence_size_and_origin():
    runner = CliRunner()
    listing = runner.invoke(course, ["data", "list"], env={"COLUMNS": "200"}).output
    assert "asterisk-en" in listing and "CC BY-SA 3.0" in listing and "asterisk-core-sounds-en-wav" in listing
    assert "smollm2-135m-instruct" in runner.invoke(course, ["models", "list"], env={"COLUMNS": "200"}).output


def test_verify_fails_on_a_wrong_file(tmp_path, monkeypatch):
    (tmp_path / "smollm2-135m-instruct").mkdir()
    (tmp_path / "smollm2-135m-instruct" / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(BAD)
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(course, ["models", "verify"])
    assert isinstance(result.exception, CourseError) and "wrong SHA-256" in str(result.exception)


def test_prompt_texts_are_what_the_package_publishes():
    published = data.published_transcripts()
    if not published:
        pytest.skip("the Debian package asterisk-core-sounds-en is not installed")
    assert {name: published[name] for name in data.PROMPTS} == data.PROMPTS


def test_a_prompt_is_narrow_band_speech_with_its_origin():
    prompt = data.prompt("vm-goodbye")
    assert prompt.sample_rate == 8000 and prompt.signal.dtype == np.float32
    assert 0.2 < len(prompt.signal) / 8000 < 3 and 0.05 < np.abs(prompt.signal).max() <= 1
    assert prompt.origin.startswith(("recorded", "synthesised"))


def test_without_the_recordings_the_same_words_are_synthesised(monkeypatch):
    monkeypatch.setattr(data.CORPORA, "locate", lambda *_: None)
    data.prompt.cache_clear()
    try:
        first = data.prompt("hello-world")
        data.prompt.cache_clear()
        again = data.prompt("hello-world")
    finally:
        data.prompt.cache_clear()
    assert "espeak-ng" in first.origin and first.sample_rate == 8000
    np.testing.assert_array_equal(first.signal, again.signal)


def test_an_unknown_prompt_lists_the_known_ones():
    with pytest.raises(CourseError, match="vm-goodbye"):
        data.prompt("nope")


def test_speech_depends_on_the_voice_and_not_on_what_was_said_before():
    first, rate = speak("seven three nine zero")
    speak("something else")
    again, _ = speak("seven three nine zero")
    other, _ = speak("seven three nine zero", voice="en-gb-scotland")
    assert rate == 22050 and np.array_equal(first, again) and not np.array_equal(first, other)


@pytest.mark.parametrize(("text", "voice", "sentence"), [(" ", "en-us", "empty"), ("one", "xx-none", "no voice")])
def test_bad_speech_requests_say_what_to_try(text, voice, sentence):
    with pytest.raises(CourseError, match=sentence):
        speak(text, voice)
