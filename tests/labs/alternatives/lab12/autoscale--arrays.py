"""Windows of padded arrays; whole machines by floor."""

import numpy as np


def autoscale(loads, target, headroom, cold, keep, least, minutes):
    loads = np.asarray(loads, dtype=float)
    if loads.size == 0 or not np.isfinite(loads).all() or loads.min() < 0:
        raise ValueError("loads are numbers from 0 on")
    if not 0 < target <= 1 or not headroom >= 0 or not minutes > 0 or cold < 0 or keep < 0 or least < 1:
        raise ValueError("out of range")
    wanted = np.maximum(least, -np.floor(1e-9 - loads / target * (1 + headroom))).astype(int)
    paid = np.lib.stride_tricks.sliding_window_view(np.pad(wanted, (keep, 0), mode="edge"), keep + 1).max(axis=1)
    ready = np.lib.stride_tricks.sliding_window_view(np.pad(paid, (cold, 0), mode="edge"), cold + 1).min(axis=1)
    return {
        "wanted": wanted.tolist(),
        "paid": paid.tolist(),
        "ready": ready.tolist(),
        "short": np.flatnonzero(~(loads < ready)).tolist(),
        "hours": paid.sum() * minutes / 60,
        "fixed": wanted.max() * len(wanted) * minutes / 60,
        "utilisation": loads.mean() / paid.mean(),
    }
