"""From each caller who has no group one walks to all who can be reached."""

import hashlib
import hmac


def split(records, key, share):
    if not (share >= 0 and share <= 1):
        raise ValueError("The share has to lie between 0 and 1.")
    calls_of, callers_of, group = {}, {}, {}
    for record in records:
        calls_of.setdefault(record["caller"], []).append(record["call"])
        callers_of.setdefault(record["call"], []).append(record["caller"])
    for caller in sorted(calls_of):  # so the first to be reached is the smallest
        stack = [] if caller in group else [caller]
        while stack:
            one = stack.pop()
            if one not in group:
                group[one] = caller
                for call in calls_of[one]:
                    stack += callers_of.pop(call, [])
    in_test = {name for name in set(group.values()) if place_of(key, name) < share * 2**64}
    return {
        "train": [one["id"] for one in records if group[one["caller"]] not in in_test],
        "test": [one["id"] for one in records if group[one["caller"]] in in_test],
    }


def place_of(key, name):
    return int(hmac.new(key.encode(), name.encode(), hashlib.sha256).hexdigest()[:16], 16)
