"""Dijkstra with a heap."""

import heapq
import itertools

import numpy as np


def best_path(graph):
    order, finals, best = itertools.count(), {}, (np.inf, [])
    for state, cost in graph["finals"]:
        finals[state] = min(cost, finals.get(state, np.inf))
    leaving = {}
    for source, target, _, word, cost in graph["arcs"]:
        leaving.setdefault(source, []).append((target, word, cost))
    heap, done = [(0.0, next(order), 0, None)], set()
    while heap:
        cost, _, state, history = heapq.heappop(heap)
        if state in done:
            continue
        done.add(state)
        if state in finals and cost + finals[state] < best[0]:
            words, link = [], history
            while link:
                word, link = link
                words += [word] if word else []
            best = (float(cost + finals[state]), words[::-1])
        for target, word, price in leaving.get(state, []):
            heapq.heappush(heap, (cost + price, next(order), target, (word, history)))
    return best
