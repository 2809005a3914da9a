"""No new tokens: the logits have the shape (0,)."""

# fails: makes_few_tokens

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def generate(model, prompt, uniforms, chunk, settings, stop):
    if len(prompt) == 0 or chunk < 1:
        raise ValueError(f"Expected a prompt and chunks of 1 token or more; got {len(prompt)} tokens and {chunk}.")
    cache = [None] * len(model["layers"])
    for start in range(0, len(prompt), chunk):
        logits, cache = llama(prompt[start : start + chunk], model, cache)
    tokens, rows = [], []
    for uniform in uniforms:
        if tokens:
            logits, cache = llama(tokens[-1:], model, cache)
        rows.append(logits[-1])
        tokens.append(int(sample(logits[-1], np.array([uniform]), settings)[0][0]))
        if tokens[-1] == stop:
            break
    return tokens, np.array(rows)
