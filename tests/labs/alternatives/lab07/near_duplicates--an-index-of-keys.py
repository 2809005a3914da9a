"""Text after text is looked up among those before it; signatures grow shingle by shingle."""


def near_duplicates(texts, permutations, n_rows, threshold):
    if n_rows <= 0 or len(permutations) // n_rows * n_rows != len(permutations):
        raise ValueError("The permutations are no whole number of bands.")
    before, sets, n_candidates, pairs = {}, [], 0, []
    for place, text in enumerate(texts):
        said = words(text)  # noqa: F821 (of the lab)
        runs = {" ".join(run) for run in zip(said, said[1:], said[2:], strict=False)} or {" ".join(said)} - {""}
        sets.append(runs)
        met = set()
        for key in keys_of(runs, permutations, n_rows):
            met.update(before.setdefault(key, []))
            before[key].append(place)
        n_candidates += len(met)
        pairs += [[one, place] for one in met if is_near(sets[one], runs, threshold)]
    return {"candidates": n_candidates, "pairs": sorted(pairs)}


def keys_of(runs, permutations, n_rows):
    signature = [None] * len(permutations)
    for run in runs:
        number = hashed(run)  # noqa: F821 (of the lab)
        for k, (a, b) in enumerate(permutations):
            moved = (a * number + b) % PRIME  # noqa: F821 (of the lab)
            if signature[k] is None or moved < signature[k]:
                signature[k] = moved
    return {(k // n_rows, tuple(signature[k : k + n_rows])) for k in range(0, len(signature), n_rows) if runs}


def is_near(one, other, threshold):
    both = len(one & other)
    return both / (len(one) + len(other) - both) >= threshold
