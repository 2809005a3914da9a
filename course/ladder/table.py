"""The running table, for a page and for a terminal."""

import html
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from course.channels import CONDITIONS
from course.ladder.compare import SIZES_BEST_FIRST, Comparison, better_than, cell_of, rate_interval
from course.ladder.heldout import BUILD, CLEAN, HELD_OUT, PROMPTS, QUICK, READINGS, SEEN, UNSEEN, HeldOut
from course.ladder.records import Cell
from course.ladder.systems import SYSTEMS, System, system_named

NOT_MEASURED, IN_FULL_RUNS, NOT_MADE_FOR = "not measured", "full run", "–"
OTHER = list(CONDITIONS)[-1]  # all conditions but the clean one rest on as many recordings
LAST_LECTURE = max(system.lecture for system in SYSTEMS)


@dataclass(frozen=True)
class Table:
    """A table of texts that a notebook shows as HTML.

    Attributes:
        caption: what it shows.
        columns: headings; the first is that of the systems' names.
        rows: texts, as many as columns.
        notes: how it was measured and on what.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: str = ""

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    @property
    def html(self) -> str:
        """The table with a caption and headings that name their scope, and the notes below it."""
        heads = "".join(f'<th scope="col" style="text-align:left">{html.escape(name)}</th>' for name in self.columns)
        rows = "".join(
            f'<tr><th scope="row">{html.escape(row[0])}</th>' + "".join(map(_cell_html, row[1:])) + "</tr>"
            for row in self.rows
        )
        caption = f'<caption style="text-align:left">{html.escape(self.caption)}</caption>'
        table = f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        return table + (f"<p>{html.escape(self.notes)}</p>" if self.notes else "")

    @property
    def text(self) -> str:
        """The table in columns of characters, its notes below it."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        aligned = [[text.ljust(width) for text, width in zip(line, widths, strict=True)] for line in lines]
        return "\n".join([self.caption, *("  ".join(line).rstrip() for line in aligned), self.notes])


def _cell_html(text: str) -> str:
    """A cell; an interval has a line of its own, so that a phone shows more columns."""
    value, bracket, interval = html.escape(text).partition(" (")
    shown = f"{value}<br>({interval}" if bracket else value
    return f'<td style="white-space:nowrap">{shown}</td>'


def ladder_table(upto: int = LAST_LECTURE) -> Table:
    """Every system up to a lecture: its errors on clean recordings of each set, its speed, memory, size and training.

    Shows the records that are there and measures nothing.

    Args:
        upto: number of the last lecture whose systems are shown.
    """
    systems = _upto(upto)
    sets = [one for one in HELD_OUT.values() if any(is_tested(system, one) for system in systems)]
    size = _best_size(systems, sets, [CLEAN])
    found = {(system.id, one.id): _cell(system, one, CLEAN, size) for system in systems for one in sets}
    rows = [
        (
            system.title,
            *(_errors(system, one, CLEAN, found[system.id, one.id]) for one in sets),
            *_costs([found[system.id, one.id] for one in (READINGS, PROMPTS, SEEN, UNSEEN) if one in sets]),
        )
        for system in systems
    ]
    columns = ("System", *(one.title for one in sets), "RTF", "Memory", "Parameters", "Training")
    notes = (
        f"In brackets the 95 % bootstrap interval. {_counts(sets, found)} "
        "RTF is CPU seconds per second of sound, on one thread, and memory the most that the process held, on the "
        "longest recordings that the system meets"
        + (". –: the system knows ten digits only, or has no texts of the domain." if _has_gaps(systems, sets) else ".")
        + _origin(found.values())
    )
    return Table("Word error rate in percent, clean recordings", columns, tuple(rows), notes)


def condition_table(heldout: str, upto: int = LAST_LECTURE) -> Table:
    """Every system that is tested on one set, in every condition.

    Args:
        heldout: id of the set: "digits-seen", "digits-unseen", "prompts" or "readings".
        upto: number of the last lecture whose systems are shown.
    """
    one = HELD_OUT[heldout]
    systems = [system for system in _upto(upto) if is_tested(system, one)]
    size = _best_size(systems, [one], list(CONDITIONS))
    found = {(system.id, name): _cell(system, one, name, size) for system in systems for name in CONDITIONS}
    rows = [
        (system.title, *(_errors(system, one, name, found[system.id, name]) for name in CONDITIONS))
        for system in systems
    ]
    counts = [
        _count(title, {s.id: found[s.id, name] for s in systems})
        for title, name in (("Clean", CLEAN), ("the other conditions", OTHER))
    ]
    notes = (
        f"In brackets the 95 % bootstrap interval. {'; '.join(filter(None, counts)) or 'None has been measured yet'}."
        + (" Full run: too slow for a build." if any(IN_FULL_RUNS in row for row in rows) else "")
        + _origin(found.values())
    )
    return Table(f"{one.title}: word error rate in percent", ("System", *CONDITIONS), tuple(rows), notes)


def steps_table(heldout: str) -> Table:
    """Each system of one set against the one before it on the ladder, clean, utterance by utterance.

    Args:
        heldout: id of the set.
    """
    systems = [system for system in SYSTEMS if is_tested(system, HELD_OUT[heldout])]
    steps = [better_than(new.id, old.id, heldout) for old, new in pairwise(systems)]
    rows = [
        (f"{step.first}, against {step.second}", _difference(step), str(step.n_utterances or ""), _verdict(step))
        for step in steps
    ]
    columns = ("Step", "Fewer errors in 100 words", "Recordings", "Verdict")
    notes = "In brackets the 95 % interval of a paired bootstrap over the recordings that both systems met."
    return Table(
        f"{HELD_OUT[heldout].title}, clean: each system against the one before it", columns, tuple(rows), notes
    )


def _difference(step: Comparison) -> str:
    if not step.n_utterances:
        return NOT_MEASURED
    values = (100 * value for value in (step.difference, step.low, step.high))
    return "{:.1f} ({:.1f} to {:.1f})".format(*values).replace("-", "−")


def _verdict(step: Comparison) -> str:
    if step.low > 0:
        return "better"
    return "worse" if step.high < 0 else "not told apart" if step.n_utterances else ""


def is_tested(system: System, heldout: HeldOut) -> bool:
    """Whether the system meets the set; one that learns no digits meets known and new speakers alike."""
    return heldout in system.sets or (heldout is SEEN and not system.fits and UNSEEN in system.sets)


def _upto(lecture: int) -> list[System]:
    return [system for system in SYSTEMS if system.lecture <= lecture]


def _cell(system: System, heldout: HeldOut, condition: str, size: str) -> Cell | None:
    return cell_of(system, heldout.id, condition, size) if is_tested(system, heldout) else None


def _best_size(systems: list[System], sets: list[HeldOut], conditions: list[str]) -> str:
    """The largest size in which every cell that belongs to it was measured, so that a table never mixes sizes."""
    wanted = [(s, one, name) for s in systems for one in sets for name in conditions if is_tested(s, one)]
    for size in SIZES_BEST_FIRST:
        cells = [(s, one.id, name, size) for s, one, name in wanted if one.amounts.of(size, name, s.slow)]
        if all(cell_of(*cell) for cell in cells):
            return size
    return BUILD


def _errors(system: System, heldout: HeldOut, condition: str, cell: Cell | None) -> str:
    if not is_tested(system, heldout):
        return NOT_MADE_FOR
    if cell is None:
        return IN_FULL_RUNS if system.slow and condition != CLEAN else NOT_MEASURED
    low, high = rate_interval(cell)
    return f"{100 * cell.rate:.1f} ({100 * low:.1f}–{100 * high:.1f})"


def _costs(cells: list[Cell | None]) -> tuple[str, str, str, str]:
    """Speed, memory, parameters and training of a system, from the first of its cells that was measured."""
    cell = next((cell for cell in cells if cell), None)
    if cell is None:
        return ("", "", "", "")
    training = "none here" if cell.train_seconds is None else f"{cell.train_seconds:.1f} s"
    return (
        f"{cell.real_time_factor:.3f}",
        f"{cell.peak_rss_bytes / 1e6:.0f} MB",
        _in_thousands(cell.n_parameters),
        training,
    )


def _in_thousands(count: int) -> str:
    return f"{count / 1e6:.1f} M" if count >= 1_000_000 else f"{count / 1e3:.0f} k" if count else "–"


def _counts(sets: list[HeldOut], found: dict) -> str:
    parts = [
        _count(one.title, {system: cell for (system, heldout), cell in found.items() if heldout == one.id})
        for one in sets
    ]
    measured = [part for part in parts if part]
    return f"{'; '.join(measured)}." if measured else "None has been measured yet: run ‘course ladder run’."


def _count(title: str, cells: dict[str, Cell | None]) -> str:
    """How many recordings a column rests on, and which systems met fewer of them; empty if none was measured."""
    sizes = {system: len(cell.utterances) for system, cell in cells.items() if cell}
    if not sizes:
        return ""
    most = max(sizes.values())
    words = next(sum(cell.words) for cell in cells.values() if cell and len(cell.utterances) == most)
    fewer = [f"{system_named(system).title} the first {n}" for system, n in sizes.items() if n < most]
    return f"{title}: {most} recordings, {words} words" + (f" ({', '.join(fewer)})" if fewer else "")


def _has_gaps(systems: list[System], sets: list[HeldOut]) -> bool:
    return not all(is_tested(system, one) for system in systems for one in sets)


def _origin(cells: Iterable[Cell | None]) -> str:
    """Where the records are not what a reader would take them for."""
    measured = [cell for cell in cells if cell]
    quick = any(cell.size == QUICK for cell in measured)
    spoken = not all(cell.recorded for cell in measured)
    return (" A quick run, of new speakers only one: ‘course ladder run’ measures all." if quick else "") + (
        " Some of the speech was synthesised by espeak-ng, its recordings being absent." if spoken else ""
    )
