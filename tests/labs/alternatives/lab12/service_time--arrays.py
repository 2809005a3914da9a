"""One column for each number, and a two-pass variance."""

import numpy as np


def service_time(samples, read, written):
    rows = [
        [one[name] for name in ("batch", "read", "written", "prefill", "decode")]
        for one in samples
        if not one["warm_up"]
    ]
    if len(rows) < 2:
        raise ValueError("two samples at least")
    batch, had, wrote, prefill, decode = np.array(rows, dtype=float).T
    if np.ptp(batch) > 0:
        raise ValueError("one batch size at a time")
    if min(read, written) < 1 or (written > 1 and wrote.min() < 2):
        raise ValueError("tokens that nobody measured")
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(wrote > 1, decode * (written - 1) / (wrote - 1), 0.0)
    seconds = prefill / had * read + steps
    spread = ((seconds - seconds.mean()) ** 2).sum() / (len(seconds) - 1)
    return {"rate": batch[0] / seconds.mean(), "seconds": seconds.mean(), "scv": spread / seconds.mean() ** 2}
