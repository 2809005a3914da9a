"""The number is doubled until it is enough."""

# fails: finds_the_smallest

# ruff: noqa: F821 (the other names are those of the lab)


def servers_needed(arrivals, seconds, objective, percentile, most):
    rest = objective - seconds
    if not rest >= -TINY:
        raise ValueError(
            f"A reply alone takes {seconds} s, and the objective is {objective} s: no number of machines helps."
        )
    if not arrivals >= 0:
        raise ValueError(f"Expected arrivals of 0 a second or more; got {arrivals}.")
    numbers = []
    while not numbers or numbers[-1] < most:
        numbers.append(min(most, 2 * numbers[-1]) if numbers else 1)
    for servers in numbers:
        if queue(arrivals, seconds, servers, percentile)["tail"] <= rest + TINY:
            return servers
    raise ValueError(f"{most} machines are too few for {arrivals} replies a second of {seconds} s each.")
