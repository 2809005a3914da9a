"""A group has its smallest name, of calls and callers: a new call moves it."""

# fails: more_data_move_nobody

import hmac


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
    names = dict(smaller)
    for record in records:
        group = group_of(record["caller"])
        names[group] = min(names[group], record["call"], group)
    parts = {"train": [], "test": []}
    for record in records:
        digest = hmac.new(key.encode(), names[group_of(record["caller"])].encode(), "sha256").digest()
        is_test = int.from_bytes(digest[:8], "big") / 2**64 < share
        parts["test" if is_test else "train"].append(record["id"])
    return parts
