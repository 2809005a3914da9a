"""A function that calls itself for each part: 1,500 deep is more than Python allows."""

# fails: spells_deep_merges


def decode(tokens, merges):
    if any(not 0 <= token < 256 + len(merges) for token in tokens):
        raise ValueError(f"Expected tokens from 0 to {255 + len(merges)}; got another one.")

    def spelled(token):
        if token < 256:
            return [token]
        left, right = merges[token - 256]
        return spelled(left) + spelled(right)

    return [byte for token in tokens for byte in spelled(token)]
