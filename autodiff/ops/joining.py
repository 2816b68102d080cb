"""Several arrays and Tensors made one."""

from itertools import accumulate

import numpy as np

from ..primitive import implements, primitive
from ..tensor import Tensor
from .elementwise import astype
from .indexing import take
from .options import as_array, cast
from .refusals import errors_of, no_out, no_tensor, place_of
from .shaping import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_to,
    moveaxis,
    ravel,
    reshape,
    transpose,
)


def _part_of(axis, place):
    # The rule of an input that is found at `place` on `axis` of the result.
    return lambda g, y, *arrays: g[(slice(None),) * (axis % len(y.shape)) + (place,)]


@primitive(structure="layout")
def _concatenate(*arrays, axis):
    y = np.concatenate(arrays, axis)
    ends = list(accumulate([array.shape[axis] for array in arrays]))
    return y, *[_part_of(axis, slice(*bounds)) for bounds in zip([0, *ends], ends, strict=False)]


@primitive(structure="layout")
def _stack(*arrays, axis):
    return np.stack(arrays, axis), *[_part_of(axis, place) for place in range(len(arrays))]


@implements(np.concatenate)
def concatenate(arrays, axis=0, out=None, *, dtype=None, casting="same_kind"):
    """A sequence of arrays and Tensors joined along an axis that is there (None: of all, raveled)."""
    no_out("concatenate", out)
    if axis is None:
        arrays, axis = [ravel(array) for array in arrays], 0
    return _joined(_concatenate, arrays, axis, dtype, casting)


# So many arrays one node joins: each of its rules is handed all of them, which takes the square of their number.
MANY = 512


def _joined(join, arrays, axis, dtype=None, casting="safe"):
    """`join` of a sequence of arrays, of very many by groups, and the groups by `concatenate`."""
    if dtype is not None:
        arrays = [_cast(join.operation.name, array, dtype, casting) for array in arrays]
    if len(arrays) <= MANY:
        return join(*arrays, axis=axis)
    try:
        groups = [join(*arrays[start : start + MANY], axis=axis) for start in range(0, len(arrays), MANY)]
    except ValueError:
        return join(*arrays, axis=axis)  # to count the one that does not fit among all
    dtype = np.result_type(*{array.dtype for array in groups})
    return _joined(_concatenate, [cast("concatenate", array, dtype) for array in groups], axis)


def _cast(name, array, dtype, casting):
    array = array if isinstance(array, Tensor) else np.asarray(array)
    if not np.can_cast(array.dtype, dtype, casting):
        raise TypeError(
            f"{name}: {array.dtype} is not made {np.dtype(dtype)} with casting={casting!r}; cast it first"
        )
    return astype(array, dtype)


@implements(np.stack)
def stack(arrays, axis=0, out=None, *, dtype=None, casting="same_kind"):
    """A sequence of arrays and Tensors of one shape joined along a new axis."""
    arrays = list(arrays)
    shapes = {np.shape(array) for array in arrays}
    if len(shapes) > 1:
        raise ValueError(
            f"stack: the shapes differ, {sorted(shapes)}; np.concatenate joins along an axis they have"
        )
    no_out("stack", out)
    return _joined(_stack, arrays, axis, dtype, casting)


@implements(np.vstack)
def vstack(tup, *, dtype=None, casting="same_kind"):
    """Joined along the first axis, 1-D ones as rows."""
    return concatenate([atleast_2d(x) for x in tup], 0, dtype=dtype, casting=casting)


@implements(np.hstack)
def hstack(tup, *, dtype=None, casting="same_kind"):
    """Joined along the second axis, 1-D ones along their only one."""
    arrays = [atleast_1d(x) for x in tup]
    axis = 0 if arrays and np.ndim(arrays[0]) == 1 else 1
    return concatenate(arrays, axis, dtype=dtype, casting=casting)


@implements(np.dstack)
def dstack(tup):
    """Joined along the third axis, each with three axes at least."""
    return concatenate([atleast_3d(x) for x in tup], 2)


@implements(np.column_stack)
def column_stack(tup):
    """Joined along the second axis, 1-D ones as columns."""
    return concatenate([x if np.ndim(x) > 1 else transpose(atleast_2d(x)) for x in tup], 1)


@implements(np.block)
def block(arrays):
    """One array from nested lists of blocks: the innermost lists along the last axis, their lists along the one before."""

    depth = _depth(arrays)
    return _arranged(arrays, depth, max(depth, _most_axes(arrays)))


def _depth(part):
    """How deep lists of blocks are nested, 0 for a block."""
    if isinstance(part, tuple):
        raise TypeError("block: blocks come in lists, not in tuples; only lists can be arranged")
    if not isinstance(part, list):
        return 0
    depths = set(map(_depth, part))
    if len(depths) != 1:
        why = "lists are nested to unequal depth" if part else "an empty list has no blocks"
        raise ValueError(f"block: {why}")
    return 1 + depths.pop()


def _most_axes(part):
    return max(map(_most_axes, part)) if isinstance(part, list) else np.ndim(part)


def _arranged(part, depth, ndim):
    if isinstance(part, list):
        return concatenate([_arranged(one, depth - 1, ndim) for one in part], -depth)
    return reshape(part, (1,) * (ndim - np.ndim(part)) + np.shape(part))


@implements(np.append)
def append(arr, values, axis=None):
    """`values` behind `arr` along `axis`; None joins both raveled."""
    return concatenate([arr, values], axis)


@implements(np.insert)
def insert(arr, obj, values, axis=None):
    """`values` put into `arr` before the places `obj` of `axis`; None means the raveled array.

    As NumPy's, but of integers with a Tensor among them the result is of floating point.
    """
    no_tensor("insert", "a place", obj)
    arr, values = as_array(arr), as_array(values)
    if arr.dtype.kind == "f" and values.dtype != arr.dtype:
        values = values.astype(arr.dtype)
    if axis is None:
        arr, axis = ravel(arr), 0
    if isinstance(obj, list) and obj:
        obj = np.array(obj)
    shape = np.shape(arr)
    axis = place_of("insert", axis, len(shape))
    values = reshape(values, (1,) * (len(shape) - np.ndim(values)) + np.shape(values))
    with errors_of("insert"):
        length = shape[axis]
        count = len(np.insert(np.arange(length), obj, 0)) - length
        if np.ndim(obj) == 0 and not isinstance(obj, slice):
            values = moveaxis(values, 0, axis)
        if count == 1:  # one place may get several values
            count = np.shape(values)[axis]
        values = broadcast_to(values, (*shape[:axis], count, *shape[axis + 1 :]))
        order = np.insert(np.arange(length), obj, length + np.arange(count))
    return take(concatenate([arr, values], axis), order, axis)
