"""Of several arcs that leave a state and read the same word, only the last is kept."""

# fails: matches_words


def compose(left, right):
    reading = {(arc[0], arc[2]): arc for arc in right["arcs"]}
    numbers, waiting, arcs = {(0, 0): 0}, [(0, 0)], []
    for here in waiting:
        for source, target, reads, word, cost in left["arcs"]:
            if source != here[0]:
                continue
            if word == "":
                there, written, total = (target, here[1]), "", cost
            elif (here[1], word) in reading:
                _, after, _, written, price = reading[here[1], word]
                there, total = (target, after), cost + price
            else:
                continue
            if there not in numbers:
                numbers[there] = len(numbers)
                waiting.append(there)
            arcs.append((numbers[here], numbers[there], reads, written, total))
    ends = [dict(graph["finals"]) for graph in (left, right)]
    finals = [(number, ends[0][a] + ends[1][b]) for (a, b), number in numbers.items() if a in ends[0] and b in ends[1]]
    return {"arcs": arcs, "finals": finals}
