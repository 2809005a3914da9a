"""In aaa the pair aa is counted once, as str.count does."""

# fails: counts_and_joins_runs

# ruff: noqa: F821 (the other names are those of the lab)


def train_merges(texts, n_merges):
    if n_merges < 0:
        raise ValueError(f"Expected a number of merges of 0 or more; got {n_merges}.")
    rows, merges = [list(text.encode()) for text in texts], []
    while len(merges) < n_merges:
        counts = Counter()
        for row in rows:
            counted = None  # where the last pair that was counted began
            for at, pair in enumerate(pairwise(row)):
                if counted == at - 1 and pair == (row[at - 1], row[at]):
                    continue
                counts[pair] += 1
                counted = at
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
