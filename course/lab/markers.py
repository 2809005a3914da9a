"""Solution markers: what lies between ``### BEGIN SOLUTION`` and ``### END SOLUTION`` is not released."""

import re

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
STUB = "raise NotImplementedError()"


def solution_regions(source: str) -> list[tuple[int, int]]:
    """Half-open ranges of the line indices strictly between each pair of solution markers.

    Raises:
        ValueError: a marker without its partner; the text says which.
    """
    regions, begin = [], None
    for index, line in enumerate(source.split("\n")):
        if BEGIN in line:
            if begin is not None:
                raise ValueError(f"a second {BEGIN} comes before {END}")
            begin = index
        elif END in line:
            if begin is None:
                raise ValueError(f"{END} comes without {BEGIN}")
            regions.append((begin + 1, index))
            begin = None
    if begin is not None:
        raise ValueError(f"{BEGIN} comes without {END}")
    return regions


def with_stub(source: str, stub: str = STUB) -> str:
    """The source with each region between solution markers, markers included, replaced by ``stub``, indented alike."""
    lines = source.split("\n")
    for begin, end in reversed(solution_regions(source)):
        indent = re.match(r"\s*", lines[begin - 1])[0]
        lines[begin - 1 : end + 1] = [indent + stub]
    return "\n".join(lines)
