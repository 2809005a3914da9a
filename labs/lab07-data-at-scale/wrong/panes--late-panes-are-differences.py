"""A late pane has only what came late."""

# fails: tells_late_panes

import math
from collections import defaultdict


def panes(script, size, lateness):
    if size < 1 or lateness < 0:
        raise ValueError(f"Expected windows of 1 s or more and a lateness from 0; got {size} and {lateness}.")
    watermark, seen, told = -math.inf, set(), set()
    durations, given, dropped = defaultdict(list), [], []
    for step in [*script, {"watermark": math.inf}]:
        changed = set()
        for one in step.get("events", []):
            if one["id"] in seen:
                continue
            seen.add(one["id"])
            start = one["at"] // size * size
            if start + size + lateness < watermark:
                dropped.append(one["id"])
                continue
            durations[start].append(one["ms"])
            changed.add(start)
        watermark = max(watermark, step.get("watermark", watermark))
        ended = {start for start in {*durations} - told | changed if start + size <= watermark}
        for start in sorted(ended):
            timing = "late" if start in changed else "on time"
            values = durations[start]
            given.append({"start": start, "timing": timing, "count": len(values), "total": sum(values)})
        told |= ended
        for start in ended:
            durations[start] = []
    return {"panes": given, "dropped": dropped}
