"""Layers of images, batch x channels x height x width, and the way from them to rows."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from .. import avg_pool2d, conv2d, max_pool2d
from .checks import check_size, misfit
from .initialisers import Initialiser, he_uniform, parameter, zeros
from .module import Module

convolve: Callable[..., Any] = conv2d


class Conv2d(Module):
    """Images convolved with kernels, as `conv2d` does it.

    `x`: batch x in_channels x height x width; returns batch x out_channels x rows x columns. `kernel_size`: an
    integer, or two for height and width; `stride`, `padding`: as conv2d's, which says how many rows and columns come
    out. `weight`: out_channels x in_channels x height x width; `bias`: (out_channels,), begun with 0.
    Raises ValueError for an x that does not fit.

    >>> layer = Conv2d(1, 8, 3, np.random.default_rng(0), padding="same")
    >>> layer(np.zeros((5, 1, 28, 28))).shape
    (5, 8, 28, 28)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        rng: Any,
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str = 0,
        bias: bool = True,
        init: Initialiser = he_uniform,
        dtype: Any = float,
    ) -> None:
        check_size("Conv2d", "in_channels", in_channels)
        check_size("Conv2d", "out_channels", out_channels)
        height, width = kernel_pair(kernel_size)
        kernels = (out_channels, in_channels, height, width)
        self.weight: Any = parameter("Conv2d", kernels, init, rng, dtype)
        self.bias: Any = parameter("Conv2d", (out_channels,), zeros, rng, dtype) if bias else None
        self.stride, self.padding = stride, padding

    def __call__(self, x: Any, rng: Any = None) -> Any:
        """The images convolved."""
        channels = self.weight.shape[1]
        if np.ndim(x) != 4 or np.shape(x)[1] != channels:
            raise misfit("Conv2d", x, self.weight, f"batch x {channels} channels x height x width")
        return convolve(x, self.weight, self.bias, stride=self.stride, padding=self.padding)


class Pool2d(Module):
    """One number for each window of an image, by `pool`; options as that function's."""

    pool: Callable[..., Any]

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def __call__(self, x: Any, rng: Any = None) -> Any:
        """The windows of batch x channels x height x width as batch x channels x rows x columns."""
        return self.pool(x, self.kernel_size, self.stride, self.padding)


class MaxPool2d(Pool2d):
    """The largest element of each window, as `max_pool2d` does it.

    >>> MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))[0, 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    """

    pool = staticmethod(max_pool2d)


class AvgPool2d(Pool2d):
    """The average of each window, as `avg_pool2d` does it.

    >>> AvgPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))[0, 0].tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """

    pool = staticmethod(avg_pool2d)


class Flatten(Module):
    """All axes but the first joined into one: (batch, ...) becomes (batch, features).

    >>> Flatten()(np.zeros((5, 8, 3, 3))).shape
    (5, 72)
    """

    def __call__(self, x: Any, rng: Any = None) -> Any:
        """x as a matrix."""
        shape = np.shape(x)
        if not shape:
            raise ValueError(
                "Flatten: x is (batch, ...), not a number alone; np.reshape(x, (1, 1)) makes a matrix"
            )
        return np.reshape(x, (shape[0], prod(shape[1:])))


def kernel_pair(kernel_size: Any) -> tuple[int, int]:
    """A kernel's height and width, of one integer for both or of two."""
    sizes = tuple(kernel_size) if np.iterable(kernel_size) else (kernel_size, kernel_size)
    if len(sizes) != 2:
        raise ValueError(
            f"Conv2d: kernel_size is an integer, or two for height and width, not {kernel_size!r}"
        )
    for size in sizes:
        check_size("Conv2d", "kernel_size", size)
    return sizes[0], sizes[1]
