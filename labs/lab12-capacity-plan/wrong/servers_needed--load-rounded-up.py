"""As many machines as the load, rounded up, and none to spare."""

# fails: finds_the_smallest

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
        if servers > arrivals * seconds:
            return servers
    raise ValueError(f"{most} machines are too few for {arrivals} replies a second of {seconds} s each.")
