"""Where ops have a tie or a corner: one table, keyed by op.

The slope taken is the package's convention; the interval holds the other slopes that calculus would allow, in the
sense of a subgradient: for abs at 0 every number from -1 to 1.
"""

from collections.abc import Callable, Iterator
from math import inf
from typing import Any, NamedTuple

import numpy as np

from .node import Node
from .ops.axes import as_tuple, expand, reduced_size


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


def ties_along(node: Node, near: float) -> Iterator[Corner]:
    """max, min: several elements are the largest."""
    x, options = node.arguments[0], node.options
    if not x.size:
        return
    y = expand(np.asarray(node.value), x, options.get("axis"), options.get("keepdims", False))
    tied = np.abs(x - y) <= near
    tied = tied | (x == y)
    count = np.broadcast_to(np.sum(tied, axis=as_tuple(options.get("axis"), x.ndim), keepdims=True), x.shape)
    tied = tied & (count > 1)
    shares = sorted({int(n) for n in count[tied]})
    word = "largest" if node.operation.name in ("max", "nanmax", "fmax") else "smallest"
    yield Corner(0, tied, f"tied for the {word}", " or ".join(f"1/{n}" for n in shares), 0.0, 1.0)


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
    spread = np.max(x, axis=axes, keepdims=True) - np.min(x, axis=axes, keepdims=True)
    n = reduced_size(x, options.get("axis"))
    left = n - options.get("ddof", 0)
    steep = float(np.sqrt((1 - 1 / n) / left)) if left > 0 else inf
    yield Corner(0, np.broadcast_to(spread <= near, x.shape), "all equal", "0", -steep, steep)


def origin(low: float | None, high: float | None) -> Any:
    """hypot, arctan2: both inputs 0."""

    def find(node: Node, near: float) -> Iterator[Corner]:
        a, b = np.broadcast_arrays(*node.arguments)
        for place in (0, 1):
            yield Corner(place, (np.abs(a) <= near) & (np.abs(b) <= near), "a = b = 0", "0", low, high)

    return find


def lengths(node: Node, near: float) -> Iterator[Corner]:
    """norm: a vector of zeros; and for the sum of magnitudes each 0."""
    x, options = node.arguments[0], node.options
    axes = as_tuple(options.get("axis"), x.ndim)
    order = options.get("ord")
    far = np.abs(x) if order == 1 else np.max(np.abs(x), axis=axes, keepdims=True, initial=0)
    what = "x = 0" if order == 1 else "all 0"
    yield Corner(0, np.broadcast_to(far <= near, x.shape), what, "0", -1.0, 1.0)


def equal_neighbours(node: Node, near: float) -> Iterator[Corner]:
    """sort, partition: equal elements, which change places when one of them moves."""
    x = node.arguments[0]
    axis = node.options.get("axis", -1)
    if not x.size or not x.ndim:
        return
    x, axis = (x.reshape(-1), 0) if axis is None else (x, axis)
    order = np.argsort(x, axis=axis, kind="stable")
    gaps = np.diff(np.take_along_axis(x, order, axis), axis=axis) <= near
    pad = np.zeros_like(np.take(gaps, [0], axis=axis)) if gaps.size else np.zeros_like(x, bool)
    if not gaps.size:
        return
    close = np.concatenate([gaps, pad], axis) | np.concatenate([pad, gaps], axis)
    tied = np.zeros_like(x, bool)
    np.put_along_axis(tied, order, close, axis)
    yield Corner(0, tied.reshape(node.arguments[0].shape), "equal elements", "as placed", 0.0, 1.0)


def steps(node: Node, near: float) -> Iterator[Corner]:
    """floor, ceil, trunc, rint: at a jump."""
    x = node.arguments[0]
    jump = x - 0.5 if node.operation.name in ("rint", "round", "around") else x
    yield Corner(0, np.abs(jump - np.rint(jump)) <= near, "at a step", "0", None, None)


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


CORNERS: dict[str, Callable[[Node, float], Iterator[Corner]]] = {
    "relu": at(0, _x, "x = 0", "0", 0.0, 1.0),
    "abs": at(0, _x, "x = 0", "0", -1.0, 1.0),
    "sign": at(0, _x, "x = 0", "0", None, None),
    "sqrt": at(0, _x, "x = 0", "inf", None, None),
    "cbrt": at(0, _x, "x = 0", "inf", None, None),
    "power": roots,
    "maximum": ties,
    "minimum": ties,
    "fmax": ties,
    "fmin": ties,
    "max": ties_along,
    "min": ties_along,
    "nanmax": ties_along,
    "nanmin": ties_along,
    "clip": clip_bounds,
    "std": constants,
    "hypot": origin(-1.0, 1.0),
    "arctan2": origin(None, None),
    "norm": lengths,
    "vector_norm": lengths,
    "sort": equal_neighbours,
    "partition": equal_neighbours,
    "floor": steps,
    "ceil": steps,
    "trunc": steps,
    "rint": steps,
    "remainder": wraps,
    "fmod": wraps,
}
