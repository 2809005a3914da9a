"""The reference records of Lab 10 are small, whole, of that lab, and hold every rule that a speed needs."""

import pytest

from course.bench.record import Record as BenchRecord
from course.kit import root
from course.measure.record import accept, read
from course.measure.statistics import no_number
from course.measure.verify import verify

LAB = "lab10-fast-inference"
FOLDER = root() / "labs" / LAB / "reference"
ATTENTION = "cpu-attention.json"
LARGEST = 300_000
# Made to show that a speed is refused: without parity no number, however fast.
REFUSED = {"cpu-single-stream-int4.json": {"onnx-int8", "genai-int4"}}
MEASURED = sorted(path for path in FOLDER.glob("*.json") if path.name != ATTENTION)


def test_there_are_records():
    assert (FOLDER / "cpu-single-stream.json") in MEASURED


@pytest.mark.parametrize("path", MEASURED, ids=lambda path: path.stem)
def test_a_record_holds(path):
    record = accept(read(path), LAB, None)
    broken = {finding.rule.name for finding in verify(record) if finding.held is False}
    without = {variant.name for variant in record.variants if no_number(record, variant.name)}
    assert without == REFUSED.get(path.name, set())
    assert broken == ({"parity"} if without else set())
    assert path.stat().st_size < LARGEST and not record.faults


@pytest.mark.parametrize("path", sorted(FOLDER.glob(ATTENTION)), ids=lambda path: path.stem)
def test_attention_follows_from_its_samples(path):
    record = BenchRecord.read(path)
    assert {sample.variant for sample in record.samples} == {"naive", "tiled", "flash"}
    assert path.stat().st_size < LARGEST and not record.faults


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_the_page_names_every_record(path):
    assert f"`{path.name}`" in (FOLDER / "README.md").read_text(encoding="utf-8")
