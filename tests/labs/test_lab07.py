"""Lab 7: what only this lab has: references against the library, promises over many draws, forgeries, letters."""

import json
import math
from functools import reduce
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from course.lab.cells import Role
from course.lab.checking import LocalStudent, run_task
from course.lab.rehearsal import reference_sources, rehearse
from course.lab.source import read_lab
from course.pipelines import cleaning, duplicates, streaming
from course.pipelines.made_up import made_up_records
from course.pipelines.redaction_measured import annotated_dialogs, with_form

FOLDER = Path(__file__).parents[2] / "labs" / "lab07-data-at-scale"


@pytest.fixture(scope="module")
def lab():
    return read_lab(FOLDER)


@pytest.fixture(scope="module")
def reference(lab):
    """The globals after the setup and the reference solutions."""
    namespace = {"__name__": "__main__"}
    for cell in lab.cells:
        if cell.role in (Role.SETUP, Role.SOLUTION):
            exec(cell.source, namespace)
    return namespace


@pytest.fixture(scope="module")
def texts():
    """What callers say in made-up calls, a call to a text."""
    return [" ".join(turn.text for turn in call.turns if turn.role == "caller") for call in made_up_records(60, seed=4)]


def inside(lab):
    """The globals of checks.py."""
    return lab.checks.oracles["parse"].__globals__


def failed(lab, task, function):
    record = run_task(lab.checks, task, LocalStudent({task: function}, task, {}), seed=7)
    return {one.name for one in record.records if not one.passed}


def test_stand_ins_spare_a_later_task_from_all_earlier_mistakes(lab):
    broken = {task: f"def {task}(*arguments):\n    return None" for task in lab.task_ids if task != "redact"}
    records = rehearse(lab, reference_sources(lab) | broken)
    assert [task for task, record in records.items() if record.passed] == ["redact"]


def test_no_dead_letter_quotes_its_line(reference):
    line = json.dumps({"id": "r", "call": "c", "caller": "ann", "text": "my card is 4211", "ms": 1}).encode()
    letters = [
        reference["parse"](list(spoiled)) for spoiled in (line[:-1], line + b"}", line + b"\xff", line[:-2] + b"-1}")
    ]
    assert {one["reason"] for one in letters} == {"half-written", "malformed", "not UTF-8", "wrong form"}
    assert not any("4211" in json.dumps(one) for one in letters)


def test_texts_without_broken_words_are_cleaned_as_by_the_library(reference):
    rng = np.random.default_rng(2)
    signs = [sign for sign in "ab [noise] <unk> ﬁ’…\u200b\u0301\u00a0\u2028\x0bé①" if sign != "-"]
    for _ in range(300):
        text = "".join(rng.choice(signs, 20))
        assert reference["clean"](text) == cleaning.clean_turn(text)


def test_signatures_estimate_the_similarity_as_the_librarys_do(reference, texts):
    """A pair of texts shares one-row bands as often as their shingles agree; a deviation of 4 standard errors."""
    rng = np.random.default_rng(5)
    permutations = [[int(a), int(b)] for a, b in rng.integers(1, reference["PRIME"], (200, 2))]
    for one, other in list(combinations(texts[:8], 2))[:12]:
        pair = [one, one + " " + " ".join(other.split()[:20])]
        share = np.mean([reference["near_duplicates"](pair, [each], 1, 0.0)["candidates"] for each in permutations])
        similarity = duplicates.jaccard(*(duplicates.shingles(text) for text in pair))
        assert abs(share - similarity) <= 4 * math.sqrt(similarity * (1 - similarity) / 200) + 1e-9


def test_pairs_are_the_librarys_where_bands_miss_none(reference, texts):
    rng = np.random.default_rng(6)
    some = texts + [f"{text} thanks" for text in texts[::3]]
    permutations = [[int(a), int(b)] for a, b in rng.integers(1, reference["PRIME"], (32, 2))]
    found = reference["near_duplicates"](some, permutations, 1, 0.5)["pairs"]
    shingled = {f"{k:03d}": duplicates.shingles(text) for k, text in enumerate(some)}
    assert found == sorted([int(a), int(b)] for a, b in duplicates.all_similar_pairs(shingled, 0.5))


@pytest.mark.parametrize("wording", ["familiar", "unfamiliar"])
def test_numbers_and_addresses_are_hidden_in_every_wording(reference, wording):
    """What the judgement quotes: all of these kinds, and names where the form has them."""
    for dialog in with_form(annotated_dialogs(40, wording, seed=3)):
        for text, spans in zip(dialog.texts, dialog.spans, strict=True):
            found = reference["redact"](text, list(dialog.form))["spans"]
            for span in spans:
                if span.kind in ("CARD", "ACCOUNT", "PHONE", "EMAIL", "NAME"):
                    assert any(start <= span.start and span.end <= end for start, end, _ in found), (text, span)


def test_groups_are_drawn_evenly(reference):
    """Of 4,000 callers a share of 0.3 is for the test, within 4 standard errors."""
    records = [{"id": f"r{k}", "call": f"c{k}", "caller": f"caller {k}"} for k in range(4000)]
    share = len(reference["split"](records, "even", 0.3)["test"]) / 4000
    assert abs(share - 0.3) <= 4 * math.sqrt(0.3 * 0.7 / 4000)


def test_any_tree_of_merges_gives_the_same_summary(lab, reference):
    rng = np.random.default_rng(9)
    values, callers = inside(lab)["_values"](rng, 200, 3000)
    pieces = inside(lab)["_cut"](rng, values, callers, 40)
    want = inside(lab)["_of"](values, callers)
    for _ in range(10):
        left = [pieces[int(k)] for k in rng.permutation(len(pieces))]
        while len(left) > 1:
            place = int(rng.integers(len(left) - 1))
            left[place : place + 2] = [reference["merge"](*left[place : place + 2])]
        assert left[0] == want
    assert reduce(reference["merge"], pieces, reference["EMPTY"]) == want


def test_panes_are_the_librarys_where_nothing_dropped_comes_again(lab, reference):
    rng = np.random.default_rng(10)
    for twice in (0.0, 0.0, 0.0, 0.5, 0.5):
        script, lateness = inside(lab)["_script"](rng, 40, late=0.5, twice=twice), 1000 if twice else 6
        steps = [
            streaming.Watermark(step["watermark"])
            if "watermark" in step
            else streaming.Arrival(tuple(as_event(one) for one in step["events"]))
            for step in script
        ]
        given, dropped = streaming.panes(steps, 10, lateness)
        found = reference["panes"](script, 10, lateness)
        assert found["dropped"] == [one.event_id for one in dropped]
        assert [tuple(one.values()) for one in found["panes"]] == [
            (one.window.start, one.timing, one.statistics.count, one.statistics.total) for one in given
        ]


def as_event(one):
    return streaming.CallEvent(
        event_id=one["id"], call="c", caller="a", queue="q", at=float(one["at"]), handling_ms=one["ms"]
    )


def test_answers_in_the_right_form_with_nothing_in_them_earn_nothing(lab):
    """A student who returns the right keys with something that is not what they stand for."""
    forms = {
        "parse": ("reason", "sha256"),
        "deduplicate": ("kept", "groups"),
        "near_duplicates": ("candidates", "pairs"),
        "redact": ("text", "spans"),
        "split": ("train", "test"),
        "merge": tuple(inside(lab)["EMPTY"]),
        "panes": ("panes", "dropped"),
    }
    for task, keys in forms.items():
        for value in (None, [], [{}], {"a": None}, math.nan, 10**400):
            assert failed(lab, task, lambda *_, keys=keys, value=value, **__: dict.fromkeys(keys, value))
