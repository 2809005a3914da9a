"""Who overlaps with the one above shares its rank, and so on down."""

# fails: counts_who_lies_above

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

    board = sorted((row for row in rows if row["verified"]), key=lambda row: -row["ratio"])
    for number, (above, row) in enumerate(zip(board, board[1:], strict=False), start=2):
        overlap = above["low"] <= row["high"]
        places[row["pseudonym"]] = places[above["pseudonym"]] if overlap else number

    def place(row):
        return places.get(row["pseudonym"], len(rows) + 1), -row["ratio"], row["pseudonym"]

    return [{"rank": places.get(row["pseudonym"]), "pseudonym": row["pseudonym"]} for row in sorted(rows, key=place)]
