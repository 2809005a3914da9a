"""A token that there is not raises IndexError."""

# fails: refuses_unknown_tokens


def decode(tokens, merges):
    spelled = [[byte] for byte in range(256)]
    for left, right in merges:
        spelled.append(spelled[left] + spelled[right])
    return [byte for token in tokens for byte in spelled[token]]
