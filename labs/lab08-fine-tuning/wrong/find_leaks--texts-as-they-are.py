"""Texts are compared letter by letter, with their case and commas."""

# fails: finds_planted_copies


def find_leaks(train, test, threshold=0.5):
    if not 0 < threshold <= 1:
        raise ValueError(f"Expected a threshold above 0, up to 1; got {threshold}.")

    def words_of(call):
        found = call["text"].split()
        return tuple("#" if word.isdigit() else word for word in found)

    def shingles(words):
        return {words[start : start + 3] for start in range(max(1, len(words) - 2))}

    known = [words for words in map(words_of, train) if words]
    known_shingles = [shingles(words) for words in known]
    leaks = {"copy": [], "near": [], "caller": [], "family": []}
    for place, call in enumerate(test):
        words = words_of(call)
        mine = shingles(words)
        if words in known:
            leaks["copy"].append(place)
        elif words and any(len(mine & one) / len(mine | one) >= threshold for one in known_shingles):
            leaks["near"].append(place)
        for kind in ("caller", "family"):
            if call[kind] and any(call[kind] == one[kind] for one in train):
                leaks[kind].append(place)
    return leaks
