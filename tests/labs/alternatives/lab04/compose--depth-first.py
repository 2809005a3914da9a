"""Pairs are numbered as they are met, depth first."""


def compose(left, right):
    numbers, arcs = {(0, 0): 0}, []
    leaving = [{}, {}]
    for side, graph in enumerate((left, right)):
        for arc in graph["arcs"]:
            leaving[side].setdefault(arc[0], []).append(arc)
    by_word = {}
    for state, found in leaving[1].items():
        for arc in found:
            by_word.setdefault((state, arc[2]), []).append(arc)
    stack = [(0, 0)]
    while stack:
        a, b = stack.pop()
        for _, after_a, reads, word, cost in leaving[0].get(a, []):
            partners = by_word.get((b, word), []) if word else [(b, b, "", "", 0.0)]
            for _, after_b, _, writes, price in partners:
                pair = (after_a, after_b)
                if pair not in numbers:
                    numbers[pair] = len(numbers)
                    stack.append(pair)
                arcs.append((numbers[a, b], numbers[pair], reads, writes, cost + price))
    finals = []
    for a, p in left["finals"]:
        for b, q in right["finals"]:
            if (a, b) in numbers:
                finals.append((numbers[a, b], p + q))
    return {"arcs": arcs, "finals": finals}
