"""By the share of callers who wait longer than they may, with Erlang B carried along from machine to machine."""

import math


def servers_needed(arrivals, seconds, objective, percentile, most):
    if not arrivals >= 0:
        raise ValueError("no rate")
    if not objective - seconds > -1e-9:
        raise ValueError("a reply alone takes longer")
    load, blocked, rest = arrivals * seconds, 1.0, max(0.0, objective - seconds)
    for servers in range(1, most + 1):
        blocked = load * blocked / (servers + load * blocked)
        if load < servers:
            waits = servers * blocked / (servers - load * (1 - blocked))
            if waits * math.exp(-(servers - load) * rest / seconds) <= (100 - percentile) / 100 + 1e-10:
                return servers
    raise ValueError("too few can be had")
