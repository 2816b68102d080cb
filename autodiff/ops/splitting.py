"""One Tensor taken apart, or without some of its parts.

Each part is an op of its own, whose gradient is an array of the whole Tensor's size: n parts take n of them.
"""

from itertools import pairwise

import numpy as np

from ..primitive import implements
from .axes import value_of
from .indexing import getitem
from .refusals import errors_of, no_tensor, place_of
from .shaping import ravel


def _between(x, axis, start, end):
    return getitem(x, (*[slice(None)] * axis, slice(start, end)))


def _pieces(name, x, indices_or_sections, axis, even):
    """A list of slices of `x` along `axis`, as many as the sections, or parted at the indices."""
    no_tensor(name, "a place to split at", indices_or_sections)
    if not np.ndim(x):
        raise ValueError(f"{name}: a single number cannot be split")
    axis = place_of(name, axis, np.ndim(x))
    length = np.shape(x)[axis]
    if np.ndim(indices_or_sections):
        parts = [int(i) for i in indices_or_sections]
        return [_between(x, axis, *ends) for ends in zip([0, *parts], [*parts, length], strict=True)]
    sections = int(indices_or_sections)
    if sections <= 0 or (even and length % sections):
        raise ValueError(
            f"{name}: an axis of length {length} has no {sections} equal parts"
            + ("; np.array_split allows unequal ones" if even else "")
        )
    longer = length % sections
    ends = [i * (length // sections) + min(i, longer) for i in range(sections + 1)]
    return [_between(x, axis, start, end) for start, end in pairwise(ends)]


@implements(np.split)
def split(ary, indices_or_sections, axis=0):
    """A list of equal parts along `axis`, or of those between the indices."""
    return _pieces("split", ary, indices_or_sections, axis, even=True)


@implements(np.array_split)
def array_split(ary, indices_or_sections, axis=0):
    """A list of parts along `axis`, the first of which may be longer by one."""
    return _pieces("array_split", ary, indices_or_sections, axis, even=False)


@implements(np.hsplit)
def hsplit(ary, indices_or_sections):
    """A list of parts along the second axis, of 1-D ones along their only one."""
    return _pieces("hsplit", ary, indices_or_sections, min(1, np.ndim(ary) - 1), even=True)


@implements(np.vsplit)
def vsplit(ary, indices_or_sections):
    """A list of parts along the first axis of two at least."""
    if np.ndim(ary) < 2:
        raise ValueError(
            f"vsplit: takes two axes and more, not the shape {np.shape(ary)}; np.split takes one"
        )
    return _pieces("vsplit", ary, indices_or_sections, 0, even=True)


@implements(np.dsplit)
def dsplit(ary, indices_or_sections):
    """A list of parts along the third axis."""
    if np.ndim(ary) < 3:
        raise ValueError(f"dsplit: takes three axes and more, not the shape {np.shape(ary)}; see np.split")
    return _pieces("dsplit", ary, indices_or_sections, 2, even=True)


def unstack(x, /, *, axis=0):
    """A tuple of the parts at each place of `axis`, without that axis."""
    if not np.ndim(x):
        raise ValueError("unstack: a single number has no axis")
    axis = place_of("unstack", axis, np.ndim(x))
    return tuple([getitem(x, (*[slice(None)] * axis, i)) for i in range(np.shape(x)[axis])])


if hasattr(np, "unstack"):  # from NumPy 2.1 on
    implements(np.unstack)(unstack)


@implements(np.delete)
def delete(arr, obj, axis=None):
    """Without the parts at the places `obj` (a number, a slice, a list or a mask) of `axis`; None ravels first."""
    no_tensor("delete", "a place", obj)
    if axis is None:
        arr, axis = ravel(arr), 0
    axis = place_of("delete", axis, np.ndim(arr))
    with errors_of("delete"):
        length = np.shape(arr)[axis]
        kept = np.zeros(length, bool)
        kept[np.delete(np.arange(length), obj)] = True
    return getitem(arr, (*[slice(None)] * axis, kept))


@implements(np.trim_zeros)
def trim_zeros(filt, trim="fb", axis=None):
    """Without the zeros at its front ("f") and back ("b"), of several axes those slices that are zero throughout."""
    trim = trim.lower()
    if trim not in ("f", "b", "fb", "bf"):
        raise ValueError(f'trim_zeros: trim is "f", "b" or "fb", not {trim!r}')
    value = np.asarray(value_of(filt))
    with errors_of("trim_zeros"):
        axes = (
            range(value.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, value.ndim)
        )
    index = [slice(None)] * value.ndim
    places = np.nonzero(value)
    for axis in axes:
        if not len(places[axis]):
            index[axis] = slice(0, 0)
            continue
        first, end = places[axis].min(), places[axis].max() + 1
        index[axis] = slice(first if "f" in trim else None, end if "b" in trim else None)
    return getitem(filt, tuple(index))
