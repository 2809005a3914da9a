"""A label is written when it ends, and one that lasts to the end is never written."""

# fails: merges_then_removes


def collapse(path, blank):
    labels, before = [], blank
    for symbol in path:
        if symbol != before and before != blank:
            labels.append(int(before))
        before = symbol
    return labels
