"""Blanks are removed before repeats are merged, so that equal neighbours become one."""

# fails: merges_then_removes


def collapse(path, blank):
    labels = []
    for symbol in path:
        if symbol != blank and (not labels or labels[-1] != symbol):
            labels.append(int(symbol))
    return labels
