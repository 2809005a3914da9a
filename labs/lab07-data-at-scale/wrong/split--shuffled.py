"""Groups are shuffled and the first share of them is taken: more data move everybody."""

# fails: more_data_move_nobody

import random


def split(records, key, share):
    if not 0 <= share <= 1:
        raise ValueError(f"Expected a share from 0 to 1, such as 0.2; got {share}.")
    smaller, first = {}, {}

    def group_of(caller):
        while smaller[caller] != caller:
            smaller[caller] = smaller[smaller[caller]]
            caller = smaller[caller]
        return caller

    for record in records:
        caller = record["caller"]
        smaller.setdefault(caller, caller)
        other = first.setdefault(record["call"], caller)
        low, high = sorted((group_of(caller), group_of(other)))
        smaller[high] = low
    groups = sorted({group_of(caller) for caller in smaller})
    random.Random(key).shuffle(groups)
    chosen = set(groups[: round(share * len(groups))])
    parts = {"train": [], "test": []}
    for record in records:
        is_test = group_of(record["caller"]) in chosen
        parts["test" if is_test else "train"].append(record["id"])
    return parts
