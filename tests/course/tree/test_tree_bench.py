"""The benchmark of the tree measures real pages, judges what its samples carry, and draws it."""

from click.testing import CliRunner

from course.bench.record import Record, Sample
from course.tree import bench


def samples(seconds, trials=6):
    return [
        Sample(trial=trial, quantity=quantity, variant=name, unit="s", value=seconds + trial / 10_000, size=5_000)
        for quantity in (bench.STEP, bench.SLOWEST)
        for name in bench.STEPS
        for trial in range(trials)
    ]


def test_bars_are_met_missed_or_not_judged_as_the_samples_say():
    for seconds, trials, met in ((0.03, 6, True), (0.12, 6, False), (0.0999, 6, False), (0.03, 3, None)):
        ratios, verdicts = bench.judge(samples(seconds, trials), {})
        assert ratios == [] and [one.met for one in verdicts] == [met] * 2 * len(bench.STEPS)


def test_a_quick_run_measures_every_step_and_keeps_record_and_plot(tmp_path):
    done = CliRunner().invoke(bench.tree, ["--quick", "--turns", "60", "-o", str(tmp_path)])
    assert done.exit_code == 0, done.output
    record = Record.read(tmp_path / "tree.json")
    assert {one.variant for one in record.samples} == set(bench.STEPS) and not record.faults
    assert record.settings["turns"] == 60 and all(one.met is None for one in record.verdicts)
    (axes,) = bench.draw(record).axes
    assert axes.get_xlabel() == "ms" and len(axes.patches) == len(bench.STEPS)
    assert {path.name for path in tmp_path.iterdir()} == {"tree.json", "tree.svg", "tree.png"}
