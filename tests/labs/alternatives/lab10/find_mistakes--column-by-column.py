"""Column by column with NumPy, and modes by counting the samples on each side of a gap."""

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def find_mistakes(record):
    def column(name):
        return np.array([trial[name] for trial in record["trials"]])

    variant, process, warm_up, seconds = map(column, ("variant", "process", "warm_up", "seconds"))
    read, prompt = column("read"), column("prompt")
    own = [(variant == name) & (process == number) for name in set(variant) for number in set(process)]
    own = [mask for mask in own if mask.any()]
    checks = [np.any(column("left") > 0.0001 + seconds / 50)]
    checks.append(not all(is_warm(seconds[mask & warm_up]) for mask in own))
    counted = [record["flops"][name] / record["weights"] / read[variant == name].mean() for name in record["shown"]]
    checks.append(bool(np.any(np.abs(np.array(counted) - 2) > 0.2)))
    checks.append(len(set(read)) > 1 or len(set(column("written"))) > 1)
    checks.append(column("cached").any() or any(np.unique(prompt[mask]).size < mask.sum() for mask in own))
    modes = False
    for name, numbers in record["shown"].items():
        measured = np.sort(seconds[(variant == name) & ~warm_up])
        gaps = 1 + np.flatnonzero(measured[1:] > 1.25 * measured[:-1])
        sides = np.minimum(gaps, measured.size - gaps)
        modes |= len(numbers) < 2 and bool(np.any(4 * sides >= measured.size))
    checks.append(modes)
    return [name for name, broken in zip(MISTAKES, checks, strict=True) if broken]
