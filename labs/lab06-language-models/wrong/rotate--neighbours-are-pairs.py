"""Components 2i and 2i + 1 are a pair, as in the paper, not i and i + d/2."""

# fails: turns_pairs

import numpy as np


def rotate(x, positions, theta):
    head_dim = x.shape[-1]
    if head_dim % 2 or np.shape(positions) != (x.shape[-2],):
        raise ValueError(f"Expected an even width and {x.shape[-2]} positions; got {head_dim}, {np.shape(positions)}.")
    half = head_dim // 2
    angles = np.multiply.outer(positions, theta ** (-np.arange(half) / half))
    first, second = x[..., ::2], x[..., 1::2]
    turned = first * np.cos(angles) - second * np.sin(angles), second * np.cos(angles) + first * np.sin(angles)
    return np.stack(turned, axis=-1).reshape(x.shape)
