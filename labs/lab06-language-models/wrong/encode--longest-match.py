"""The longest token that fits is taken from the left, as a dictionary would."""

# fails: joins_by_rank


def encode(data, merges):
    given = list(data.encode() if isinstance(data, str) else data)
    if any(not 0 <= byte < 256 for byte in given):
        raise ValueError("Expected text, or bytes from 0 to 255; got another number.")
    spelled = [(byte,) for byte in range(256)]
    for left, right in merges:
        spelled.append(spelled[left] + spelled[right])
    number = {piece: token for token, piece in reversed(list(enumerate(spelled)))}
    longest, tokens, at = max(map(len, spelled)), [], 0
    while at < len(given):
        for length in range(min(longest, len(given) - at), 0, -1):
            piece = tuple(given[at : at + length])
            if piece in number:
                tokens.append(number[piece])
                at += length
                break
    return tokens
