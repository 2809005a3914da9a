"""Each late event makes a pane of its own."""

# fails: tells_late_panes

import math
from collections import defaultdict


def panes(script, size, lateness):
    if size < 1 or lateness < 0:
        raise ValueError(f"Expected windows of 1 s or more and a lateness from 0; got {size} and {lateness}.")
    watermark, seen, told = -math.inf, set(), set()
    durations, given, dropped = defaultdict(list), [], []
    for step in [*script, {"watermark": math.inf}]:
        for one in step.get("events", []):
            if one["id"] in seen:
                continue
            seen.add(one["id"])
            start = one["at"] // size * size
            if start + size + lateness < watermark:
                dropped.append(one["id"])
                continue
            durations[start].append(one["ms"])
            if start + size <= watermark:
                values = durations[start]
                given.append({"start": start, "timing": "late", "count": len(values), "total": sum(values)})
                told.add(start)
        watermark = max(watermark, step.get("watermark", watermark))
        ended = {start for start in {*durations} - told if start + size <= watermark}
        for start in sorted(ended):
            values = durations[start]
            given.append({"start": start, "timing": "on time", "count": len(values), "total": sum(values)})
        told |= ended
    return {"panes": given, "dropped": dropped}
