"""A byte that is no UTF-8 ends the run."""

# fails: refuses_other_encodings

# ruff: noqa: F821 (the other names are those of the lab)

import hashlib
import json


def parse(line):
    content = bytes(line)

    def dead(reason):
        return {"reason": reason, "sha256": hashlib.sha256(content).hexdigest()}

    def no_number(name):
        raise ValueError(f"{name} is no JSON.")

    text = content.decode("utf-8")
    try:
        record = json.loads(text, parse_constant=no_number)
    except (ValueError, RecursionError):
        return dead("malformed" if text.rstrip().endswith("}") else "half-written")
    if not isinstance(record, dict) or set(record) != {*NAMES, TEXT, NUMBER}:
        return dead("wrong form")
    if not all(isinstance(record[name], str) for name in (*NAMES, TEXT)) or not all(record[name] for name in NAMES):
        return dead("wrong form")
    if type(record[NUMBER]) is not int or record[NUMBER] < 0:
        return dead("wrong form")
    try:
        "".join(record[name] for name in (*NAMES, TEXT)).encode()
    except UnicodeEncodeError:
        return dead("wrong form")
    return record
