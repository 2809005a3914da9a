"""Angles are taken from a table of 2,048 positions, and further ones start again."""

# fails: turns_far_positions

import numpy as np


def rotate(x, positions, theta):
    head_dim = x.shape[-1]
    if head_dim % 2 or np.shape(positions) != (x.shape[-2],):
        raise ValueError(f"Expected an even width and {x.shape[-2]} positions; got {head_dim}, {np.shape(positions)}.")
    half = head_dim // 2
    angles = np.multiply.outer(np.asarray(positions) % 2048, theta ** (-np.arange(half) / half))
    first, second = x[..., :half], x[..., half:]
    turned = first * np.cos(angles) - second * np.sin(angles), second * np.cos(angles) + first * np.sin(angles)
    return np.concatenate(turned, axis=-1)
