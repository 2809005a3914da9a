"""Plots of requests show what they are given, and refuse what they cannot show."""

import matplotlib.pyplot as plt
import pytest

from course.serving.plots import plot_counts, plot_moments, plot_over, plot_sizes


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_bars_have_the_counts_and_their_names_from_top_to_bottom():
    ax = plot_counts({"200": 3, "429": 0, "503": 7}, "Requests")
    assert [bar.get_width() for bar in ax.patches] == [3, 0, 7]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["200", "429", "503"]
    low, high = ax.get_ylim()
    assert low > high and ax.get_xlabel() == "Requests"


def test_sizes_stand_where_they_belong():
    ax = plot_sizes({1: 0.25, 4: 0.75}, {1: 0.3, 2: 0.7})
    assert {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in ax.patches} == {1: 0.25, 4: 0.75}
    assert list(ax.lines[0].get_xdata()) == [1, 2] and list(ax.lines[0].get_ydata()) == [0.3, 0.7]
    assert not plot_sizes({1: 1.0}, {}).lines


def test_curves_differ_in_colour_and_in_dashes():
    ax = plot_over([1, 2], {"one": [1, 2], "other": [2, 1]}, "s", "1/s", {"full": 1.5})
    one, other, mark = ax.lines
    assert list(one.get_ydata()) == [1, 2] and list(mark.get_xdata()) == [1.5, 1.5]
    assert one.get_color() != other.get_color() and one.get_linestyle() != other.get_linestyle()


def test_moments_have_a_row_for_each_kind():
    ax = plot_moments({"asked": [0.0], "said": [1.0, 2.0], "never": []}, "Time (s)")
    assert [len(line.get_xdata()) for line in ax.lines] == [1, 2, 0]
    assert [set(line.get_ydata()) for line in ax.lines] == [{0}, {1}, set()]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plot_counts({}, "Requests"),
        lambda: plot_sizes({}, {}),
        lambda: plot_moments({}, "s"),
        lambda: plot_over([1], {}, "s", "s"),
    ],
    ids=["counts", "sizes", "moments", "curves"],
)
def test_nothing_to_show_is_refused(draw):
    with pytest.raises(ValueError, match="At least one entry"):
        draw()


def test_a_curve_of_another_length_is_refused():
    with pytest.raises(ValueError, match="2 values were expected for 'a' and 1 came"):
        plot_over([1, 2], {"a": [1]}, "s", "s")


def test_each_draws_on_given_axes():
    ax = plt.figure().gca()
    assert plot_counts({"a": 1}, "n", ax) is ax and plot_over([1], {"a": [1]}, "x", "y", ax=ax) is ax
    assert plot_sizes({1: 1}, {}, ax) is ax and plot_moments({"a": [1]}, "s", ax) is ax
