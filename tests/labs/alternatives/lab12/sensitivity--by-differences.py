"""Each plan's differences from the base first; plans are dealt to the one input that they change."""

import math


def sensitivity(base, others):
    names = base["inputs"].keys()
    for plan in (base, *others):
        if plan["inputs"].keys() != names:
            raise ValueError("the inputs are not the base's")
        if any(not (value > 0 and math.isfinite(value)) for value in (plan["cost"], *plan["inputs"].values())):
            raise ValueError("inputs and costs are above 0")
    dealt = {name: {base["inputs"][name]: base["cost"]} for name in sorted(names)}
    for plan in others:
        changed = [name for name in names if plan["inputs"][name] != base["inputs"][name]]
        if len(changed) == 1:
            dealt[changed[0]][plan["inputs"][changed[0]]] = plan["cost"]
    rows = []
    for name, curve in dealt.items():
        if len(curve) > 1:
            smallest, largest = min(curve), max(curve)
            row = {"name": name, "low": min(curve.values()), "high": max(curve.values())}
            row["swing"] = row["high"] - row["low"]
            row["elasticity"] = math.log(curve[largest] / curve[smallest]) / math.log(largest / smallest)
            rows.append(row)
    return sorted(rows, key=lambda row: row["swing"], reverse=True)
