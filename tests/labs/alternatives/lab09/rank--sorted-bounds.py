"""The low ends are sorted once, and each row's rank is found among them."""

from bisect import bisect_right
from math import isfinite


def rank(rows):
    for row in rows:
        if not all(isfinite(row[name]) for name in ("low", "ratio", "high")):
            raise ValueError("a speed-up and its interval are finite")
        if row["ratio"] < row["low"] or row["ratio"] > row["high"]:
            raise ValueError("a speed-up lies in its interval")
    lows = sorted(row["low"] for row in rows if row["verified"])
    page = []
    for row in sorted(rows, key=lambda row: (-row["ratio"], row["pseudonym"])):
        place = 1 + len(lows) - bisect_right(lows, row["high"]) if row["verified"] else None
        page.append({"rank": place, "pseudonym": row["pseudonym"]})
    return sorted(page, key=lambda one: (one["rank"] is None, one["rank"] or 0))
