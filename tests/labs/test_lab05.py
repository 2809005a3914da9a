"""Lab 5: what only this lab has: its oracles against PyTorch, stand-ins along the chain of tasks."""

from pathlib import Path

import numpy as np
import pytest

from course.lab.rehearsal import reference_sources, rehearse
from course.lab.source import read_lab

FOLDER = Path(__file__).parents[2] / "labs" / "lab05-ctc"


@pytest.fixture(scope="module")
def lab():
    return read_lab(FOLDER)


def test_stand_ins_spare_a_later_task_from_all_earlier_mistakes(lab):
    broken = {task: f"def {task}(*arguments):\n    return None" for task in lab.task_ids if task != "train_ctc"}
    records = rehearse(lab, reference_sources(lab) | broken)
    assert [task for task, record in records.items() if record.passed] == ["train_ctc"]


@pytest.mark.parametrize("target", [[], [1], [2, 2], [1, 2, 2, 3, 1]])
def test_the_oracles_agree_with_pytorch(lab, target):
    import torch

    logits = np.random.default_rng(len(target)).normal(0, 2, (30, 4))
    given = torch.tensor(logits, requires_grad=True)
    lengths = torch.tensor(30), torch.tensor(len(target))
    labels = torch.tensor(target, dtype=torch.long)
    theirs = torch.nn.functional.ctc_loss(torch.log_softmax(given, 1), labels, *lengths, reduction="sum")
    theirs.backward()
    loss, gradient = lab.checks.oracles["ctc_gradient"](logits, target)
    assert np.isclose(loss, theirs.item(), atol=1e-9)
    np.testing.assert_allclose(gradient, given.grad.numpy(), atol=1e-9)
