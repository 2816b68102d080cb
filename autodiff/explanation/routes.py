"""The paths from a root to a tensor: how many there are, and the largest of them, without walking them all.

A gradient is the sum over all paths of the products of the slopes along each. A chain of thirty diamonds has 2**30
of them; the best are found by searching from the root for what the rest of a path can at most bring.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from math import inf, log
from typing import Any, NamedTuple

import numpy as np

from ..node import Node
from .flow import Flow


class Path(NamedTuple):
    """A path: its edges, from the root down, each a node and the place of the input it goes on to; its part."""

    edges: tuple[tuple[Node, int], ...]
    slopes: tuple[float, ...]
    part: Any


def size(x: Any) -> float:
    """The length of an array as a vector."""
    array = np.asarray(x, np.float64)
    largest = np.max(np.abs(array), initial=0)
    if not np.isfinite(largest) or largest == 0:
        return float(largest)
    return float(largest * np.sqrt(np.sum(np.square(array / largest))))


def gains(flow: Flow) -> dict[tuple[Node, int], float]:
    """For each edge the logarithm of how much larger what it hands on is than what arrives."""
    found = {}
    for node in flow.order:
        arrived = size(flow.gradient[node])
        for place, _ in flow.edges(node):
            gradient = flow.gradient[node] if 0 < arrived < inf else np.ones_like(flow.gradient[node])
            passed = size(flow.pull(node, place, gradient)) / (size(gradient) or 1)  # 0 of an empty array
            found[node, place] = log(passed) if 0 < passed < inf else -inf if passed == 0 else 0.0
    return found


def largest_paths(flow: Flow, most: int) -> Iterator[Path]:
    """At most `most` paths; of scalars in the order of their size, of arrays in that of an estimate of it."""
    gain = gains(flow)
    promise = {flow.target: 0.0}
    for node in flow.order:
        if node is not flow.target:
            promise[node] = max(gain[node, place] + promise[parent] for place, parent in flow.edges(node))
    serial = 0
    start: Any = None  # the edges so far, a chain of pairs from the last to the first
    heap = [(-promise[flow.root], 0, serial, 0.0, flow.root, start)]
    while heap and most:
        _, depth, _, so_far, node, edges = heappop(heap)
        if node is flow.target:
            most -= 1
            yield follow(flow, edges)
            continue
        for place, parent in flow.edges(node):
            serial += 1
            gained = so_far + gain[node, place]
            entry = (-(gained + promise[parent]), depth - 1, serial, gained, parent, (edges, node, place))
            heappush(heap, entry)


def follow(flow: Flow, edges: Any) -> Path:
    """What the seed alone brings along one path, and the slopes on the way where they are single numbers."""
    steps = []
    while edges is not None:
        edges, node, place = edges
        steps.append((node, place))
    steps.reverse()
    gradient, slopes = flow.seed, []
    for node, place in steps:
        if all(np.size(end.value) == 1 for end in (node, node.inputs[place])):
            slopes.append(float(np.sum(flow.pull(node, place, np.ones_like(node.value)))))
        gradient = flow.pull(node, place, gradient)
    return Path(tuple(steps), tuple(slopes) if len(slopes) == len(steps) else (), gradient)
