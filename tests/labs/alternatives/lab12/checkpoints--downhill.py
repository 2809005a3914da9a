"""Downhill from Young's number by steps that grow and shrink, on the logarithm of the time."""

import math


def checkpoints(work, write, restart, between):
    for value in (work, write):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{value} has to be above 0")
    if not (math.isfinite(restart) and restart >= 0) or not between > 0:
        raise ValueError("times are 0 or more")
    if (write + restart) / between > 100:
        raise ValueError("it never ends")
    if math.isinf(between):
        return {"young": between, "parts": 1, "seconds": work + write, "overhead": write / work}

    def logarithm(parts):
        x = (work / parts + write) / between
        return math.log(parts) + x + math.log(-math.expm1(-x))

    young = (2 * write * between) ** 0.5
    parts = max(1, round(work / young))
    step = max(1, parts // 2)
    while step:
        better = [n for n in (parts - step, parts + step) if n >= 1 and logarithm(n) < logarithm(parts)]
        if better:
            parts = better[0]
        else:
            step //= 2
    seconds = math.exp(logarithm(parts) + math.log(between) + restart / between)
    return {"young": young, "parts": parts, "seconds": seconds, "overhead": (seconds - work) / work}
