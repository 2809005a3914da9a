"""The limits of a lab: the autograder's own, but for what the lab's front matter says."""

import shutil
from pathlib import Path

import pytest

from autograder.policy import MIB, Policy
from course.errors import SourceError
from course.lab.source import all_labs, read_lab

SMALL_LAB = Path(__file__).parent / "small-lab"


@pytest.fixture
def lab_with(tmp_path):
    """Make a copy of the small lab with a line in its front matter."""

    def make(line):
        folder = shutil.copytree(SMALL_LAB, tmp_path / "small-lab")
        source = folder / "lab.md"
        source.write_text(source.read_text().replace("  hours:", f"  {line}\n  hours:", 1))
        return read_lab(folder)

    return make


def test_every_lab_of_the_kit_has_limits():
    assert all(Policy.of(lab).total_seconds > 0 for lab in all_labs())


def test_a_lab_sets_its_own(lab_with):
    policy = Policy.of(lab_with(f"limits: {{total_memory_bytes: {6144 * MIB}, call_seconds: 2.5}}"))
    assert policy == Policy(total_memory_bytes=6144 * MIB, call_seconds=2.5)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("limits: {memory: 12}", "limit `memory` is not right .*the limits are submission_bytes, cell_seconds"),
        ("limits: {processes: 1.5}", "limit `processes` is not right"),
    ],
)
def test_a_wrong_limit_is_named_with_its_line(lab_with, line, sentence):
    lab = lab_with(line)
    with pytest.raises(SourceError, match=sentence) as error:
        Policy.of(lab)
    number = next(n for n, text in enumerate(lab.path.read_text().splitlines(), start=1) if "limits:" in text)
    assert f":{number}:" in str(error.value)


def test_a_limit_below_zero_is_no_limit(lab_with):
    with pytest.raises(SourceError, match="limits"):
        lab_with("limits: {call_seconds: -1}")
