"""Lab 9: what only this lab has: oracles against stepwise rules and the library, promises that hold for any input."""

import codecs
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from course.lab.cells import Role
from course.lab.checking import LocalStudent, run_task
from course.lab.rehearsal import reference_sources, rehearse
from course.lab.source import read_lab

FOLDER = Path(__file__).parents[2] / "labs" / "lab09-services"


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


def both(lab, reference, task):
    """The hidden checks' oracle and the reference solution, which have to agree with a third way."""
    return lab.checks.oracles[task], reference[task]


def failed(lab, task, function):
    record = run_task(lab.checks, task, LocalStudent({task: function}, task, {}), seed=4)
    return {one.name for one in record.records if not one.passed}


def test_stand_ins_spare_a_later_task_from_all_earlier_mistakes(lab):
    broken = {task: f"def {task}(*arguments):\n    return None" for task in lab.task_ids if task != "build_tree"}
    records = rehearse(lab, reference_sources(lab) | broken)
    assert [task for task, record in records.items() if record.passed] == ["build_tree"]


# read_stream


def events_of(data: bytes) -> tuple[list[str], bool]:
    """The WHATWG's algorithm on the text of a whole stream, line ends made alike first."""
    text = codecs.decode(data, "utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    events = []
    for block in text.rpartition("\n\n")[0].split("\n\n") if "\n\n" in text else []:
        fields = [line.partition(":") for line in block.split("\n")]
        values = [value.removeprefix(" ") for name, _, value in fields if name == "data"]
        events += ["\n".join(values)] if values else []
    told = events[: events.index("[DONE]")] if "[DONE]" in events else events
    return told, told != events


DATA = ["data: a", "data:b", "data", "data:  c\u2028", "data: [DONE]", "data: \ufeff"]
OTHERS = [": x", "id", "", "", "", "\u20ac"]


@pytest.mark.parametrize("seed", range(25))
def test_streams_are_what_the_whole_text_says_however_they_are_cut(lab, reference, seed):
    rng = np.random.default_rng(seed)
    text = "".join(str(rng.choice(DATA + OTHERS)) + str(rng.choice(["\n", "\r\n", "\r"])) for _ in range(30))
    data = text.encode() + b"data: \xe2\x82\n\n" + bytes(rng.integers(0, 256, size=12).tolist())
    told, done = events_of(data)
    cuts = [0, *sorted(rng.integers(0, len(data) + 1, size=9).tolist()), len(data)]
    for function in both(lab, reference, "read_stream"):
        got = function([list(data[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)])
        assert ([event for some in got["events"] for event in some], got["done"]) == (told, done)
        assert len(got["events"]) == len(cuts) - 1


# run_batches


def promised(requests, runs, most, max_wait, first, each):
    """What every batcher of this kind owes, derived from the runs alone and not from how they were found."""
    asked = {one["id"]: one for one in requests}
    free, served = 0, []
    repeats: list[str] = []
    for run in runs:
        start, ids = run["start"], run["ids"]
        assert run["end"] == start + first + each * len(ids)
        assert start >= free, "one run at a time"
        assert run["ok"] == (not any(asked[name]["breaks"] for name in ids))
        if repeats:
            assert (ids, start) == ([repeats.pop(0)], free), "alone, in order, before anything else"
        else:
            waits = [start - asked[name]["at"] for name in ids]
            assert 1 <= len(ids) <= most and min(waits) >= 0
            assert all(asked[name]["gone"] is None or asked[name]["gone"] > start for name in ids)
            assert len(ids) == most or max(waits) >= max_wait
            assert start in (free, asked[ids[0]]["at"] + max_wait, asked[ids[-1]]["at"])
            repeats = list(ids) if len(ids) > 1 and not run["ok"] else []
            served += ids
        free = run["end"]
    assert not repeats
    assert served == [one["id"] for one in requests if one["id"] in set(served)], "first come, first served"
    left = [one for one in requests if one["id"] not in set(served)]
    assert all(one["gone"] is not None for one in left), "who stays is served"


@pytest.mark.parametrize("seed", range(25))
def test_batches_keep_what_the_text_promises(lab, reference, seed):
    rng = np.random.default_rng(seed)
    at = np.sort(rng.integers(0, 200, size=40)).tolist()
    requests = [
        {
            "id": str(k),
            "at": one,
            "gone": one + int(rng.integers(0, 60)) if rng.random() < 0.3 else None,
            "breaks": bool(rng.random() < 0.15),
        }
        for k, one in enumerate(at)
    ]
    limits = [int(rng.integers(low, high)) for low, high in ((1, 6), (0, 25), (0, 20), (0, 5))]
    for function in both(lab, reference, "run_batches"):
        promised(requests, function(requests, *limits), *limits)


def test_a_full_line_of_stayers_is_served_as_division_says(lab, reference):
    """All at once: runs of `most` back to back, the last one alone with the rest, in closed form."""
    for n, most in ((10, 3), (9, 3), (2, 5), (7, 1)):
        requests = [{"id": str(k), "at": 4, "gone": None, "breaks": False} for k in range(n)]
        for function in both(lab, reference, "run_batches"):
            runs = function(requests, most, 11, 6, 2)
            sizes = [most] * (n // most) + [n % most] * (n % most > 0)
            assert [len(run["ids"]) for run in runs] == sizes
            begun = 4 if n >= most else 15
            rest = max(runs[-1]["start"], 15) if n % most else runs[-1]["start"]
            assert runs[0]["start"] == begun and runs[-1]["start"] == rest
            assert runs[-1]["end"] - runs[-1]["start"] == 6 + 2 * sizes[-1]


# build_tree


def line_of(name, parent, time, number, **more):
    payload = {"event": "chat.completion", "message_id": name, "parent_id": parent, **more}
    return json.dumps({"insertId": f"n-{number:09d}", "timestamp": time, "jsonPayload": payload})


def stamp(moment: datetime, digits: int) -> str:
    fraction = f".{moment.microsecond:06d}"[: digits + 1] if digits else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


@pytest.mark.parametrize("seed", range(20))
def test_trees_follow_from_what_was_planted(lab, reference, seed):
    """Every parent is drawn first, so that roots, orphans and circles are known without looking for them."""
    rng = np.random.default_rng(seed)
    n, start = 40, datetime(2026, 12, 31, 23, 59, 30, tzinfo=UTC)
    steps = rng.choice([10**5, 9 * 10**5, 10**6, 6 * 10**7, 4 * 10**9], size=n)
    times = [start + timedelta(microseconds=int(one)) for one in np.cumsum(steps)]
    names = [f"m{k:02d}" for k in rng.permutation(n)]
    parents = [names[int(rng.integers(k))] if k and rng.random() < 0.7 else None for k in range(n)]
    parents = [f"lost{k}" if rng.random() < 0.1 else parent for k, parent in enumerate(parents)]
    parents[0], parents[1], parents[2], parents[3] = names[2], names[0], names[1], names[3]
    lines = [
        line_of(*one, k)
        for k, one in enumerate(
            zip(names, parents, [stamp(time, int(rng.choice([1, 3, 6]))) for time in times], strict=True)
        )
    ]
    lines += [line_of(names[5], names[4], stamp(times[5] + timedelta(days=400), 0), 0)]  # later, though with number 0
    lines += ["{", "{", "[1]", line_of("x", None, "2026-13-01T00:00:00Z", 77)]
    expected = {
        "children": {name: [names[k] for k in range(n) if parents[k] == name] for name in sorted(names)},
        "roots": [names[k] for k in range(n) if parents[k] is None],
        "orphans": [names[k] for k in range(n) if str(parents[k]).startswith("lost")],
        "cycles": [names[k] for k in range(4)],
        "broken": 3,
    }
    lines = [lines[k] for k in rng.permutation(len(lines))]
    for function in both(lab, reference, "build_tree"):
        assert function(lines) == expected


# the others


@pytest.mark.parametrize("capacity", [0, 1, 4])
@pytest.mark.parametrize("gap", [30, 90, 250])
def test_a_no_is_said_exactly_where_the_answers_themselves_show_a_full_line(lab, reference, capacity, gap):
    """Who worked and who waited at each arrival is read off the other answers."""
    rng = np.random.default_rng(gap + capacity)
    at = np.sort(rng.integers(0, 60 * gap // 10, size=60)) * 10
    requests = [
        {"id": str(k), "at": int(one), "work": 10 * int(rng.integers(1, 30)), "due": int(one + rng.integers(50, 900))}
        for k, one in enumerate(at)
    ]
    for function in both(lab, reference, "admit"):
        answers = function(requests, capacity)
        turns, free = {}, 0
        for one in requests:
            answer = answers[one["id"]]
            waiting = [work for turn, work in turns.values() if turn > one["at"]]
            if answer["status"] == 429:
                assert free > one["at"] and len(waiting) >= capacity
                runs = [turn + work for name, (turn, work) in turns.items() if answers[name]["status"] == 200]
                ahead = min(end for end in runs if end > one["at"]) - one["at"] + sum(waiting)
                assert answer["at"] == one["at"] and answer["retry_after"] == max(1, -(-ahead // 1000))
                continue
            assert free <= one["at"] or len(waiting) < capacity
            turn = max(free, one["at"])
            late = turn + one["work"] > one["due"]
            assert answer["at"] == (turn if late else turn + one["work"])
            assert answer["status"] == (504 if late else 200)
            turns[one["id"]] = turn, one["work"]
            free = turn if late else turn + one["work"]


def test_waits_are_the_formulas(lab, reference):
    rng = np.random.default_rng(5)
    fates = [{"status": 503, "took": 10, "retry_after": None}] * 9
    draws = rng.random(9).tolist()
    at, expected = 0.0, []
    for k in range(9):
        expected.append(at)
        at += 10 + draws[k] * min(2000, 100 * 2**k)
    for function in both(lab, reference, "ask_again"):
        got = function(fates, draws, 100, 2000, 10**9)
        assert [one["at"] for one in got["tries"]] == pytest.approx(expected)


def test_answers_in_the_right_form_with_nothing_in_them_earn_nothing(lab):
    """A student who returns the right keys with nothing behind them, or what is equal to everything."""
    empty = {
        "read_stream": lambda chunks: {"events": [[] for _ in chunks], "done": False},
        "run_batches": lambda *_: [],
        "admit": lambda requests, capacity: [],
        "build_tree": lambda lines: {"children": {}, "roots": [], "orphans": [], "cycles": [], "broken": 0},
        "rank": lambda rows: [],
        "refuse": lambda *_: None,
        "ask_again": lambda *_: {"status": None, "tries": []},
    }
    assert set(empty) == set(lab.task_ids)
    for task, function in empty.items():
        assert failed(lab, task, function), task
        assert failed(lab, task, lambda *_: None) or task == "refuse"
