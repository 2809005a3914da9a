"""Many machines are taken for one that is as fast as all."""

# fails: follows_erlang

import math


def queue(arrivals, seconds, servers, percentile):
    if not (arrivals >= 0 and seconds > 0 and servers >= 1 and 1 <= percentile <= 99):
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
    waits = load / servers
    each, beyond = seconds / (servers - load), 1 - percentile / 100
    tail = each * math.log(waits / beyond) if waits > beyond else 0.0
    return found | {"waits": waits, "wait": waits * each, "line": arrivals * waits * each, "tail": tail}
