"""Windows that slide over an array, and their adjoint: overlapping gradients added up."""

import numpy as np

from ..primitive import primitive
from .indexing import wide


def _fold(g, axis, shape):
    """The sum of windows over one axis, each where it was taken; the windows' own axis is g's last."""
    x = np.zeros(shape, wide(g.dtype))
    sums, parts = np.moveaxis(x, axis, 0), np.moveaxis(g, (-1, axis), (0, 1))
    length, count = parts.shape[:2]
    if length <= count:  # as few additions of slices as can be
        for start in range(length):
            sums[start : start + count] += parts[start]
    else:
        for place in range(count):
            sums[place : place + length] += parts[:, place]
    return x.astype(g.dtype, copy=False)


@primitive(structure="layout")
def _sum_windows(g, /, window, axes, shape):
    x = g
    for length, axis in zip(reversed(window), reversed(axes), strict=True):
        whole = (*x.shape[:axis], x.shape[axis] + length - 1, *x.shape[axis + 1 : -1])
        x = _fold(x, axis, whole)
    return x, lambda h, x, g: np.lib.stride_tricks.sliding_window_view(h, window, axes)


@primitive(np.lib.stride_tricks.sliding_window_view, structure="selection")
def sliding_window_view(x, /, window_shape, axis=None):
    """All windows of a shape, in new last axes; elements in several windows add their gradients."""
    y = np.lib.stride_tricks.sliding_window_view(x, window_shape, axis)
    ndim = len(x.shape)
    window = tuple(np.atleast_1d(window_shape).tolist())
    axes = (
        tuple(range(ndim))
        if axis is None
        else np.lib.array_utils.normalize_axis_tuple(axis, ndim, None, True)
    )
    return y, lambda g, y, x: _sum_windows(g, window, axes, x.shape)
