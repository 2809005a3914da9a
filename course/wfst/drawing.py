"""Transducers drawn: states from left to right, arcs with what they read and write (Lecture 4).

States stand in columns, each to the right of all that lead to it; an arc that passes columns keeps a place free in
each; rows are sorted by the mean row of the neighbours. An arc back to the start ends in a grey copy of it.

Source: K. Sugiyama, S. Tagawa and M. Toda, Methods for visual understanding of hierarchical system structures, 1981.
"""

from collections import defaultdict

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch
from matplotlib.path import Path as Curve

from course.plotting import BLUE, GREY, INK, panels
from course.wfst.graph import Wfst

COLUMN, DOT_COLUMN, ROW = 1.5, 0.55, 0.8  # from one column to the next, with labels and without; from row to row
SWEEPS = 6  # over the columns, to sort their rows
ARROW = {"arrowstyle": "-|>", "shrinkA": 0, "shrinkB": 0, "color": GREY, "linewidth": 1.1}
AGAIN = "start again"  # the copy of the start


def plot_graph(graph: Wfst, ax: Axes | None = None, weights: bool = False, labels: bool = True) -> Axes:
    """Draw a transducer: a bold circle for the start, double ones for ends, ``read:written`` at the arcs.

    Args:
        graph: of some dozens of states at most, trimmed.
        weights: also write the weight of each arc, after a slash.
        labels: without them states are dots, and arcs that write a word carry only that word.

    Raises:
        ValueError: there is nothing to draw.
    """
    if not graph.n_states:
        raise ValueError("A graph with states was expected for a drawing and one without came.")
    ax = panels() if ax is None else ax
    radius = 0.2 if labels else 0.08
    groups = _grouped(graph)
    places, routes = _layout(graph, groups, COLUMN if labels else DOT_COLUMN)
    for (source, to), group in groups.items():
        text = "\n".join(filter(None, (_label(arc, weights, labels) for arc in group)))
        _draw_arc(ax, [places[node] for node in (source, *routes.get((source, to), ()), to)], text, radius)
    for node, place in places.items():
        if not isinstance(node, tuple):
            _draw_state(ax, graph, node, place, radius, labels)
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.autoscale_view()
    ax.margins(0.02)
    return ax


def _grouped(graph: Wfst) -> dict[tuple, list]:
    """(source, target) to the arcs between them, which are drawn as one."""
    groups = defaultdict(list)
    for source, arc in graph.every_arc():
        back = arc.to == graph.start and source != graph.start
        groups[source, AGAIN if back else arc.to].append(arc)
    return groups


def _layout(graph: Wfst, groups, width: float) -> tuple[dict, dict]:
    """Node to place, and arc to the free places, nodes like ``(source, to, column)``, that it passes."""
    forward = _without_rounds(graph.start, [pair for pair in groups if pair[0] != pair[1]])
    column = _columns(graph.start, forward)
    routes, links = {}, []
    for source, to in forward:
        routes[source, to] = [(source, to, c) for c in range(column[source] + 1, column[to])]
        column |= {node: node[2] for node in routes[source, to]}
        chain = [source, *routes[source, to], to]
        links += zip(chain, chain[1:], strict=False)
    row = _rows(column, links)
    return {node: np.array([width * column[node], -ROW * row[node]]) for node in column}, routes


def _without_rounds(start, pairs: list[tuple]) -> list[tuple]:
    """The arcs but those that close a round, found by going through the graph in depth."""
    targets = defaultdict(list)
    for source, to in pairs:
        targets[source].append(to)
    open_nodes, closed, forward, walk = {start}, set(), [], [(start, iter(targets[start]))]
    while walk:
        node, ahead = walk[-1]
        to = next(ahead, None)
        if to is None:
            closed.add(node)
            walk.pop()
        elif to in closed:
            forward.append((node, to))
        elif to not in open_nodes:
            forward.append((node, to))
            open_nodes.add(to)
            walk.append((to, iter(targets[to])))
    return forward


def _columns(start, forward: list[tuple]) -> dict:
    """Most arcs from the start to each node."""
    column, changed = {start: 0}, True
    while changed:
        changed = False
        for source, to in forward:
            if column.get(source, -1) >= 0 and column.get(to, -1) < column[source] + 1:
                column[to], changed = column[source] + 1, True
    return column


def _rows(column: dict, links: list[tuple]) -> dict:
    """A row for each node, in its column near the mean row of its neighbours, left and right in turn."""
    members, left, right = defaultdict(list), defaultdict(list), defaultdict(list)
    for node, number in column.items():
        members[number].append(node)
    for source, to in links:
        left[to].append(source)
        right[source].append(to)
    row = {node: i - (len(nodes) - 1) / 2 for nodes in members.values() for i, node in enumerate(nodes)}
    for sweep in range(SWEEPS):
        neighbours = left if sweep % 2 == 0 else right
        for number in sorted(members, reverse=neighbours is right):
            nodes = members[number]
            wanted = {n: np.mean([row[other] for other in neighbours[n]] or [row[n]]) for n in nodes}
            nodes.sort(key=wanted.get)
            middle = np.mean(list(wanted.values()))
            row |= {node: middle + i - (len(nodes) - 1) / 2 for i, node in enumerate(nodes)}
    return row


def _label(arc, weights: bool, labels: bool) -> str:
    if not labels:
        return arc.output
    text = arc.input if arc.input == arc.output and arc.input else f"{arc.input or 'ε'}:{arc.output or 'ε'}"
    return f"{text}/{arc.weight:.2g}" if weights else text


def _draw_state(ax: Axes, graph: Wfst, node, place, radius: float, labels: bool) -> None:
    colour, state = (GREY, graph.start) if node == AGAIN else (INK, node)
    bold = node == graph.start
    ax.add_patch(Circle(place, radius, fill=not labels, color=colour, linewidth=2.4 if bold else 1.1))
    if state in graph.finals:
        ax.add_patch(Circle(place, 1.3 * radius, fill=False, color=colour, linewidth=1.1))
    if labels:
        ax.text(*place, str(state), ha="center", va="center", fontsize=8, color=colour)


def _draw_arc(ax: Axes, stops: list, text: str, radius: float) -> None:
    """A round for an arc back to its state, a bow for one back to the left, else a line through the free places."""
    size = {"mutation_scale": 9 if radius > 0.1 else 5}
    first, last = stops[0], stops[-1]
    if np.allclose(first, last):
        begin, end = first + radius * np.array([-0.6, 0.8]), first + radius * np.array([0.6, 0.8])
        ax.add_patch(FancyArrowPatch(begin, end, connectionstyle="arc3,rad=-1.7", **ARROW, **size))
        ax.text(*(first + [0, 2.6 * radius]), text, ha="center", va="bottom", fontsize=8.5, color=BLUE)
        return
    begin, end = (a + radius * (b - a) / np.linalg.norm(b - a) for a, b in ((first, stops[1]), (last, stops[-2])))
    points = [begin, *stops[1:-1], end]
    if first[0] >= last[0]:
        ax.add_patch(FancyArrowPatch(begin, end, connectionstyle="arc3,rad=0.3", **ARROW, **size))
    else:
        ax.add_patch(FancyArrowPatch(path=Curve(points), **ARROW, **size))
    middle = len(points) // 2
    a, b = points[middle - 1], points[middle]
    angle = np.degrees(np.arctan2(*(b - a)[::-1])) if b[0] > a[0] else 0
    ax.text(
        *((a + b) / 2), text, ha="center", va="bottom", fontsize=8.5, color=BLUE, rotation=angle,
        rotation_mode="anchor", linespacing=1.0,
    )  # fmt: skip
