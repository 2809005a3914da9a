"""Only the blanks are removed; a label that lasts is written once a frame."""

# fails: merges_then_removes


def collapse(path, blank):
    return [int(symbol) for symbol in path if symbol != blank]
