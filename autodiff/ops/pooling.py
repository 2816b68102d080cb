"""The largest element and the average of windows of an image."""

from functools import reduce
from itertools import product
from math import inf

import numpy as np

from ..primitive import primitive
from .axes import value_of
from .images import Steps, _overlay_windows, check_images, check_room, cut, overlay, pair
from .indexing import wide
from .padding import _pad_constant


def _layers(windows):
    """The windows' first elements, their second ones, ..., each as an image."""
    return [windows[:, :, i, j] for i, j in product(*map(range, windows.shape[2:4]))]


@primitive(structure="selection")
def _max_pool2d(x, /, kernel, steps):
    """The largest element of each window; the tied share the gradient evenly."""

    def share(g, y, x):
        x, y = value_of(x), value_of(y)  # which elements tie has no derivative
        windows = cut(x, kernel, steps)
        tied = windows == np.expand_dims(y, (2, 3))
        if np.isnan(y).any():
            tied |= np.isnan(windows)
        count = reduce(np.add, _layers(tied), np.zeros(y.shape, np.intp))
        shares = np.expand_dims(g * (1 / count).astype(y.dtype), (2, 3))
        return _overlay_windows(np.where(tied, shares, 0), x.shape, steps)

    # Layer by layer, because NumPy's maximum over the two short axes takes ten times as long.
    return reduce(np.maximum, _layers(cut(x, kernel, steps))), share


@primitive(structure="layout")
def _sum_pool2d(x, /, kernel, steps):
    layers = _layers(cut(x, kernel, steps))
    y = reduce(np.add, layers[1:], layers[0].astype(wide(x.dtype))).astype(x.dtype, copy=False)
    return y, lambda g, y, x: _spread_pool2d(g, kernel, steps, x.shape)


@primitive(structure="layout")
def _spread_pool2d(g, /, kernel, steps, shape):
    whole = np.broadcast_to(np.expand_dims(g, (2, 3)), (*g.shape[:2], *kernel, *g.shape[2:]))
    return overlay(whole, shape, steps), lambda h, x, g: _sum_pool2d(h, kernel, steps)


def _pooled(name, x, kernel_size, stride, padding, dilation):
    """The kernel, and how its windows move over x."""
    check_images(name, x)
    kernel, spread = pair(name, "kernel_size", kernel_size, 1), pair(name, "dilation", dilation, 1)
    up, aside = pair(name, "padding", padding, 0)
    stride = kernel if stride is None else pair(name, "stride", stride, 1)
    steps = Steps(stride, ((up, up), (aside, aside)), spread)
    if 2 * up > kernel[0] or 2 * aside > kernel[1]:
        raise ValueError(
            f"{name}: padding {(up, aside)} is more than half of the kernel {kernel}, so windows would hold nothing else"
        )
    check_room(name, x, kernel, steps)
    return kernel, steps


def max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1):
    """The largest element of each window; the tied share the gradient evenly. Otherwise as PyTorch's.

    `x`: batch x channels x height x width. `kernel_size`, `stride` (by default as large as the kernel), `padding` (with
    what is never largest) and `dilation`: an integer, or two for height and width.

    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    """
    kernel, steps = _pooled("max_pool2d", x, kernel_size, stride, padding, dilation)
    return _max_pool2d(_padded(x, steps, -inf), kernel, steps)


def avg_pool2d(x, kernel_size, stride=None, padding=0, *, count_include_pad=True):
    """The average of each window, as PyTorch's.

    `x`: batch x channels x height x width. `kernel_size`, `stride` (by default as large as the kernel) and `padding`
    (with zeros): an integer, or two for height and width. `count_include_pad=False` averages
    over what is no padding.

    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0].tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """
    kernel, steps = _pooled("avg_pool2d", x, kernel_size, stride, padding, 1)
    total = _sum_pool2d(_padded(x, steps, 0), kernel, steps)
    if count_include_pad or not any(map(any, steps.padding)):
        return total / (kernel[0] * kernel[1])
    ones = _padded(np.ones((1, 1, *np.shape(x)[2:]), total.dtype), steps, 0)
    return total / cut(ones, kernel, steps).sum(axis=(2, 3))


def _padded(x, steps, number):
    if not any(map(any, steps.padding)):
        return x
    return _pad_constant(x, ((0, 0), (0, 0), *steps.padding), np.asarray(number))
