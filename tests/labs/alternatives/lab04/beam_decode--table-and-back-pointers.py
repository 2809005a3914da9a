"""A row of costs for each frame, the arc that led there, and a walk back from the end."""

import numpy as np


def beam_decode(frame_costs, graph, beam):
    if np.isnan(beam) or beam < 0:
        raise ValueError("a beam is 0 or more")
    arcs, finals = graph["arcs"], graph["finals"]
    units = [arc[2] for arc in arcs]
    if units and not (min(units) >= 0 and max(units) < np.shape(frame_costs)[1]):
        raise ValueError("an arc reads a unit that the frames do not have")
    n_states = 1 + max([0, *(arc[0] for arc in arcs), *(arc[1] for arc in arcs), *(end[0] for end in finals)])
    row = np.full(n_states, np.inf)
    row[0], back, alive = 0.0, [], []
    for frame in frame_costs:
        new, pointers = np.full(n_states, np.inf), np.full(n_states, -1)
        for number, (source, target, unit, _, cost) in enumerate(arcs):
            if row[source] + cost + frame[unit] < new[target]:
                new[target], pointers[target] = row[source] + cost + frame[unit], number
        if np.isfinite(new.min()):
            new[new > new.min() + beam] = np.inf
        row = new
        back.append(pointers)
        alive.append(np.count_nonzero(np.isfinite(row)))
    alive = np.array(alive, dtype=int)
    ends = [(row[state] + cost, state) for state, cost in finals if np.isfinite(row[state])]
    if not ends:
        return np.inf, [], alive
    total, state = min(ends)
    words = []
    for pointers in back[::-1]:
        state, _, _, word, _ = arcs[pointers[state]]
        words = [word, *words] if word else words
    return float(total), words, alive
