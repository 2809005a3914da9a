"""The arcs write what the left graph wrote, not what the right one makes of it."""

# fails: matches_words


def compose(left, right):
    leaving, reading = {}, {}
    for arc in left["arcs"]:
        leaving.setdefault(arc[0], []).append(arc)
    for arc in right["arcs"]:
        reading.setdefault((arc[0], arc[2]), []).append(arc)
    numbers, waiting, arcs = {(0, 0): 0}, [(0, 0)], []
    for here in waiting:
        for _, target, reads, word, cost in leaving.get(here[0], []):
            if word == "":
                steps = [((target, here[1]), "", cost)]
            else:
                matches = reading.get((here[1], word), [])
                steps = [((target, after), word, cost + price) for _, after, _, out, price in matches]
            for there, written, total in steps:
                if there not in numbers:
                    numbers[there] = len(numbers)
                    waiting.append(there)
                arcs.append((numbers[here], numbers[there], reads, written, total))
    first, second = dict(left["finals"]), dict(right["finals"])
    finals = [(n, first[a] + second[b]) for (a, b), n in numbers.items() if a in first and b in second]
    return {"arcs": arcs, "finals": finals}
