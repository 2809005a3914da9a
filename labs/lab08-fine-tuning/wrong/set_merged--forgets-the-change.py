"""A and B are thrown away once they are merged."""

# fails: answers_as_before

# ruff: noqa: F821 (the other names are those of the lab)


def set_merged(layer, merged):
    require_fit(layer)
    if layer["merged"] == merged:
        return dict(layer)
    change = layer["alpha"] / len(layer["down"]) * (layer["up"] @ layer["down"])
    weight = layer["weight"] + change if merged else layer["weight"] - change
    layer = {**layer, "down": 0 * layer["down"], "up": 0 * layer["up"]}
    return {**layer, "weight": weight.astype(layer["weight"].dtype), "merged": merged}
