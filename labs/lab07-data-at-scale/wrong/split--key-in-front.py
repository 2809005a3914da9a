"""The key is put in front of the name and both are hashed."""

# fails: places_callers_by_a_keyed_hash

import hashlib


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
    parts = {"train": [], "test": []}
    for record in records:
        digest = hashlib.sha256((key + group_of(record["caller"])).encode()).digest()
        is_test = int.from_bytes(digest[:8], "big") / 2**64 < share
        parts["test" if is_test else "train"].append(record["id"])
    return parts
