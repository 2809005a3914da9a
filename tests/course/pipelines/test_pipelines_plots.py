"""Drawings show what they are given, with labelled axes."""

import matplotlib.pyplot as plt
import pytest

from course.pipelines.duplicates import Banding
from course.pipelines.plots import plot_arrivals, plot_banding, plot_losses, plot_panes, plot_shares
from course.pipelines.streaming import Arrival, CallEvent, Watermark, panes
from course.pipelines.writing import manifest_of


def event(name: str, at: float) -> CallEvent:
    return CallEvent(event_id=name, call=name, caller="ann", queue="cards", at=at, handling_ms=5)


SCRIPT = [
    Arrival((event("a", 1), event("b", 3))),
    Watermark(12),
    Arrival((event("c", 5),)),
    Watermark(40),
    Arrival((event("d", 5), event("e", 45))),
]


@pytest.fixture(autouse=True)
def closed():
    """Figures do not outlive their test."""
    yield
    plt.close("all")


def test_losses_have_a_bar_for_each_reason():
    counts = {"read": {"records": 12}, "filtered": {"empty": 3}, "duplicates": {"near": 2}, "written": {"train": 7}}
    ax = plot_losses(manifest_of(counts, [], [], "jsonl", {}))
    assert [bar.get_width() for bar in ax.patches] == [3, 2, 7] and ax.get_xlabel() == "Lines"
    assert [label.get_text() for label in ax.get_yticklabels()][0] == "filtered: empty"


def test_curves_of_bandings_and_pairs():
    ax = plot_banding([Banding(8, 2), Banding(4, 4)], found=[(0.9, True), (0.1, False), (0.2, False)])
    curves = [line for line in ax.get_lines() if len(line.get_xdata()) == 201]
    assert len(curves) == 2 and curves[0].get_ydata()[-1] == 1
    assert sorted(len(line.get_xdata()) for line in ax.get_lines() if line not in curves) == [1, 2]


def test_arrivals_are_on_time_late_or_dropped():
    ax = plot_arrivals(SCRIPT, size=10, lateness=5)
    drawn = {line.get_label(): list(line.get_xdata()) for line in ax.get_lines()}
    assert drawn["on time"] == [1, 3, 45] and drawn["late"] == [5] and drawn["dropped"] == [5]
    given, dropped = panes(SCRIPT, 10, 5)
    assert len(dropped) == 1 and "s" in ax.get_xlabel()


def test_panes_are_bars_in_their_order():
    given, _ = panes(SCRIPT, 10, 5)
    heights = [bar.get_height() for bar in plot_panes(given).patches if bar.get_height()]
    assert heights == [2, 3, 1]


def test_shares_are_in_per_cent():
    ax = plot_shares({"a": 0.5, "b": 0.25}, "Recall (%)")
    assert [bar.get_width() for bar in ax.patches] == [50, 25] and ax.get_xlabel() == "Recall (%)"
