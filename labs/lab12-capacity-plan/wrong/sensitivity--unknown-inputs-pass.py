"""Inputs that the base does not have pass."""

# fails: refuses_other_plans

import math


def sensitivity(base, others):
    names, found = set(base["inputs"]), []
    for plan in [base, *others]:
        if not names <= set(plan["inputs"]):
            raise ValueError(f"Expected the inputs {sorted(names)}; got {sorted(plan['inputs'])}.")
        if not all(0 < value < math.inf for value in [plan["cost"], *plan["inputs"].values()]):
            raise ValueError(f"Expected numbers above 0; got {plan}.")
    for name in names:
        seen = [
            plan for plan in others if [one for one in names if plan["inputs"][one] != base["inputs"][one]] == [name]
        ]
        if seen:
            seen = sorted([base, *seen], key=lambda plan: plan["inputs"][name])
            first, last, taken = seen[0], seen[-1], [plan["cost"] for plan in seen]
            moved = math.log(last["cost"] / first["cost"]) / math.log(last["inputs"][name] / first["inputs"][name])
            ends = {"low": min(taken), "high": max(taken), "swing": max(taken) - min(taken)}
            found.append({"name": name, **ends, "elasticity": moved})
    return sorted(found, key=lambda one: (-one["swing"], one["name"]))
