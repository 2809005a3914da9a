"""Events and time are two functions on windows, each of which knows whether it has told."""

import math


class Window:
    def __init__(self, end):
        self.end, self.values, self.has_told = end, [], False

    def pane(self, size, timing):
        self.has_told = True
        return {"start": self.end - size, "timing": timing, "count": len(self.values), "total": sum(self.values)}


def panes(script, size, lateness):
    if not size >= 1:
        raise ValueError("A window has a second or more.")
    if not lateness >= 0:
        raise ValueError("The lateness is 0 or more.")
    windows, now, told, dropped, known = {}, -math.inf, [], [], set()
    for step in script:
        reached = {}
        for one in step.get("events", ()):
            if one["id"] not in known:
                known.add(one["id"])
                end = (math.floor(one["at"] / size) + 1) * size
                if end + lateness >= now:
                    reached[end] = windows.setdefault(end, Window(end))
                    reached[end].values.append(one["ms"])
                else:
                    dropped.append(one["id"])
        told += [reached[end].pane(size, "late") for end in sorted(reached) if end <= now]
        if "watermark" in step:
            now = max(now, step["watermark"])
            told += on_time(windows, now, size)
    return {"panes": told + on_time(windows, math.inf, size), "dropped": dropped}


def on_time(windows, now, size):
    return [windows[end].pane(size, "on time") for end in sorted(windows) if end <= now and not windows[end].has_told]
