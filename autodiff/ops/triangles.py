"""Diagonals and triangles of matrices."""

import numpy as np

from ..primitive import implements, primitive
from .elementwise import astype, power, where
from .reductions import sum
from .refusals import no_out
from .shaping import expand_dims, ravel


@primitive(structure="layout")
def _put_diagonal(g, /, offset, axis1, axis2, shape):
    """Zeros of `shape`, and on the diagonals of two axes the elements that np.diagonal took from there."""
    x = np.zeros(shape, g.dtype)
    along = np.arange(g.shape[-1])
    rows, columns = along + max(-offset, 0), along + max(offset, 0)
    np.moveaxis(x, (axis1, axis2), (-2, -1))[..., rows, columns] = g
    return x, lambda h, x, g: np.diagonal(h, offset, axis1, axis2)


@primitive(np.diagonal, structure="selection")
def diagonal(a, /, offset=0, axis1=0, axis2=1):
    """The diagonals of the matrices in two axes, as a new last axis; `offset` above the main one."""
    return (
        np.diagonal(a, offset, axis1, axis2),
        lambda g, y, a: _put_diagonal(g, offset, axis1, axis2, a.shape),
    )


@implements(np.diag)
def diag(v, k=0):
    """The diagonal of a matrix, or the matrix with such a diagonal and zeros beside it; `k` above the main one."""
    if np.ndim(v) == 2:
        return diagonal(v, k)
    if np.ndim(v) != 1:
        raise ValueError(f"diag: takes one axis or two, not the shape {np.shape(v)}; see np.diagonal")
    n = np.shape(v)[0] + abs(k)
    return _put_diagonal(v, k, 0, 1, (n, n))


@implements(np.diagflat)
def diagflat(v, k=0):
    """The matrix whose diagonal are all elements, raveled."""
    return diag(ravel(v), k)


@implements(np.trace)
def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    """The sums of the diagonals."""
    no_out("trace", out)
    if dtype is not None:
        a = astype(a, dtype)
    return sum(diagonal(a, offset, axis1, axis2), axis=-1)


def _lower(m, k):
    if not np.ndim(m):
        raise ValueError("tril, triu: a single number has no triangles")
    rows, *columns = np.shape(m)[-2:]
    return np.tri(rows, columns[0] if columns else rows, k, dtype=np.bool_)


@implements(np.tril)
def tril(m, k=0):
    """Zeros above the `k`-th diagonal."""
    return where(_lower(m, k), m, 0)


@implements(np.triu)
def triu(m, k=0):
    """Zeros below the `k`-th diagonal."""
    return where(_lower(m, k - 1), 0, m)


@implements(np.vander)
def vander(x, N=None, increasing=False):
    """The powers of the elements of a vector, from N - 1 down to 0, in rows; in float64 at least, as NumPy's."""
    if np.ndim(x) != 1:
        raise ValueError(f"vander: takes one axis, not the shape {np.shape(x)}")
    exponents = np.arange(len(x) if N is None else N)
    return power(expand_dims(x, 1), exponents if increasing else exponents[::-1])
