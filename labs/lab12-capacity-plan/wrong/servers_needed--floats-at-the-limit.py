"""Rounding costs a machine."""

# fails: keeps_ties

# ruff: noqa: F821 (the other names are those of the lab)

import math


def servers_needed(arrivals, seconds, objective, percentile, most):
    rest = objective - seconds
    if not rest >= -TINY:
        raise ValueError(
            f"A reply alone takes {seconds} s, and the objective is {objective} s: no number of machines helps."
        )
    if not arrivals >= 0:
        raise ValueError(f"Expected arrivals of 0 a second or more; got {arrivals}.")
    for servers in range(max(1, math.floor(min(arrivals * seconds, most))), most + 1):
        if queue(arrivals, seconds, servers, percentile)["tail"] <= rest:
            return servers
    raise ValueError(f"{most} machines are too few for {arrivals} replies a second of {seconds} s each.")
