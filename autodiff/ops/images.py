"""Windows over images, for convolution and pooling: batch x channels x height x width."""

from typing import Any, NamedTuple

import numpy as np

from ..primitive import primitive
from .indexing import wide

Pair = tuple[int, int]


class Steps(NamedTuple):
    """How windows move: a pair for height and width each, of padding a pair of pairs."""

    stride: Pair = (1, 1)
    padding: tuple[Pair, Pair] = ((0, 0), (0, 0))
    dilation: Pair = (1, 1)
    groups: int = 1


def cut(x: Any, kernel: Pair, steps: Steps) -> Any:
    """The view batch x channels x kernel's height x width x rows x columns of all windows."""
    (down, right), (tall, wide) = steps.stride, steps.dilation
    rows = (x.shape[2] - tall * (kernel[0] - 1) - 1) // down + 1
    columns = (x.shape[3] - wide * (kernel[1] - 1) - 1) // right + 1
    b, c, h, w = x.strides
    shape = (*x.shape[:2], *kernel, rows, columns)
    strides = (b, c, tall * h, wide * w, down * h, right * w)
    return np.lib.stride_tricks.as_strided(x, shape, strides, writeable=False)


def overlay(g: Any, shape: tuple[int, ...], steps: Steps) -> Any:
    """Zeros of `shape` with each window's elements of `g` added where `cut` took them from."""
    x = np.zeros(shape, wide(g.dtype))
    rows, columns = g.shape[4:]
    apart = steps.dilation == (1, 1) and steps.stride[0] >= g.shape[2] and steps.stride[1] >= g.shape[3]
    for i in range(g.shape[2]):
        for j in range(g.shape[3]):
            top, left = i * steps.dilation[0], j * steps.dilation[1]
            down = slice(top, top + rows * steps.stride[0], steps.stride[0])
            right = slice(left, left + columns * steps.stride[1], steps.stride[1])
            if apart:  # no two windows meet; adding takes several times as long
                x[:, :, down, right] = g[:, :, i, j]
            else:
                x[:, :, down, right] += g[:, :, i, j]
    return x.astype(g.dtype, copy=False)


@primitive(structure="selection")
def _image_windows(x, /, kernel, steps):
    return cut(x, kernel, steps), lambda g, y, x: _overlay_windows(g, x.shape, steps)


@primitive(structure="layout")
def _overlay_windows(g, /, shape, steps):
    return overlay(g, shape, steps), lambda h, x, g: _image_windows(h, g.shape[2:4], steps)


# -- what callers hand over ------------------------------------------------------------------------------


def pair(name: str, option: str, number: Any, least: int) -> Pair:
    """(for the height, for the width) of one integer or two."""
    pair = (number, number) if np.ndim(number) == 0 else tuple(number)
    if len(pair) != 2 or any(not isinstance(n, int | np.integer) or n < least for n in pair):
        raise ValueError(
            f"{name}: {option} is an integer from {least} on, or two for height and width, not {number!r}"
        )
    return int(pair[0]), int(pair[1])


def check_images(name: str, x: Any) -> None:
    if np.ndim(x) != 4:
        raise ValueError(
            f"{name}: images are batch x channels x height x width, not of shape {np.shape(x)}; "
            "np.expand_dims(x, 0) makes a batch of one"
        )


def check_room(name: str, x: Any, kernel: Pair, steps: Steps) -> None:
    for length, (before, after), size, spread in zip(
        np.shape(x)[2:], steps.padding, kernel, steps.dilation, strict=True
    ):
        if length + before + after < spread * (size - 1) + 1:
            raise ValueError(
                f"{name}: a window of {spread * (size - 1) + 1} does not fit into a padded length of "
                f"{length + before + after}; padding= makes room"
            )
