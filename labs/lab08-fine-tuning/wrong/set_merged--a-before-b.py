"""A and B are transposed and change places; it fits square layers only."""

# fails: answers_as_before

# ruff: noqa: F821 (the other names are those of the lab)


def set_merged(layer, merged):
    require_fit(layer)
    if layer["merged"] == merged:
        return dict(layer)
    change = layer["alpha"] / len(layer["down"]) * (layer["down"].T @ layer["up"].T)
    weight = layer["weight"] + change if merged else layer["weight"] - change
    return {**layer, "weight": weight.astype(layer["weight"].dtype), "merged": merged}
