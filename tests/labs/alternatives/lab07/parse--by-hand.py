"""Half letters are looked for in the line itself, the form by a table of tests."""

import codecs
import hashlib
import json


def parse(line):
    content = bytes(bytearray(line))
    letter = {"reason": reason_against(content), "sha256": hashlib.sha256(content).hexdigest()}
    return letter if letter["reason"] else json.loads(content)


def reason_against(content):
    try:
        text = codecs.decode(content, "utf-8", "strict")
    except ValueError:
        return "not UTF-8"
    strange = []
    try:
        value = json.loads(text, parse_constant=strange.append)
    except (ValueError, RecursionError):
        strange.append("no JSON")
    if strange:
        return "malformed" if text.strip()[-1:] == "}" else "half-written"
    tests = {name: is_name for name in ("id", "call", "caller")} | {"text": is_text, "ms": is_time}
    if type(value) is dict and value.keys() == tests.keys() and all(tests[name](value[name]) for name in tests):
        return ""
    return "wrong form"


def is_text(value):
    return type(value) is str and not any("\ud800" <= sign <= "\udfff" for sign in value)


def is_name(value):
    return is_text(value) and value != ""


def is_time(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
