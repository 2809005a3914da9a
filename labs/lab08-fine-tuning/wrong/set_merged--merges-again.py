"""Whoever asks for a merged layer gets the change added, merged or not."""

# fails: does_nothing_twice

# ruff: noqa: F821 (the other names are those of the lab)


def set_merged(layer, merged):
    require_fit(layer)
    change = layer["alpha"] / len(layer["down"]) * (layer["up"] @ layer["down"])
    weight = layer["weight"] + change if merged else layer["weight"] - change
    return {**layer, "weight": weight.astype(layer["weight"].dtype), "merged": merged}
