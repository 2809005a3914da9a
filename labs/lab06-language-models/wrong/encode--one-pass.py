"""Each pair is looked up once, from left to right; what was joined is not joined again."""

# fails: joins_from_the_left


def encode(data, merges):
    tokens = list(data.encode() if isinstance(data, str) else data)
    if any(not 0 <= token < 256 for token in tokens):
        raise ValueError("Expected text, or bytes from 0 to 255; got another number.")
    rank = {pair: k for k, pair in enumerate(merges)}
    joined, at = [], 0
    while at < len(tokens):
        k = rank.get(tuple(tokens[at : at + 2]))
        joined.append(tokens[at] if k is None else 256 + k)
        at += 1 if k is None else 2
    return joined
