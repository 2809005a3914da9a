"""Bits all the way, and calls are added while they fit."""


def calls_that_fit(card_gib, weight_bytes, shape, n_tokens, n_shared, bits):
    if bits not in {4, 8, 16, 32}:
        raise ValueError("4, 8, 16 or 32 bits")
    if n_shared not in range(n_tokens):
        raise ValueError("n_shared is 0 or more, and below n_tokens")
    numbers = shape["n_kv_heads"] * shape["hidden_size"] // shape["n_heads"]
    token_bits = bits * numbers * shape["n_layers"] * 2
    free = 8 * (card_gib * 1024 * 1024 * 1024 - weight_bytes) - token_bits * n_shared
    step = token_bits * (n_tokens - n_shared)
    n_calls = 0
    while (n_calls + 1) * step <= free and n_calls < 10_000:
        n_calls += 1
    if n_calls == 10_000:  # a card for very short calls
        n_calls = free // step
    return token_bits * n_tokens // 8, n_calls
