"""Other shapes for the same elements: reshaping, turning, broadcasting."""

import numpy as np

from ..broadcasting import unbroadcast
from ..primitive import implements, primitive
from ..tensor import Tensor
from .axes import value_of
from .refusals import errors_of


@primitive(np.reshape, structure="layout")
def reshape(x, /, shape, order="C"):
    """The elements in another shape, one length of which may be -1."""
    if order == "A":  # the order in memory, which the gradient's need not share
        order = "F" if np.isfortran(np.asarray(x)) else "C"
    return np.reshape(x, shape, order), lambda g, y, x: np.reshape(g, x.shape, order)


@primitive(np.transpose, structure="layout")
def transpose(x, /, axes=None):
    """The axes in another order, reversed by default."""
    axes = (axes,) if isinstance(axes, int | np.integer) else axes  # of one axis NumPy takes its number too

    def turn_back(g, y, x):
        return np.transpose(g, None if axes is None else np.argsort([axis % len(x.shape) for axis in axes]))

    return np.transpose(x, axes), turn_back


@primitive(np.swapaxes, structure="layout")
def swapaxes(x, /, axis1, axis2):
    """Two axes exchanged."""
    return np.swapaxes(x, axis1, axis2), lambda g, y, x: np.swapaxes(g, axis1, axis2)


@primitive(np.moveaxis, structure="layout")
def moveaxis(x, /, source, destination):
    """Axes moved to other places, the rest in their order."""
    return np.moveaxis(x, source, destination), lambda g, y, x: np.moveaxis(g, destination, source)


@implements(np.rollaxis)
def rollaxis(a, axis, start=0):
    """One axis moved until it lies before the axis `start`."""
    with errors_of("rollaxis"):
        return transpose(a, np.rollaxis(np.empty(range(np.ndim(a))), axis, start).shape)


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def matrix_transpose(x, /):
    """Matrices in the last two axes, each transposed."""
    if np.ndim(x) < 2:
        raise ValueError(f"matrix_transpose: takes two axes and more, not the shape {np.shape(x)}")
    return swapaxes(x, -1, -2)


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


@implements(np.broadcast_arrays)
def broadcast_arrays(*args):
    """A tuple of the arrays and Tensors, each repeated to the shape that they have in common."""
    try:
        shape = np.broadcast_shapes(*map(np.shape, args))
    except ValueError as error:
        raise ValueError(f"broadcast_arrays: {error}") from None
    return tuple([broadcast_to(x, shape) for x in args])


@implements(np.meshgrid)
def meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    """A tuple of grids, one for each axis of coordinates; `sparse` ones have length 1 in the other axes.

    `indexing`: "xy" puts the first coordinate in the second axis, "ij" each in its own. A Tensor never shares memory
    that can be written to, so `copy` makes no difference.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f'meshgrid: indexing is "xy" or "ij", not {indexing!r}')
    order = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        order[:2] = 1, 0
    grids = [
        reshape(x, [-1 if axis == own else 1 for axis in range(len(xi))])
        for x, own in zip(xi, order, strict=True)
    ]
    return tuple(grids) if sparse else broadcast_arrays(*grids)


@implements(np.atleast_1d)
def atleast_1d(*arys):
    """At least one axis; of several arrays and Tensors a tuple."""
    return _extended(arys, [(0,)])


@implements(np.atleast_2d)
def atleast_2d(*arys):
    """At least two axes, new ones in front; of several arrays and Tensors a tuple."""
    return _extended(arys, [(0, 1), (0,)])


@implements(np.atleast_3d)
def atleast_3d(*arys):
    """At least three axes, new ones around those there are; of several arrays and Tensors a tuple."""
    return _extended(arys, [(0, 1, 2), (0, 2), (2,)])


def _extended(arys, new_axes):
    arys = [x if isinstance(x, Tensor) else np.asarray(x) for x in arys]
    found = [expand_dims(x, new_axes[x.ndim]) if x.ndim < len(new_axes) else x for x in arys]
    return found[0] if len(found) == 1 else tuple(found)


@implements(np.ravel)
def ravel(x, order="C"):
    """The elements in one axis, in the order of their indices ("C", "F") or as they lie in memory ("A", "K")."""
    if order == "K":
        strides = np.asarray(value_of(x)).strides
        x = transpose(x, sorted(range(len(strides)), key=lambda axis: -np.abs(strides[axis])))
        order = "C"
    return reshape(x, -1, order)


@primitive(np.copy, structure="layout")
def copy(x, /, order="K"):
    """The same elements in memory of their own."""
    return np.array(x, order=order)[()], lambda g, y, x: g


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
Tensor.mT = property(matrix_transpose)  # type: ignore[attr-defined]
