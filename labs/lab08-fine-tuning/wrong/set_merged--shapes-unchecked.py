"""What does not fit is broadcast where NumPy can."""

# fails: refuses_changes_of_other_layers


def set_merged(layer, merged):
    if layer["merged"] == merged:
        return dict(layer)
    change = layer["alpha"] / len(layer["down"]) * (layer["up"] @ layer["down"])
    weight = layer["weight"] + change if merged else layer["weight"] - change
    return {**layer, "weight": weight.astype(layer["weight"].dtype), "merged": merged}
