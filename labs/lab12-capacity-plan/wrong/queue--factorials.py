"""Powers and factorials overflow."""

# fails: stands_many_machines

import math


def queue(arrivals, seconds, servers, percentile):
    if not (arrivals >= 0 and seconds > 0 and servers >= 1 and 1 <= percentile <= 99):
        raise ValueError(f"Expected arrivals, seconds, servers and a percentile; got {arrivals}, {seconds}, {servers}.")
    load = arrivals * seconds
    found = {"load": load, "utilisation": load / servers}
    if load >= servers:
        return found | {"waits": 1.0, "wait": math.inf, "line": math.inf, "tail": math.inf}
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    waits = last / (sum(load**k / math.factorial(k) for k in range(servers)) + last)
    each, beyond = seconds / (servers - load), 1 - percentile / 100
    tail = each * math.log(waits / beyond) if waits > beyond else 0.0
    return found | {"waits": waits, "wait": waits * each, "line": arrivals * waits * each, "tail": tail}
