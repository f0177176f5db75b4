"""Checkerboard seating: which desks may be used in a shift.

Desks closer to each other than the room's clearance conflict: two people may not sit at both.
Where the conflicts can be coloured with two colours, the colours take turns, and each desk rests
a whole shift. On a rectangular grid with four neighbours a colour is a maximum independent set.
Elsewhere (odd rings, diagonals) a greedy colouring gives as many classes as it needs; each class
is then filled up to a maximal one, so no seat is blocked without a neighbour that is the reason.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np

Graph = tuple[tuple[int, ...], ...]
"""For each desk the desks that it conflicts with, ascending."""

Class = frozenset[int]
"""Desks that may be used together."""

TOLERANCE = 0.001
"""Metres. Plans are drawn to the millimetre; 1.5 m apart is enough for a clearance of 1.5 m."""


def conflicts(seats: Sequence[tuple[float, float]], clearance: float) -> Graph:
    """The conflict graph of seats at (x, y) metres that need `clearance` metres between them."""
    points = np.asarray(seats, dtype=np.float64).reshape(-1, 2)
    graph = []
    for index, point in enumerate(points):
        # hypot, not squares: coordinates of any size neither overflow nor vanish.
        near = np.hypot(*(points - point).T) < clearance - TOLERANCE
        near[index] = False
        graph.append(tuple(int(other) for other in np.flatnonzero(near)))
    return tuple(graph)


def allowed(graph: Graph, shift: int) -> Class:
    """The desks that may be used in a shift. `shift` may be any number that counts up."""
    chosen: set[int] = set()
    for component in _components(graph):
        classes = _two_colours(graph, component) or _greedy_colours(graph, component)
        chosen |= classes[shift % len(classes)]
    return frozenset(chosen)


def _components(graph: Graph) -> list[list[int]]:
    """Desks that are connected by conflicts, each group in breadth-first order."""
    seen: set[int] = set()
    groups = []
    for start in range(len(graph)):
        if start in seen:
            continue
        seen.add(start)
        group, queue = [], deque([start])
        while queue:
            desk = queue.popleft()
            group.append(desk)
            fresh = [other for other in graph[desk] if other not in seen]
            seen.update(fresh)
            queue.extend(fresh)
        groups.append(group)
    return groups


def _two_colours(graph: Graph, component: list[int]) -> list[Class] | None:
    """Both colour classes, the larger first; one class for a lone desk; None for an odd ring."""
    colour: dict[int, int] = {component[0]: 0}
    for desk in component:  # breadth first: a desk's colour is known when its turn comes
        for other in graph[desk]:
            if colour.setdefault(other, 1 - colour[desk]) == colour[desk]:
                return None
    classes = [frozenset(d for d in component if colour[d] == which) for which in (0, 1)]
    return sorted((c for c in classes if c), key=len, reverse=True)


def _greedy_colours(graph: Graph, component: list[int]) -> list[Class]:
    """Classes which together contain every desk of the component, each a maximal one."""
    left = set(component)
    classes = []
    while left:
        core = _independent(graph, left, frozenset())
        left -= core
        classes.append(core | _independent(graph, set(component) - core, core))
    return classes


def _independent(graph: Graph, among: set[int], beside: Class) -> Class:
    """Desks of `among` without conflicts with each other or `beside`, few neighbours first."""
    open_ = {desk for desk in among if beside.isdisjoint(graph[desk])}
    chosen: set[int] = set()
    while open_:
        desk = min(open_, key=lambda d: (sum(o in open_ for o in graph[d]), d))
        chosen.add(desk)
        open_.difference_update((desk, *graph[desk]))
    return frozenset(chosen)
