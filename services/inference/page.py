"""The contract for people: a page made from the OpenAPI document, without scripts and without any other host."""

import re
from collections.abc import Iterable
from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#1f2933, #e6e9ef); --line: light-dark(#d5dbe1, #3a4452);
  --page: light-dark(#fff, #11151c); --accent: light-dark(#0b6477, #74cfe0); }
body { max-width: 56rem; margin: 0 auto; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--page); }
h1 { font-size: 1.5rem; } h2 { margin: 2rem 0 0.2rem; font-size: 1.1rem; font-family: ui-monospace, monospace; }
h2 b { color: var(--accent); } h3 { margin: 1rem 0 0.2rem; font-size: 0.95rem; }
table { width: 100%; border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.25rem 0.8rem 0.25rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
th:first-child { width: 12rem; } code { overflow-wrap: anywhere; } a { color: var(--accent); }
"""

BOUNDS = (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below"))


def contract_page(contract: dict) -> str:
    """HTML that says what may be asked and what is answered.

    Args:
        contract: the OpenAPI document.
    """
    title = f"{escape(contract['info']['title'])}, version {escape(contract['info']['version'])}"
    operations = [
        _operation(method, path, operation, contract)
        for path, methods in contract["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}</title><link rel="icon" href="data:,">'
        f"<style>{STYLE}</style></head><body><main><h1>{title}</h1>"
        f'<p>For programs: <a href="openapi.json">openapi.json</a>.</p>{"".join(operations)}</main></body></html>\n'
    )


def _operation(method: str, path: str, operation: dict, contract: dict) -> str:
    fields = [
        (name, *_described(schema, name in required))
        for content in operation.get("requestBody", {}).get("content", {}).values()
        for properties, required in [_properties(content["schema"], contract)]
        for name, schema in properties.items()
    ]
    fields += [
        (one["name"], *_described(one["schema"] | {"description": one.get("description", "")}, one["required"]))
        for one in operation.get("parameters", [])
    ]
    answers = [(status, one["description"].replace("`", "")) for status, one in operation["responses"].items()]
    anchor = re.sub(r"\W+", "-", f"{method}{path}").strip("-")
    return (
        f'<section id="{anchor}">'
        f"<h2><b>{method.upper()}</b> {escape(path)}</h2><p>{escape(operation['description'])}</p>"
        + (_table("It takes", ("Field", "What", "Meaning"), fields) if fields else "")
        + _table("It answers", ("Status", "When"), answers)
        + "</section>"
    )


def _properties(schema: dict, contract: dict) -> tuple[dict, list[str]]:
    if "$ref" in schema:
        schema = contract["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema.get("properties", {}), schema.get("required", [])


def _described(schema: dict, required: bool) -> tuple[str, str]:
    """What a field can be, and what it means."""
    kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    words = ", or ".join(dict.fromkeys(_kind(kind) for kind in kinds))
    return words + (", required" if required else ""), schema.get("description", "")


def _kind(schema: dict) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "const" in schema or "enum" in schema:
        return " or ".join(str(value) for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    bounds = [f"{words} {schema[key]:g}" for key, words in BOUNDS if key in schema]
    return " ".join([schema.get("type", "anything"), *bounds])


def _table(title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = "".join(f'<th scope="col">{escape(one)}</th>' for one in head)
    lines = (
        f'<tr><th scope="row"><code>{escape(name)}</code></th>{"".join(f"<td>{escape(one)}</td>" for one in rest)}</tr>'
        for name, *rest in rows
    )
    return f"<h3>{title}</h3><table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
