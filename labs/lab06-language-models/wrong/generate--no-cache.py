"""The whole text is read again for every new token."""

# fails: reads_each_token_once

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def generate(model, prompt, uniforms, chunk, settings, stop):
    if len(prompt) == 0 or chunk < 1:
        raise ValueError(f"Expected a prompt and chunks of 1 token or more; got {len(prompt)} tokens and {chunk}.")
    tokens, rows = [], []
    for uniform in uniforms:
        cache, text = [None] * len(model["layers"]), [*prompt, *tokens]
        for start in range(0, len(text), chunk):
            logits, cache = llama(text[start : start + chunk], model, cache)
        rows.append(logits[-1])
        tokens.append(int(sample(logits[-1], np.array([uniform]), settings)[0][0]))
        if tokens[-1] == stop:
            break
    return tokens, np.array(rows).reshape(len(rows), len(model["embedding"]))
