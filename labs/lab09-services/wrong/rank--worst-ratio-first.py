"""In a rank the smaller ratio stands first."""

# fails: orders_the_page

import math


def rank(rows):
    for row in rows:
        if not (math.isfinite(row["low"]) and math.isfinite(row["high"]) and row["low"] <= row["ratio"] <= row["high"]):
            raise ValueError(f"Expected finite numbers and a ratio inside its interval; got {row}.")
    places = {
        row["pseudonym"]: 1 + sum(other["verified"] and other["low"] > row["high"] for other in rows)
        for row in rows
        if row["verified"]
    }

    def place(row):
        return places.get(row["pseudonym"], len(rows) + 1), row["ratio"], row["pseudonym"]

    return [{"rank": places.get(row["pseudonym"]), "pseudonym": row["pseudonym"]} for row in sorted(rows, key=place)]
