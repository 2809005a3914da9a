"""Pairs counted by hand in a dictionary of dictionaries' style, the best found by sorting, rows joined backwards."""


def train_merges(texts, n_merges):
    if n_merges < 0:
        raise ValueError("learn 0 merges or more")
    rows = [list(bytes(text, "utf-8")) for text in texts]
    learned = []
    for number in range(256, 256 + n_merges):
        seen = {}
        for row in rows:
            for place in range(len(row) - 1):
                pair = row[place], row[place + 1]
                seen[pair] = seen.get(pair, 0) + 1
        repeated = sorted((-count, *pair) for pair, count in seen.items() if count >= 2)
        if not repeated:
            return learned
        _, left, right = repeated[0]
        learned.append((left, right))
        for row in rows:
            place = 0
            while place < len(row) - 1:
                if row[place] == left and row[place + 1] == right:
                    row[place : place + 2] = [number]
                place += 1
    return learned
