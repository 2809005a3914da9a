"""Entries are sorted first; cycles are what is left when messages without children are taken away again and again."""

import json
from collections import Counter, defaultdict
from datetime import datetime


def build_tree(lines):
    entries, broken = [], 0
    for line in set(lines):
        found = read(line)
        if found is None:
            broken += 1
        elif isinstance(found[2], str):
            entries.append(found)
    parent, times = {}, {}
    for time, _, name, its_parent in sorted(entries, key=lambda one: (one[0], one[1])):
        if name not in parent:
            parent[name], times[name] = its_parent, time
    names = sorted(parent, key=lambda name: (times[name], name))
    children = defaultdict(list)
    for name in names:
        children[parent[name]].append(name)
    left = Counter(parent[name] for name in names)
    bare = [name for name in names if not left[name]]
    round_about = set(names)
    while bare:
        name = bare.pop()
        round_about.discard(name)
        left[parent[name]] -= 1
        if parent[name] in parent and not left[parent[name]]:
            bare.append(parent[name])
    # What is left leads round in a circle, or down into one; only who can be reached from itself lies on it.
    on_circle = {name for name in round_about if comes_back(name, parent, len(names))} if round_about else set()
    return {
        "children": {name: children[name] for name in names},
        "roots": children[None],
        "orphans": [name for name in names if parent[name] is not None and parent[name] not in parent],
        "cycles": [name for name in names if name in on_circle],
        "broken": broken,
    }


def comes_back(name, parent, most):
    above = parent[name]
    for _ in range(most):
        if above == name:
            return True
        if above not in parent:
            return False
        above = parent[above]
    return False


def read(line):
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("jsonPayload"), dict):
        return None
    if not isinstance(entry.get("insertId"), str) or not isinstance(entry.get("timestamp"), str):
        return None
    try:
        time = datetime.fromisoformat(entry["timestamp"].replace("Z", "+00:00"))
    except ValueError:
        return None
    payload = entry["jsonPayload"]
    name = None if "problem" in payload else payload.get("message_id")
    return time, entry["insertId"], name, payload.get("parent_id")
