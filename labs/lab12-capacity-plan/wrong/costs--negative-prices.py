"""Negative prices pass."""

# fails: refuses_no_period

# ruff: noqa: F821 (the other names are those of the lab)

import math


def costs(hours, price, extra, requests, audio_seconds, tokens, rate, market):
    above = (hours, audio_seconds, tokens, rate, market)
    if not (
        all(0 < value < math.inf for value in above) and all(value < math.inf for value in (price, extra, requests))
    ):
        raise ValueError(f"Expected numbers above 0 for {above}, and 0 or more for {(price, extra, requests)}.")
    utilisation = requests / (rate * hours * 3600)
    if utilisation > 1 + TINY:
        raise ValueError(f"{requests} requests would keep the machines busy for {utilisation:.2f} of the time.")
    total = hours * price + extra
    floor = price / (rate * 3600 * tokens) * 1e6
    break_even = floor / market
    return {
        "total": float(total),
        "audio_hour": total / (requests * audio_seconds / 3600) if requests else None,
        "million": total / (requests * tokens) * 1e6 if requests else None,
        "utilisation": float(utilisation),
        "floor": float(floor),
        "break_even": float(break_even) if break_even <= 1 + TINY else None,
    }
