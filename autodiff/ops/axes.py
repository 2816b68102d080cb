"""What the rules of reductions share: axes as a tuple, and giving a reduced array its axes back."""

from collections.abc import Callable
from math import inf, prod
from typing import Any

import numpy as np


def as_tuple(axis: Any, ndim: int) -> tuple[int, ...]:
    """`axis` as a tuple of non-negative axes; None means all of them.

    >>> as_tuple(-1, 3), as_tuple(None, 2)
    ((2,), (0, 1))
    """
    if axis is None:
        return tuple(range(ndim))
    return tuple(np.lib.array_utils.normalize_axis_tuple(axis, ndim, "axis"))


def expand(reduced: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """An array or Tensor reduced from `x` along `axis`, with the axes of x again, of length 1 there."""
    if keepdims or (axis is None and reduced.shape == x.shape):
        return reduced
    axes = as_tuple(axis, len(x.shape))
    return reduced.reshape([1 if i in axes else n for i, n in enumerate(x.shape)])


def reduced_size(x: Any, axis: Any) -> int:
    """How many elements of `x` each element of a reduction along `axis` is made of."""
    return prod(x.shape[i] for i in as_tuple(axis, len(x.shape)))


def share(x: Any, axis: Any, ddof: float = 0) -> Any:
    """1 / (n - ddof) for the n elements of `x` along `axis`; infinite where none is left.

    A factor, because n itself may be too large for float16; a Python number, but for longdouble.
    """
    n = reduced_size(x, axis) - ddof
    one = 1 if x.dtype.itemsize <= 8 else x.dtype.type(1)
    return one / n if n > 0 else inf


def axes_last(x: Any, axis: Any) -> tuple[Any, Callable[[Any], Any]]:
    """`x` with `axis` (a number, a tuple or None) as one last axis, and the way back."""
    ndim = len(x.shape)
    axes = as_tuple(axis, ndim)
    if axes == (ndim - 1,):
        return x, lambda z: z
    order = [i for i in range(ndim) if i not in axes] + list(axes)
    turned = np.transpose(x, order)
    kept = turned.shape[: ndim - len(axes)]
    length = prod(x.shape[i] for i in axes)

    def back(z: Any) -> Any:
        return np.transpose(z.reshape(turned.shape), [order.index(i) for i in range(ndim)])

    return turned.reshape((*kept, length)), back
