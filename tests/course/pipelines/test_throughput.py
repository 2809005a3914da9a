"""`course bench pipelines`: every variant is measured, and different bytes are no result."""

from course.bench.record import Sample
from course.pipelines import throughput
from course.pipelines.throughput import RUN, VARIANTS, judge, name_of, trials_of


def samples(seconds: dict[str, float], rounds: int = 8) -> list[Sample]:
    return [
        Sample(trial=n, quantity=RUN, variant=name, unit="s", value=value * (1 + n / 100), size=100)
        for name, value in seconds.items()
        for n in range(rounds)
    ]


def test_names_of_variants_differ():
    names = [name_of(*variant) for variant in VARIANTS]
    assert len(set(names)) == len(VARIANTS) and names[0] == "plain" and "direct, 2 workers" in names


def test_overhead_is_the_ratio_to_the_loop():
    ratios, verdicts = judge(
        samples({"plain": 1.0, "direct, 1 worker": 3.0}), {"digests": {"plain": ["a"], "d": ["a"]}}
    )
    assert [one.numerator for one in ratios] == ["direct, 1 worker"] and abs(ratios[0].value - 3) < 0.01
    assert [one.met for one in verdicts] == [True]


def test_different_bytes_miss_the_bar():
    _, (verdict,) = judge(samples({"plain": 1.0}), {"digests": {"plain": ["a"], "direct": ["a", "b"]}})
    assert verdict.met is False and "2 different data sets" in verdict.found


def test_a_trial_runs_the_pipeline_and_keeps_what_it_wrote(tmp_path, monkeypatch):
    monkeypatch.setattr(throughput, "VARIANTS", (("plain", 1),))
    digests = {}
    (trial,) = trials_of(12, 1, tmp_path, digests)
    for _ in range(2):
        (sample,) = trial.measure()
        assert sample.value > 0 and sample.size > 12
    assert len(digests["plain"]) == 1 and len(digests["plain"].pop().split()) >= 1
