"""The path with the fewest arcs is taken for the cheapest."""

# fails: equals_exhaustive_search

import numpy as np


def best_path(graph):
    reached, waiting = {0: (0.0, [])}, [0]
    for state in waiting:
        cost, written = reached[state]
        for source, target, _, word, price in graph["arcs"]:
            if source == state and target not in reached:
                reached[target] = (cost + price, written + ([word] if word else []))
                waiting.append(target)
    ends = [(reached[s][0] + price, reached[s][1]) for s, price in graph["finals"] if s in reached]
    return min(ends, key=lambda end: end[0], default=(np.inf, []))
