"""Other shapes for the same elements: reshaping, turning, repeating, joining."""

import numpy as np

from ..broadcasting import unbroadcast
from ..primitive import implements, primitive
from ..tensor import Tensor


@primitive(np.reshape, structure="layout")
def reshape(x, /, shape, order="C"):
    """The elements in another shape, one length of which may be -1."""
    if order == "A":  # the order in memory, which the gradient's need not share
        order = "F" if np.isfortran(np.asarray(x)) else "C"
    return np.reshape(x, shape, order), lambda g, y, x: np.reshape(g, x.shape, order)


@primitive(np.transpose, structure="layout")
def transpose(x, /, axes=None):
    """The axes in another order, reversed by default."""

    def turn_back(g, y, x):
        return np.transpose(g, None if axes is None else np.argsort([axis % len(x.shape) for axis in axes]))

    return np.transpose(x, axes), turn_back


@primitive(np.swapaxes, structure="layout")
def swapaxes(x, /, axis1, axis2):
    """Two axes exchanged."""
    return np.swapaxes(x, axis1, axis2), lambda g, y, x: np.swapaxes(g, axis1, axis2)


@primitive(np.squeeze, structure="layout")
def squeeze(x, /, axis=None):
    """Without the axes of length 1, or without those of `axis`."""
    return np.squeeze(x, axis), lambda g, y, x: np.reshape(g, x.shape)


@primitive(np.expand_dims, structure="layout")
def expand_dims(x, /, axis):
    """With new axes of length 1 at `axis`."""
    return np.expand_dims(x, axis), lambda g, y, x: np.reshape(g, x.shape)


@primitive(np.broadcast_to, structure="layout")
def broadcast_to(x, /, shape):
    """The elements repeated to fill `shape`; their gradients are summed."""
    return np.broadcast_to(x, shape), lambda g, y, x: unbroadcast(g, x.shape)


@primitive(structure="layout")
def _concatenate(*arrays, axis):
    def part(i):
        def vjp(g, y, *arrays):
            start = sum(array.shape[axis] for array in arrays[:i])
            here = (slice(None),) * (axis % len(y.shape)) + (slice(start, start + arrays[i].shape[axis]),)
            return g[here]

        return vjp

    return np.concatenate(arrays, axis), *(part(i) for i in range(len(arrays)))


@implements(np.concatenate)
def concatenate(arrays, axis=0):
    """A sequence of arrays and Tensors joined along an axis that is there (None: of all, raveled)."""
    if axis is None:
        arrays, axis = [ravel(array) for array in arrays], 0
    return _concatenate(*arrays, axis=axis)


@implements(np.stack)
def stack(arrays, axis=0):
    """A sequence of arrays and Tensors of one shape joined along a new axis."""
    shapes = {np.shape(array) for array in arrays}
    if len(shapes) > 1:
        raise ValueError(
            f"stack: the shapes differ, {sorted(shapes)}; np.concatenate joins along an axis they have"
        )
    return _concatenate(*(expand_dims(array, axis) for array in arrays), axis=axis)


@implements(np.ravel)
def ravel(x, order="C"):
    """The elements in one axis."""
    return reshape(x, -1, order)


def _by_arguments(function):
    """A method that takes its numbers one by one as well: t.reshape(2, 3) beside t.reshape((2, 3))."""

    def method(self, *numbers, **options):
        if not numbers:
            return function(self, **options)
        return function(self, numbers[0] if len(numbers) == 1 else numbers, **options)

    return method


Tensor.reshape = _by_arguments(reshape)
Tensor.transpose = _by_arguments(transpose)
Tensor.flatten = ravel
