"""Only tokens that are too large are refused; -1 is the last element of the list."""

# fails: refuses_unknown_tokens


def decode(tokens, merges):
    if any(token >= 256 + len(merges) for token in tokens):
        raise ValueError(f"Expected tokens from 0 to {255 + len(merges)}; got another one.")
    spelled = [[byte] for byte in range(256)]
    for left, right in merges:
        spelled.append(spelled[left] + spelled[right])
    return [byte for token in tokens for byte in spelled[token]]
