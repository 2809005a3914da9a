"""Honest submissions that a careless grader would punish: they keep every point."""

from hostile_cases.case import TARGET, Case, adds, replaces

WARNS = """
import logging, sys, warnings


def quantise(signal, n_bits):
    warnings.warn("n_bits is small")
    print("careful", file=sys.stderr)
    logging.getLogger().warning("look")
    if not 2 <= n_bits <= 16 or np.isnan(np.asarray(signal, float)).any():
        raise ValueError("Expected 2 to 16 bits a sample, and samples that are numbers.")
    half = 2 ** (n_bits - 1)
    {before}
    return np.clip(np.rint(np.asarray(signal, float) * half), -half, half - 1).astype(np.int32){after}
"""


def _quantise(before: str = "pass", after: str = "") -> dict[str, str]:
    return {TARGET: WARNS.format(before=before, after=after)}


SUBCLASS = "class Codes(np.ndarray):\n    def __mul__(self, other):\n        return self\n\n"
CASES = [
    Case("warns-on-stderr", "right, and warns on standard error", replaces(_quantise())),
    Case("prints-a-lot", "right, and prints 100 kB in each call", replaces(_quantise("print('x' * 100_000)"))),
    Case(
        "slow-within-limits",
        "right, and takes a second for each call",
        replaces(_quantise("__import__('time').sleep(0.2)")),
    ),
    Case(
        "right-in-a-subclass",
        "right, in a subclass of ndarray",
        replaces({TARGET: SUBCLASS + _quantise(after=".view(Codes)")[TARGET]}),
    ),
    Case(
        "experiments-that-fail",
        "right, with experiments that stop, do not parse, or call exit()",
        adds("1 / 0", "def (", "import soundfile", "exit()", "%matplotlib inline", "%timeit -n1 -r1 1 + 1", "!ls"),
        says="ZeroDivisionError",
    ),
    Case("own-helpers-first", "right, with helpers in a cell in front of all others", adds("helper = 1", first=True)),
]
