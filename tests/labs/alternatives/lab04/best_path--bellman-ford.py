"""Rounds over all arcs until nothing gets cheaper; the path is followed back."""

import math


def best_path(graph):
    cost, came = {0: 0.0}, {}
    changed = True
    while changed:
        changed = False
        for place, (source, target, _, _, price) in enumerate(graph["arcs"]):
            if source in cost and cost[source] + price < cost.get(target, math.inf):
                cost[target], came[target], changed = cost[source] + price, place, True
    ends = [(cost[state] + price, state) for state, price in graph["finals"] if state in cost]
    if not ends:
        return math.inf, []
    total, state = min(ends)
    words = []
    while state in came:
        state, _, _, word, _ = graph["arcs"][came[state]]
        if word:
            words.insert(0, word)
    return total, words
