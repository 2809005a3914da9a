"""An index from runs of words to training calls, so that only calls with a run in common are compared."""

import re
from collections import Counter, defaultdict


def find_leaks(train, test, threshold=0.5):
    if threshold <= 0 or threshold > 1:
        raise ValueError("a threshold lies above 0 and is 1 at most")

    def normal(text):
        text = re.sub(r"[0-9]+", " # ", text.lower())
        return " ".join(re.findall(r"[^\W\d_]+|#", text.replace("#", " # ") if "#" in text else text))

    def runs(words):
        words = words.split(" ")
        if len(words) < 3:
            return {" ".join(words)}
        return {" ".join(three) for three in zip(words, words[1:], words[2:], strict=False)}

    whole, sizes, index = set(), {}, defaultdict(list)
    for k, call in enumerate(train):
        text = normal(call["text"])
        if text:
            whole.add(text)
            sizes[k] = len(runs(text))
            for run in runs(text):
                index[run].append(k)
    callers = {call["caller"] for call in train} - {""}
    families = {call["family"] for call in train} - {""}
    leaks = {"copy": [], "near": [], "caller": [], "family": []}
    for place, call in enumerate(test):
        text = normal(call["text"])
        if text in whole:
            leaks["copy"].append(place)
        elif text:
            mine = runs(text)
            shared = Counter(k for run in mine for k in index[run])
            if any(n / (len(mine) + sizes[k] - n) >= threshold for k, n in shared.items()):
                leaks["near"].append(place)
        if call["caller"] in callers:
            leaks["caller"].append(place)
        if call["family"] in families:
            leaks["family"].append(place)
    return leaks
