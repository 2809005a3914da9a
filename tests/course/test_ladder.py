"""The ladder: what a cell holds, when it counts, what tables and plots make of it. The systems are made up."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from pydantic import ValidationError
from rich.console import Console

import course.ladder
from course.channels import CONDITIONS
from course.data import CORPORA
from course.errors import CourseError
from course.ladder import (
    better_than,
    compare,
    condition_table,
    describe_ladder,
    ladder_digest,
    ladder_table,
    measure,
    plot,
    plot_ladder,
    records,
    run,
    steps_table,
    systems,
    table,
)
from course.ladder.command import ladder
from course.ladder.heldout import ALL, BUILD, FULL, HELD_OUT, PROMPTS, QUICK, READINGS, SEEN, UNSEEN, digit_training
from course.ladder.records import Cell, cell_key, cell_path, read_cell, source_files
from course.ladder.systems import SYSTEMS, System
from course.recordings import SPEAKERS
from course.scoring import align_words


class Parrot:
    """Answers a fixed word."""

    name, n_parameters, train_seconds = "Parrot", 1234, 0.5

    def __init__(self, word: str):
        self.word = word

    def recognise(self, signal, sample_rate):
        return self.word


def parrot(word: str, **changes) -> System:
    facts = {
        "id": f"parrot-{word}",
        "title": f"Parrot {word}",
        "lecture": 3,
        "make": lambda heldout, fold: Parrot(word),
        "modules": ("course.scoring",),
        "packages": ("numpy",),
        "sets": (SEEN, UNSEEN),
    }
    return System(**facts | changes)


@pytest.fixture
def birds(tmp_path, monkeypatch):
    """Three systems that stand in for the course's, and an empty folder of records."""
    monkeypatch.setenv("COURSE_BUILD", str(tmp_path))
    flock = (
        parrot("one"),
        parrot("two", lecture=5, fits=False, sets=(UNSEEN,)),
        parrot("goodbye", lecture=6, fits=False, sets=(UNSEEN, PROMPTS)),
    )
    for module in (systems, records, run, table, plot):
        monkeypatch.setattr(module, "SYSTEMS", flock)
    return flock


def measured(system: System, heldout=UNSEEN, size=BUILD, conditions=("clean",)):
    """The first cell of a system, measured in this process."""
    measure.measure(system, heldout, size, list(conditions))
    return read_cell(system, heldout, conditions[0], size)


def test_a_cell_holds_every_utterance_and_what_it_cost(birds, capsys):
    cell = measured(birds[0])
    assert capsys.readouterr().out == "digits-unseen clean\n"
    assert len(cell.utterances) == 300 and cell.rate == 0.9
    assert {u.name for u in cell.utterances if u.errors == 0} == {f"1_{s}_{t}" for s in SPEAKERS for t in range(5)}
    assert all(u.errors == align_words(u.said, u.heard).errors for u in cell.utterances)
    assert (cell.n_parameters, cell.train_seconds) == (1234, 0.5)
    assert 60 < cell.audio_seconds < 400 and 0 <= cell.cpu_seconds < 60 and cell.wall_seconds > 0
    assert 20e6 < cell.peak_rss_bytes < 20e9


def test_every_fold_is_tested_by_a_system_that_never_heard_it(birds):
    heard = {}

    def make(heldout, fold):
        heard[fold] = {recording.speaker for recording in digit_training(heldout, fold)}
        return Parrot("one")

    measured(replace(birds[0], make=make))
    assert heard == {speaker: set(SPEAKERS) - {speaker} for speaker in SPEAKERS}


def test_known_speakers_are_tested_on_takes_that_were_kept_back():
    trained = {recording.name for recording in digit_training(SEEN, ALL)}
    tested = {recording.name for recording in SEEN.select(ALL, SEEN.amounts.full)}
    assert len(tested) == 300 and not trained & tested


@pytest.mark.parametrize("heldout", HELD_OUT.values(), ids=lambda one: one.id)
def test_the_build_tests_on_the_first_of_what_a_full_run_does(heldout):
    for fold in heldout.folds:
        full, some, noisy, slow = (
            [recording.name for recording in heldout.select(fold, heldout.amounts.of(*which))]
            for which in (
                (FULL, "GSM"),
                (BUILD, "clean"),
                (BUILD, "GSM"),
                (BUILD, "clean", True),
            )
        )
        assert set(noisy) <= set(some) <= set(full)
        assert set(slow) <= set(some) and len(slow) > 5


def test_a_quick_run_tests_one_new_speaker_and_says_so(birds, monkeypatch):
    made = []
    system = replace(birds[0], make=lambda heldout, fold: made.append(fold) or Parrot("one"))
    cell = measured(system, size=QUICK)
    assert made == [SPEAKERS[0]]
    assert [one.name for one in cell.utterances] == [f"{digit}_{SPEAKERS[0]}_0" for digit in range(10)]
    assert records.recording_names(UNSEEN, 1, QUICK) == [one.name for one in cell.utterances]
    assert [len(measured(birds[0], heldout, QUICK).utterances) for heldout in (SEEN, UNSEEN)] == [60, 10]
    monkeypatch.setattr(table, "SYSTEMS", birds[:1])
    assert "one: ‘course ladder run’ measures all" in ladder_table().notes
    slow = replace(birds[1], slow=True)
    assert [trial.conditions for trial in run.missing(QUICK, [slow])] == [("clean",)]


def test_the_table_of_a_quick_run_lacks_only_what_is_too_slow_for_it(birds, monkeypatch):
    slow = replace(birds[1], slow=True)
    monkeypatch.setattr(table, "SYSTEMS", (birds[0], slow))
    measured(birds[0], size=QUICK, conditions=tuple(CONDITIONS))
    measured(slow, size=QUICK)
    first, second = condition_table("digits-unseen").rows
    assert "not measured" not in first + second
    assert second[2:] == ("full run",) * 5


def test_a_quick_build_measures_little_and_only_where_no_whole_build_was(birds, monkeypatch):
    sizes = []
    monkeypatch.setattr(run, "run", lambda console, size, chosen: sizes.append(size) or {})
    monkeypatch.setattr(run, "missing", lambda size, chosen: ["a trial"])
    run.ensure(Console(quiet=True), quick=True)
    run.ensure(Console(quiet=True))
    monkeypatch.setattr(run, "missing", lambda size, chosen: [])
    run.ensure(Console(quiet=True), quick=True)
    assert sizes == [QUICK, BUILD, BUILD]


def test_a_system_that_learns_nothing_is_made_once(birds):
    made = []
    system = replace(birds[1], make=lambda heldout, fold: made.append(fold) or Parrot("two"))
    measured(system, conditions=("clean", "GSM"))
    assert len(made) == 1


def test_known_and_new_speakers_are_one_measurement_where_nothing_is_learned(birds):
    measured(birds[1])
    seen, unseen = (compare.cell_of(birds[1], one, "clean", BUILD) for one in ("digits-seen", "digits-unseen"))
    assert seen.utterances == unseen.utterances
    cell = unseen.model_copy(update={"utterances": (*unseen.utterances, _utterance("3_theo_7"))})
    path = cell_path(birds[1], UNSEEN, "clean", BUILD)
    records.write_cell(cell, path)
    assert compare.cell_of(birds[1], "digits-seen", "clean", BUILD).utterances == unseen.utterances


def _utterance(name):
    return records.Utterance(name=name, said="three", heard="two", errors=1, words=1)


def test_a_record_counts_only_for_the_code_and_data_that_made_it(birds, monkeypatch):
    measured(birds[0])
    key = cell_key(birds[0], UNSEEN, "clean", BUILD)
    assert len({cell_key(birds[0], UNSEEN, c, s) for c in CONDITIONS for s in (BUILD, FULL)}) == 12
    assert cell_key(replace(birds[0], modules=("course.levels",)), UNSEEN, "clean", BUILD) != key
    assert cell_key(replace(birds[0], data=("manifests/fsdd.txt",)), UNSEEN, "clean", BUILD) != key
    other = replace(birds[0], make=lambda heldout, fold: Parrot("zero"))
    assert cell_key(other, UNSEEN, "clean", BUILD) != key
    monkeypatch.setattr(CORPORA, "locate", lambda name, file: Path("somewhere"))
    with_corpora = cell_key(birds[0], UNSEEN, "clean", BUILD)
    monkeypatch.setattr(CORPORA, "locate", lambda name, file: None)
    without = cell_key(birds[0], UNSEEN, "clean", BUILD)
    assert key in (with_corpora, without) and with_corpora != without
    assert (read_cell(birds[0], UNSEEN, "clean", BUILD) is None) == (key != without)


def test_a_change_in_a_module_that_is_imported_counts(tmp_path, monkeypatch):
    package = tmp_path / "course"
    package.mkdir()
    for name, text in {
        "top": "from course import middle\nimport course.ladder.systems",
        "middle": "def later():\n    from course.bottom import x",
        "bottom": "import numpy",
        "registry": "",
    }.items():
        (package / f"{name}.py").write_text(text)
    (package / "ladder").mkdir()
    (package / "ladder" / "systems.py").write_text("import course.other")
    monkeypatch.setattr(records, "package_files", lambda name: package)
    assert [path.stem for path in source_files(["course.top"])] == ["bottom", "middle", "top"]


def test_a_torn_or_foreign_record_is_no_record(birds):
    cell = measured(birds[0])
    path = cell_path(birds[0], UNSEEN, "clean", BUILD)
    whole = path.read_text()
    for text in (whole[: len(whole) // 2], "", "[]", whole.replace('"schema_version": 1', '"schema_version": 2')):
        path.write_text(text)
        assert read_cell(birds[0], UNSEEN, "clean", BUILD) is None
    path.write_text(whole)
    assert read_cell(birds[0], UNSEEN, "clean", BUILD) == cell


def test_a_record_that_miscounts_is_refused(birds):
    cell = json.loads(measured(birds[0]).model_dump_json())
    for change in ({"words": 2}, {"errors": -1}):
        wrong = cell | {"utterances": [cell["utterances"][0] | change]}
        with pytest.raises(ValidationError):
            Cell.model_validate(wrong)


def test_only_what_is_missing_is_measured(birds):
    before = run.missing(BUILD, birds)
    assert [len(trial.conditions) for trial in before] == [6, 6, 6, 6, 6]
    measured(birds[0], conditions=("clean", "GSM"))
    trial = next(trial for trial in run.missing(BUILD, birds) if trial.heldout is UNSEEN)
    assert trial.conditions == ("µ-law", "dishes 10 dB", "dishes 5 dB", "dishes 0 dB")


def as_measuring(monkeypatch, tmp_path, program: str):
    """Let the measuring processes run a program instead."""
    path = tmp_path / "program"
    path.write_text(f"#!{sys.executable}\nimport sys\n{program}\n")
    path.chmod(0o755)
    monkeypatch.setattr(run.sys, "executable", str(path))


def test_a_run_measures_in_processes_and_reports_each_cell(birds, tmp_path, monkeypatch):
    as_measuring(monkeypatch, tmp_path, "open(sys.argv[0] + sys.argv[3] + sys.argv[4], 'w'); print('x')")
    assert run.run(Console(quiet=True), BUILD, birds, jobs=2) == {}
    started = {path.name for path in tmp_path.glob("program?*")}
    assert started == {
        *("programparrot-onedigits-seen", "programparrot-onedigits-unseen", "programparrot-twodigits-unseen"),
        *("programparrot-goodbyedigits-unseen", "programparrot-goodbyeprompts"),
    }
    assert not list(tmp_path.glob("ladder/*.log"))


def test_a_system_that_fails_is_named_and_the_others_go_on(birds, tmp_path, monkeypatch):
    as_measuring(monkeypatch, tmp_path, "'one' in sys.argv[3] and sys.exit('no such voice')")
    failed = run.run(Console(quiet=True), BUILD, birds, jobs=1)
    assert failed == dict.fromkeys(
        ["Parrot one on digits, known speakers", "Parrot one on digits, new speaker"], "no such voice"
    )
    console = Console(record=True, width=200)
    run.ensure(console)
    assert "Parrot one on digits, new speaker was not measured: no such voice" in console.export_text()


def test_a_process_that_is_killed_is_named_with_its_status(birds, tmp_path, monkeypatch):
    as_measuring(monkeypatch, tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    failed = run.run(Console(quiet=True), BUILD, birds[1:2], jobs=1)
    assert list(failed.values()) == ["it ended with status -9"]


def test_the_table_shows_what_was_measured_and_says_what_was_not(birds):
    empty = ladder_table()
    assert all(row[1] == "not measured" for row in empty.rows)
    assert "run ‘course ladder run’" in empty.notes
    for system in birds:
        measured(system)
    measured(birds[2], PROMPTS)
    rows = {row[0]: row[1:] for row in ladder_table().rows}
    assert rows["Parrot one"][1].startswith("90.0 (") and rows["Parrot one"][2] == "–"
    assert rows["Parrot two"][0] == rows["Parrot two"][1]
    assert rows["Parrot goodbye"][:2] == ("100.0 (100.0–100.0)", "100.0 (100.0–100.0)")
    assert rows["Parrot one"][-2:] == ("1 k", "0.5 s")
    assert [row[0] for row in ladder_table(upto=5).rows] == ["Parrot one", "Parrot two"]
    assert ladder_table(upto=5).columns[:3] == ("System", "Digits, known speakers", "Digits, new speaker")


def test_tables_never_mix_the_two_sizes(birds):
    measured(birds[0])
    measured(birds[1])
    measured(birds[0], size=FULL)
    assert "300 recordings" in ladder_table(upto=5).notes
    for one in (birds[0], birds[1]):
        for heldout in one.sets:
            measured(one, heldout, FULL)
    assert "3000 recordings" in ladder_table(upto=5).notes


def test_a_table_is_readable_without_seeing_it(birds):
    measured(birds[0])
    shown = condition_table("digits-unseen", upto=3)._repr_mimebundle_()
    html = shown["text/html"]
    assert html.startswith("<table><caption") and html.count('scope="col"') == 7 and html.count('scope="row"') == 1
    assert "µ-law" in html and "90.0" in html and "not measured" in html
    assert "Clean: 300 recordings, 300 words" in shown["text/plain"]


def test_a_slow_system_is_tested_on_the_first_recordings_and_says_so(birds, monkeypatch):
    slow = replace(birds[1], slow=True)
    measured(birds[0])
    cell = measured(slow)
    assert len(cell.utterances) == 60
    for module in (systems, table):
        monkeypatch.setattr(module, "SYSTEMS", (birds[0], slow))
    assert "300 recordings, 300 words (Parrot two the first 60)" in condition_table("digits-unseen").notes
    assert better_than("parrot-one", "parrot-two").n_utterances == 60
    assert condition_table("digits-unseen").rows[1][2:] == ("full run",) * 5
    assert run.missing(BUILD, [slow]) == [] and len(run.missing(FULL, [slow])[0].conditions) == 6


def test_synthesised_speech_is_said_to_be_that(birds, monkeypatch):
    monkeypatch.setattr(CORPORA, "locate", lambda name, file: None)
    measured(birds[0])
    assert "synthesised by espeak-ng" in ladder_table(upto=3).notes


def test_better_is_claimed_only_beyond_chance(birds):
    right = replace(birds[0], make=lambda heldout, fold: Parrot("one"))
    assert not better_than("parrot-one", "parrot-two")
    assert "have not both been measured" in str(better_than("parrot-one", "parrot-two"))
    measured(birds[0])
    measured(birds[1])
    same = better_than("parrot-one", "parrot-two")
    assert not same and same.n_utterances == 300 and same.difference == 0 and "cannot be told apart" in str(same)
    cell = read_cell(birds[0], UNSEEN, "clean", BUILD)
    perfect = tuple(u.model_copy(update={"errors": 0, "heard": u.said}) for u in cell.utterances)
    records.write_cell(cell.model_copy(update={"utterances": perfect}), cell_path(right, UNSEEN, "clean", BUILD))
    claim = better_than("parrot-one", "parrot-two")
    assert claim and claim.difference == pytest.approx(0.9) and claim.low > 0.85
    assert str(claim).startswith("Parrot one makes 90.0 errors fewer in 100 words than Parrot two")
    assert not better_than("parrot-two", "parrot-one")
    with pytest.raises(CourseError, match="No system is called 'owl'; there are parrot-one"):
        better_than("owl", "parrot-one")


def test_steps_are_judged_one_after_the_other(birds):
    measured(birds[0])
    measured(birds[1])
    steps = steps_table("digits-unseen")
    assert steps.rows[0][0] == "Parrot two, against Parrot one"
    assert steps.rows[0][1].startswith("0.0 (−") and steps.rows[0][2:] == ("300", "not told apart")
    assert steps.rows[1][1:] == ("not measured", "", "")


def test_no_error_at_all_does_not_mean_that_there_will_be_none(birds):
    cell = measured(birds[0])
    perfect = tuple(u.model_copy(update={"errors": 0, "heard": u.said}) for u in cell.utterances)
    assert compare.rate_interval(cell.model_copy(update={"utterances": perfect})) == (0.0, 0.01)


def test_the_plot_has_a_row_per_system_and_a_shape_per_condition(birds):
    measured(birds[0], conditions=("clean", "GSM", "dishes 5 dB"))
    ax = plot_ladder()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Parrot one", "Parrot two", "Parrot goodbye"]
    assert len(ax.get_legend_handles_labels()[0]) == 3
    assert "Parrot one: clean 90 %, through GSM 90 %" in describe_ladder()
    ax.figure.clear()


def test_an_empty_ladder_can_be_drawn(birds):
    assert plot_ladder().get_xlabel() == "Word error rate (%)"
    assert "Nothing measured yet" in describe_ladder()


def test_pages_are_made_again_when_a_record_changes(birds):
    before = ladder_digest()
    measured(birds[0])
    after = ladder_digest()
    assert before != after == ladder_digest()


def test_the_command_measures_and_shows(birds, monkeypatch):
    measured(birds[0])
    runner = CliRunner()
    shown = runner.invoke(ladder, ["show", "--upto", "3"], env={"COLUMNS": "200"})
    assert "Parrot one" in shown.output and "90.0" in shown.output
    assert "µ-law" in runner.invoke(ladder, ["show", "--conditions", "digits-seen"], env={"COLUMNS": "200"}).output
    unknown = runner.invoke(ladder, ["show", "--conditions", "songs"])
    assert isinstance(unknown.exception, CourseError) and "digits-seen, digits-unseen" in str(unknown.exception)
    asked = []
    monkeypatch.setattr(run, "run", lambda *arguments: asked.append(arguments[1:]) or {"x": "broken"})
    done = runner.invoke(ladder, ["run", "--full", "--systems", "parrot-two", "--jobs", "2"])
    assert asked == [(FULL, [birds[1]], 2)] and "x was not measured: broken" in str(done.exception)


def test_peak_memory_is_this_process_own():
    before = measure.peak_rss_bytes()
    block = np.ones(40_000_000, dtype=np.uint8)
    assert measure.peak_rss_bytes() >= max(before, block.size)


def test_the_courses_systems_are_complete():
    assert len({system.id for system in SYSTEMS}) == len(SYSTEMS)
    assert [system.lecture for system in SYSTEMS] == sorted(system.lecture for system in SYSTEMS)
    for system in SYSTEMS:
        assert set(system.sets) <= set(HELD_OUT.values())
        assert system.modules and all(source_files([module]) for module in system.modules)
    assert {READINGS, PROMPTS, UNSEEN, SEEN} == set(HELD_OUT.values())
    assert set(course.ladder.__all__) <= set(dir(course.ladder))
