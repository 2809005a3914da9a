"""The search ends at the first final state that it comes to."""

# fails: knows_where_no_path_is

import numpy as np


def best_path(graph):
    leaving = {}
    for source, target, _, word, cost in graph["arcs"]:
        leaving.setdefault(source, []).append((target, word, cost))
    best, done, finals = {0: (0.0, ())}, set(), dict(graph["finals"])
    while len(done) < len(best):
        state = min((one for one in best if one not in done), key=lambda one: best[one][0])
        done.add(state)
        cost, written = best[state]
        if state in finals:
            return float(cost + finals[state]), list(written)
        for target, word, price in leaving.get(state, []):
            if target not in best or cost + price < best[target][0]:
                best[target] = (cost + price, written + ((word,) if word else ()))
    ends = [(best[s][0] + cost, best[s][1]) for s, cost in graph["finals"] if s in best]
    if not ends:
        return np.inf, []
    cost, written = min(ends, key=lambda end: end[0])
    return float(cost), list(written)
