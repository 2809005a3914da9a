"""The instructions need no room at all."""

# fails: keeps_instructions_once

# ruff: noqa: F821 (the other names are those of the lab)


def calls_that_fit(card_gib, weight_bytes, shape, n_tokens, n_shared, bits):
    if not 0 <= n_shared < n_tokens or bits not in (4, 8, 16, 32):
        raise ValueError(f"Expected 0 <= {n_shared} < {n_tokens} tokens, and 4, 8, 16 or 32 bits, not {bits}.")
    head_dim = shape["hidden_size"] // shape["n_heads"]
    token_bytes = 2 * shape["n_layers"] * shape["n_kv_heads"] * head_dim * bits // 8
    free = card_gib * GIB - weight_bytes
    return token_bytes * n_tokens, max(0, free // (token_bytes * (n_tokens - n_shared)))
