"""A dictionary from token to bytes."""


def decode(tokens, merges):
    spelled = {byte: bytes([byte]) for byte in range(256)}
    for k, (left, right) in enumerate(merges):
        spelled[256 + k] = spelled[left] + spelled[right]
    unknown = [token for token in tokens if token not in spelled]
    if unknown:
        raise ValueError(f"no such tokens: {unknown}")
    return list(b"".join(spelled[token] for token in tokens))
