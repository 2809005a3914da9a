"""What the kit's benchmarks share: trials in random order, intervals, a record of all raw samples, verdicts.

A benchmark measures its variants in one run on one machine and reports ratios. A number is shown only as far as its
samples support it, and everything that is shown can be computed again from the record.
"""
