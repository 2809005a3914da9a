"""The same class on each engine that starts here: the same results, each once, whatever was handed in."""

import json

import pytest

from autograder.scale.engines import ENGINES


@pytest.mark.parametrize("runner", ENGINES)
def test_every_engine_finds_what_the_own_workers_find(runner, grader, contents, jobs_of, expected, timeless, tmp_path):
    found = [(job.student, timeless(result)) for job, result in grader(runner)(jobs_of(contents))]
    assert len(found) == len(contents)
    assert dict(found) == expected
    stored = {path.parent.name: json.loads(path.read_bytes()) for path in tmp_path.glob("results/small-lab/*/*.json")}
    assert {student: timeless(result) for student, result in stored.items()} == expected


def test_the_class_is_as_hostile_as_it_says(expected):
    statuses = {student: result["status"] for student, result in expected.items()}
    assert statuses == {
        "ada": "graded",
        "ben": "graded",
        "chloe <b>&": "graded",
        "dmitri": "graded",
        "emeka": "malformed",
        "farah": "refused",
        "goran": "timeout",
        "hana": "timeout",
        "ida": "crash",
        "jan": "memory",
        "kim": "crash",
        "lea": "graded",
    }
    assert (expected["ada"]["score"], expected["ben"]["score"], expected["dmitri"]["score"]) == (9, 0, 5)
