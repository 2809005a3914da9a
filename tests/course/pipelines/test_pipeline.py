"""The pipeline as a whole: the same bytes on every runner, in any order, after any interruption."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from course.errors import CourseError
from course.pipelines.command import pipelines
from course.pipelines.made_up import copied, made_up_records, raw_lines, write_raw
from course.pipelines.pipeline import run, run_key
from course.pipelines.records import LONGEST_LINE, REASONS
from course.pipelines.runners import options_of
from course.pipelines.splitting import leaks
from course.pipelines.stages import DEAD, Counted, Settings, prepare, total
from course.pipelines.writing import read_part, verify

CALLS = 40
SETTINGS = Settings(shards=3, validation=0.2, test=0.2)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Worker processes inherit it: their threads would only get into each other's way."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "1")


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    """Made-up lines with planted defects, in three files."""
    folder = tmp_path_factory.mktemp("raw")
    write_raw(folder, CALLS, n_files=3)
    return folder


@pytest.fixture(scope="module")
def plain(raw, tmp_path_factory):
    """What the loop makes of them: the folder and its manifest."""
    output = tmp_path_factory.mktemp("plain")
    outcome = run([f"{raw}/*.jsonl"], str(output), SETTINGS)
    assert outcome.ran
    return output, outcome.manifest


def files(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def data(folder: Path) -> dict[str, bytes]:
    """All but the list of dead letters, which says in which line of which file each was, and the run's key."""
    return {name: content for name, content in files(folder).items() if name not in (DEAD, "run.json")}


def test_what_was_planted_is_what_is_reported(plain):
    _, manifest = plain
    planted = raw_lines(CALLS).planted
    found = manifest.counts["dead letters"] | manifest.counts["filtered"] | manifest.counts["duplicates"]
    assert found == planted
    n_dead = sum(planted[reason] for reason in REASONS if reason in planted)
    assert manifest.count("dead letters") == n_dead and manifest.count("read") == len(raw_lines(CALLS).lines) - n_dead
    lost = sum(manifest.count(stage) for stage in ("filtered", "duplicates", "contaminated"))
    assert manifest.count("read") == manifest.count("written") + lost, "every record is somewhere"


def test_parts_are_whole_redacted_and_do_not_leak(plain):
    folder, manifest = plain
    parts = {part: read_part(folder, part) for part in manifest.counts["written"]}
    assert set(parts) == {"train", "validation", "test"} and leaks(parts) == {}
    names = {name for record in made_up_records(CALLS) for name in record.known["name"]}
    for records in parts.values():
        for record in records:
            assert record.known == {} and not any(name in record.text for name in names)


def test_dead_letters_say_where_and_not_what(plain, raw):
    folder, manifest = plain
    letters = [json.loads(line) for line in (folder / DEAD).read_text().splitlines()]
    assert len(letters) == manifest.count("dead letters")
    for letter in letters:
        lines = (raw / letter["source"]).read_bytes().split(b"\n")
        assert letter["reason"] in REASONS and len(lines[letter["line"] - 1]) >= min(letter["size"], LONGEST_LINE)


@pytest.mark.parametrize("runner, workers", [("direct", 1), ("direct", 2), ("portable", 1), ("multi-process", 2)])
def test_every_runner_writes_the_same_bytes(runner, workers, plain, raw, tmp_path):
    outcome = run([f"{raw}/*.jsonl"], str(tmp_path), SETTINGS, runner, workers)
    assert files(tmp_path) == files(plain[0]) and outcome.manifest == plain[1]
    counted = {f"{stage}: {reason}": n for stage, reasons in plain[1].counts.items() for reason, n in reasons.items()}
    assert {name: n for name, n in outcome.metrics.items() if not name.startswith("licence")} == counted


def test_the_order_of_lines_and_the_number_of_files_change_nothing(plain, tmp_path):
    lines = list(raw_lines(CALLS).lines)
    random.Random(3).shuffle(lines)
    for number in range(2):
        (tmp_path / f"{number}.jsonl").write_bytes(b"\n".join(lines[number::2]))
    run([f"{tmp_path}/0.jsonl", f"{tmp_path}/[01].jsonl"], str(tmp_path / "out"), SETTINGS)
    assert data(tmp_path / "out") == data(plain[0])


def test_a_finished_run_is_left_alone_and_a_damaged_one_repeated(raw, tmp_path):
    few = Settings(shards=1)
    inputs = [f"{raw}/calls-0.jsonl"]
    assert run(inputs, str(tmp_path), few).ran
    before = files(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert not run(inputs, str(tmp_path), few).ran
    assert times == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for name in ("manifest.json", "run.json", next(name for name in before if name.startswith("shards/train"))):
        (tmp_path / name).write_bytes(before[name][:20])
        assert run(inputs, str(tmp_path), few).ran and files(tmp_path) == before
        (tmp_path / name).unlink()
        assert run(inputs, str(tmp_path), few).ran and files(tmp_path) == before
    assert run(inputs, str(tmp_path), Settings(shards=2)).ran and files(tmp_path) != before
    assert run(inputs, str(tmp_path), few).ran and files(tmp_path) == before


def test_a_killed_run_leaves_no_data_set_and_the_next_one_is_whole(raw, plain, tmp_path):
    code = (
        "import sys, time\n"
        "from course.pipelines import writing, plain\n"
        "from course.pipelines.pipeline import run\n"
        "from course.pipelines.stages import Settings\n"
        "write = plain.write_shard\n"
        "def slowly(*arguments):\n"
        "    shard = write(*arguments)\n"
        "    print('written', flush=True)\n"
        "    time.sleep(60)\n"
        "    return shard\n"
        "plain.write_shard = slowly\n"
        f"run(['{raw}/*.jsonl'], '{tmp_path}', Settings(shards=3, validation=0.2, test=0.2))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(list((tmp_path / "shards").iterdir())) == 1
    with pytest.raises(CourseError, match="has not ended"):
        verify(tmp_path)
    assert run([f"{raw}/*.jsonl"], str(tmp_path), SETTINGS).ran
    assert files(tmp_path) == files(plain[0])


def test_the_key_of_a_run_is_of_content_and_settings(raw, tmp_path):
    inputs = tuple(str(path) for path in sorted(raw.iterdir()))
    key = run_key(inputs, SETTINGS)
    assert run_key(inputs[::-1], SETTINGS) == key != run_key(inputs, Settings(shards=3))
    assert run_key(inputs[:2], SETTINGS) != key
    (tmp_path / "x").write_bytes(Path(inputs[0]).read_bytes())
    assert run_key((str(tmp_path / "x"), *inputs[1:]), SETTINGS) == key, "the name of a file does not matter"


@pytest.mark.parametrize("runner", ["plain", "direct"])
def test_empty_files_make_an_empty_data_set(runner, tmp_path):
    (tmp_path / "empty.jsonl").write_bytes(b"\n\n")
    outcome = run([f"{tmp_path}/*.jsonl"], str(tmp_path / "out"), runner=runner)
    assert outcome.manifest.shards == () and outcome.manifest.counts == {}
    assert "0 records of 0 lines" in (tmp_path / "out" / "README.md").read_text()


def test_packed_input_and_parquet_output(tmp_path):
    import gzip

    records = made_up_records(12)
    (tmp_path / "calls.jsonl.gz").write_bytes(gzip.compress("\n".join(r.line for r in records).encode()))
    run([f"{tmp_path}/*.gz"], str(tmp_path / "out"), Settings(format="parquet", shards=1))
    kept = [record for part in ("train", "validation", "test") for record in read_part(tmp_path / "out", part)]
    assert {record.id for record in kept} <= {record.id for record in records} and len(kept) > 6


def test_what_a_model_wrote_is_only_trained_on(tmp_path, dialog):
    records = [
        dialog(f"word{n} first thing", "i want something else today", name=f"g{n}", caller=f"c{n}", origin="generated")
        for n in range(30)
    ]
    (tmp_path / "made.jsonl").write_text("\n".join(record.line for record in records))
    manifest = run(
        [f"{tmp_path}/made.jsonl"], str(tmp_path / "out"), Settings(validation=0.4, test=0.4, near=1.0)
    ).manifest
    assert manifest.counts["written"] == {"train": 30}


def test_a_test_call_that_training_knows_is_left_out(tmp_path):
    records = made_up_records(25)
    others = [copied(r, "again").with_texts([*(t.text for t in r.turns[:-1]), "and that was all bye"]) for r in records]
    moved = [
        r.model_copy(update={"turns": tuple(t.model_copy(update={"speaker": f"new-{t.speaker}-{n}"}) for t in r.turns)})
        for n, r in enumerate(others)
    ]
    (tmp_path / "calls.jsonl").write_text("\n".join(r.line for r in [*records, *moved]))
    settings = Settings(near=0.999, validation=0.2, test=0.3, contaminated=0.8)
    manifest = run([f"{tmp_path}/calls.jsonl"], str(tmp_path / "plain"), settings).manifest
    assert manifest.count("contaminated") > 3
    run([f"{tmp_path}/calls.jsonl"], str(tmp_path / "direct"), settings, "direct")
    assert files(tmp_path / "plain") == files(tmp_path / "direct")


def test_prepare_counts_all_that_it_does(dialog):
    things = list(prepare(dialog("may i have your name", "ann okafor and i lost my card")))
    assert [one for one in things if isinstance(one, Counted)] == [
        Counted("read", "records"),
        Counted("redacted", "NAME"),
    ]
    assert things[-1].turns[1].text == "[NAME] and i lost my card"
    assert list(prepare(dialog("...", "[noise]")))[-1] == Counted("filtered", "empty")
    assert total([Counted("a", "b"), Counted("a", "b", 2), Counted("a", "c")]) == {"a": {"b": 3, "c": 1}}


def test_bad_input_is_one_sentence(raw, tmp_path):
    with pytest.raises(CourseError, match="there are none"):
        run([f"{tmp_path}/nothing-*.jsonl"], str(tmp_path / "out"))
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match="could not be written"):
        run([f"{raw}/calls-0.jsonl"], str(tmp_path / "file"))
    with pytest.raises(CourseError, match="does not know the runner"):
        run([f"{raw}/calls-0.jsonl"], str(tmp_path / "out"), runner="NoRunner")
    with pytest.raises(ValueError, match="At least one worker"):
        options_of("direct", 0)
    assert options_of("DataflowRunner", 4) == ["--runner=DataflowRunner"]


@pytest.mark.parametrize(
    "settings",
    [{"shards": 0}, {"format": "csv"}, {"near": 0}, {"near": 1.1}, {"validation": 0.5}, {"rows": 0}, {"x": 1}],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValidationError):
        Settings(**settings)


def test_the_command(tmp_path):
    invoke = CliRunner().invoke
    made = invoke(pipelines, ["make-raw", str(tmp_path / "raw"), "--calls", "30", "--files", "2"])
    assert made.exit_code == 0 and "Planted" in made.output
    arguments = ["run", "--input", f"{tmp_path}/raw/*.jsonl", "--output", f"{tmp_path}/out", "--runner", "plain"]
    first, second = invoke(pipelines, arguments), invoke(pipelines, arguments)
    assert first.exit_code == 0 and "Written to" in first.output and "half-written" in first.output
    assert second.exit_code == 0 and "Nothing to do" in second.output
    assert "as the manifest says" in invoke(pipelines, ["verify", f"{tmp_path}/out"]).output
    more = invoke(pipelines, ["generate", f"{tmp_path}/out", "-o", f"{tmp_path}/made.jsonl", "--candidates", "20"])
    assert more.exit_code == 0 and "of 20 kept" in more.output
    both = invoke(pipelines, [*arguments, "--input", f"{tmp_path}/made.jsonl"])
    assert both.exit_code == 0 and "Written to" in both.output
    measured = invoke(pipelines, ["redaction", "--dialogs", "5"])
    assert measured.exit_code == 0 and "unfamiliar" in measured.output
