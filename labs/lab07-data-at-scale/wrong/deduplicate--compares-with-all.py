"""Each record is compared with all that stay: the time grows with the square."""

# fails: takes_each_record_once

# ruff: noqa: F821 (the other names are those of the lab)

import hashlib


def deduplicate(records):
    kept, ids = [], []
    for record in records:
        said = words(record["text"])
        for place, other in enumerate(kept):
            if words(other["text"]) == said:
                ids[place].add(record["id"])
                kept[place] = min(other, record, key=lambda one: (-len(one["text"]), one["id"]))
                break
        else:
            kept.append(record)
            ids.append({record["id"]})
    digests = [hashlib.sha256(" ".join(words(one["text"])).encode()).hexdigest() for one in kept]
    return {
        "kept": sorted(kept, key=lambda one: one["id"]),
        "groups": {digest: sorted(some) for digest, some in zip(digests, ids, strict=True)},
    }
