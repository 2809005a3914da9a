"""A token is taken apart once; the parts of its parts stay tokens."""

# fails: spells_any_tokens


def decode(tokens, merges):
    if any(not 0 <= token < 256 + len(merges) for token in tokens):
        raise ValueError(f"Expected tokens from 0 to {255 + len(merges)}; got another one.")
    return [byte for token in tokens for byte in ([token] if token < 256 else merges[token - 256])]
