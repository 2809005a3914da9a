"""Plots of language models: axes with labels and units, and what they show."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from course.language import plots
from course.language.calibration import calibration


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_tokens_are_boxes_with_their_text_and_their_number():
    ax = plots.plot_tokens({"ours": [" my", " card"], "theirs": [" m", "y", " card\n"]})
    assert len(ax.patches) == 5
    assert [text.get_text() for text in ax.texts] == ["·my", "·card", "·m", "y", "·card⏎"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["ours: 2", "theirs: 3"]


def test_vocabulary_sizes_are_on_a_logarithmic_axis():
    ax = plots.plot_vocabulary([256, 512], [900, 300], {"SmolLM2's": (49_152, 220)})
    assert ax.get_xscale() == "log" and ax.get_ylabel() == "Tokens a call" and len(ax.lines) == 2


def test_attention_is_a_picture_between_0_and_1():
    ax = plots.plot_attention(np.tril(np.ones((3, 3))) / 3, ["a", "b", "c"])
    assert ax.images[0].get_clim() == (0, 1) and len(ax.get_xticks()) == 3


def test_weights_stand_side_by_side():
    ax = plots.plot_weights({"head 1": [0.5, 0.5], "head 2": [1, 0]}, ["a", "b"])
    places = [patch.get_x() for patch in ax.patches]
    assert len(set(places)) == 4 and [text.get_text() for text in ax.get_legend().get_texts()] == ["head 1", "head 2"]


def test_losses_and_levels():
    ax = plots.plot_losses([3.0, 2.0, 1.0], {"bigram": 2.5})
    assert ax.get_ylabel() == "Loss (nats a token)" and list(ax.lines[0].get_xdata()) == [1, 2, 3]
    assert ax.lines[1].get_ydata()[0] == 2.5 and ax.texts[0].get_text() == "bigram"


def test_bits_of_each_model_in_a_row():
    ax = plots.plot_bits({"bigram": [1.0, 2.0], "network": [0.5, 2.2]}, ["known", "strange"])
    assert list(ax.lines[0].get_xdata()) == [1.0, 0.5] and list(ax.lines[1].get_xdata()) == [2.0, 2.2]
    assert ax.get_xlabel() == "Bits per byte" and ax.get_ylim() == (1.5, -0.5)


def test_step_times_are_medians_in_milliseconds_with_every_trial():
    ax = plots.plot_step_times([10, 20], {"cache": [[0.01, 0.02, 0.09], [0.03, 0.03, 0.03]]})
    assert list(ax.lines[0].get_ydata()) == [20, 30] and sum(len(line.get_ydata()) for line in ax.lines[1:]) == 6
    assert ax.get_ylabel() == "CPU time (ms a token)"


def test_cache_sizes_are_in_gigabytes():
    ax = plots.plot_cache_sizes([10, 100], {"small": ([1e9, 1e10], 5e8)})
    assert list(ax.lines[0].get_ydata()) == [1, 10] and ax.lines[1].get_ydata()[0] == 0.5
    assert ax.get_ylabel() == "Memory (GB)"


def test_errors_are_on_a_logarithmic_axis():
    ax = plots.plot_errors({"right": [1e-6, 1e-6], "wrong": [0.1, 0.2]})
    assert ax.get_yscale() == "log" and len(ax.lines) == 2


def test_new_lines_are_marked():
    ax = plots.plot_chances([0.5, 1.0, 0.9], [" a", "\n", " b"])
    assert len(ax.lines) == 2 and ax.lines[1].get_xdata()[0] == 2


def test_distributions_say_what_the_bars_leave_out():
    ax = plots.plot_distributions({"all": [0.5, 0.25], "cut": [1.0, 0.0]}, ["a", "b"])
    assert ax[0].get_title(loc="left") == "all; 2 of these 2, others 25 %"
    assert ax[1].get_title(loc="left") == "cut; 1 of these 2, others 0 %"


def test_reliability_leaves_out_bins_with_few_predictions():
    found = calibration([0.15] * 30 + [0.95] * 5, [True] * 3 + [False] * 27 + [True] * 5)
    ax = plots.plot_reliability({"model": found}, fewest=20)
    drawn = ax.containers[0].lines[0]
    assert list(drawn.get_xdata()) == pytest.approx([0.15]) and list(drawn.get_ydata()) == pytest.approx([0.1])


@pytest.mark.parametrize("draw", [plots.plot_losses, plots.plot_bits, plots.plot_weights, plots.plot_errors])
def test_plots_draw_on_the_axes_they_are_given(draw):
    ax = plt.subplots()[1]
    arguments = {
        plots.plot_losses: ([1.0, 2.0],),
        plots.plot_bits: ({"a": [1.0]}, ["known"]),
        plots.plot_weights: ({"a": [1.0]}, ["x"]),
        plots.plot_errors: ({"a": [1.0]},),
    }[draw]
    assert draw(*arguments, ax=ax) is ax
