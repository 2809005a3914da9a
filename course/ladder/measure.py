"""Measuring cells of the ladder: ``python -m course.ladder.measure SYSTEM SET SIZE CONDITION …`` in a fresh process."""

import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from course.bench.machine import this_machine
from course.channels import CONDITIONS
from course.ladder.heldout import HELD_OUT, HeldOut
from course.ladder.records import Cell, Utterance, cell_key, cell_path, write_cell
from course.ladder.systems import Recogniser, System, system_named
from course.recordings import Recording
from course.scoring import align_words, normalise

STATUS = Path("/proc/self/status")


def measure(system: System, heldout: HeldOut, size: str, conditions: list[str]) -> None:
    """Make the system for each fold, test it in each condition, and store a record as soon as it is complete.

    Prints a line for each record that is stored.
    """
    recognisers = make_recognisers(system, heldout, size)
    for condition in conditions:
        cell = measured_cell(system, heldout, size, condition, recognisers)
        write_cell(cell, cell_path(system, heldout, condition, size))
        print(f"{heldout.id} {condition}", flush=True)


def make_recognisers(system: System, heldout: HeldOut, size: str) -> dict[str, Recogniser]:
    """Fold to its recogniser; one for all folds of a system that learns nothing in the build."""
    folds = heldout.folds_in(size)
    if system.fits:
        return {fold: system.make(heldout, fold) for fold in folds}
    return dict.fromkeys(folds, system.make(heldout, folds[0]))


def measured_cell(
    system: System, heldout: HeldOut, size: str, condition: str, recognisers: dict[str, Recogniser]
) -> Cell:
    """The record of one condition."""
    key = cell_key(system, heldout, condition, size)
    spoken = [
        (fold, CONDITIONS[condition](clean))
        for fold in recognisers
        for clean in heldout.select(fold, heldout.amounts.of(size, condition, system.slow))
    ]
    for fold, recording in spoken[:1]:
        recognisers[fold].recognise(recording.signal, recording.sample_rate)
    texts, cpu_seconds, wall_seconds = recognised(spoken, recognisers)
    utterances = [scored(recording, text) for (_, recording), text in zip(spoken, texts, strict=True)]
    trained = [one.train_seconds for one in recognisers.values() if one.train_seconds is not None]
    return Cell(
        system=system.id,
        heldout=heldout.id,
        condition=condition,
        size=size,
        key=key,
        recorded=all(recording.recorded for _, recording in spoken),
        utterances=tuple(utterances),
        audio_seconds=sum(recording.seconds for _, recording in spoken),
        cpu_seconds=cpu_seconds,
        wall_seconds=wall_seconds,
        peak_rss_bytes=peak_rss_bytes(),
        n_parameters=next(iter(recognisers.values())).n_parameters,
        train_seconds=sum(trained) / len(trained) if trained else None,
        made=datetime.now(UTC),
        machine=this_machine(),
    )


def recognised(spoken: list[tuple[str, Recording]], recognisers: dict) -> tuple[list[str], float, float]:
    """The text of each recording as it came, and the CPU and wall seconds that recognising took."""
    cpu, wall = time.process_time(), time.perf_counter()
    texts = [recognisers[fold].recognise(one.signal, one.sample_rate) for fold, one in spoken]
    return texts, time.process_time() - cpu, time.perf_counter() - wall


def scored(recording: Recording, text: str) -> Utterance:
    """What was said against what was recognised, both normalised."""
    said, heard = normalise(recording.text), normalise(text)
    alignment = align_words(said, heard)
    return Utterance(name=recording.name, said=said, heard=heard, errors=alignment.errors, words=alignment.n_words)


def peak_rss_bytes() -> int:
    """The most memory that this process has held so far.

    On Linux from the kernel's own mark, which starts with the program; that of ``getrusage`` keeps what the process
    that started this one held.
    """
    if STATUS.exists():
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    measure(system_named(sys.argv[1]), HELD_OUT[sys.argv[2]], sys.argv[3], sys.argv[4:])
