"""What the rules of reductions share: axes as a tuple, and giving a reduced array its axes back."""

from collections.abc import Callable
from math import inf, prod
from typing import Any

import numpy as np

from ..tensor import Tensor


def as_tuple(axis: Any, ndim: int, name: str = "axis") -> tuple[int, ...]:
    """`axis` as a tuple of non-negative axes; None means all of them. A number has none, whatever `axis` says.

    An error begins with `name`.

    >>> as_tuple(-1, 3), as_tuple(None, 2)
    ((2,), (0, 1))
    """
    if axis is None or not ndim:
        return tuple(range(ndim))
    return tuple(np.lib.array_utils.normalize_axis_tuple(axis, ndim, name))


def expand(reduced: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """An array or Tensor reduced from `x` along `axis`, with the axes of x again, of length 1 there."""
    if keepdims or (axis is None and reduced.shape == x.shape):
        return reduced
    axes = as_tuple(axis, len(x.shape))
    return reduced.reshape([1 if i in axes else n for i, n in enumerate(x.shape)])


def reduced_size(x: Any, axis: Any) -> int:
    """How many elements of `x` each element of a reduction along `axis` is made of."""
    return prod(x.shape[i] for i in as_tuple(axis, len(x.shape)))


def degrees_left(x: Any, axis: Any, ddof: float, where: Any) -> Any:
    """n - ddof for the n elements of `x` along `axis` where `where` holds; 0 if that is negative."""
    count = np.count_nonzero(np.broadcast_to(where, x.shape), axis=axis, keepdims=True)
    return np.maximum(np.subtract(count, ddof, dtype=np.promote_types(x.dtype, np.float64)), 0)


def share(x: Any, axis: Any, ddof: float = 0, where: Any = True) -> Any:
    """1 / (n - ddof) for the n elements of `x` along `axis`; infinite where none is left.

    A factor, because n itself may be too large for float16; a Python number, but for longdouble. With
    `where` an array, for the n elements where it holds; 0 where there is none.
    """
    if where is not True:
        left = degrees_left(x, axis, ddof, where)
        with np.errstate(divide="ignore"):
            nothing = degrees_left(x, axis, 0, where) == 0
            return np.where(nothing, 0, 1 / left).astype(x.dtype)
    n = reduced_size(x, axis) - ddof
    one = 1 if x.dtype.itemsize <= 8 else x.dtype.type(1)
    return one / n if n > 0 else inf


def value_of(x: Any) -> Any:
    """The array in a Tensor, or the array itself."""
    return x.value if isinstance(x, Tensor) else x


def is_regular(y: Any, power: float = 1) -> bool:
    """Whether the numbers `y`, and they to the power `power`, neither overflow nor come near 0."""
    y = value_of(y)
    info = np.finfo(y.dtype)
    size = np.abs(y)
    least, most = info.tiny, info.max
    if power > 1:
        least, most = (info.tiny / info.eps) ** (1 / power), info.max ** (1 / power)
    return bool(np.min(size, initial=most) >= least and np.max(size, initial=least) <= most)


def at(axis: int, part: Any) -> tuple[Any, ...]:
    """The index that takes `part` of the axis number `axis`.

    >>> np.arange(6).reshape(2, 3)[at(1, slice(1, None))].tolist()
    [[1, 2], [4, 5]]
    """
    return (*[slice(None)] * axis, part)


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
