"""All terms as logarithms, added up above their largest one."""

import math

import numpy as np


def queue(arrivals, seconds, servers, percentile):
    if not (arrivals >= 0 and seconds > 0 and servers > 0 and 0 < percentile < 100):
        raise ValueError("out of range")
    load = arrivals * seconds
    if load >= servers:
        waits, mean = 1.0, math.inf
    elif load == 0:
        waits, mean = 0.0, 0.0
    else:
        terms = np.r_[0.0, np.cumsum(math.log(load) - np.log(np.arange(1, servers + 1)))]
        terms[-1] += math.log(servers / (servers - load))
        shares = np.exp(terms - terms.max())
        waits = float(shares[-1] / shares.sum())
        mean = waits * seconds / (servers - load)
    beyond, tail = (100 - percentile) / 100, mean if mean == math.inf else 0.0
    if load < servers and waits > beyond:
        tail = seconds / (servers - load) * (math.log(waits) - math.log(beyond))
    line = math.inf if load >= servers else arrivals * mean
    return {"load": load, "utilisation": load / servers, "waits": waits, "wait": mean, "line": line, "tail": tail}
