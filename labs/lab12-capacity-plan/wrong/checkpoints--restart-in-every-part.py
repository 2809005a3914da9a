"""Every part begins with a restart."""

# fails: counts_restarts

import math


def checkpoints(work, write, restart, between):
    if not (0 < work < math.inf and 0 < write < math.inf and 0 <= restart < math.inf and between > 0):
        raise ValueError(f"Expected seconds; got {work}, {write}, {restart} and {between}.")
    if write + restart > 100 * between:
        raise ValueError(
            f"A machine that lives for {between} s writes no checkpoint of {write} s: such a job never ends."
        )
    if between == math.inf:
        return {"young": math.inf, "parts": 1, "seconds": work + write, "overhead": write / work}

    def seconds(parts):
        try:
            return parts * between * math.expm1((work / parts + write + restart) / between)
        except OverflowError:
            return math.inf

    young = math.sqrt(2 * write * between)
    low, high = 1, 1
    while seconds(2 * high) < seconds(high) or seconds(high) == math.inf:
        high *= 2
    high *= 2
    while low < high:
        middle = (low + high) // 2
        if seconds(middle) == math.inf or seconds(middle + 1) < seconds(middle):
            low = middle + 1
        else:
            high = middle
    return {"young": young, "parts": low, "seconds": seconds(low), "overhead": seconds(low) / work - 1}
