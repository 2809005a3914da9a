"""The tail falls with every machine: double until it fits, then halve the interval."""

# ruff: noqa: F821 (the other names are those of the lab)


def servers_needed(arrivals, seconds, objective, percentile, most):
    if arrivals != arrivals or arrivals < 0:
        raise ValueError("no rate")
    if objective != objective or objective < seconds - TINY:
        raise ValueError("a reply alone takes longer")

    def fits(servers):
        return queue(arrivals, seconds, servers, percentile)["tail"] - (objective - seconds) <= TINY

    high = 1
    while not fits(high):
        if high == most:
            raise ValueError("too few can be had")
        high = min(2 * high, most)
    low = high // 2 if high > 1 else 0
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle
    return high
