"""A child that comes before its parent is an orphan."""

# fails: order_makes_no_difference

import json
from datetime import datetime


def build_tree(lines):
    parents, times, children, orphans, roots, broken = {}, {}, {}, [], [], set()
    for line in lines:
        try:
            entry = json.loads(line)
            payload, name = entry["jsonPayload"], entry["jsonPayload"].get("message_id")
            time = datetime.fromisoformat(entry["timestamp"])
            entry["insertId"].strip()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            broken.add(line)
            continue
        if not isinstance(name, str) or "problem" in payload or name in parents:
            continue
        parents[name], times[name], children[name] = payload.get("parent_id"), time, []
        if parents[name] is None:
            roots.append(name)
        elif parents[name] in children:
            children[parents[name]].append(name)
        else:
            orphans.append(name)
    for some in (roots, orphans, *children.values()):
        some.sort(key=lambda name: (times[name], name))
    return {"children": children, "roots": roots, "orphans": orphans, "cycles": [], "broken": len(broken)}
