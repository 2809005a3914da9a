"""What one request costs, and how many of them make a unit."""

import math


def costs(hours, price, extra, requests, audio_seconds, tokens, rate, market):
    for value in (hours, audio_seconds, tokens, rate, market):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{value} has to be above 0")
    for value in (price, extra, requests):
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{value} has to be 0 or more")
    possible = rate * 3600 * hours
    if requests > possible * (1 + 1e-9):
        raise ValueError(f"{requests} requests, and {possible:.0f} are possible")
    bill = extra + price * hours
    audio_hour = million = None
    if requests > 0:
        audio_hour, million = bill / requests * 3600 / audio_seconds, bill / requests / tokens * 1e6
    a_busy_hour = rate * 3600 * tokens / 1e6  # million tokens
    worth = a_busy_hour * market
    return {
        "total": bill,
        "audio_hour": audio_hour,
        "million": million,
        "utilisation": requests / possible,
        "floor": price / a_busy_hour,
        "break_even": price / worth if price <= worth * (1 + 1e-9) else None,
    }
