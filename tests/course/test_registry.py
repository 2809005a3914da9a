"""The registries: right bytes are used, wrong ones never, and the good copy stays."""

import hashlib
import io
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from course import data, registry
from course.command import course
from course.errors import CourseError
from course.models import MODELS
from course.registry import CHECKSUMS, Archive, DebianPackage, GitCommit, Registry, Resource, Wheel
from course.voices import speak

GOOD, BAD = b"the right bytes", b"the wrong bytes"
FACTS = {"title": "Test", "licence": "CC0-1.0", "citation": "none", "homepage": "https://example.org", "bytes": 15}


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
    return Registry("corpus", [Tiny(name="tiny", origin=origin, **FACTS)]), tmp_path


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
        if not isinstance(resource.origin, GitCommit):
            assert resource.hashes and all(len(digest) == 64 for digest in resource.hashes.values())


def archive(path: Path, files: dict[str, bytes], top: str = "repository-1234567") -> str:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path.as_uri()


class Nested(Resource):
    """A resource with files in folders."""

    @property
    def hashes(self):
        return {"deep/a.bin": hashlib.sha256(GOOD).hexdigest()}


def nested(tmp_path, monkeypatch, origin, **options):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_DATA_MIRROR", str(tmp_path / "mirror"))
    facts = {
        "title": "Nested",
        "licence": "CC0-1.0",
        "citation": "none",
        "homepage": "https://example.org",
        "bytes": 15,
    }
    return Registry("corpus", [Nested(name="nested", origin=origin, **facts, **options)])


def test_an_archive_is_unpacked_below_its_top_folder(tmp_path, monkeypatch):
    url = archive(tmp_path / "a.tar.gz", {"audio/deep/a.bin": GOOD, "audio/other.txt": BAD, "README": BAD})
    corpora = nested(tmp_path, monkeypatch, Archive(url=url, folder=Path("audio")))
    assert corpora.fetch("nested", "deep/a.bin") == tmp_path / "cache/nested/deep/a.bin"


def test_an_archive_with_other_bytes_is_refused(tmp_path, monkeypatch):
    url = archive(tmp_path / "a.tar.gz", {"deep/a.bin": BAD})
    corpora = nested(tmp_path, monkeypatch, Archive(url=url))
    with pytest.raises(CourseError, match="1 of 1 files missing or with another SHA-256"):
        corpora.fetch("nested", "deep/a.bin")
    assert not (tmp_path / "cache" / "nested").exists()


@pytest.mark.parametrize("content", [None, b"", b"no archive"])
def test_an_archive_that_cannot_be_had_says_what_to_try(tmp_path, monkeypatch, content):
    path = tmp_path / "a.tar.gz"
    if content is not None:
        path.write_bytes(content)
    corpora = nested(tmp_path, monkeypatch, Archive(url=path.as_uri()))
    with pytest.raises(CourseError, match="could not be fetched.*COURSE_DATA_MIRROR"):
        corpora.pull("nested")


def test_an_archive_without_the_folder_is_another_version(tmp_path, monkeypatch):
    url = archive(tmp_path / "a.tar.gz", {"elsewhere/a.bin": GOOD})
    corpora = nested(tmp_path, monkeypatch, Archive(url=url, folder=Path("audio")))
    with pytest.raises(CourseError, match="no folder 'audio'"):
        corpora.pull("nested")


def test_an_archive_cannot_write_outside_of_its_folder(tmp_path, monkeypatch):
    url = archive(tmp_path / "a.tar.gz", {"../../escaped.txt": BAD})
    with pytest.raises(CourseError, match="could not be fetched"):
        nested(tmp_path, monkeypatch, Archive(url=url)).pull("nested")


def test_a_mirror_may_call_a_resource_otherwise(tmp_path, monkeypatch):
    corpora = nested(tmp_path, monkeypatch, Archive(url="https://example.org/a.tar.gz"), mirrored_as="noise")
    path = put(tmp_path / "mirror/noise/deep", GOOD)
    assert corpora.locate("nested", "deep/a.bin") == path


def test_a_file_that_changes_is_hashed_again(kit):
    corpora, folder = kit
    path = put(folder / "installed", GOOD)
    assert corpora.locate("tiny", "a.bin") == path
    times = path.stat()
    path.write_bytes(BAD)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # as large and as old as before
    with pytest.raises(CourseError, match="SHA-256 differs"):
        corpora.locate("tiny", "a.bin")


def git_repository(folder: Path, files: dict[str, bytes]) -> str:
    """A repository with one commit; its id."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def by_commit(tmp_path, monkeypatch, files: dict[str, bytes]) -> Registry:
    commit = git_repository(tmp_path / "origin", files)
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSE_DATA_MIRROR", raising=False)
    origin = GitCommit(url=(tmp_path / "origin").as_uri(), commit=commit, folder=Path("data"))
    return Registry("corpus", [Resource(name="calls", origin=origin, **FACTS)])


def test_a_commit_is_fetched_and_its_files_are_checked_from_then_on(tmp_path, monkeypatch):
    corpora = by_commit(tmp_path, monkeypatch, {"data/deep/a.bin": GOOD, "README": BAD})
    assert corpora.locate("calls", "deep/a.bin") is None and corpora["calls"].hashes == {}
    path = corpora.fetch("calls", "deep/a.bin")
    assert path.read_bytes() == GOOD
    assert corpora["calls"].hashes == {"deep/a.bin": hashlib.sha256(GOOD).hexdigest()}
    path.write_bytes(BAD)
    with pytest.raises(CourseError, match="SHA-256 differs"):
        corpora.locate("calls", "deep/a.bin")
    assert (tmp_path / "cache" / "calls" / CHECKSUMS).is_file()


def test_a_commit_that_is_not_there_keeps_what_is(tmp_path, monkeypatch):
    corpora = by_commit(tmp_path, monkeypatch, {"data/a.bin": GOOD})
    wrong = corpora["calls"].origin.model_copy(update={"commit": "0" * 40})
    corpora.resources["calls"] = corpora["calls"].model_copy(update={"origin": wrong})
    with pytest.raises(CourseError, match="git could not fetch it"):
        corpora.pull("calls")


def test_pointers_of_git_lfs_are_not_taken_for_sound(tmp_path, monkeypatch):
    corpora = by_commit(tmp_path, monkeypatch, {"data/a.wav": b"version https://git-lfs.github.com/spec/v1\noid x\n"})
    with pytest.raises(CourseError, match="Install git-lfs"):
        corpora.pull("calls")


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
