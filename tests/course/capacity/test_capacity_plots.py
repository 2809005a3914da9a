"""The pictures show what they are given, with labels and units."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course.capacity import Autoscaler, Sequential, run_autoscaler
from course.capacity.following import Span
from course.capacity.plots import plot_evidence, plot_over, plot_scaling, plot_spans
from course.plotting import panels


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def words(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_curves_and_dots():
    ax = plot_over([1, 2, 3], {"wait": [1, np.inf, 3]}, "Load", "Seconds", {"seen": ([2], [5])}, {"promise": 2.0})
    curve, dots, level = ax.lines
    assert np.isnan(curve.get_ydata()[1]) and curve.get_ydata()[2] == 3
    assert (dots.get_xdata()[0], dots.get_ydata()[0]) == (2, 5) and level.get_ydata()[0] == 2
    assert ax.get_xlabel() == "Load" and ax.get_ylabel() == "Seconds" and words(ax) == ["wait", "seen"]
    assert "promise" in [text.get_text().strip() for text in ax.texts]


def test_one_curve_needs_no_legend_and_given_axes_are_used():
    ax = panels()
    assert plot_over([1, 2], {"a": [1, 2]}, "x (s)", "y (s)", ax=ax) is ax and ax.get_legend() is None


def test_spans_lie_one_behind_the_other():
    row = (Span("in line", 0.0, 0.5), Span("reading", 0.5, 0.1), Span("writing", 0.6, 0.4))
    ax = plot_spans({"one": row, "two": row})
    bars = [(bar.get_x(), bar.get_width()) for bar in ax.patches[:3]]
    assert np.allclose(bars, [(0.0, 0.5), (0.5, 0.1), (0.6, 0.4)])
    assert words(ax) == ["in line", "reading", "writing"] and "Seconds" in ax.get_xlabel()


def test_machines_and_their_wait():
    rates = np.full(120, 6.0)
    axes = plot_scaling({"calm": run_autoscaler(rates, 2.0, Autoscaler())}, rates, 2.0)
    assert axes[0].lines[0].get_ydata()[0] == 3.0 and words(axes[0]) == ["needed", "calm"]
    assert axes[1].get_xlabel() == "Minutes" and axes[1].get_ylabel() == "Wait (s)"


def test_evidence_ends_where_the_test_decides():
    test = Sequential(0.1, 0.3)
    slow = np.ones(40, dtype=bool)
    ax = plot_evidence(test, {"slow": slow})
    assert ax.lines[0].get_xdata()[-1] == test.decide(slow).after
    assert [text.get_text().strip() for text in ax.texts] == ["promote", "roll back"]
