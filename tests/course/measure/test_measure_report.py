"""What is shown of a record: refusals instead of numbers, plots, and a page that fetches nothing."""

import io
import re

import numpy as np
import pytest
from rich.console import Console

from course.measure import plots
from course.measure.record import Load
from course.measure.report import lines, remarks, show, write_page
from course.plotting import described
from course.site.checks.browser import axe_source, chromium

EVIL = "<script>alert(1)</script>[red]"


def shown(record):
    console = Console(width=200, file=io.StringIO())
    show(record, console)
    return console.file.getvalue()


def renamed(record, name):
    variants = tuple(
        variant.model_copy(update={"name": name}) if variant.name == "fast" else variant for variant in record.variants
    )
    trials = tuple(
        trial.model_copy(update={"variant": name}) if trial.variant == "fast" else trial for trial in record.trials
    )
    return record.model_copy(update={"variants": variants, "trials": trials, "claims": (), "faults": (EVIL,)})


def test_the_table_has_the_numbers_of_the_samples(record):
    (fast,) = [line for line in lines(record) if (line.variant, line.phase) == ("fast", "decode")]
    samples = [t.timing("decode").seconds / t.timing("decode").steps for t in record.measured("fast")]
    assert fast.median.value == np.median(samples)
    assert fast.tokens_per_second == pytest.approx(1 / np.median(samples))
    assert fast.roofline == pytest.approx(0.5, rel=0.1)
    assert fast.speed_up.value == pytest.approx(2.0, rel=0.02)
    assert "2.0" in fast.cells[5] and "baseline" in shown(record)


def test_without_parity_there_is_no_number(record):
    bare = tuple(variant.model_copy(update={"parity": None}) for variant in record.variants)
    refused = record.model_copy(update={"variants": bare})
    for line in lines(refused):
        assert line.cells[2] == "refused" and not re.search(r"\d", "".join(line.cells))
    assert "came without parity" in shown(refused)
    with pytest.raises(ValueError, match="parity"):
        plots.plot_latency_throughput(refused)


def test_a_remark_is_said_once(record):
    bare = tuple(variant.model_copy(update={"parity": None}) for variant in record.variants)
    found = remarks(record.model_copy(update={"variants": bare}))
    assert len(found) == len(set(found)) == 2


def test_a_server_meets_its_objective_or_not(server_record):
    def words(objective):
        load = Load(objective=objective, share=0.9, seed=0)
        return shown(server_record.model_copy(update={"load": load}))

    assert "the objective is met, 1e+04 ms" in words(10.0)
    assert "the objective is missed, 10 ms" in words(0.01)
    p90 = np.sort([request.latency for request in server_record.requests])[323]
    assert "stays open" in words(float(p90))


def test_the_plots_say_what_is_drawn(record, server_record):
    ax = plots.plot_trials(record, "prefill")
    drawn = sum(len(line.get_xdata()) for line in ax.get_lines())
    assert drawn == len(record.trials) and "ms" in ax.get_ylabel()
    described(ax, "All samples.")
    ax = plots.plot_roofline(record)
    roof = ax.get_lines()[0]
    assert roof.get_ydata().max() == pytest.approx(record.ceiling("flops") / 1e9)
    assert all(
        np.interp(x, *roof.get_data()) > y for line in ax.get_lines()[1:] for x, y in zip(*line.get_data(), strict=True)
    )
    assert "FLOP/B" in ax.get_xlabel()
    described(ax, "A roofline.")
    ax = plots.plot_latency_throughput(record)
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"slow", "fast"}
    described(ax, "Two points.")
    ax = plots.plot_latency_throughput(server_record)
    assert "requests a second" in ax.get_xlabel()
    described(ax, "One load.")


def test_plots_of_what_is_not_there(record, server_record):
    with pytest.raises(ValueError, match="has a kernel"):
        plots.plot_trials(record, "kernel")
    with pytest.raises(ValueError, match="lacks one of them"):
        plots.plot_roofline(record.model_copy(update={"ceilings": ()}))


def test_the_page_needs_nothing_else_and_shows_names_as_text(record, tmp_path):
    path = tmp_path / "report.html"
    write_page(renamed(record, EVIL), path)
    page = path.read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page)
    assert not re.search(r"url\((?!#)", page) and "@import" not in page
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert page.count('role="img"') == 4
    assert "Synchronised" not in page and "synchronised" in page
    assert EVIL in shown(renamed(record, EVIL))


def test_the_page_of_a_server(server_record, tmp_path):
    path = tmp_path / "report.html"
    write_page(server_record, path)
    page = path.read_text(encoding="utf-8")
    assert "of 360 requests are answered within" in page


def test_the_page_is_accessible_and_fits_a_phone(record, tmp_path):
    path = tmp_path / "report.html"
    write_page(record, path)
    with chromium() as browser:
        for scheme in ("light", "dark"):
            for width in (1200, 390):
                page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
                page.goto(path.as_uri())
                page.evaluate(axe_source())
                found = page.evaluate("axe.run({resultTypes: ['violations']}).then(result => result.violations)")
                assert [one["id"] for one in found] == []
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                page.close()
