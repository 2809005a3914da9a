"""Each pair is counted once a text, however often it occurs in it."""

# fails: learns_what_counting_says

# ruff: noqa: F821 (the other names are those of the lab)


def train_merges(texts, n_merges):
    if n_merges < 0:
        raise ValueError(f"Expected a number of merges of 0 or more; got {n_merges}.")
    rows, merges = [list(text.encode()) for text in texts], []
    while len(merges) < n_merges:
        counts = Counter(pair for row in rows for pair in set(pairwise(row)))
        best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        if best is None or counts[best] < 2:
            break
        for place, row in enumerate(rows):
            joined, at = [], 0
            while at < len(row):
                here = tuple(row[at : at + 2]) == best
                joined.append(256 + len(merges) if here else row[at])
                at += 2 if here else 1
            rows[place] = joined
        merges.append(best)
    return merges
