"""Products that sum: matmul, dot, outer and their family."""

import warnings
from math import prod

import numpy as np

from ..primitive import implements, primitive
from .axes import as_tuple
from .elementwise import multiply
from .options import as_array


def turned(m):
    """The matrices in the last two axes of an array or Tensor, transposed."""
    return np.swapaxes(m, -1, -2)


def flat(m):
    """The matrices in the last two axes, one below the other: one product of it in place of many of theirs."""
    rows = prod(m.shape[:-1])  # not -1, which NumPy cannot tell where the other length is 0
    return m.reshape((rows, m.shape[-1]))


@primitive(np.matmul)
def matmul(a, b, /):
    """a @ b for any ranks from 1 on, with NumPy's broadcasting of the leading axes."""

    def left(g, y, a, b):
        if a.ndim == b.ndim == 2:  # the usual case, without what primitive.product asks again
            return g.dot(b.T) if type(g) is type(b) is np.ndarray else g @ b.T
        if b.ndim == 1:
            return np.expand_dims(g, -1) * b
        if a.ndim == 1:
            return (b @ np.expand_dims(g, -1))[..., 0]
        if b.ndim == 2:
            return (flat(g) @ b.T).reshape(g.shape[:-1] + b.shape[:1])
        return g @ turned(b)

    def right(g, y, a, b):
        n, m = a.ndim, b.ndim
        if n == m == 2:
            return a.T.dot(g) if type(a) is type(g) is np.ndarray else a.T @ g
        if n == m == 1:
            return a * g
        if n == 1:
            return np.expand_dims(a, -1) * np.expand_dims(g, -2)
        if m == 1:
            return (turned(a) @ np.expand_dims(g, -1))[..., 0]
        if m == 2:
            return flat(a).T @ flat(g)
        return turned(a) @ g

    return a @ b, left, right


@implements(np.dot)
def dot(a, b):
    """NumPy's dot: the product of scalars, else over a's last and b's last but one axis."""
    if not np.ndim(a) or not np.ndim(b):
        return multiply(as_array(a), as_array(b))  # to NumPy's products Python's numbers are of float64
    if np.ndim(b) <= 2:
        return matmul(a, b)
    *batch, length, columns = np.shape(b)
    order = [len(batch), *range(len(batch)), len(batch) + 1]
    flat = np.reshape(np.transpose(b, order), (length, prod(batch) * columns))
    return np.reshape(matmul(a, flat), (*np.shape(a)[:-1], *batch, columns))


@implements(np.outer)
def outer(a, b):
    """Every element of a times every element of b, in two axes."""
    return multiply(np.expand_dims(np.ravel(a), 1), np.ravel(b))


@implements(np.inner)
def inner(a, b):
    """The sums of products over the last axis of a and the last of b."""
    if not np.ndim(a) or not np.ndim(b):
        return multiply(as_array(a), as_array(b))
    if np.shape(a)[-1] != np.shape(b)[-1]:
        raise ValueError(f"inner: the last axes of {np.shape(a)} and {np.shape(b)} differ in length")
    return tensordot(a, b, axes=(-1, -1))


@implements(np.vdot)
def vdot(a, b):
    """The sum of the products of all elements."""
    return matmul(np.ravel(a), np.ravel(b))


@primitive(np.vecdot)
def vecdot(a, b, /):
    """The sums of products over the last axis of both; the other axes broadcast."""
    return (
        np.vecdot(a, b),
        lambda g, y, a, b: np.expand_dims(g, -1) * b,
        lambda g, y, a, b: np.expand_dims(g, -1) * a,
    )


if hasattr(np, "matvec"):  # NumPy has these two since 2.2

    @primitive(np.matvec)
    def matvec(a, x, /):
        """The matrices in a's last two axes times the vectors in x's last; the other axes broadcast."""
        return (
            np.matvec(a, x),
            lambda g, y, a, x: np.expand_dims(g, -1) * np.expand_dims(x, -2),
            lambda g, y, a, x: np.vecmat(g, a),
        )

    @primitive(np.vecmat)
    def vecmat(x, a, /):
        """The vectors in x's last axis times the matrices in a's last two; the other axes broadcast."""
        return (
            np.vecmat(x, a),
            lambda g, y, x, a: np.matvec(a, g),
            lambda g, y, x, a: np.expand_dims(x, -1) * np.expand_dims(g, -2),
        )


@implements(np.tensordot)
def tensordot(a, b, axes=2):
    """The sums of products over `axes`: so many last of a and first of b, or a pair of lists of axes."""
    n, m = np.ndim(a), np.ndim(b)
    if np.ndim(axes) == 0 and not hasattr(axes, "__len__"):
        axes = range(n - axes, n), range(axes)
    left, right = (
        as_tuple(np.atleast_1d(part).tolist(), ndim, "tensordot")
        for part, ndim in zip(axes, (n, m), strict=True)
    )
    summed = [np.shape(a)[axis] for axis in left]
    if summed != [np.shape(b)[axis] for axis in right]:
        raise ValueError(
            f"tensordot: axes {left} of shape {np.shape(a)} and {right} of {np.shape(b)} differ in length"
        )
    rows = [axis for axis in range(n) if axis not in left]
    columns = [axis for axis in range(m) if axis not in right]
    shape = [*(np.shape(a)[axis] for axis in rows), *(np.shape(b)[axis] for axis in columns)]
    length, height = prod(summed), prod(shape[: len(rows)])
    flat_a = np.reshape(np.transpose(a, [*rows, *left]), (height, length))
    flat_b = np.reshape(np.transpose(b, [*right, *columns]), (length, prod(shape[len(rows) :])))
    return np.reshape(matmul(flat_a, flat_b), shape)


@implements(np.kron)
def kron(a, b):
    """The Kronecker product: every element of a times the whole of b, in blocks."""
    ndim = max(np.ndim(a), np.ndim(b))
    left, right = ((1,) * (ndim - np.ndim(x)) + np.shape(x) for x in (a, b))
    blocks = multiply(
        np.reshape(a, [n for length in left for n in (length, 1)]),
        np.reshape(b, [n for length in right for n in (1, length)]),
    )
    return np.reshape(blocks, [n * m for n, m in zip(left, right, strict=True)])


@primitive(broadcasts=True)
def _cross(a, b, /):
    # Of vectors of length 3, in the last axis.
    return np.cross(a, b), lambda g, y, a, b: np.cross(b, g), lambda g, y, a, b: np.cross(g, a)


@implements(np.cross)
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The vectors at right angles to those of a and b; of vectors of length 2 (deprecated) their z alone."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    lengths = {a.shape[-1], b.shape[-1]}
    if not lengths <= {2, 3}:
        raise ValueError(f"cross: vectors have length 3 (or 2), not {a.shape[-1]} and {b.shape[-1]}")
    if 2 in lengths:
        message = "Arrays of 2-dimensional vectors are deprecated; append a 0 to each. (NumPy 2.0)"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
    flat = lengths == {2}
    a, b = (
        x if x.shape[-1] == 3 else np.concatenate([x, np.zeros((*x.shape[:-1], 1), x.dtype)], -1)
        for x in (a, b)
    )
    y = _cross(a, b)
    return y[..., 2] if flat else np.moveaxis(y, -1, axisc)


@implements(np.linalg.multi_dot)
def multi_dot(arrays):
    """The product of two matrices and more, in the order that takes the fewest multiplications."""
    arrays = list(arrays)
    if len(arrays) < 2:
        raise ValueError("multi_dot: takes at least two arrays")
    for place, array in enumerate(arrays):
        if np.ndim(array) != 2 and not (np.ndim(array) == 1 and place in (0, len(arrays) - 1)):
            raise np.linalg.LinAlgError(
                f"multi_dot: takes matrices, and vectors at both ends, not the shape {np.shape(array)}"
            )
    inner = [np.shape(array)[-1] for array in arrays[:-1]]
    last = arrays[-1]
    lengths = [
        np.shape(arrays[0])[0] if np.ndim(arrays[0]) == 2 else 1,
        *inner,
        np.shape(last)[1] if np.ndim(last) == 2 else 1,
    ]
    # The cost of the product from i to j, and behind which array it is split best.
    best = {(i, i): (0, i) for i in range(len(arrays))}
    for span in range(1, len(arrays)):
        for i in range(len(arrays) - span):
            j = i + span
            best[i, j] = min(
                (best[i, k][0] + best[k + 1, j][0] + lengths[i] * lengths[k + 1] * lengths[j + 1], k)
                for k in range(i, j)
            )

    return chained(arrays, best, 0, len(arrays) - 1)


def chained(arrays, best, i, j):
    """The product of the arrays from i to j, split where `best` says."""
    if i == j:
        return arrays[i]
    split = best[i, j][1]
    return matmul(chained(arrays, best, i, split), chained(arrays, best, split + 1, j))
