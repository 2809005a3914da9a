"""From a line of a staged page back to the line that its author wrote."""

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass
class LineMap:
    """Pairs (staged line, line in the source), ascending; between two pairs lines run in parallel."""

    pairs: list[tuple[int, int]] = field(default_factory=lambda: [(1, 1)])

    def source_line(self, staged: int) -> int:
        """The author's line for a staged line, both counted from 1."""
        start, source = self.pairs[max(0, bisect_right(self.pairs, staged, key=lambda pair: pair[0]) - 1)]
        return source + max(0, staged - start)
