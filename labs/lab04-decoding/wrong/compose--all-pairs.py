"""All pairs of states are kept, also those that nobody can reach."""

# fails: holds_only_what_can_be_reached


def compose(left, right):
    size = 1 + max([0, *(end for arc in right["arcs"] for end in arc[:2]), *(state for state, _ in right["finals"])])
    arcs = []
    for a, b, reads, word, cost in left["arcs"]:
        if word == "":
            arcs += [(a * size + r, b * size + r, reads, "", cost) for r in range(size)]
        else:
            arcs += [
                (a * size + c, b * size + d, reads, out, cost + price)
                for c, d, heard, out, price in right["arcs"]
                if heard == word
            ]
    finals = [(a * size + b, p + q) for a, p in left["finals"] for b, q in right["finals"]]
    return {"arcs": arcs, "finals": finals}
