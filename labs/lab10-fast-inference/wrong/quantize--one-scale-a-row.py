"""Each row has one scale, written down for every block."""

# fails: keeps_outliers_to_their_block

import numpy as np


def quantize(weights, bits, block):
    if not 2 <= bits <= 8 or block < 1 or not np.all(np.isfinite(weights)):
        raise ValueError(f"Expected 2 to 8 bits, a block of 1 or more and finite weights; got {bits} and {block}.")
    n_out, n_in = weights.shape
    block = min(block, n_in)
    n_blocks = -(-n_in // block)
    padded = np.zeros((n_out, n_blocks * block))
    padded[:, :n_in] = weights
    padded = padded.reshape(n_out, n_blocks, block)
    scales = np.broadcast_to(np.abs(padded).max(axis=(1, 2))[:, np.newaxis], (n_out, n_blocks)) / (2 ** (bits - 1) - 1)
    codes = np.rint(padded / np.where(scales > 0, scales, 1.0)[:, :, np.newaxis])
    codes = codes.reshape(n_out, -1)[:, :n_in].astype(np.int8)
    return {"codes": codes, "scales": scales, "bytes": -(-n_out * n_in * bits // 8) + 4 * n_out * n_blocks}
