"""One loop for prompt and reply: what is not read yet waits in a list, and the chunk may be smaller than asked."""

# ruff: noqa: F821 (the other names are those of the lab)

import numpy as np


def generate(model, prompt, uniforms, chunk, settings, stop):
    if not prompt or chunk <= 0:
        raise ValueError("a prompt and a positive size of chunks are needed")
    unread, cache = list(prompt), [None for _ in model["layers"]]
    reply, kept = [], np.zeros((0, len(model["embedding"])))
    while len(reply) < len(uniforms) and (stop is None or stop not in reply):
        while unread:
            now, unread = unread[:chunk], unread[chunk:]
            scores, cache = llama(now, model, cache)
        kept = np.vstack([kept, scores[-1:]])
        tokens, _ = sample(scores[-1], uniforms[len(reply) : len(reply) + 1], settings)
        reply.append(int(tokens[0]))
        unread = reply[-1:]
    return reply, kept
