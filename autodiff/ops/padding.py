"""np.pad in all its modes that have a derivative.

Those that compute (a mean, a ramp, an image turned upside down) are made of ops on slices, each of which hands back
an array of the whole size: their backward pass takes some ten times as long as that of mere copies.
"""

from typing import Any

import numpy as np

from ..primitive import implements, primitive
from ..tensor import Tensor
from .axes import at
from .elementwise import astype, subtract
from .indexing import added_at, getitem, wide
from .joining import concatenate
from .refusals import errors_of
from .shaping import broadcast_to, reshape

# The options of each mode, with their defaults; those in brackets are read in pairs for each axis.
MODES: dict[str, dict[str, Any]] = {
    "constant": {"constant_values": 0},
    "edge": {},
    "linear_ramp": {"end_values": 0},
    "maximum": {"stat_length": None},
    "mean": {"stat_length": None},
    "median": {"stat_length": None},
    "minimum": {"stat_length": None},
    "reflect": {"reflect_type": "even"},
    "symmetric": {"reflect_type": "even"},
    "wrap": {},
}
STATISTICS: dict[str, Any] = {"maximum": np.max, "mean": np.mean, "median": np.median, "minimum": np.min}


@primitive(structure="layout")
def _pad_constant(x, /, widths, numbers):
    inside = tuple([slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True)])
    return np.pad(x, widths, constant_values=numbers), lambda g, y, x: g[inside]


@primitive(structure="layout")
def _pad_copies(x, /, widths, mode):
    """Elements of x again around it: which ones, tells np.pad of their places along each axis."""
    lengths = zip(x.shape, widths, strict=True)
    lists = [np.pad(np.arange(n), pair, mode) if any(pair) else None for n, pair in lengths]

    def gather(g, y, x):
        for axis, places in enumerate(lists):
            if places is not None:
                g = _fold_back(g, places, axis, widths[axis][0], x.shape[axis])
        return g

    return np.pad(x, widths, mode), gather


@primitive(structure="layout")
def _fold_back(g, /, places, axis, before, length):
    """The parts of `g` along `axis` added to the places they were copied from; most lie where they were."""
    outside = np.concatenate([np.arange(before), np.arange(before + length, len(places))])
    inside = g[at(axis, slice(before, before + length))].astype(wide(g.dtype))
    x = added_at(inside, at(axis, places[outside]), g[at(axis, outside)]).astype(g.dtype, copy=False)
    return x, lambda h, x, g: np.take(h, places, axis)


def _upside_down(x, axis, pair, mode):
    """Mirror images of x before and behind it, turned over at its ends: 2 * edge - image, as often as needed."""
    before, after = pair
    skip = 1 if mode == "reflect" else 0
    period = x.shape[axis] - skip
    if not period:
        return broadcast_to(x, (*x.shape[:axis], 1 + before + after, *x.shape[axis + 1 :]))
    while before or after:
        end = x.shape[axis]
        usable = (end - skip) // period * period
        left, right = min(usable, before), min(usable, after)
        parts = [
            2 * x[at(axis, slice(0, 1))] - np.flip(x[at(axis, slice(skip, skip + left))], axis),
            x,
            2 * x[at(axis, slice(end - 1, end))]
            - np.flip(x[at(axis, slice(end - skip - right, end - skip))], axis),
        ]
        x = concatenate(parts, axis)
        before, after = before - left, after - right
    return x


def _side(x, axis, mode, value, width, last):
    """`width` elements for one side of an axis, made from `value` and x; behind x if they are the `last`."""
    n = x.shape[axis]
    if mode == "constant":
        side = _cast(value, x.dtype)
    elif mode == "linear_ramp":  # from the edge of x on towards the number that the outermost element is
        edge = x[at(axis, slice(n - 1, n) if last else slice(0, 1))]
        steps = np.arange(width, dtype=np.promote_types(x.dtype, np.float64)) / width
        steps = steps.astype(x.dtype).reshape([width, *[1] * (len(x.shape) - axis - 1)])
        end = _cast(value, x.dtype)
        side = end + subtract(edge, end) * (np.flip(steps, 0) if last else steps)
    else:
        length = n if value is None else min(int(value), n)
        part = slice(n - length, n) if last else slice(0, length)
        side = STATISTICS[mode](x[at(axis, part)], axis=axis, keepdims=True)
    return broadcast_to(side, (*x.shape[:axis], width, *x.shape[axis + 1 :]))


def _in_pairs(values, ndim):
    """For each axis a pair, from a number, a pair or pairs; they may be a Tensor's."""
    values = values if isinstance(values, Tensor) else np.asarray(values)
    if values.size == 1:
        values = reshape(values, (1, 1))
    elif values.size == 2 and values.shape != (2, 1):
        values = reshape(values, (1, 2))
    values = broadcast_to(values, (ndim, 2))
    return [(getitem(values, (axis, 0)), getitem(values, (axis, 1))) for axis in range(ndim)]


def _widths(pad_width, ndim):
    if isinstance(pad_width, dict):
        named = np.zeros((ndim, 2), int)
        for axis, width in pad_width.items():
            named[axis] = width
        pad_width = named
    if np.asarray(pad_width).dtype.kind not in "iu":
        raise TypeError(f"pad: widths are integers, not {pad_width!r:.60}")
    pairs = [(int(before), int(after)) for before, after in _in_pairs(pad_width, ndim)]
    if any(width < 0 for pair in pairs for width in pair):
        raise ValueError(f"pad: widths are not negative, {pairs}; a slice x[1:-1] takes away")
    return pairs


@implements(np.pad)
def pad(array, pad_width, mode="constant", **options):
    """More elements around the array, made from it as NumPy's `mode` says; constant_values and end_values may be Tensors.

    Refuses the mode "empty", whose elements have no value, and functions, which write into an array.
    """
    if callable(mode) or mode == "empty":
        what = "a function as mode= writes into an array" if callable(mode) else 'mode="empty" has no values'
        raise TypeError(f"pad: {what}; use another mode, or np.concatenate with parts of your own")
    if mode not in MODES:
        raise ValueError(f"pad: there is no mode {mode!r}, only {', '.join(MODES)}")
    for name in options.keys() - MODES[mode].keys():
        raise ValueError(f'pad: the mode "{mode}" has no option {name}=')
    option = {**MODES[mode], **options}
    ndim = np.ndim(array)
    if not ndim:
        return array
    with errors_of("pad"):
        widths = _widths(pad_width, ndim)
    axes = [axis for axis in range(ndim) if any(widths[axis])]
    for axis in axes:
        if mode != "constant" and not np.shape(array)[axis]:
            raise ValueError(f'pad: an empty axis cannot grow in the mode "{mode}"; use "constant"')
    if mode == "constant" and not isinstance(option["constant_values"], Tensor):
        with errors_of("pad"):
            return _pad_constant(array, widths, np.asarray(option["constant_values"]))
    kind = option.get("reflect_type", "even" if mode in ("edge", "wrap") else None)
    if kind == "even":
        return _pad_copies(array, widths, mode)
    x = array
    if kind == "odd":
        for axis in axes:
            x = _upside_down(x, axis, widths[axis], mode)
        return x
    if kind is not None:
        raise ValueError(f'pad: reflect_type is "even" or "odd", not {kind!r}')
    values = next(iter(option.values()))
    pairs = [(None, None)] * ndim if values is None else _in_pairs(values, ndim)
    for axis in axes:
        (before, after), (first, last) = widths[axis], pairs[axis]
        left = [_side(x, axis, mode, first, before, False)] if before else []
        right = [_side(x, axis, mode, last, after, True)] if after else []
        x = concatenate([*left, x, *right], axis)
    return x


def _cast(value, dtype):
    return value if value.dtype == dtype else astype(value, dtype)
