"""Atomic writes and the way to the kit."""

import os

import pytest

from course import kit, storage
from course.errors import CourseError, SourceError


def test_a_write_replaces_the_whole_file(tmp_path):
    target = tmp_path / "deep" / "file.txt"
    storage.write_atomic(target, "first, and longer")
    storage.write_atomic(target, "zwölf")
    assert target.read_text(encoding="utf-8") == "zwölf"
    assert os.listdir(target.parent) == ["file.txt"]


def test_a_write_that_fails_keeps_the_old_content_and_no_rubbish(tmp_path, monkeypatch):
    target = tmp_path / "file.txt"
    storage.write_atomic(target, "good")

    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        storage.write_atomic(target, "never seen")
    assert target.read_text() == "good"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_a_line_is_appended_and_a_torn_one_before_it_is_cut_off(tmp_path):
    path = tmp_path / "lines"
    storage.append_line(path, b"one")
    with path.open("ab") as file:
        file.write(b"torn" + b"." * 10_000)
    storage.append_line(path, b"two")
    assert path.read_bytes() == b"one\ntwo\n"
    path.write_bytes(bytes(5000))
    storage.append_line(path, b"three")
    assert path.read_bytes() == b"three\n"


def test_a_line_that_does_not_fit_on_the_disk_leaves_no_trace(tmp_path, monkeypatch):
    path = tmp_path / "lines"
    storage.append_line(path, b"one")

    def full_disk(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage.os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        storage.append_line(path, b"two")
    assert path.read_bytes() == b"one\n"


@pytest.mark.parametrize(
    ("content", "whole"),
    [(b"{}\n", True), (b"{", False), (b"", False), (b"{\0}", False), (b"\0\0", False), (None, False)],
)
def test_a_text_file_is_whole_when_it_ends_and_has_no_zeros(tmp_path, content, whole):
    path = tmp_path / "file.json"
    if content is not None:
        path.write_bytes(content)
    assert storage.is_whole(path, b"}") is whole


def test_the_mode_of_a_new_file_is_the_one_that_was_asked_for(tmp_path):
    storage.write_atomic(tmp_path / "file", "x", mode=0o440)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o440


def test_the_kit_is_found_from_any_folder_inside(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_ROOT", raising=False)
    top = kit.root()
    monkeypatch.chdir(top / "labs")
    assert kit.root() == top
    monkeypatch.setenv("COURSE_ROOT", str(tmp_path))
    with pytest.raises(CourseError, match="COURSE_ROOT"):
        kit.root()


def test_a_source_error_names_file_and_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(SourceError(tmp_path / "lab.md", 12, "say more")) == "lab.md:12: say more"
    assert str(SourceError(tmp_path / "lab.md", None, "say more")) == "lab.md: say more"
