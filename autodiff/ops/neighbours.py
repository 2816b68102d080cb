"""What neighbours along an axis make together: differences, slopes, areas."""

import numpy as np

from ..primitive import implements
from ..tensor import Tensor
from .axes import as_tuple, at
from .options import as_array, cast
from .refusals import place_of
from .shaping import ravel

NONE = np._NoValue


def _step(a, axis):
    return a[at(axis, slice(1, None))] - a[at(axis, slice(None, -1))]


@implements(np.diff)
def diff(a, n=1, axis=-1, prepend=NONE, append=NONE):
    """Each element less the one before it along `axis`, `n` times over, after `prepend` and `append` were joined on."""
    if n < 0:
        raise ValueError(f"diff: n, how often to take differences, is at least 0, not {n}")
    if n == 0:
        return a
    axis = place_of("diff", axis, np.ndim(a))
    parts = [part for part in (prepend, a, append) if part is not NONE]
    edge = (*np.shape(a)[:axis], 1, *np.shape(a)[axis + 1 :])
    parts = [np.broadcast_to(part, edge) if np.ndim(part) == 0 else part for part in parts]
    a = parts[0] if len(parts) == 1 else np.concatenate(parts, axis)
    for _ in range(n):
        a = _step(a, axis)
    return a


@implements(np.ediff1d)
def ediff1d(ary, to_end=None, to_begin=None):
    """The differences of neighbours in ary.ravel(), between `to_begin` and `to_end`."""
    ary = ravel(ary)
    ends = [
        None if end is None else cast("ediff1d", ravel(as_array(end)), ary.dtype)
        for end in (to_begin, to_end)
    ]
    parts = [part for part in (ends[0], _step(ary, 0), ends[1]) if part is not None]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


@implements(np.trapezoid)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The area under the line through the points (x, y) along `axis`: `x` of one axis or y's shape, or steps of `dx`.

    `x` and `dx` may be Tensors too.
    """
    y = as_array(y)
    axis = place_of("trapezoid", axis, len(y.shape))
    if x is not None and np.ndim(x) == 1:
        dx = np.reshape(_step(as_array(x), 0), [-1 if i == axis else 1 for i in range(len(y.shape))])
    elif x is not None:
        dx = diff(as_array(x), axis=axis)
    return np.sum(dx * (y[at(axis, slice(1, None))] + y[at(axis, slice(None, -1))]) / 2.0, axis=axis)


def _spacings(f, axes, spacings):
    """For each axis the distance of neighbours: a number, or an array of one for each pair."""
    if len(spacings) not in (0, 1, len(axes)) or (
        len(spacings) == 1 and len(axes) > 1 and np.ndim(spacings[0])
    ):
        raise TypeError(
            f"gradient: takes one spacing, or one for each of {len(axes)} axes, not {len(spacings)}"
        )
    spacings = [1.0] if not spacings else list(spacings)
    found = []
    for axis, spacing in zip(axes, spacings * (len(axes) // len(spacings)), strict=True):
        if np.ndim(spacing) > 1:
            raise ValueError("gradient: a spacing is a number, or the places along an axis")
        if np.ndim(spacing) == 1:
            if np.shape(spacing)[0] != f.shape[axis]:
                raise ValueError(
                    f"gradient: {np.shape(spacing)[0]} places for the {f.shape[axis]} elements of axis {axis}"
                )
            spacing = _step(as_array(spacing), 0)
            if not isinstance(spacing, Tensor) and np.all(spacing == spacing[0]):
                spacing = spacing[0]
        found.append(spacing)
    return found


def _slope(f, axis, h, order):
    """The slope along `axis`: by central differences inside, by one-sided ones of `order` at both ends."""
    line = [1] * len(f.shape)
    line[axis] = -1
    take = lambda start, stop: f[at(axis, slice(start, stop))]
    if not np.ndim(h):
        inside = (take(2, None) - take(None, -2)) / (2.0 * h)
        before = behind = first = second = last = second_last = h
    else:
        before, behind = np.reshape(h[:-1], line), np.reshape(h[1:], line)
        weights = (
            -behind / (before * (before + behind)),
            (behind - before) / (before * behind),
            before / (behind * (before + behind)),
        )
        inside = weights[0] * take(None, -2) + weights[1] * take(1, -1) + weights[2] * take(2, None)
        first, second, last, second_last = h[0], h[min(1, len(h) - 1)], h[-1], h[max(-2, -len(h))]
    if order == 1:
        start = (take(1, 2) - take(0, 1)) / first
        end = (take(-1, None) - take(-2, -1)) / last
    else:
        start = _three_points(first, second, take(0, 1), take(1, 2), take(2, 3))
        end = -_three_points(last, second_last, take(-1, None), take(-2, -1), take(-3, -2))
    return cast("gradient", np.concatenate([start, inside, end], axis), f.dtype)


def _three_points(h, k, a, b, c):
    """The slope at the first of three points, h and then k apart."""
    return a * (-(2 * h + k) / (h * (h + k))) + b * ((h + k) / (h * k)) + c * (-h / (k * (h + k)))


@implements(np.gradient)
def gradient(f, *varargs, axis=None, edge_order=1):
    """The slopes of `f` along each of its axes, or along `axis`, by differences of second order.

    `varargs`: for each axis the distance of neighbours or their places, which may be Tensors too. `edge_order`:
    1 or 2, the order at both ends. An array for one axis, a tuple for several.
    """
    f = as_array(f)
    axes = as_tuple(axis, len(f.shape), "gradient")
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: edge_order is 1 or 2, not {edge_order}")
    spacings = _spacings(f, axes, varargs)
    for one in axes:
        if f.shape[one] <= edge_order:
            raise ValueError(f"gradient: axis {one} has {f.shape[one]} elements, fewer than edge_order + 1")
    slopes = [_slope(f, one, h, edge_order) for one, h in zip(axes, spacings, strict=True)]
    return slopes[0] if len(slopes) == 1 else tuple(slopes)
