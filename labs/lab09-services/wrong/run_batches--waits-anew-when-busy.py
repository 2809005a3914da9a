"""The wait begins when the engine becomes free."""

# fails: leaves_when_it_should

from collections import deque


def run_batches(requests, most, max_wait, first, each):
    if most < 1 or max_wait < 0:
        raise ValueError(f"Expected room for 1 or more and a wait of 0 ms or more; got {most} and {max_wait}.")
    coming, line, runs, now, free = deque(requests), [], [], 0, 0

    def run(some):
        end = now + first + each * len(some)
        is_ok = not any(one["breaks"] for one in some)
        runs.append({"start": now, "end": end, "ids": [one["id"] for one in some], "ok": is_ok})
        return end

    while coming or line:
        while coming and coming[0]["at"] <= now:
            line.append(coming.popleft())
        line = [one for one in line if one["gone"] is None or one["gone"] > now]
        if line and (len(line) >= most or now - max(free, line[0]["at"]) >= max_wait):
            batch, line = line[:most], line[most:]
            now = free = run(batch)
            if len(batch) > 1 and not runs[-1]["ok"]:
                for one in batch:
                    now = free = run([one])
        elif coming or line:
            now = min([one["at"] for one in list(coming)[:1]] + [max(free, one["at"]) + max_wait for one in line[:1]])
    return runs
