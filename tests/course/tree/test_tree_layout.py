"""Where the turns lie, asked of the component's own module in Node: nothing overlaps, and no line meets another."""

import json
import random
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

import course.tree
from course.tree.made_up import made_up

SOURCES = Path(course.tree.__file__).parent / "src"
LAID = """
import { readFileSync } from "node:fs";
import { indexed } from "./conversation.js";
import { CARD, STEP, placed, placeAt } from "./layout.js";
const told = JSON.parse(readFileSync(0, "utf8")).map(({ conversation, folded }) => {
  const layout = placed(indexed(conversation), new Set(folded));
  const middle = ({ x, y }) => placeAt(layout, x + CARD.width / 2, y + CARD.height / 2)?.node.id;
  const beside = ({ x, y }) => placeAt(layout, x - 5, y + CARD.height / 2)?.node.id ?? null;
  const facts = (place) => [place.node.id, place.x / STEP.x, place.y / STEP.y, middle(place), beside(place)];
  const places = layout.order.map(facts);
  return { places, box: layout.box, card: CARD, step: STEP };
});
console.log(JSON.stringify(told));
"""


def laid(*asked):
    """For each (conversation, folded ids): its places as {id: (column, row)}, and all that was told."""
    given = [{"conversation": conversation, "folded": list(folded)} for conversation, folded in asked]
    done = subprocess.run(
        ["node", "--input-type=module", "-e", LAID],
        cwd=SOURCES,
        input=json.dumps(given),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return [({name: (column, row) for name, column, row, *_ in one["places"]}, one) for one in found]


def wild(n_turns, seed):
    """Turns that follow any earlier one, or none, told in any order."""
    chance = random.Random(seed)
    nodes = [
        {"id": str(one), "parent": str(chance.randrange(one)) if one and chance.random() < 0.97 else None}
        | {"role": "user", "text": "x", "chosen": chance.random() < 0.2}
        for one in range(n_turns)
    ]
    chance.shuffle(nodes)
    return {"version": 1, "nodes": nodes}


TREES = [made_up(400, 1), *(wild(60, seed) for seed in range(20)), wild(3_000, 99)]


@pytest.fixture(scope="module")
def drawn():
    return list(zip(TREES, laid(*((tree, ()) for tree in TREES)), strict=True))


def test_each_turn_has_a_place_of_its_own_below_its_parent(drawn):
    for tree, (places, told) in drawn:
        assert len(set(places.values())) == len(places) == len(tree["nodes"])
        for node in tree["nodes"]:
            column, row = places[node["id"]]
            above = places.get(node["parent"], (0, -1))
            assert row == above[1] + 1 and column >= above[0] and column == int(column)
        assert all(middle == name and beside != name for name, _, _, middle, beside in told["places"])


def test_the_first_below_a_turn_is_straight_below_it_and_the_chosen_one_is_first(drawn):
    for tree, (places, _) in drawn:
        below = defaultdict(list)
        for node in tree["nodes"]:
            below[node["parent"]].append(node)
        for parent, level in below.items():
            first = min(level, key=lambda node: not node["chosen"])
            leftmost = min(level, key=lambda node: places[node["id"]][0])
            assert first is leftmost and (parent is None or places[first["id"]][0] == places[parent][0])


def test_no_line_meets_another(drawn):
    """Lines run down in columns and across between rows; across one column only one of them may go."""
    for tree, (places, _) in drawn:
        rows = defaultdict(lambda: defaultdict(list))
        for node in tree["nodes"]:
            if node["parent"] is not None:
                rows[places[node["id"]][1]][node["parent"]].append(places[node["id"]][0])
        for row in rows.values():
            spans = sorted((places[parent][0], max(columns)) for parent, columns in row.items())
            assert all(one[1] < other[0] for one, other in zip(spans, spans[1:], strict=False))


def test_what_is_folded_takes_no_place():
    tree = made_up(200, 2)
    parents = {node["id"]: node["parent"] for node in tree["nodes"]}

    def inside(name):
        while (name := parents[name]) is not None:
            if name == "turn-10":
                return True
        return False

    ((places, told),) = laid((tree, ["turn-10"]))
    assert set(places) == {name for name in parents if not inside(name)} and "turn-10" in places
    columns, rows = zip(*places.values(), strict=True)
    assert told["box"]["x1"] == max(columns) * told["step"]["x"] + told["card"]["width"]
    assert told["box"]["y1"] == max(rows) * told["step"]["y"] + told["card"]["height"]
