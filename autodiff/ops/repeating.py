"""The same elements again, or shifted and turned round."""

from functools import reduce
from math import prod
from typing import Any

import numpy as np

from ..primitive import implements, primitive
from ..sums import total
from .indexing import summed_at, wide
from .refusals import errors_of, no_tensor, place_of
from .shaping import broadcast_to, ravel, reshape, transpose


@primitive(structure="layout")
def _sum_repeats(g, /, repeats, axis):
    """The sums of neighbours along `axis`: always of as many, or of as many as `repeats` lists."""
    if np.ndim(repeats):
        places: Any = (*[slice(None)] * axis, np.repeat(np.arange(len(repeats)), repeats))
        x = summed_at(g, places, (*g.shape[:axis], len(repeats), *g.shape[axis + 1 :]))
    else:
        parts = g.reshape((*g.shape[:axis], g.shape[axis] // repeats, repeats, *g.shape[axis + 1 :]))
        if repeats > 8:
            x = total(parts, axis + 1)
        else:  # NumPy's sum along a short axis takes several times as long
            parts = np.moveaxis(parts, axis + 1, 0)
            x = reduce(np.add, parts[1:], parts[0].astype(wide(g.dtype))).astype(g.dtype, copy=False)
    return x, lambda h, x, g: np.repeat(h, repeats, axis)


@primitive(structure="layout")
def _repeat(x, /, repeats, axis):
    y = np.repeat(x, repeats, axis)
    if np.ndim(repeats) or not repeats:
        repeats = np.array(np.broadcast_to(repeats, x.shape[axis]), np.intp)
    return y, lambda g, y, x: _sum_repeats(g, repeats, axis)


@implements(np.repeat)
def repeat(a, repeats, axis=None):
    """Each element several times in a row along `axis`; `repeats` is a number, or one for each place of the axis."""
    no_tensor("repeat", "a number of repeats", repeats)
    if axis is None:
        a, axis = ravel(a), 0
    return _repeat(a, repeats, place_of("repeat", axis, np.ndim(a)))


@implements(np.tile)
def tile(A, reps):
    """The whole again and again: `reps` times along each axis."""
    no_tensor("tile", "a number of repeats", reps)
    reps = tuple(np.atleast_1d(reps).tolist())
    if not all(isinstance(times, int) and times >= 0 for times in reps):
        raise ValueError(f"tile: repeats are integers from 0 on, not {reps}")
    shape = np.shape(A)
    ndim = max(len(reps), len(shape))
    reps, shape = (1,) * (ndim - len(reps)) + reps, (1,) * (ndim - len(shape)) + shape
    if all(times == 1 for times in reps):
        return reshape(A, shape)
    between = [length for n in shape for length in (1, n)]
    repeated = [length for pair in zip(reps, shape, strict=True) for length in pair]
    whole = [times * n for times, n in zip(reps, shape, strict=True)]
    return reshape(broadcast_to(reshape(A, between), repeated), whole)


# No method: ndarray's own resize works in place.
@implements(np.resize)
def _resize(a, new_shape):
    """The elements in another shape, from the first again where it is larger than what there is."""
    new_shape = tuple(np.atleast_1d(new_shape).tolist())
    size, wanted = np.size(a), prod(new_shape)
    if any(length < 0 for length in new_shape):
        raise ValueError(f"resize: lengths are not negative, {new_shape}; np.reshape knows -1")
    if not size:  # NumPy fills with zeros what nothing fills
        return np.zeros(new_shape, a.dtype)
    return reshape(tile(ravel(a), -(-wanted // size))[:wanted], new_shape)


@primitive(np.roll, structure="layout")
def roll(x, /, shift, axis=None):
    """The elements moved along `axis`, those beyond the end first again; None moves those of x.ravel()."""
    back = tuple([-s for s in shift]) if np.ndim(shift) else -shift
    return np.roll(x, shift, axis), lambda g, y, x: np.roll(g, back, axis)


@primitive(np.flip, structure="layout")
def flip(m, /, axis=None):
    """The elements of `axis` (None: of all axes) from last to first."""
    return np.flip(m, axis), lambda g, y, m: np.flip(g, axis)


@implements(np.fliplr)
def fliplr(m):
    """The columns from last to first."""
    if np.ndim(m) < 2:
        raise ValueError(f"fliplr: takes two axes and more, not the shape {np.shape(m)}; np.flip takes one")
    return flip(m, 1)


@implements(np.flipud)
def flipud(m):
    """The rows from last to first."""
    if np.ndim(m) < 1:
        raise ValueError("flipud: a single number has no rows")
    return flip(m, 0)


@implements(np.rot90)
def rot90(m, k=1, axes=(0, 1)):
    """Turned by `k` right angles in the plane of two axes, from the first towards the second."""
    with errors_of("rot90"):
        order = np.rot90(np.empty(range(np.ndim(m))), k, axes).shape
    first, second = (axis % np.ndim(m) for axis in axes)
    mirrored = {0: (), 1: (second,), 2: (first, second), 3: (first,)}[k % 4]
    return transpose(flip(m, mirrored) if mirrored else m, order)
