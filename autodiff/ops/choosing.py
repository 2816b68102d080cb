"""Which of several a value comes from: choose, select, compress, extract, piecewise; and functions along axes."""

from math import prod

import numpy as np

from ..primitive import implements, primitive
from ..tensor import Tensor
from .elementwise import where
from .indexing import getitem
from .joining import stack
from .options import as_array
from .refusals import errors_of, no_out, no_tensor, place_of
from .shaping import expand_dims, moveaxis, ravel, reshape
from .updates import index_update


@primitive(broadcasts=True, structure="selection")
def _choose(*choices, index):
    def part(i):
        return lambda g, y, *choices: np.where(index == i, g, 0)

    return np.choose(index, choices), *map(part, range(len(choices)))


@implements(np.choose)
def choose(a, choices, out=None, mode="raise"):
    """From place to place an element of `choices[i]`, i the integer that `a` has there.

    `mode`: what becomes of integers out of range: "raise" ValueError, "wrap" them around, "clip" them.
    """
    no_out("choose", out)
    no_tensor("choose", "an index", a)
    index, last = np.array(a), len(choices) - 1
    if mode != "raise":
        index = index % (last + 1) if mode == "wrap" else np.clip(index, 0, last)
    return _choose(*choices, index=index)


@implements(np.select)
def select(condlist, choicelist, default=0):
    """From place to place an element of the first choice whose condition holds, else `default`."""
    if len(condlist) != len(choicelist):
        raise ValueError(f"select: {len(condlist)} conditions do not fit {len(choicelist)} choices")
    if not len(condlist):
        raise ValueError("select: takes one condition at least")
    for condition in condlist:
        if np.asarray(condition).dtype != bool:
            raise TypeError("select: conditions are arrays of bool, as x > 0")
    shape = np.broadcast_shapes(*map(np.shape, (*condlist, *choicelist, default)))
    dtype = np.result_type(
        *[x if type(x) in (float, int) else as_array(x).dtype for x in (*choicelist, default)]
    )
    selected = as_array(default).astype(dtype)  # where two numbers meet first they would no longer be weak
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        selected = where(np.broadcast_to(condition, shape), choice, selected)
    return selected


@implements(np.compress)
def compress(condition, a, axis=None, out=None):
    """The parts of `axis` (None: the raveled elements) at which a 1-D condition holds."""
    no_out("compress", out)
    no_tensor("compress", "a condition", condition)
    if np.ndim(condition) != 1:
        raise ValueError(f"compress: the condition has one axis, not the shape {np.shape(condition)}")
    if axis is None:
        a, axis = ravel(a), 0
    axis = place_of("compress", axis, np.ndim(a))
    kept = np.zeros(np.shape(a)[axis], bool)
    with errors_of("compress"):
        kept[np.flatnonzero(condition)] = True  # the condition may be shorter than the axis
    return getitem(a, (*[slice(None)] * axis, kept))


@implements(np.extract)
def extract(condition, arr):
    """The elements, raveled, at which the condition, raveled, holds."""
    no_tensor("extract", "a condition", condition)
    return compress(np.ravel(condition), arr)


@implements(np.piecewise)
def piecewise(x, condlist, funclist, *args, **kw):
    """Where each condition holds, what its function makes of the elements there; or its number.

    One function more than conditions serves the rest, which else is 0. Where several hold, the last counts.
    """
    no_tensor("piecewise", "a condition", condlist)
    single = np.isscalar(condlist) or (not isinstance(condlist[0], list | np.ndarray) and np.ndim(x))
    conditions = list(np.asarray([condlist] if single else condlist, bool))
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(conditions, axis=0))
    elif len(funclist) != len(conditions):
        raise ValueError(
            f"piecewise: {len(conditions)} conditions go with as many functions or one more, not {len(funclist)}"
        )
    y = np.zeros(np.shape(x), x.dtype)
    for condition, function in zip(conditions, funclist, strict=True):
        piece = function
        if callable(function):
            piece = getitem(x, condition)
            if not piece.size:
                continue
            piece = function(piece, *args, **kw)
        y = index_update(y, condition, piece)
    return y


@implements(np.apply_along_axis)
def apply_along_axis(func1d, axis, arr, *args, **kwargs):
    """`func1d` of every 1-D slice along `axis`, whose results stand in that axis's place."""
    axis = place_of("apply_along_axis", axis, np.ndim(arr))
    turned = moveaxis(arr, axis, -1)
    outer = turned.shape[:-1]
    if 0 in outer:
        raise ValueError(f"apply_along_axis: there are no slices along axis {axis} of the shape {arr.shape}")
    rows = reshape(turned, (prod(outer), turned.shape[-1]))
    results = stack([func1d(row, *args, **kwargs) for row in rows])
    found = reshape(results, outer + results.shape[1:])
    made = range(len(outer), len(found.shape))
    return moveaxis(found, tuple(made), tuple([axis + i for i in range(len(made))]))


@implements(np.apply_over_axes)
def apply_over_axes(func, a, axes):
    """`func(a, axis)` for one axis after the other, each kept with length 1."""
    for axis in np.atleast_1d(axes).tolist():
        axis = place_of("apply_over_axes", axis, np.ndim(a))
        reduced = func(a, axis)
        a = reduced if np.ndim(reduced) == np.ndim(a) else expand_dims(reduced, axis)
    return a


def _compress_method(self, condition, axis=None, out=None):
    """The parts of `axis` at which a 1-D condition holds."""
    return compress(condition, self, axis, out)


Tensor.compress = _compress_method  # type: ignore[attr-defined]
