"""One record for each digest is at hand, and gives way to a better one."""

import hashlib


def deduplicate(records):
    best, ids = {}, {}
    for record in records:
        digest = hashlib.sha256()
        for number, word in enumerate(words(record["text"])):  # noqa: F821 (of the lab)
            digest.update((" " if number else "").encode() + word.encode())
        key = digest.hexdigest()
        ids.setdefault(key, {})[record["id"]] = True
        other = best.get(key)
        if other is None or is_better(record, other):
            best[key] = record
    kept = {record["id"]: record for record in best.values()}
    return {"kept": [kept[name] for name in sorted(kept)], "groups": {key: sorted(some) for key, some in ids.items()}}


def is_better(record, other):
    if len(record["text"]) != len(other["text"]):
        return len(record["text"]) > len(other["text"])
    return record["id"] < other["id"]
