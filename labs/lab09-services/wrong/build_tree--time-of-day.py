"""Times are compared without their days: the turns after midnight come first."""

# fails: builds_conversations

import json
from datetime import datetime


def build_tree(lines):
    first, broken = {}, set()
    for line in lines:
        try:
            entry = json.loads(line)
            payload, number = entry["jsonPayload"], entry["insertId"]
            time = datetime.fromisoformat(entry["timestamp"]).time()
            if not isinstance(payload, dict) or not isinstance(number, str):
                raise ValueError("a text and an object were expected")
        except (ValueError, KeyError, TypeError, RecursionError):
            broken.add(line)
            continue
        name = payload.get("message_id")
        if isinstance(name, str) and "problem" not in payload:
            found = (time, number, payload.get("parent_id"))
            first[name] = min(first.get(name, found), found, key=lambda one: one[:2])
    order = sorted(first, key=lambda name: (first[name][0], name))
    parents = {name: first[name][2] for name in order}
    children = {name: [] for name in order}
    for name in order:
        if parents[name] in parents:
            children[parents[name]].append(name)
    seen, cycles = {}, set()
    for start in order:
        path, name = [], start
        while name in parents and name not in seen:
            seen[name] = start
            path.append(name)
            name = parents[name]
        if name in path:
            cycles.update(path[path.index(name) :])
    return {
        "children": children,
        "roots": [name for name in order if parents[name] is None],
        "orphans": [name for name in order if parents[name] is not None and parents[name] not in parents],
        "cycles": [name for name in order if name in cycles],
        "broken": len(broken),
    }
