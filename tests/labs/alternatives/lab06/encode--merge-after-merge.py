"""Every merge in the order in which it was learned, once over the whole text."""


def encode(data, merges):
    given = data.encode("utf-8") if isinstance(data, str) else bytes(data)  # bytes() refuses other numbers
    tokens = list(given)
    for number, (left, right) in enumerate(merges, start=256):
        joined = []
        for token in tokens:
            if joined and joined[-1] == left and token == right:
                joined[-1] = number
            else:
                joined.append(token)
        tokens = joined
    return tokens
