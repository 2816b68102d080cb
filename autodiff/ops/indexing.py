"""Taking elements out, and its adjoint: putting gradients back where they were taken."""

from math import prod
from types import EllipsisType

import numpy as np

from ..primitive import primitive
from ..tensor import Tensor
from .refusals import no_out


def is_basic(index):
    """Whether `index` takes a slice, whose elements are distinct, and no list of elements."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        part is None
        or (isinstance(part, int | np.integer | slice | EllipsisType) and not isinstance(part, bool))
        for part in parts
    )


def is_distinct(index):
    """Whether `index`, by its kind, takes no element twice: slices, numbers and masks, but no list of numbers."""
    parts = index if isinstance(index, tuple) else (index,)
    return not any(
        isinstance(part, list) or (isinstance(part, np.ndarray) and part.dtype != bool) for part in parts
    )


def copied(part):
    """A part of an index as it is now: a list or an array of elements to take is copied."""
    if isinstance(part, np.ndarray):
        return part.copy()
    if isinstance(part, list):
        return np.array(part) if part else np.empty(0, np.intp)
    return part


def owned(index, name):
    """`index` with lists and arrays of its own, which the caller cannot change before the backward pass."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, Tensor) for part in parts):
        raise TypeError(
            f"{name}: an index has no derivative; index with an array of integers, as x[i.data.astype(int)]"
        )
    if is_basic(index):
        return index
    return tuple([copied(part) for part in parts]) if isinstance(index, tuple) else copied(index)


def wide(dtype):
    """The dtype to add many numbers in: float32 for float16, in which 2048 + 1 is 2048."""
    return np.dtype(np.float32) if dtype == np.float16 else np.dtype(dtype)


def summed_at(g, index, shape):
    """Zeros of `shape` with each element of `g` added at its place in `index`, which may name places twice."""
    return added_at(np.zeros(shape, wide(g.dtype)), index, g).astype(g.dtype, copy=False)


def added_at(x, index, g):
    """`x`, or one like it, after each element of `g` was added to it at its place in `index`.

    np.add.at is right and slow (on 1000 x 1000 numbers up to fifteen times the indexing itself), but for one axis; so
    it serves that and few elements. Rows that one list names are added one by one, which takes a
    fifth of its time, and where many elements are named np.bincount takes half.
    """
    *before, last = index if isinstance(index, tuple) else (index,)
    if np.ndim(last) and all(isinstance(part, slice) and part == slice(None) for part in before):
        places, axis = np.ravel(last), len(before)
        if x.ndim == 1:
            np.add.at(x, places, np.ravel(g))  # several axes of places would take twenty times as long
            return x
        if places.size * 64 <= g.size:
            rows = g.reshape((*x.shape[:axis], places.size, *x.shape[axis + 1 :]))
            sums = np.moveaxis(x, axis, 0)
            for place, row in zip(places.tolist(), np.moveaxis(rows, axis, 0), strict=True):
                sums[place] += row
            return x
    if x.dtype == np.longdouble or g.size * 4 < x.size:
        np.add.at(x, index, g)
        return x
    numbers = np.arange(x.size).reshape(x.shape)[index]
    return x + np.bincount(numbers.ravel(), g.ravel(), x.size).reshape(x.shape).astype(x.dtype, copy=False)


@primitive(structure="layout")
def _scatter(g, /, index, shape):
    if is_distinct(index):
        x = np.zeros(shape, g.dtype)
        x[index] = g
    else:
        x = summed_at(g, index, shape)
    return x, lambda h, x, g: h[index]


@primitive(structure="selection")
def getitem(x, /, index):
    """x[index], by numbers, slices, arrays or masks; elements taken twice add their gradients."""
    index = owned(index, "getitem")
    return x[index], lambda g, y, x: _scatter(g, index, x.shape)


Tensor.__getitem__ = getitem  # type: ignore[method-assign]


@primitive(np.take, structure="selection")
def take(x, /, indices, axis=None, out=None, mode="raise"):
    """The elements at `indices` along `axis`, None meaning those of x.ravel().

    `mode`: what becomes of indices out of range: "raise" IndexError, "wrap" them around, "clip" them.
    """
    no_out("take", out)
    shape = x.shape
    y = np.take(x, indices, axis, mode=mode)
    indices = np.array(indices, np.intp)  # a copy: the caller's may change before the backward pass
    length = prod(shape) if axis is None else shape[axis]
    if mode != "raise":
        indices = indices % length if mode == "wrap" else np.clip(indices, 0, length - 1)
    if axis is None:
        return y, lambda g, y, x: np.reshape(_scatter(g, indices, (length,)), shape)
    index = (*[slice(None)] * (axis % len(shape)), indices)
    return y, lambda g, y, x: _scatter(g, index, shape)


@primitive(structure="layout")
def _put_along_axis(g, /, indices, axis, shape):
    if axis is None:
        x = summed_at(g, indices, (prod(shape),)).reshape(shape)
    else:  # the other axes of x and of the indices broadcast, so the grid is that of x
        grid = list(np.ogrid[tuple(slice(n) for n in shape)])
        grid[axis] = indices
        x = summed_at(g, tuple(grid), shape)
    return x, lambda h, x, g: np.take_along_axis(h, indices, axis)


@primitive(np.take_along_axis, structure="selection")
def take_along_axis(x, /, indices, axis=-1):
    """The elements at `indices` along `axis`, as from np.argmax(..., keepdims=True) or np.argsort."""
    indices = np.array(indices)  # the caller's may change before the backward pass
    return np.take_along_axis(x, indices, axis), lambda g, y, x: _put_along_axis(g, indices, axis, x.shape)
