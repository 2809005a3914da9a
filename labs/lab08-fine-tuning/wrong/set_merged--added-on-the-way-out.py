"""The change is added in both directions."""

# fails: takes_the_change_out_again

# ruff: noqa: F821 (the other names are those of the lab)


def set_merged(layer, merged):
    require_fit(layer)
    if layer["merged"] == merged:
        return dict(layer)
    change = layer["alpha"] / len(layer["down"]) * (layer["up"] @ layer["down"])
    weight = layer["weight"] + change if merged else layer["weight"] + change
    return {**layer, "weight": weight.astype(layer["weight"].dtype), "merged": merged}
