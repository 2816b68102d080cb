"""Taking elements out, and its adjoint: putting gradients back where they were taken."""

from types import EllipsisType

import numpy as np

from ..primitive import primitive
from ..tensor import Tensor


def is_basic(index):
    """Whether `index` takes a slice, whose elements are distinct, and no list of elements."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None
        or (isinstance(part, int | np.integer | slice | EllipsisType) and not isinstance(part, bool))
        for part in parts
    )


@primitive(structure="layout")
def _scatter(g, /, index, shape):
    x = np.zeros(shape, g.dtype)
    if is_basic(index):
        x[index] = g
    else:
        np.add.at(x, index, g)
    return x, lambda h, x, g: h[index]


@primitive(structure="selection")
def getitem(x, /, index):
    """x[index], by numbers, slices, arrays or masks; elements taken twice add their gradients."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, Tensor) for part in parts):
        raise TypeError(
            "getitem: an index has no derivative; index with an array of integers, as x[i.data.astype(int)]"
        )
    if not is_basic(index):  # the caller's lists and arrays may change before the backward pass
        index = tuple([copied(part) for part in parts]) if isinstance(index, tuple) else copied(index)
    return x[index], lambda g, y, x: _scatter(g, index, x.shape)


def copied(part):
    """A part of an index as it is now: a list or an array of elements to take is copied."""
    if isinstance(part, np.ndarray):
        return part.copy()
    if isinstance(part, list):
        return np.array(part) if part else np.empty(0, np.intp)
    return part


Tensor.__getitem__ = getitem  # type: ignore[method-assign]


@primitive(structure="layout")
def _put_along_axis(g, /, indices, axis, shape):
    x = np.zeros(shape, g.dtype)
    if axis is None:
        np.add.at(x.reshape(-1), indices, g)
    else:  # the other axes of x and of the indices broadcast, so the grid is that of x
        grid = list(np.ogrid[tuple(slice(n) for n in shape)])
        grid[axis] = indices
        np.add.at(x, tuple(grid), g)
    return x, lambda h, x, g: np.take_along_axis(h, indices, axis)


@primitive(np.take_along_axis, structure="selection")
def take_along_axis(x, /, indices, axis=-1):
    """The elements at `indices` along `axis`, as from np.argmax(..., keepdims=True) or np.argsort."""
    indices = np.array(indices)  # the caller's may change before the backward pass
    return np.take_along_axis(x, indices, axis), lambda g, y, x: _put_along_axis(g, indices, axis, x.shape)
