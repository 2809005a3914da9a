"""NaN passes through comparisons."""

# fails: refuses_what_is_no_measurement


def rank(rows):
    for row in rows:
        if row["low"] > row["ratio"] or row["ratio"] > row["high"]:
            raise ValueError(f"Expected finite numbers and a ratio inside its interval; got {row}.")
    places = {
        row["pseudonym"]: 1 + sum(other["verified"] and other["low"] > row["high"] for other in rows)
        for row in rows
        if row["verified"]
    }

    def place(row):
        return places.get(row["pseudonym"], len(rows) + 1), -row["ratio"], row["pseudonym"]

    return [{"rank": places.get(row["pseudonym"]), "pseudonym": row["pseudonym"]} for row in sorted(rows, key=place)]
