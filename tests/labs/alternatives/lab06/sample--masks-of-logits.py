"""Filters put logits to minus infinity, and a softmax follows each; the draw goes token by token."""

import numpy as np


def sample(logits, uniforms, settings):
    temperature, k, p, least = (settings[name] for name in ("temperature", "top_k", "top_p", "min_p"))
    if not temperature >= 0:
        raise ValueError("the temperature is 0 or more")
    if k is not None and not k >= 1:
        raise ValueError("top_k is None, or 1 or more")
    if not (0 < p <= 1 and 0 <= least <= 1):
        raise ValueError("top_p is above 0, min_p at least 0, both at most 1")
    scores = np.array(logits, dtype=float)
    if scores.size == 0 or not np.any(np.isfinite(scores)) or np.any(np.isnan(scores)) or np.any(scores == np.inf):
        raise ValueError("some token has to be possible, and none certain by infinity")

    def softmax(scores):
        shares = np.exp(scores - scores.max())
        return shares / shares.sum()

    order = np.lexsort((np.arange(scores.size), -scores))
    if temperature == 0:
        scores[order[1:]] = -np.inf
    else:
        scores = (scores - scores.max()) / temperature
    if k is not None:
        scores[order[k:]] = -np.inf
    if p != 1:
        probs, total = softmax(scores), 0.0
        for token in order:
            if total >= p:
                scores[token] = -np.inf
            total += probs[token]
    probs = softmax(scores)
    scores[probs < least * probs.max()] = -np.inf
    probs = softmax(scores)
    drawn = []
    for u in uniforms:
        total, token = 0.0, -1
        for place in np.flatnonzero(probs):
            total, token = total + probs[place], place
            if total > u:
                break
        drawn.append(token)
    return np.array(drawn, dtype=int), probs
