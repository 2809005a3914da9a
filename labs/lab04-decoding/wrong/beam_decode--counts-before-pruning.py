"""The tokens are counted before the beam has been applied."""

# fails: prunes_by_the_rule

import numpy as np


def beam_decode(frame_costs, graph, beam):
    if not beam >= 0:
        raise ValueError("expected a beam of 0 or more")
    n_units = np.shape(frame_costs)[1]
    if any(not 0 <= unit < n_units for _, _, unit, _, _ in graph["arcs"]):
        raise ValueError("an arc reads a unit without a column")
    leaving = {}
    for source, target, unit, word, cost in graph["arcs"]:
        leaving.setdefault(source, []).append((target, unit, word, cost))
    tokens, alive = {0: (0.0, ())}, []
    for costs in np.asarray(frame_costs, dtype=float).tolist():
        moved = {}
        for state, (cost, words) in tokens.items():
            for target, unit, word, price in leaving.get(state, []):
                total = cost + price + costs[unit]
                if total < np.inf and (target not in moved or total < moved[target][0]):
                    moved[target] = (total, (*words, word) if word else words)
        limit = min((cost for cost, _ in moved.values()), default=0.0) + beam
        tokens = {state: token for state, token in moved.items() if token[0] <= limit}
        alive.append(len(moved))
    ends = [(tokens[s][0] + cost, tokens[s][1]) for s, cost in graph["finals"] if s in tokens]
    cost, words = min(ends, key=lambda end: end[0], default=(np.inf, ()))
    return float(cost), list(words), np.array(alive, dtype=int)
