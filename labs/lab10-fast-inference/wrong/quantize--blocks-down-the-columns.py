"""The last inputs of a row fill its block with the next row."""

# fails: cuts_rows_into_blocks

import numpy as np


def quantize(weights, bits, block):
    if not 2 <= bits <= 8 or block < 1 or not np.all(np.isfinite(weights)):
        raise ValueError(f"Expected 2 to 8 bits, a block of 1 or more and finite weights; got {bits} and {block}.")
    n_out, n_in = weights.shape
    block = min(block, n_in)
    n_blocks = -(-n_in // block)
    padded = np.resize(weights, (n_out, n_blocks * block))
    padded = padded.reshape(n_out, n_blocks, block)
    scales = np.abs(padded).max(axis=2) / (2 ** (bits - 1) - 1)
    codes = np.rint(padded / np.where(scales > 0, scales, 1.0)[:, :, np.newaxis])
    codes = codes.reshape(n_out, -1)[:, :n_in].astype(np.int8)
    return {"codes": codes, "scales": scales, "bytes": -(-n_out * n_in * bits // 8) + 4 * n_out * n_blocks}
