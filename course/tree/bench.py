"""``course bench tree``: from a reader's input to the frame that shows it, with thousands of turns in the tree."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from course.bench.options import OUTPUT, QUICK
from course.bench.record import Bar, Ratio, Record, Sample, Verdict, values
from course.bench.statistics import median_interval
from course.bench.trials import Trial
from course.kit import build_dir

STEP, SLOWEST = "frame step", "slowest frame step"
STEPS = ("pan, all in view", "pan, reading", "zoom", "search", "select", "fold")
LONGEST = 0.1  # seconds
ROUNDS, QUICK_ROUNDS = 6, 1
TURNS, QUICK_TURNS = 5_000, 500
REPEATS, QUICK_REPEATS = 20, 3
BARS = {
    (quantity, name): Bar(f"{quantity}, {name}, seconds", LONGEST, "below")
    for quantity in (STEP, SLOWEST)
    for name in STEPS
}
# Inputs as a browser sends them. A step ends with the second frame after its input, since moving a turn into view takes
# one more; its pixels are read back, so that nothing is left to be drawn later. Waiting for the screen counts as well.
MEASURE = """async ([name, repeats]) => {
  const shadow = document.querySelector("#tree > div").shadowRoot, canvas = shadow.querySelector("canvas");
  const tree = shadow.querySelector("[role=tree]"), input = shadow.querySelector("input");
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const sent = { view: window, bubbles: true, composed: true, cancelable: true };
  const at = (x, y) => ({ ...sent, clientX: left + x, clientY: top + y });
  const middle = () => at(width / 2, height / 2);
  const frame = () => new Promise((done) => requestAnimationFrame(() => {
    canvas.getContext("2d").getImageData(0, 0, 1, 1);
    done();
  }));
  const wheel = (deltaY) => canvas.dispatchEvent(new WheelEvent("wheel", { ...middle(), deltaY, ctrlKey: true }));
  const press = (key) => tree.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true }));
  const type = (words) => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, words);
    input.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }));
  };
  const pan = (i) => {
    if (i === 0) canvas.dispatchEvent(new MouseEvent("mousedown", middle()));
    window.dispatchEvent(new MouseEvent("mousemove", at(width / 2 + 12 * Math.sin(i + 1) * i, height / 2 + 5 * i)));
    if (i === repeats - 1) window.dispatchEvent(new MouseEvent("mouseup", middle()));
  };
  const acts = {
    "pan, all in view": pan,
    "pan, reading": pan,
    zoom: (i) => wheel(i < repeats / 2 ? -60 : 60),
    search: (i) => type(["c", "ca", "car", "card", "card a", "balance"][i % 6]),
    select: (i) => press(["ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp"][i % 4]),
    fold: () => press(" "),
  };
  view.update({ selected: name === "fold" ? "turn-0" : null });
  press(name === "pan, all in view" || name === "zoom" ? "0" : "Escape");
  await frame();
  await frame();
  const steps = [];
  for (let i = 0; i < repeats; i += 1) {
    const begun = performance.now();
    acts[name](i);
    await frame();
    await frame();
    steps.push((performance.now() - begun) / 1000);
  }
  return steps;
}"""


@click.command()
@OUTPUT
@QUICK
@click.option("--rounds", type=click.IntRange(min=1), help="Pages for each kind of step; fewer than six judge nothing.")
@click.option("--turns", type=click.IntRange(min=10), help="Turns of the conversation.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the order and the conversation.")
def tree(output: Path | None, quick: bool, rounds: int | None = None, turns: int | None = None, seed: int = 0):
    """Measure the conversation tree in headless Chromium: panning, zooming, searching, selecting, folding."""
    from course.bench.report import keep, measure, show

    console = Console()
    repeats = QUICK_REPEATS if quick else REPEATS
    rounds, turns = rounds or (QUICK_ROUNDS if quick else ROUNDS), turns or (QUICK_TURNS if quick else TURNS)
    plan = [Trial(name, rounds, partial(trial, name, turns, repeats, seed)) for name in STEPS]
    settings = {"rounds": rounds, "turns": turns, "repeats": repeats}
    record = measure("tree", plan, seed, settings, judge, console, dict)
    show(record, console)
    keep(record, draw(record), output or build_dir() / "bench", console)
    raise SystemExit(0 if record.passed else 1)


def trial(name: str, n_turns: int, repeats: int, seed: int) -> list[Sample]:
    """Steps of one kind on a page of its own, in a browser of its own.

    Args:
        name: of the kind, from ``STEPS``.
        n_turns: of the conversation.
        repeats: steps.
        seed: of the conversation.

    Raises:
        CourseError: there is no browser, or the component was not built.
    """
    from course.site.checks.browser import LIGHT, chromium, opened
    from course.tree.made_up import made_up
    from course.tree.page import mount, open_page

    with chromium() as browser, opened(browser, LIGHT) as tab:
        open_page(tab)
        mount(tab, made_up(n_turns, seed))
        tab.evaluate(MEASURE, [name, 2])  # the first ones compile
        steps = tab.evaluate(MEASURE, [name, repeats])
    found = [(STEP, one) for one in steps] + [(SLOWEST, max(steps))]
    return [Sample(trial=0, quantity=what, variant=name, unit="s", value=one, size=n_turns) for what, one in found]


def judge(samples: Sequence[Sample], found: dict[str, Any]) -> tuple[list[Ratio], list[Verdict]]:
    """Whether each kind of step is quick enough, in the middle and at its slowest."""
    return [], [bar.judge(median_interval(values(samples, *what))) for what, bar in BARS.items()]


def draw(record: Record):
    """All steps by kind, with their medians and the bar."""
    import numpy as np

    from course.plotting import BLUE, ORANGE, panels

    axes = panels(1, height=3.2)
    for row, name in enumerate(STEPS):
        found = [1000 * one.value for one in record.samples if (one.quantity, one.variant) == (STEP, name)]
        axes.barh(row, np.median(found) if found else 0, color=BLUE, height=0.6, alpha=0.7)
        axes.plot(found, [row] * len(found), linestyle="none", marker="o", markersize=2.5, color=ORANGE, alpha=0.6)
    axes.axvline(1000 * LONGEST, color="black", linestyle="--")
    axes.set_yticks(range(len(STEPS)), STEPS)
    axes.invert_yaxis()
    axes.set(title=f"From input to frame, {record.settings['turns']:,} turns", xlabel="ms", xlim=(0, None))
    return axes.figure
