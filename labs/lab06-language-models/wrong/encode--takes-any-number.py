"""Numbers that are no bytes pass as if they were tokens."""

# fails: refuses_what_is_no_byte

# ruff: noqa: F821 (the other names are those of the lab)


def encode(data, merges):
    tokens = list(data.encode() if isinstance(data, str) else data)
    rank = {pair: k for k, pair in enumerate(merges)}
    while True:
        known = [pair for pair in pairwise(tokens) if pair in rank]
        if not known:
            return tokens
        best = min(known, key=rank.get)
        joined, at = [], 0
        while at < len(tokens):
            here = tuple(tokens[at : at + 2]) == best
            joined.append(256 + rank[best] if here else tokens[at])
            at += 2 if here else 1
        tokens = joined
