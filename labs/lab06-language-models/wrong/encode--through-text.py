"""Bytes are decoded to text first, and what is no UTF-8 is replaced."""

# fails: takes_any_bytes

# ruff: noqa: F821 (the other names are those of the lab)


def encode(data, merges):
    given = list(data.encode() if isinstance(data, str) else data)
    if any(not 0 <= byte < 256 for byte in given):
        raise ValueError("Expected text, or bytes from 0 to 255; got another number.")
    tokens = list(bytes(given).decode(errors="replace").encode())
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
