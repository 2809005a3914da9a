"""The nucleus is taken from the plain softmax, and the temperature comes after."""

# fails: filters_in_order

import numpy as np


def sample(logits, uniforms, settings):
    temperature, top_k, top_p, min_p = (settings[name] for name in ("temperature", "top_k", "top_p", "min_p"))
    if temperature < 0 or (top_k is not None and top_k < 1) or not 0 < top_p <= 1 or not 0 <= min_p <= 1:
        raise ValueError(f"A setting is out of its range: {settings}.")
    if len(logits) == 0 or not np.isfinite(np.max(logits)):
        raise ValueError("Expected logits without NaN or +inf, and one at least that is not -inf.")
    ranked = np.argsort(-logits, kind="stable")
    if temperature == 0:
        temperature, top_k = 1, 1
    kept = np.exp(logits[ranked] - np.max(logits))
    kept = kept / kept.sum()
    if top_k is not None:
        kept[top_k:] = 0
        kept = kept / kept.sum()
    if top_p < 1:
        kept[1:][np.cumsum(kept)[:-1] >= top_p] = 0
        kept = kept / kept.sum()
    kept = kept ** (1 / temperature)
    kept[kept < min_p * kept[0]] = 0
    probs = np.zeros(len(logits))
    probs[ranked] = kept / kept.sum()
    sums = np.cumsum(probs)
    return np.searchsorted(sums / sums[-1], uniforms, side="right"), probs
