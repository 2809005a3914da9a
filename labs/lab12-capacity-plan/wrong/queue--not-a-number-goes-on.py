"""NaN passes the ranges."""

# fails: refuses_no_queue

import math


def queue(arrivals, seconds, servers, percentile):
    if arrivals < 0 or seconds <= 0 or servers < 1 or percentile < 1 or percentile > 99:
        raise ValueError(
            f"Expected arrivals, seconds, servers and a percentile; got {arrivals, seconds, servers, percentile}."
        )
    load = arrivals * seconds
    found = {"load": float(load), "utilisation": float(load / servers)}
    if load >= servers:
        return found | {"waits": 1.0, "wait": math.inf, "line": math.inf, "tail": math.inf}
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = load * blocked / (count + load * blocked)
    waits = blocked / (1 - load / servers * (1 - blocked))
    each, beyond = seconds / (servers - load), 1 - percentile / 100
    tail = each * math.log(waits / beyond) if waits > beyond else 0.0
    return found | {"waits": waits, "wait": waits * each, "line": arrivals * waits * each, "tail": tail}
