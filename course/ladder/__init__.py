"""The ladder: every recogniser of the course on the same held-out recordings, in one running table.

Each system meets each held-out set in each condition: clean, through telephone codecs, and with a kitchen behind the
speaker. One *cell* of the table is one such meeting, measured in a process of its own and kept as a record in
``build/ladder`` until the system's code, its data or the recordings change. ``course ladder run`` measures what is
missing; pages read the records and never measure.
"""

from course.ladder.compare import Comparison, better_than
from course.ladder.plot import describe_ladder, plot_ladder
from course.ladder.records import ladder_digest
from course.ladder.run import ensure
from course.ladder.systems import SYSTEMS, Recogniser, System
from course.ladder.table import condition_table, ladder_table, steps_table

__all__ = [
    "SYSTEMS",
    "Comparison",
    "Recogniser",
    "System",
    "better_than",
    "condition_table",
    "describe_ladder",
    "ensure",
    "ladder_digest",
    "ladder_table",
    "plot_ladder",
    "steps_table",
]
