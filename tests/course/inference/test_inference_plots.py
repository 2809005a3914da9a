"""The plots of Lecture 11: they return axes with labelled units and show what they are given."""

import numpy as np
import pytest

from course.bench.statistics import Interval
from course.inference import plots
from course.plotting import described

RATIOS = {"fast": (2.0, Interval(1.8, 2.3)), "slow": (0.5, Interval(0.4, 0.6)), "same": (1.0, Interval(0.9, 1.1))}
DRAWN = {
    "roof": lambda: plots.plot_roof(8e10, 2e10, {"token": (0.5, 5e9), "prompt": (50.0, 6e10)}),
    "timeline": lambda: plots.plot_timeline({"host": [(0, 1e-3)], "device": [(1e-3, 3e-3)]}, {"read": 1e-3}),
    "reported": lambda: plots.plot_reported({"honest": (1.0, 1.0), "wrong": (0.004, 3.0)}),
    "curves": lambda: plots.plot_curves([1, 2, 4], {"a": [1, 2, 3]}, "Cards", "Time (ms)", {"objective": 2.0}),
    "ratios": lambda: plots.plot_ratios([128, 512], {"a": [RATIOS["fast"], RATIOS["slow"]]}, "Tokens"),
    "speed-ups": lambda: plots.plot_speed_ups(RATIOS),
    "operators": lambda: plots.plot_operators({"plain": {"MatMul": 3, "Mul": 9}, "fused": {"MatMul": 3}}),
    "channels": lambda: plots.plot_channels({"layer": np.array([1.0, 300.0, 2.0])}),
    "price": lambda: plots.plot_price({"int8": (1.0, 0.005), "int4": (0.5, 1.3)}),
}


@pytest.mark.parametrize("name", list(DRAWN))
def test_a_plot_has_labelled_axes_and_becomes_svg(name):
    ax = DRAWN[name]()
    assert ax.get_xlabel()
    assert ax.get_ylabel() or ax.get_yticklabels()
    assert described(ax, "What one sees.").svg.startswith("<svg")


def test_the_roof_bends_at_the_ridge():
    ax = plots.plot_roof(8e10, 2e10, {"token": (0.5, 5e9)})
    intensities, rates = ax.lines[0].get_data()
    flat, steep = intensities > 4.1, intensities < 3.9
    assert np.allclose(rates[flat], 80) and np.allclose(rates[steep] / intensities[steep], 20)


def test_a_ratio_whose_interval_holds_one_looks_like_none():
    ax = plots.plot_speed_ups(RATIOS)
    colours = [container.lines[0].get_color() for container in ax.containers]
    assert colours == [plots.BLUE, plots.ORANGE, plots.GREY]


def test_the_commonest_operators_come_first_and_the_rest_is_left_out():
    ax = plots.plot_operators({"plain": {"a": 1, "b": 5, "c": 3}, "fused": {"c": 4}}, most=2)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "c"]
