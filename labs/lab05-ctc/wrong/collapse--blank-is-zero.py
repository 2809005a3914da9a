"""The blank is taken to be 0, whatever is said."""

# fails: takes_any_blank


def collapse(path, blank):
    labels, before = [], 0
    for symbol in path:
        if symbol != before and symbol != 0:
            labels.append(int(symbol))
        before = symbol
    return labels
