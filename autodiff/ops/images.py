"""Convolution and pooling of images: batch x channels x height x width, with the names of PyTorch."""

from math import inf
from typing import Any, NamedTuple

import numpy as np

from ..primitive import primitive
from .elementwise import add
from .padding import _pad_constant
from .reductions import max, mean, sum
from .shaping import reshape

Pair = tuple[int, int]


class Steps(NamedTuple):
    """How windows move: a pair for height and width each, of padding a pair of pairs."""

    stride: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    groups: int = 1


def _cut(x: Any, kernel: Pair, steps: Steps) -> Any:
    """The view batch x channels x kernel's height x width x rows x columns of all windows."""
    (down, right), (tall, wide) = steps.stride, steps.dilation
    rows = (x.shape[2] - tall * (kernel[0] - 1) - 1) // down + 1
    columns = (x.shape[3] - wide * (kernel[1] - 1) - 1) // right + 1
    b, c, h, w = x.strides
    shape = (*x.shape[:2], *kernel, rows, columns)
    strides = (b, c, tall * h, wide * w, down * h, right * w)
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


def _overlay(g: Any, shape: tuple[int, ...], steps: Steps) -> Any:
    """Zeros of `shape` with each window's elements of `g` added where `_cut` took them from."""
    wide = np.float32 if g.dtype == np.float16 else g.dtype  # 2048 + 1 is 2048 in float16
    x = np.zeros(shape, wide)
    rows, columns = g.shape[4:]
    for i in range(g.shape[2]):
        for j in range(g.shape[3]):
            top, left = i * steps.dilation[0], j * steps.dilation[1]
            down = slice(top, top + rows * steps.stride[0], steps.stride[0])
            right = slice(left, left + columns * steps.stride[1], steps.stride[1])
            x[:, :, down, right] += g[:, :, i, j]
    return x.astype(g.dtype, copy=False)


@primitive(structure="selection")
def _image_windows(x, /, kernel, steps):
    return _cut(x, kernel, steps), lambda g, y, x: _overlay_windows(g, x.shape, steps)


@primitive(structure="layout")
def _overlay_windows(g, /, shape, steps):
    return _overlay(g, shape, steps), lambda h, x, g: _image_windows(h, g.shape[2:4], steps)


# A convolution is linear in the images and in the kernels, and so are its two gradients: each of the three
# ops has the other two for its rules.


def _surrounded(x, steps):
    return np.pad(x, ((0, 0), (0, 0), *steps.padding)) if any(map(any, steps.padding)) else x


def _columns(x, kernel, steps):
    """Each window as a column: batch x groups x (channels * kernel's size) x windows, one contiguous array."""
    windows = _cut(_surrounded(x, steps), kernel, steps)
    per_group = x.shape[1] // steps.groups * kernel[0] * kernel[1]
    return windows.reshape(x.shape[0], steps.groups, per_group, windows.shape[4] * windows.shape[5]), windows


@primitive()
def _conv2d(x, w, /, steps):
    """Images convolved with kernels, each window a column of one product of matrices."""
    columns, windows = _columns(x, w.shape[2:], steps)
    kernels = w.reshape(steps.groups, w.shape[0] // steps.groups, columns.shape[2])
    y = (kernels @ columns).reshape(x.shape[0], w.shape[0], *windows.shape[4:])
    return (
        y,
        lambda g, y, x, w: _conv2d_images(g, w, steps, x.shape),
        lambda g, y, x, w: _conv2d_kernels(x, g, steps, w.shape),
    )


@primitive()
def _conv2d_images(g, w, /, steps, shape):
    """The gradient of the images: each window's share laid over the others."""
    batch, groups = shape[0], steps.groups
    kernels = w.reshape(groups, w.shape[0] // groups, -1)
    columns = np.swapaxes(kernels, 1, 2) @ g.reshape(batch, groups, w.shape[0] // groups, -1)
    (top, bottom), (left, right) = steps.padding
    padded = (*shape[:2], shape[2] + top + bottom, shape[3] + left + right)
    x = _overlay(columns.reshape(*shape[:2], *w.shape[2:], *g.shape[2:]), padded, steps)
    return (
        x[:, :, top : top + shape[2], left : left + shape[3]],
        lambda h, x, g, w: _conv2d(h, w, steps),
        lambda h, x, g, w: _conv2d_kernels(h, g, steps, w.shape),
    )


@primitive()
def _conv2d_kernels(x, g, /, steps, shape):
    """The gradient of the kernels: each window weighed with the gradient that its result got."""
    columns, _ = _columns(x, shape[2:], steps)
    gradients = g.reshape(x.shape[0], steps.groups, shape[0] // steps.groups, columns.shape[3])
    return (
        np.sum(gradients @ np.swapaxes(columns, 2, 3), axis=0).reshape(shape),
        lambda h, w, x, g: _conv2d_images(g, h, steps, x.shape),
        lambda h, w, x, g: _conv2d(x, h, steps),
    )


# -- what callers hand over ------------------------------------------------------------------------------


def _pair(name: str, option: str, number: Any, least: int) -> Pair:
    """(for the height, for the width) of one integer or two."""
    pair = (number, number) if np.ndim(number) == 0 else tuple(number)
    if len(pair) != 2 or any(not isinstance(n, int | np.integer) or n < least for n in pair):
        raise ValueError(
            f"{name}: {option} is an integer from {least} on, or two for height and width, not {number!r}"
        )
    return int(pair[0]), int(pair[1])


def _check_images(name: str, x: Any) -> None:
    if np.ndim(x) != 4:
        raise ValueError(
            f"{name}: images are batch x channels x height x width, not of shape {np.shape(x)}; "
            "np.expand_dims(x, 0) makes a batch of one"
        )


def _check_room(name: str, x: Any, kernel: Pair, steps: Steps) -> None:
    for length, (before, after), size, spread in zip(
        np.shape(x)[2:], steps.padding, kernel, steps.dilation, strict=True
    ):
        if length + before + after < spread * (size - 1) + 1:
            raise ValueError(
                f"{name}: a window of {spread * (size - 1) + 1} does not fit into a padded length of "
                f"{length + before + after}; padding= makes room"
            )


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Images convolved with kernels (strictly: correlated, the kernels are not mirrored), as PyTorch's conv2d.

    `x`: batch x channels x height x width; `weight`: kernels x (channels / groups) x height x width; `bias`: a number
    for each kernel. `stride`, `padding` and `dilation`: an integer, or two for height and width;
    `padding` also "valid" (none) and "same" (the size stays, with stride 1). Returns batch x
    kernels x rows x columns. Raises ValueError for shapes that do not fit.

    >>> image = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d(image, np.ones((1, 1, 2, 2)))[0, 0].tolist()
    [[8.0, 12.0], [20.0, 24.0]]
    """
    _check_images("conv2d", x)
    shape, kernels = np.shape(x), np.shape(weight)
    if len(kernels) != 4:
        raise ValueError(
            f"conv2d: kernels are number x channels x height x width, not of shape {kernels}; np.reshape helps"
        )
    groups = _pair("conv2d", "groups", groups, 1)[0]
    if shape[1] != kernels[1] * groups or kernels[0] % groups:
        raise ValueError(
            f"conv2d: {shape[1]} channels do not fit {kernels[0]} kernels of {kernels[1]} channels in {groups} groups; "
            "weight is kernels x (channels / groups) x height x width, kernels a multiple of groups"
        )
    stride, dilation = _pair("conv2d", "stride", stride, 1), _pair("conv2d", "dilation", dilation, 1)
    if padding == "same":
        if stride != (1, 1):
            raise ValueError('conv2d: padding="same" goes with stride 1 alone; give padding= as a number')
        room = [spread * (size - 1) for spread, size in zip(dilation, kernels[2:], strict=True)]
        above, aside = room
        sides = ((above // 2, above - above // 2), (aside // 2, aside - aside // 2))
    else:
        above, aside = (0, 0) if padding == "valid" else _pair("conv2d", "padding", padding, 0)
        sides = ((above, above), (aside, aside))
    steps = Steps(stride, sides, dilation, groups)
    _check_room("conv2d", x, kernels[2:], steps)
    y = _conv2d(x, weight, steps)
    if bias is None:
        return y
    if np.shape(bias) != kernels[:1]:
        raise ValueError(
            f"conv2d: bias has a number for each of {kernels[0]} kernels, not shape {np.shape(bias)}"
        )
    return add(y, reshape(bias, (kernels[0], 1, 1)))


def _pooled(name, x, kernel_size, stride, padding, dilation):
    """The kernel, and how its windows move over x."""
    _check_images(name, x)
    kernel, spread = _pair(name, "kernel_size", kernel_size, 1), _pair(name, "dilation", dilation, 1)
    up, aside = _pair(name, "padding", padding, 0)
    stride = kernel if stride is None else _pair(name, "stride", stride, 1)
    steps = Steps(stride, ((up, up), (aside, aside)), spread)
    if 2 * up > kernel[0] or 2 * aside > kernel[1]:
        raise ValueError(
            f"{name}: padding {(up, aside)} is more than half of the kernel {kernel}, so windows would hold nothing else"
        )
    _check_room(name, x, kernel, steps)
    return kernel, steps


def max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1):
    """The largest element of each window; the tied share the gradient evenly. Otherwise as PyTorch's.

    `x`: batch x channels x height x width. `kernel_size`, `stride` (by default as large as the kernel), `padding` (with
    what is never largest) and `dilation`: an integer, or two for height and width.

    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    """
    kernel, steps = _pooled("max_pool2d", x, kernel_size, stride, padding, dilation)
    return max(_image_windows(_padded(x, steps, -inf), kernel, steps), axis=(2, 3))


def avg_pool2d(x, kernel_size, stride=None, padding=0, *, count_include_pad=True):
    """The average of each window, as PyTorch's.

    `x`: batch x channels x height x width. `kernel_size`, `stride` (by default as large as the kernel) and `padding`
    (with zeros): an integer, or two for height and width. `count_include_pad=False` averages
    over what is no padding.

    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)[0, 0].tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """
    kernel, steps = _pooled("avg_pool2d", x, kernel_size, stride, padding, 1)
    windows = _image_windows(_padded(x, steps, 0), kernel, steps)
    if count_include_pad or not any(map(any, steps.padding)):
        return mean(windows, axis=(2, 3))
    real = _padded(np.ones((1, 1, *np.shape(x)[2:]), windows.dtype), steps, 0)
    return sum(windows, axis=(2, 3)) / _cut(real, kernel, steps).sum(axis=(2, 3))


def _padded(x, steps, number):
    if not any(map(any, steps.padding)):
        return x
    return _pad_constant(x, ((0, 0), (0, 0), *steps.padding), np.asarray(number))
