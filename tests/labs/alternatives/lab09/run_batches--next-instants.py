"""For each run the instants at which it could leave are tried in order."""


def run_batches(requests, most, max_wait, first, each):
    if most < 1:
        raise ValueError("a run holds one request or more")
    if max_wait < 0:
        raise ValueError("a wait lasts 0 ms or more")
    left, runs, free = list(requests), [], 0
    while True:
        instants = {free}
        for one in left:
            instants |= {max(free, one["at"]), max(free, one["at"] + max_wait)}
        for now in sorted(instants):
            line = [one for one in left if one["at"] <= now and (one["gone"] is None or one["gone"] > now)]
            if line and (len(line) >= most or line[0]["at"] + max_wait <= now):
                break
        else:
            return runs
        batch = line[:most]
        left = [one for one in left if one not in batch]
        parts = [batch]
        if len(batch) > 1 and any(one["breaks"] for one in batch):
            parts += [[one] for one in batch]
        for part in parts:
            free = now + first + each * len(part)
            broken = any(one["breaks"] for one in part)
            runs.append({"start": now, "end": free, "ids": [one["id"] for one in part], "ok": not broken})
            now = free
