"""The most frequent pairs of bytes, counted once, without joining in between."""

# fails: joins_joined_tokens

# ruff: noqa: F821 (the other names are those of the lab)


def train_merges(texts, n_merges):
    if n_merges < 0:
        raise ValueError(f"Expected a number of merges of 0 or more; got {n_merges}.")
    rows = [list(text.encode()) for text in texts]
    counts = Counter(pair for row in rows for pair in pairwise(row))
    ranked = sorted(counts, key=lambda pair: (-counts[pair], pair))
    return [pair for pair in ranked if counts[pair] > 1][:n_merges]
