"""numpy.linalg's own spellings of NumPy's products, by the array API's standard."""

import numpy as np

from ..primitive import implements
from .products import cross, matmul, outer, tensordot, turned, vecdot
from .refusals import place_of

implements(np.linalg.matmul)(matmul)
implements(np.linalg.tensordot)(tensordot)


@implements(np.linalg.vecdot)
def linalg_vecdot(a, b, /, *, axis=-1):
    """The sums of products over `axis` of both; the other axes broadcast."""
    return vecdot(np.moveaxis(a, axis, -1), np.moveaxis(b, axis, -1))


@implements(np.linalg.outer)
def linalg_outer(a, b, /):
    """Every element of the vector a times every element of the vector b."""
    if np.ndim(a) != 1 or np.ndim(b) != 1:
        raise ValueError(
            f"linalg.outer: takes vectors, not shapes {np.shape(a)} and {np.shape(b)}; np.outer ravels"
        )
    return outer(a, b)


@implements(np.linalg.cross)
def linalg_cross(a, b, /, *, axis=-1):
    """The vectors at right angles to those of a and b, of length 3."""
    a_axis, b_axis = (place_of("linalg.cross", axis, np.ndim(x)) for x in (a, b))
    if np.shape(a)[a_axis] != 3 or np.shape(b)[b_axis] != 3:
        raise ValueError(f"linalg.cross: vectors have length 3, not as in {np.shape(a)} and {np.shape(b)}")
    return cross(a, b, axis=axis)


@implements(np.linalg.matrix_transpose)
def linalg_matrix_transpose(x, /):
    """The last two axes exchanged."""
    return turned(x)


@implements(np.linalg.diagonal)
def linalg_diagonal(x, /, *, offset=0):
    """The diagonals of the matrices in the last two axes."""
    return np.diagonal(x, offset, -2, -1)


@implements(np.linalg.trace)
def linalg_trace(x, /, *, offset=0, dtype=None):
    """The sums of the diagonals of the matrices in the last two axes."""
    return np.trace(x, offset, -2, -1, dtype)
