"""Tokens that meet in a state all live on, and double with every frame."""

# fails: does_not_keep_every_path

import numpy as np


def beam_decode(frame_costs, graph, beam):
    if not beam >= 0:
        raise ValueError("expected a beam of 0 or more")
    n_units = np.shape(frame_costs)[1]
    if any(not 0 <= unit < n_units for _, _, unit, _, _ in graph["arcs"]):
        raise ValueError("an arc reads a unit without a column")
    tokens, alive = [(0.0, 0, ())], []
    for costs in np.asarray(frame_costs, dtype=float).tolist():
        moved = [
            (cost + price + costs[unit], target, (*words, word) if word else words)
            for cost, state, words in tokens
            for source, target, unit, word, price in graph["arcs"]
            if source == state and cost + price + costs[unit] < np.inf
        ]
        limit = min((cost for cost, _, _ in moved), default=0.0) + beam
        tokens = [token for token in moved if token[0] <= limit]
        alive.append(len({state for _, state, _ in tokens}))
    ends = [(cost + price, words) for cost, state, words in tokens for s, price in graph["finals"] if s == state]
    cost, words = min(ends, default=(np.inf, ()))
    return float(cost), list(words), np.array(alive, dtype=int)
