"""Lab 8: what only this lab has: its oracles against libraries, the coverage of its intervals, stand-ins, fallbacks."""

from pathlib import Path

import numpy as np
import pytest

from course.lab.cells import Role
from course.lab.rehearsal import reference_sources, rehearse
from course.lab.source import read_lab

FOLDER = Path(__file__).parents[2] / "labs" / "lab08-fine-tuning"
TRUE_DIFFERENCE = 0.03


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


def inside(lab):
    """The globals of checks.py."""
    return lab.checks.oracles["lora_forward"].__globals__


def test_stand_ins_spare_a_later_task_from_all_earlier_mistakes(lab):
    broken = {task: f"def {task}(*arguments):\n    return None" for task in lab.task_ids if task != "report"}
    records = rehearse(lab, reference_sources(lab) | broken)
    assert [task for task, record in records.items() if record.passed] == ["report"]


def test_intervals_by_call_hold_the_truth_and_intervals_by_turn_do_not(lab, reference):
    """93 to 97 of 100 by call; over 1,000 evaluations chance moves a share of 95 % by 0.7 points."""
    rng, held = np.random.default_rng(11), np.zeros(2)
    for seed in range(1000):
        baseline, candidate, calls = inside(lab)["_evaluation"](rng, 60, TRUE_DIFFERENCE)
        for place, groups in enumerate((calls, [str(k) for k in range(len(calls))])):
            if place and seed % 5:
                continue
            _, low, high = reference["paired_interval"](baseline, candidate, groups, seed)
            held[place] += low <= TRUE_DIFFERENCE <= high
    assert 0.93 <= held[0] / 1000 <= 0.97
    assert held[1] / 200 < 0.85


@pytest.mark.parametrize(("rank", "alpha"), [(1, 8.0), (3, 2.0)])
def test_training_goes_the_way_of_pytorch(lab, rank, alpha):
    import torch

    weight, inputs, labels = inside(lab)["_rows"](np.random.default_rng(rank), 25)
    fine_tune = lab.checks.oracles["fine_tune"]
    start, _ = fine_tune(weight, inputs, labels, rank, alpha, 0, 0.3, 4)
    layer, losses = fine_tune(weight, inputs, labels, rank, alpha, 12, 0.3, 4)
    down, up = (torch.tensor(start[part], requires_grad=True) for part in ("down", "up"))
    optimiser = torch.optim.SGD([down, up], lr=0.3)
    for loss in losses:
        change = alpha / rank * torch.as_tensor(inputs) @ down.T @ up.T
        scores = torch.as_tensor(inputs) @ torch.as_tensor(weight).T + change
        theirs = torch.nn.functional.cross_entropy(scores, torch.as_tensor(labels))
        assert np.isclose(loss, theirs.item(), atol=1e-10)
        optimiser.zero_grad()
        theirs.backward()
        optimiser.step()
    np.testing.assert_allclose(layer["down"], down.detach().numpy(), atol=1e-9)
    np.testing.assert_allclose(layer["up"], up.detach().numpy(), atol=1e-9)


def test_layers_answer_and_merge_as_those_of_the_lecture(lab, reference):
    import torch

    from course.finetuning.lora import LoraLinear

    layer = inside(lab)["_layer"](np.random.default_rng(1), 4, 6, 3, alpha=6.0)
    theirs = LoraLinear(torch.nn.Linear(6, 4, bias=False, dtype=torch.float64), rank=3, alpha=6.0)
    with torch.no_grad():
        for part, name in ((theirs.base.weight, "weight"), (theirs.down, "down"), (theirs.up, "up")):
            part.copy_(torch.as_tensor(layer[name]))
        inputs = np.random.default_rng(2).standard_normal((5, 6))
        want = theirs(torch.as_tensor(inputs)).numpy()
    np.testing.assert_allclose(reference["lora_forward"](inputs, layer), want, atol=1e-12)
    merged = reference["set_merged"](layer, True)
    np.testing.assert_allclose(merged["weight"], layer["weight"] + theirs.update().detach().numpy(), atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_macro_f1_agrees_with_scikit_learn(lab, seed):
    from sklearn.metrics import f1_score

    truth, predicted = inside(lab)["_answers"](np.random.default_rng(seed), 40, inside(lab)["ACTS"])
    want = f1_score(truth, predicted, average="macro", zero_division=0)
    assert np.isclose(lab.checks.oracles["macro_f1"](truth, predicted), want, atol=1e-12)


def test_fallbacks_compute_what_their_tasks_ask(lab, reference):
    """Where the lab uses them; that of the split follows another rule and only keeps groups together."""
    namespace = {"__name__": "__main__"}
    demo = next(cell for cell in lab.cells if cell.role is Role.DEMO)
    for cell in lab.cells:
        if cell.role in (Role.SETUP, Role.FALLBACK) or cell is demo:
            exec(cell.source, namespace)
            namespace["solved"] = lambda task: False
    rng = np.random.default_rng(6)
    layer, (weight, inputs, labels) = inside(lab)["_layer"](rng), inside(lab)["_rows"](rng)
    baseline, candidate, calls = inside(lab)["_evaluation"](rng)
    truth, told, predictions = inside(lab)["_systems"](rng, {"frozen": 0.5, "tuned": 0.9})
    train = [inside(lab)["_call"]("a b c d 5", "x", "y")]
    test = [inside(lab)["_call"](text, "x") for text in ("A b, c d 6", "a b c d e", "f g h i")]
    for task, arguments, atol in (
        ("lora_forward", (inputs, layer), 1e-9),
        ("macro_f1", (truth, predictions["tuned"]), 1e-9),
        ("paired_interval", (baseline, candidate, calls, 1), 0.01),
    ):
        np.testing.assert_allclose(namespace[task](*arguments), reference[task](*arguments), atol=atol, err_msg=task)
    switched = namespace["set_merged"](layer, True)
    np.testing.assert_allclose(switched["weight"], reference["set_merged"](layer, True)["weight"], atol=1e-9)
    asked = (weight, inputs, labels, 2, 4.0, 8, 0.3, 1)
    np.testing.assert_allclose(namespace["fine_tune"](*asked)[1], reference["fine_tune"](*asked)[1], atol=1e-8)
    assert namespace["find_leaks"](train, test) == reference["find_leaks"](train, test)
    sides = namespace["split_groups"](told, 0.4, 8)
    assert all(len(set(sides[np.equal(told, call)])) == 1 for call in set(told))
    table = namespace["report"](truth, told, predictions, "frozen", 2)
    want = reference["report"](truth, told, predictions, "frozen", 2)
    assert [row["verdict"] for row in table] == [row["verdict"] for row in want] == ["baseline", "better"]
