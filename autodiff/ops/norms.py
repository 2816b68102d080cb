"""Lengths of vectors and sizes of matrices, in all of NumPy's orders."""

import numpy as np

from ..primitive import implements, primitive
from .axes import as_tuple, expand, is_regular, value_of
from .reductions import max, min, sum

INF = np.inf


def in_units(x, axis, order):
    """`x` in units of its largest element along `axis`, and its norm then, which neither overflows nor vanishes.

    The unit, the smallest element for a negative `order`, is a constant: slopes of a norm are directions, which
    it does not change. Where it is 0 the slope is the smallest there is, 0, and stays so nearby: x is 0 there.
    """
    size = np.abs(value_of(x))
    unit = (np.max if order > 0 else np.min)(size, axis=axis, keepdims=True)
    flat = unit == 0
    x = np.where(flat, 0, x / np.where(flat, 1, unit))
    powers = np.where(flat, 1, x * x if order == 2 else np.abs(x) ** order)
    total = np.sum(powers, axis=axis, keepdims=True)
    return x, np.sqrt(total) if order == 2 else total ** (1 / order)


def direction(x, axis):
    """`x` divided by its length along `axis`; 0 where that is 0."""
    x, length = in_units(x, axis, 2)
    return x / length


@primitive()
def _vector_norm(x, /, axis=None, keepdims=False, ord=2):
    """(sum of |x| ** ord) ** (1 / ord) over `axis`; the norm of zeros has the slope 0."""

    def pull(g, y, x):
        g, y = expand(g, x, axis, keepdims), expand(y, x, axis, keepdims)
        if ord == 1:
            return g * np.sign(x)
        if 0 in x.shape:  # nothing has no largest element
            return g * x
        if ord < 0 or not is_regular(y, ord):
            x, y = in_units(x, axis, ord)
        if ord == 2:
            return x * (g / y)
        nothing = value_of(x) == 0  # whose power ord - 1 may be infinite
        size = np.where(nothing, 1, np.abs(x))
        return g * np.where(nothing, 0, np.sign(x) * (size / y) ** (ord - 1))

    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord), pull


@implements(np.linalg.vector_norm)
def vector_norm(x, *, axis=None, keepdims=False, ord=2):
    """The norm of order `ord` over `axis` (None: of all elements): 2 the length, 1, any other power, inf, -inf.

    At zeros the slope is 0, the smallest of the subgradients. The order 0 counts what is not zero: an array.
    """
    ord = 2 if ord is None else ord
    if not isinstance(ord, float | int | np.number):
        raise ValueError(f"vector_norm: ord is a number, not {ord!r}")
    if ord == 0:
        return np.linalg.vector_norm(value_of(x), axis=axis, keepdims=keepdims, ord=0)
    if abs(ord) == INF:
        return (_largest if ord > 0 else min)(np.abs(x), axis=axis, keepdims=keepdims)
    return _vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)


def _largest(x, axis, keepdims=False):
    return max(x, axis=axis, keepdims=keepdims, initial=0)  # of nothing it is 0; an x here is not negative


def _of_singular_values(reduce, x, axes, keepdims):
    others = [axis for axis in range(len(x.shape)) if axis not in axes]
    values = np.linalg.svd(np.transpose(x, [*others, *axes]), compute_uv=False)
    return expand(reduce(values, axis=-1), x, axes, False) if keepdims else reduce(values, axis=-1)


def _of_sums(reduce, x, summed, compared, keepdims):
    sums = sum(np.abs(x), axis=summed, keepdims=True)
    y = reduce(sums, axis=compared, keepdims=True)
    return y if keepdims else np.squeeze(y, (summed, compared))


@implements(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):
    """The norm of a vector (`axis` a number) or a matrix (`axis` two numbers) of order `ord`.

    Of vectors: any number, inf, -inf; of matrices: "fro", "nuc", 1, -1, 2, -2, inf, -inf. Without `ord` the root
    of the sum of squares, of an array of any shape. At zeros the slope is 0.
    """
    ndim = len(x.shape)
    if axis is None and ord is None:
        return vector_norm(x, keepdims=keepdims)
    axes = as_tuple(axis, ndim, "norm")
    if len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"norm: the order {ord!r} is one of matrices, and x is a vector")
        return vector_norm(x, axis=axes, keepdims=keepdims, ord=ord)
    if len(axes) != 2:
        raise ValueError(
            f"norm: axis= names one axis of vectors or two of matrices, of an x of shape {x.shape}"
        )
    row, column = axes
    match ord:
        case None | "fro" | "f":
            return vector_norm(x, axis=axes, keepdims=keepdims)
        case "nuc" | 2 | -2:
            reduce = {"nuc": sum, 2: _largest, -2: min}[ord]
            return _of_singular_values(reduce, x, axes, keepdims)
        case 1 | -1:
            return _of_sums(_largest if ord > 0 else min, x, row, column, keepdims)
        case float() if abs(ord) == INF:
            return _of_sums(_largest if ord > 0 else min, x, column, row, keepdims)
    raise ValueError(f"norm: a matrix has the orders 'fro', 'nuc', 1, -1, 2, -2, inf and -inf, not {ord!r}")


@implements(np.linalg.matrix_norm)
def matrix_norm(x, *, keepdims=False, ord="fro"):
    """The norm of the matrices in the last two axes: "fro", "nuc", 1, -1, 2, -2, inf or -inf."""
    return norm(x, ord, (-2, -1), keepdims)
