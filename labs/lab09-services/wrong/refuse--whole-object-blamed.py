"""What is missing is blamed on the object in which it is missing."""

# fails: blames_the_right_field

# ruff: noqa: F821 (the other names are those of the lab)

import json
import math


def refuse(text, schema, models):
    def no_number(name):
        raise ValueError(f"{name} is no JSON.")

    def types_of(value):
        if value is None or isinstance(value, bool):
            return {"null"} if value is None else {"boolean"}
        if isinstance(value, (int, float)):
            return {"number", "integer"} if value % 1 == 0 else {"number"}
        return {{str: "string", list: "array", dict: "object"}[type(value)]}

    def wrong_in(value, rule, path):
        types, named = types_of(value), rule.get("type", [])
        if named and not types & set([named] if isinstance(named, str) else named):
            return path, f"was expected to be of type {named}"
        if value not in rule.get("enum", [value]):
            return path, f"was expected to be one of {rule['enum']}"
        size = value if "number" in types else None
        if size is not None and not rule.get("minimum", size) <= size <= rule.get("maximum", size):
            return path, "was expected to lie between the contract's limits"
        below = []
        if "array" in types:
            if not rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", math.inf):
                return path, "was expected to have another number of items"
            below = [(one, rule.get("items", {}), place) for place, one in enumerate(value)]
        if "object" in types:
            known = rule.get("properties", {})
            for name in rule.get("required", []):
                if name not in value:
                    return path, f"has no {name}"
            if rule.get("additionalProperties", True) is False:
                for name in value:
                    if name not in known:
                        return (*path, name), "is not known"
            below = [(value[name], known[name], name) for name in value if name in known]
        for one, its_rule, name in below:
            if (wrong := wrong_in(one, its_rule, (*path, name))) is not None:
                return wrong
        return None

    try:
        body = json.loads(text, parse_constant=no_number)
    except (ValueError, RecursionError):
        return refusal("invalid_json", None, "The body was expected to be JSON and cannot be read as such.")
    wrong = wrong_in(body, schema, ())
    if wrong is not None:
        param = ".".join(map(str, wrong[0])) or None
        return refusal("invalid_request", param, f"{param or 'The body'} {wrong[1]}.")
    if body["model"] not in models:
        return refusal("model_not_found", "model", f"The model was expected to be one of {models}.")
    if not body["messages"][-1]["content"].strip():
        return refusal("empty_prompt", "messages", "The last of the messages was expected to have text.")
    return None
