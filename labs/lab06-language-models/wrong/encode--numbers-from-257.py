"""The first merge makes token 257: 256 is kept for the end of the text."""

# fails: joins_by_rank

# ruff: noqa: F821 (the other names are those of the lab)


def encode(data, merges):
    tokens = list(data.encode() if isinstance(data, str) else data)
    if any(not 0 <= token < 256 for token in tokens):
        raise ValueError("Expected text, or bytes from 0 to 255; got another number.")
    rank = {pair: k for k, pair in enumerate(merges)}
    while True:
        known = [pair for pair in pairwise(tokens) if pair in rank]
        if not known:
            return tokens
        best = min(known, key=rank.get)
        joined, at = [], 0
        while at < len(tokens):
            here = tuple(tokens[at : at + 2]) == best
            joined.append(257 + rank[best] if here else tokens[at])
            at += 2 if here else 1
        tokens = joined
