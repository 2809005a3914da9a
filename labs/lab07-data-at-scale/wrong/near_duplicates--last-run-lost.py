"""The last run of three words is left out."""

# fails: compares_shingles

# ruff: noqa: F821 (the other names are those of the lab)

from collections import defaultdict
from itertools import combinations


def near_duplicates(texts, permutations, n_rows, threshold):
    if n_rows < 1 or len(permutations) % n_rows:
        raise ValueError(
            f"Expected bands of 1 row or more that use up {len(permutations)} permutations; got {n_rows} rows."
        )
    shingles, bands = [], defaultdict(list)
    for place, text in enumerate(texts):
        said = words(text)
        runs = {" ".join(said[start : start + 3]) for start in range(max(len(said) - 3, 1))} if said else set()
        shingles.append({hashed(run) for run in runs})
        signature = [min((a * one + b) % PRIME for one in shingles[-1]) for a, b in permutations if runs]
        for start in range(0, len(signature), n_rows):
            bands[start, *signature[start : start + n_rows]].append(place)
    candidates = {pair for some in bands.values() for pair in combinations(some, 2)}
    pairs = [
        [one, other]
        for one, other in sorted(candidates)
        if len(shingles[one] & shingles[other]) / len(shingles[one] | shingles[other]) >= threshold
    ]
    return {"candidates": len(candidates), "pairs": pairs}
