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
