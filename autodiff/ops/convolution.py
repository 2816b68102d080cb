"""Convolution of images, as one product of matrices for each image."""

import numpy as np

from ..primitive import primitive
from .elementwise import add
from .images import Steps, check_images, check_room, cut, overlay, pair
from .indexing import wide
from .shaping import reshape

# A convolution is linear in the images and in the kernels, and so are its two gradients: each of the three
# ops has the other two for its rules.


def _surrounded(x, steps):
    return np.pad(x, ((0, 0), (0, 0), *steps.padding)) if any(map(any, steps.padding)) else x


def _columns(x, kernel, steps):
    """Each window as a column: batch x groups x (channels * kernel's size) x windows, one contiguous array."""
    windows = cut(_surrounded(x, steps), kernel, steps)
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


def _shares(g, w, steps):
    """What each element of each window gets: batch x groups x (channels * kernel's size) x windows."""
    groups, kernels = steps.groups, w.shape[0] // steps.groups
    matrix = w.reshape(groups, kernels, w[0].size)
    return np.swapaxes(matrix, 1, 2) @ g.reshape(g.shape[0], groups, kernels, g.shape[2] * g.shape[3])


def _overlaid_rows(g, w, steps, shape):
    """The same overlay at stride 1, a whole image at a time.

    With `g` filled up with zeros to the width of the images, an element of the kernel is a step along the image's
    memory, and long runs are added instead of short rows: a fifth of the time.
    """
    batch, channels, height, width = shape
    filled = np.zeros((*g.shape[:3], width), g.dtype)
    filled[..., : g.shape[3]] = g
    length = g.shape[2] * width
    shares = _shares(filled, w, steps).reshape(batch, channels, *w.shape[2:], length)
    room = steps.dilation[1] * (w.shape[3] - 1)  # the zeros of the last row may lie beyond the image
    x = np.zeros((batch, channels, height * width + room), wide(g.dtype))
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            start = i * steps.dilation[0] * width + j * steps.dilation[1]
            x[:, :, start : start + length] += shares[:, :, i, j]
    return x[:, :, : height * width].reshape(shape).astype(g.dtype, copy=False)


@primitive()
def _conv2d_images(g, w, /, steps, shape):
    """The gradient of the images: each window's share laid over the others."""
    (top, bottom), (left, right) = steps.padding
    padded = (*shape[:2], shape[2] + top + bottom, shape[3] + left + right)
    if steps.stride == (1, 1):
        x = _overlaid_rows(g, w, steps, padded)
    else:
        x = overlay(_shares(g, w, steps).reshape(*shape[:2], *w.shape[2:], *g.shape[2:]), padded, steps)
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
    check_images("conv2d", x)
    shape, kernels = np.shape(x), np.shape(weight)
    if len(kernels) != 4 or not all(kernels[2:]):
        raise ValueError(
            f"conv2d: kernels are number x channels x height x width, not of shape {kernels}; np.reshape helps"
        )
    if not isinstance(groups, int) or groups < 1:
        raise ValueError(f"conv2d: groups is an integer from 1 on, not {groups!r}")
    if shape[1] != kernels[1] * groups or kernels[0] % groups:
        raise ValueError(
            f"conv2d: {shape[1]} channels do not fit {kernels[0]} kernels of {kernels[1]} channels in {groups} groups; "
            "weight is kernels x (channels / groups) x height x width, kernels a multiple of groups"
        )
    stride, dilation = pair("conv2d", "stride", stride, 1), pair("conv2d", "dilation", dilation, 1)
    if padding == "same":
        if stride != (1, 1):
            raise ValueError('conv2d: padding="same" goes with stride 1 alone; give padding= as a number')
        room = [spread * (size - 1) for spread, size in zip(dilation, kernels[2:], strict=True)]
        above, aside = room
        sides = ((above // 2, above - above // 2), (aside // 2, aside - aside // 2))
    elif isinstance(padding, str) and padding != "valid":
        raise ValueError(f'conv2d: padding is "same", "valid" or integers, not {padding!r}')
    else:
        above, aside = (0, 0) if padding == "valid" else pair("conv2d", "padding", padding, 0)
        sides = ((above, above), (aside, aside))
    steps = Steps(stride, sides, dilation, groups)
    check_room("conv2d", x, kernels[2:], steps)
    y = _conv2d(x, weight, steps)
    if bias is None:
        return y
    if np.shape(bias) != kernels[:1]:
        raise ValueError(
            f"conv2d: bias has a number for each of {kernels[0]} kernels, not shape {np.shape(bias)}"
        )
    return add(y, reshape(bias, (kernels[0], 1, 1)))
