"""The weights come back in 64 bits."""

# fails: keeps_the_dtype_of_the_weights

# ruff: noqa: F821 (the other names are those of the lab)


def set_merged(layer, merged):
    require_fit(layer)
    if layer["merged"] == merged:
        return dict(layer)
    change = layer["alpha"] / len(layer["down"]) * (layer["up"] @ layer["down"])
    weight = layer["weight"] + change if merged else layer["weight"] - change
    return {**layer, "weight": weight, "merged": merged}
