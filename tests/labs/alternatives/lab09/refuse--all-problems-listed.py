"""All problems are listed with their paths, and the last one is told."""

# ruff: noqa: F821 (the other names are those of the lab)

import json


def refuse(text, schema, models):
    def not_json(name):
        raise ValueError(name)

    try:
        body = json.loads(text, parse_constant=not_json)
    except (ValueError, RecursionError) as error:
        return refusal("invalid_json", None, f"This is no JSON that can be read: {type(error).__name__}.")
    problems = list(problems_of(body, schema, ""))
    if problems:
        param = problems[-1]
        return refusal("invalid_request", param or None, f"{param or 'The whole body'} does not fit the contract.")
    if body["model"] not in models:
        return refusal("model_not_found", "model", "There is no such model as this one.")
    last = body["messages"][-1]["content"]
    return refusal("empty_prompt", "messages", "The messages end without any text.") if last.strip() == "" else None


def problems_of(value, rule, path):
    allowed = rule.get("type", list(IS_TYPE))
    if not any(IS_TYPE[name](value) for name in ([allowed] if isinstance(allowed, str) else allowed)):
        yield path
        return
    if "enum" in rule and not any(type(one) is type(value) and one == value for one in rule["enum"]):
        yield path
    if is_number(value) and (value < rule.get("minimum", value) or value > rule.get("maximum", value)):
        yield path
    if isinstance(value, list):
        if len(value) < rule.get("minItems", 0) or ("maxItems" in rule and len(value) > rule["maxItems"]):
            yield path
        for place, one in enumerate(value):
            yield from problems_of(one, rule.get("items", {}), joined(path, place))
    if isinstance(value, dict):
        known = rule.get("properties", {})
        yield from (joined(path, name) for name in rule.get("required", []) if name not in value)
        if rule.get("additionalProperties", True) is False:
            yield from (joined(path, name) for name in value.keys() - known.keys())
        for name in value.keys() & known.keys():
            yield from problems_of(value[name], known[name], joined(path, name))


def joined(path, name):
    return f"{path}.{name}" if path else str(name)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


IS_TYPE = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "number": is_number,
    "integer": lambda value: is_number(value) and (isinstance(value, int) or value.is_integer()),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
