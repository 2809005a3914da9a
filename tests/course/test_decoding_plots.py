"""The bars show what the scores say."""

import pytest

from course.decoding_plots import error_rates_said, plot_error_rates
from course.plotting import described

SYSTEMS = {"good": (["one two", "three"], ["one two", "three"]), "poor": (["one two", "three"], ["one", "three four"])}


def test_each_system_has_its_dot_its_interval_and_its_words():
    ax = plot_error_rates(SYSTEMS)
    dots = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert dots == pytest.approx([0, 200 / 3])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["good", "poor"]
    assert "poor 67 per cent, between 50 and 100" in error_rates_said(SYSTEMS)
    described(ax, error_rates_said(SYSTEMS))


def test_nothing_and_lists_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="none came"):
        plot_error_rates({})
    with pytest.raises(ValueError):
        plot_error_rates({"one": (["a"], [])})
