"""Whatever is left for less than 5 ms is taken for the cost of waiting."""

# fails: knows_how_much_may_be_left

# ruff: noqa: F821 (the other names are those of the lab)

import math


def find_mistakes(record):
    found, groups, trials = set(), {}, record["trials"]
    for trial in trials:
        groups.setdefault((trial["variant"], trial["process"]), []).append(trial)
        if trial["left"] > 5e-3:
            found.add("no synchronisation")
        if trial["cached"] > 0:
            found.add("cache left warm")
    for group in groups.values():
        if not is_warm([trial["seconds"] for trial in group if trial["warm_up"]]):
            found.add("no warm-up")
        if len({trial["prompt"] for trial in group}) < len(group):
            found.add("cache left warm")
    if len({(trial["read"], trial["written"]) for trial in trials}) > 1:
        found.add("unequal work")
    for variant, numbers in record["shown"].items():
        own = [trial for trial in trials if trial["variant"] == variant]
        expected = 2 * record["weights"] * own[0]["read"]
        if abs(record["flops"][variant] - expected) > expected / 10:
            found.add("wrong FLOP count")
        seconds = sorted(trial["seconds"] for trial in own if not trial["warm_up"])
        least = math.ceil(len(seconds) / 4)
        places = range(least, len(seconds) - least + 1)
        if len(numbers) == 1 and any(seconds[k] > 1.25 * seconds[k - 1] for k in places):
            found.add("mean of two modes")
    return [name for name in MISTAKES if name in found]
