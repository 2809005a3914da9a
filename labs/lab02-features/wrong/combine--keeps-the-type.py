"""The result has the type of the parts, so that real parts lose the imaginary half."""

# fails: takes_real_parts

import numpy as np


def combine(parts):
    parts = np.asarray(parts)
    if parts.ndim < 2 or parts.size == 0:
        raise ValueError("expected parts (n_parts, ..., m)")
    n = parts.shape[0] * parts.shape[-1]
    late = np.exp(-2j * np.pi * np.arange(n) / n)
    whole = sum(np.tile(part, len(parts)) * late**j for j, part in enumerate(parts))
    return whole if np.iscomplexobj(parts) else whole.real
