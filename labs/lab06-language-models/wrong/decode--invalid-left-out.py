"""The reply is made valid text, and bytes that do not fit are left out."""

# fails: keeps_what_is_no_text


def decode(tokens, merges):
    if any(not 0 <= token < 256 + len(merges) for token in tokens):
        raise ValueError(f"Expected tokens from 0 to {255 + len(merges)}; got another one.")
    spelled = [[byte] for byte in range(256)]
    for left, right in merges:
        spelled.append(spelled[left] + spelled[right])
    data = bytes(byte for token in tokens for byte in spelled[token])
    return list(data.decode(errors="ignore").encode())
