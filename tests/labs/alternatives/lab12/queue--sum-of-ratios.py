"""Erlang's sum divided by its last term: each term is the next one's neighbour times k over the load."""

import math


def queue(arrivals, seconds, servers, percentile):
    for value, fits in ((arrivals, arrivals >= 0), (seconds, seconds > 0), (servers, servers >= 1)):
        if not fits:
            raise ValueError(f"{value} is out of range")
    if percentile < 1 or percentile > 99:
        raise ValueError("a percentile lies between 1 and 99")
    load, wait, waits, tail = arrivals * seconds, 0.0, 0.0, 0.0
    if load >= servers:
        waits, wait, tail = 1.0, math.inf, math.inf
    elif load > 0:
        term, total = 1.0, 0.0
        for k in range(servers, 0, -1):
            term *= k / load
            total += term
            if term > 1e290:
                break
        queued = servers / (servers - load)
        waits = queued / (total + queued)
        wait = waits * seconds / (servers - load)
        if waits > (100 - percentile) / 100:
            tail = -math.log((100 - percentile) / 100 / waits) * seconds / (servers - load)
    line = wait * arrivals if load < servers else math.inf
    return {"load": load, "utilisation": load / servers, "waits": waits, "wait": wait, "line": line, "tail": tail}
