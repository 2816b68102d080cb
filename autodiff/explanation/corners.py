"""Where ops have a tie or a corner: one table, keyed by op.

The slope taken is the package's convention; the interval holds the other slopes that calculus would allow, in the
sense of a subgradient: for abs at 0 every number from -1 to 1.
"""

from collections.abc import Callable, Iterator
from math import inf
from typing import Any, NamedTuple

import numpy as np

from ..node import Node
from ..ops.axes import as_tuple, axes_last, expand
from ..ops.images import cut, overlay
from ..visualize.values import number


class Corner(NamedTuple):
    """Elements of an op's input at a corner: which (a mask), what they are, the slope taken, and the interval of right ones.

    `low` and `high` are None where no interval is right, as for the root at 0, whose slope grows without bound.
    """

    place: int
    mask: Any
    what: str
    slope: str
    low: float | None
    high: float | None


def at(
    place: int, distance: Callable[..., Any], what: str, slope: str, low: float | None, high: float | None
) -> Any:
    """Corners where a distance of the inputs is 0, or within `near` of it."""

    def find(node: Node, near: float) -> Iterator[Corner]:
        yield Corner(place, np.abs(distance(*node.arguments)) <= near, what, slope, low, high)

    return find


def ties(node: Node, near: float) -> Iterator[Corner]:
    """maximum, minimum: a == b. Of one tensor twice there is nothing to choose."""
    a, b = node.arguments
    if node.left is node.right:
        return
    for place in (0, 1):
        yield Corner(place, np.abs(a - b) <= near, "a = b", "0.5", 0.0, 1.0)


def slopes(node: Node, mask: Any) -> str:
    """The slopes that the rule took at these elements of a single input, where a gradient of ones arrives."""
    taken = {number(slope) for slope in pulled(node)[mask]}
    return " or ".join(sorted(taken)[:3]) + (" or …" if len(taken) > 3 else "")


def pulled(node: Node) -> Any:
    """What the rule of an op with a single input makes of a gradient of ones."""
    ones = np.ones(node.value.shape, node.value.dtype)[()]
    return np.asarray(node.vjps[0](ones, node.value, *node.arguments))  # type: ignore[misc]


def ties_along(node: Node, near: float) -> Iterator[Corner]:
    """max, min: several elements are the largest."""
    x, options = node.arguments[0], node.options
    if not node.value.size or not x.size:
        return
    y = expand(np.asarray(node.value), x, options.get("axis"), options.get("keepdims", False))
    tied = ((x == y) | (np.abs(x - y) <= near)) & options.get("where", True)
    count = np.sum(tied, axis=as_tuple(options.get("axis"), x.ndim), keepdims=True)
    tied = tied & (count + (y == options.get("initial", np.nan)) > 1)
    word = "largest" if "max" in node.operation.name else "smallest"
    yield Corner(0, tied, f"tied for the {word}", slopes(node, tied), 0.0, 1.0)


def ties_in_windows(node: Node, near: float) -> Iterator[Corner]:
    """max_pool2d: several elements of a window are the largest."""
    x, kernel, steps = node.arguments[0], node.options["kernel"], node.options["steps"]
    windows = cut(x, kernel, steps)
    y = np.expand_dims(node.value, (2, 3))
    tied = (windows == y) | (np.abs(windows - y) <= near)
    tied = tied & (np.sum(tied, axis=(2, 3), keepdims=True) > 1)
    mask = overlay(tied.astype(np.float64), x.shape, steps) > 0
    yield Corner(0, mask, "tied in a window", slopes(node, mask), 0.0, 1.0)


def equal_elements(node: Node, near: float) -> Iterator[Corner]:
    """sort, median, quantiles: an element that is used equals another, with which it changes places when it moves."""
    x = node.arguments[0]
    if not x.size or not x.ndim:
        return
    axis = node.options.get("axis")
    used = np.ones(x.shape, bool) if node.operation.name == "reorder" else pulled(node) != 0
    rows, back = axes_last(x, axis)
    order = np.argsort(rows, axis=-1, kind="stable")
    ranked = np.take_along_axis(rows, order, -1)
    apart = ~((ranked[..., 1:] == ranked[..., :-1]) | (ranked[..., 1:] - ranked[..., :-1] <= near))
    apart = np.concatenate([np.ones((*rows.shape[:-1], 1), bool), apart], axis=-1)
    group = np.cumsum(apart.reshape(-1)) - 1  # a number for each run of equal elements
    used_there = np.take_along_axis(axes_last(used, axis)[0], order, -1).reshape(-1)
    tied = (np.bincount(group)[group] > 1) & (np.bincount(group, used_there)[group] > 0)
    flags = np.zeros(rows.shape, bool)
    np.put_along_axis(flags, order, tied.reshape(rows.shape), -1)
    mask = back(flags)
    yield Corner(0, mask, "equal elements", slopes(node, mask), 0.0, 1.0)


def repetitions(node: Node, near: float) -> Iterator[Corner]:
    """unique: equal elements, of which there are two as soon as one moves."""
    shared = pulled(node) < 1
    yield Corner(0, shared, "equal elements", slopes(node, shared), None, None)


def clip_bounds(node: Node, near: float) -> Iterator[Corner]:
    """clip: x at a bound."""
    x, low, high = np.broadcast_arrays(*node.arguments)
    for bound, what in ((low, "x at the lower bound"), (high, "x at the upper bound")):
        with np.errstate(invalid="ignore"):
            here = (x == bound) | (np.abs(x - bound) <= near)
        yield Corner(0, here & np.isfinite(bound), what, "1", 0.0, 1.0)


def roots(node: Node, near: float) -> Iterator[Corner]:
    """x**b at 0 for 0 < b < 1, whose slope is infinite; b at x = 0, where x**b jumps at b = 0."""
    a, b = np.broadcast_arrays(*node.arguments)
    yield Corner(0, (np.abs(a) <= near) & (b > 0) & (b < 1), "a = 0, 0 < b < 1", "inf", None, None)
    yield Corner(1, (np.abs(a) <= near) & (b == 0), "0**0", "0", None, None)


def constants(node: Node, near: float) -> Iterator[Corner]:
    """std of equal elements: it is the length of the vector of distances from the mean, and a length at 0 is a cone."""
    x, options = node.arguments[0], node.options
    if not x.size:
        return
    axes = as_tuple(options.get("axis"), x.ndim)
    where = options.get("where", True)
    largest = np.max(x, axis=axes, keepdims=True, initial=-inf, where=where)
    flat = largest - np.min(x, axis=axes, keepdims=True, initial=inf, where=where) <= near
    n = np.sum(np.broadcast_to(where, x.shape), axis=axes, keepdims=True)
    steep = np.max(np.sqrt((1 - 1 / n) / (n - options.get("ddof", 0)))[flat], initial=0)
    yield Corner(0, np.broadcast_to(flat, x.shape) & where, "all equal", "0", -float(steep), float(steep))


def origin(low: float | None, high: float | None) -> Any:
    """hypot, arctan2: both inputs 0."""

    def find(node: Node, near: float) -> Iterator[Corner]:
        a, b = np.broadcast_arrays(*node.arguments)
        for place in (0, 1):
            yield Corner(place, (np.abs(a) <= near) & (np.abs(b) <= near), "a = b = 0", "0", low, high)

    return find


def lengths(node: Node, near: float) -> Iterator[Corner]:
    """vector_norm: a vector of zeros; for the sum of magnitudes, and for orders below 1, each 0."""
    x, options = node.arguments[0], node.options
    order = options.get("ord", 2)
    if order > 1:
        size = np.max(np.abs(x), axis=as_tuple(options.get("axis"), x.ndim), keepdims=True, initial=0)
        yield Corner(0, np.broadcast_to(size <= near, x.shape), "all 0", "0", -1.0, 1.0)
    else:
        bound = 1.0 if order == 1 else None
        yield Corner(0, np.abs(x) <= near, "x = 0", "0", bound and -bound, bound)


def jumps(node: Node, near: float) -> Iterator[Corner]:
    """modf's fraction: at a whole number, but not at 0."""
    x = node.arguments[0]
    whole = np.rint(x)
    yield Corner(0, (np.abs(x - whole) <= near) & (whole != 0), "a whole number", "1", None, None)


def wraps(node: Node, near: float) -> Iterator[Corner]:
    """remainder, fmod: a multiple of the divisor, where the sawtooth jumps."""
    a, b = np.broadcast_arrays(*node.arguments)
    with np.errstate(all="ignore"):
        turns = a / b
        yield Corner(
            0, np.abs(turns - np.rint(turns)) * np.abs(b) <= near, "a is a multiple of b", "1", None, None
        )


def _x(x: Any) -> Any:
    return x


def _a(a: Any, b: Any) -> Any:
    return np.broadcast_arrays(a, b)[0]


def _from_1(x: Any) -> Any:
    return 1 - np.abs(x)


CORNERS: dict[str, Callable[[Node, float], Iterator[Corner]]] = {
    "relu": at(0, _x, "x = 0", "0", 0.0, 1.0),
    "abs": at(0, _x, "x = 0", "0", -1.0, 1.0),
    "sqrt": at(0, _x, "x = 0", "inf", None, None),
    "cbrt": at(0, _x, "x = 0", "inf", None, None),
    "power": roots,
    "maximum": ties,
    "minimum": ties,
    "fmax": ties,
    "fmin": ties,
    **dict.fromkeys(("max", "min", "nanmax", "nanmin"), ties_along),
    "max_pool2d": ties_in_windows,
    "clip": clip_bounds,
    "std": constants,
    "hypot": origin(-1.0, 1.0),
    "arctan2": origin(None, None),
    "vector_norm": lengths,
    "reorder": equal_elements,
    **dict.fromkeys(("median", "quantile", "percentile"), equal_elements),
    **dict.fromkeys(("nanmedian", "nanquantile", "nanpercentile"), equal_elements),
    "unique": repetitions,
    "copysign": at(0, _a, "a = 0", "0", -1.0, 1.0),
    "arcsin": at(0, _from_1, "x = 1 or -1", "inf", None, None),
    "arccos": at(0, _from_1, "x = 1 or -1", "-inf", None, None),
    "arccosh": at(0, _from_1, "x = 1", "inf", None, None),
    "fraction": jumps,
    "remainder": wraps,
    "fmod": wraps,
}
