"""Functions timed in turns: against the fake device's known latencies, and what is refused."""

import numpy as np
import pytest

from course.errors import CourseError
from course.measure.devices import STEADY, Behaviour, CpuDevice, FakeDevice
from course.measure.kernels import Comparison, compare_kernels
from course.measure.statistics import paired_ratio


def launching(device, name, seconds, answer=1.0):
    def kernel():
        device.launch(name, seconds)
        return np.array([answer, 2.0])

    return kernel


def test_the_known_latencies_are_found():
    device = FakeDevice(4)
    kernels = {"naive": launching(device, "naive", 0.004), "tiled": launching(device, "tiled", 0.001)}
    found = compare_kernels(kernels, device)
    assert found.median("tiled").value == pytest.approx(0.001, rel=0.1)
    assert found.speed_up("tiled").value == pytest.approx(4.0, rel=0.02)
    assert found.speed_up("tiled").interval.contains(4.0)
    assert found.baseline == "naive" and found.errors == {"naive": 0.0, "tiled": 0.0}
    assert device.log["launch"] > 12 * (5 + 20)  # as many calls as fill the time


def test_a_function_that_is_no_faster_has_no_speed_up():
    device = FakeDevice(0, Behaviour(noise=0.05))
    kernels = {"one": launching(device, "one", 0.002), "other": launching(device, "other", 0.002)}
    found = compare_kernels(kernels, device).speed_up("other")
    assert found.value is None and "contains 1" in found.refused
    few = compare_kernels(kernels, device, rounds=5)
    assert "5 rounds are too few" in few.speed_up("other").refused and few.median("other").interval is None


def test_parity_comes_before_speed():
    device = FakeDevice(0, STEADY)
    right = launching(device, "right", 0.001)
    with pytest.raises(CourseError, match="wrong does not give the answer of right.*not measured"):
        compare_kernels({"right": right, "wrong": launching(device, "wrong", 0.001, answer=1.1)}, device)
    with pytest.raises(CourseError, match="relative error is nan"):
        compare_kernels({"right": right, "nan": launching(device, "nan", 0.001, answer=float("nan"))}, device)
    with pytest.raises(CourseError, match=r"with the shape \(3,\), right with \(2,\)"):
        compare_kernels({"right": right, "long": lambda: np.zeros(3)}, device)


@pytest.mark.parametrize(
    ("kernels", "more"), [({}, {}), ({"one": lambda: 1.0}, {"rounds": 0}), ({"one": lambda: 1.0}, {"seconds": 0.0})]
)
def test_what_cannot_be_timed(kernels, more):
    with pytest.raises(CourseError, match="At least one function"):
        compare_kernels(kernels, FakeDevice(), **more)


def test_on_the_processor_with_tensors():
    import torch

    a = torch.ones(8, 8)
    found = compare_kernels(
        {"matmul": lambda: a @ a, "mm": lambda: torch.mm(a, a)}, CpuDevice(), rounds=6, seconds=1e-4
    )
    assert isinstance(found, Comparison) and len(found.seconds["mm"]) == 6 and min(found.seconds["mm"]) > 0


def test_rounds_are_drawn_together():
    """Rounds that are slow for both cancel."""
    random = np.random.default_rng(3)
    level = random.lognormal(0, 1, 20)
    value, interval = paired_ratio(2 * level, level)
    assert (value, *interval) == pytest.approx((2.0, 2.0, 2.0))
    covered = 0
    for _ in range(150):
        noise = random.normal(0, 0.05, (2, 20))
        covered += paired_ratio(2 * np.exp(noise[0]), np.exp(noise[1]))[1].contains(2.0)
    assert covered / 150 > 0.88
    with pytest.raises(ValueError, match="6 rounds with both were expected; 6 and 5 came"):
        paired_ratio([1.0] * 6, [1.0] * 5)
