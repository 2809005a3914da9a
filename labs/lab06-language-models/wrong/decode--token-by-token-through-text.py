"""Each token is decoded to text by itself, and half a character is lost."""

# fails: keeps_what_is_no_text


def decode(tokens, merges):
    if any(not 0 <= token < 256 + len(merges) for token in tokens):
        raise ValueError(f"Expected tokens from 0 to {255 + len(merges)}; got another one.")
    spelled = [[byte] for byte in range(256)]
    for left, right in merges:
        spelled.append(spelled[left] + spelled[right])
    text = "".join(bytes(spelled[token]).decode(errors="replace") for token in tokens)
    return list(text.encode())
