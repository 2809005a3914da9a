"""The right part is spelled before the left one."""

# fails: spells_any_tokens


def decode(tokens, merges):
    if any(not 0 <= token < 256 + len(merges) for token in tokens):
        raise ValueError(f"Expected tokens from 0 to {255 + len(merges)}; got another one.")
    spelled = [[byte] for byte in range(256)]
    for left, right in merges:
        spelled.append(spelled[right] + spelled[left])
    return [byte for token in tokens for byte in spelled[token]]
