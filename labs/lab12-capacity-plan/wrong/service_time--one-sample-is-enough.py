"""One sample is enough for a variance."""

# fails: refuses_thin_measurements

import numpy as np


def service_time(samples, read, written):
    measured = [one for one in samples if not one["warm_up"]]
    if len(measured) < 1 or len({one["batch"] for one in measured}) > 1:
        raise ValueError(f"Expected two measured samples or more, of one batch size; got {len(measured)}.")
    if read < 1 or written < 1:
        raise ValueError(f"Expected tokens read and written, 1 or more; got {read} and {written}.")
    if written > 1 and min(one["written"] for one in measured) == 1:
        raise ValueError("A sample wrote one token, so that no step of decoding was measured.")
    seconds = []
    for one in measured:
        step = one["decode"] / max(1, one["written"] - 1)
        seconds.append(one["prefill"] * read / one["read"] + step * (written - 1))
    mean, variance = np.mean(seconds), np.var(seconds, ddof=1)
    return {"seconds": float(mean), "scv": float(variance / mean**2), "rate": float(measured[0]["batch"] / mean)}
