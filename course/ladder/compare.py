"""Which of two systems is better, where that can be told."""

from dataclasses import dataclass

from course.ladder.heldout import CLEAN, HELD_OUT, SEEN, SIZES, UNSEEN
from course.ladder.records import Cell, Utterance, read_cell
from course.ladder.systems import System, system_named
from course.recordings import N_TEST_TAKES
from course.scoring import bootstrap_interval, paired_bootstrap

SIZES_BEST_FIRST = SIZES[::-1]


@dataclass(frozen=True)
class Comparison:
    """Two systems on the utterances that both were tested on.

    Attributes:
        first, second: their titles.
        difference: word error rate of the second minus that of the first; above 0 where the first is better.
        low, high: the paired bootstrap's interval of it.
        n_utterances: how many; 0 where one of them has not been measured.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    n_utterances: int

    def __bool__(self) -> bool:
        return self.n_utterances > 0 and self.low > 0

    def __str__(self) -> str:
        if not self.n_utterances:
            return f"{self.first} and {self.second} have not both been measured on this machine"
        interval = f"{100 * self.low:.1f} to {100 * self.high:.1f}".replace("-", "−")
        if self:
            fewer = f"{100 * self.difference:.1f} errors fewer in 100 words"
            return f"{self.first} makes {fewer} than {self.second} ({interval})"
        return f"{self.first} and {self.second} cannot be told apart on {self.n_utterances} utterances ({interval})"


def better_than(first: str, second: str, heldout: str = UNSEEN.id, condition: str = CLEAN) -> Comparison:
    """Whether one system makes fewer errors than another beyond chance; true only where the interval excludes 0.

    Args:
        first, second: ids of systems.
        heldout: id of the set on which they are compared.
        condition: a key of `course.channels.CONDITIONS`.

    Raises:
        CourseError: no such system.
    """
    systems = system_named(first), system_named(second)
    for size in SIZES_BEST_FIRST:
        cells = [cell_of(system, heldout, condition, size) for system in systems]
        if None not in cells:
            return compare_cells(systems, cells)
    return Comparison(systems[0].title, systems[1].title, 0.0, 0.0, 0.0, 0)


def compare_cells(systems: tuple[System, System], cells: list[Cell]) -> Comparison:
    """The comparison of two records of the same set and condition."""
    second_by_name = {utterance.name: utterance for utterance in cells[1].utterances}
    both = [(one, second_by_name[one.name]) for one in cells[0].utterances if one.name in second_by_name]
    words = [one.words for one, _ in both]
    found = paired_bootstrap([two.errors for _, two in both], [one.errors for one, _ in both], words)
    return Comparison(systems[0].title, systems[1].title, *found, len(both))


def cell_of(system: System, heldout: str, condition: str, size: str) -> Cell | None:
    """The present record of a cell.

    A system that learns nothing from the digits hears known and new speakers alike: its cells of known speakers are the
    first takes of those of new ones, and are not measured twice.
    """
    if HELD_OUT[heldout] is not SEEN or system.fits or SEEN in system.sets:
        return read_cell(system, HELD_OUT[heldout], condition, size)
    cell = read_cell(system, UNSEEN, condition, size)
    if cell is None:
        return None
    tested = [utterance for utterance in cell.utterances if _take(utterance) < N_TEST_TAKES]
    return cell.model_copy(update={"heldout": SEEN.id, "utterances": tuple(tested)})


def _take(utterance: Utterance) -> int:
    return int(utterance.name.rsplit("_", 1)[1])


def rate_interval(cell: Cell) -> tuple[float, float]:
    """The bootstrap interval of a record's error rate; without any error, up to 3 divided by the number of words.

    Three errors expected and none seen happens once in twenty: the rule of three.
    """
    low, high = bootstrap_interval(cell.errors, cell.words)
    return (low, high) if sum(cell.errors) else (0.0, min(1.0, 3 / sum(cell.words)))
