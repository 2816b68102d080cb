"""Eigenvalues and eigenvectors; matrices in the last two axes.

NumPy's functions of symmetric matrices read one triangle. Their gradient is symmetric, as PyTorch's and
JAX's: half of it for each of the two elements that such a matrix has in common.

Eigenvalues have a slope also where some are equal. Of equal ones the vectors are chosen arbitrarily and
have no slope: it becomes infinite or NaN there, for 0 / 0 could be anything. So values and vectors are ops of
their own, and a function of the values alone stays finite. Source: Giles, "An extended collection of matrix
derivative results" (2008).
"""

import numpy as np

from ..primitive import implements, primitive
from ..tensor import Tensor
from .matrices import at_hand, found_once, result_type, skew_over
from .products import turned

# -- of symmetric matrices -----------------------------------------------------------------------------


@primitive(np.linalg.eigvalsh)
def eigvalsh(a, /, UPLO="L"):
    """The eigenvalues of a symmetric matrix, ascending; one triangle is read.

    The gradient asks for the eigenvectors, which take longer than the values alone.
    """
    w, v = at_hand(a) or (np.linalg.eigvalsh(a, UPLO), None)

    def pull(g, y, a):
        vectors = v if v is not None and not isinstance(a, Tensor) else _eigenvectors(a, UPLO)
        return vectors * np.expand_dims(g, -2) @ turned(vectors)

    return w, pull


@primitive()
def _eigenvectors(a, /, UPLO="L"):
    w, v = at_hand(a) or np.linalg.eigh(a, UPLO)

    def pull(g, y, a):
        values = eigvalsh(a, UPLO) if isinstance(a, Tensor) else w
        return y @ (skew_over(turned(y) @ g, values) / 2) @ turned(y)

    return v, pull


@implements(np.linalg.eigh)
def eigh(a, UPLO="L"):
    """`(eigenvalues, eigenvectors)` of a symmetric matrix, the vectors in columns; one triangle is read."""
    with found_once(np.linalg.eigh, a, UPLO=UPLO):
        return result_type(np.linalg.eigh)(eigvalsh(a, UPLO), _eigenvectors(a, UPLO))


# -- of other matrices ---------------------------------------------------------------------------------


def real(found):
    """What NumPy found, which since NumPy 2.5 is complex also where all of it is real; else refused."""
    if not np.iscomplexobj(found):
        return found
    if found.imag.any():
        raise TypeError(
            "some eigenvalues are complex, and the engine is real; leave the graph with np.linalg.eig(t.data)"
        )
    return found.real.copy()


@primitive()
def _general_eigenvalues(a, /):
    w, v = map(real, at_hand(a) or np.linalg.eig(a))

    def pull(g, y, a):
        rows = turned(_general_eigenvectors(a) if isinstance(a, Tensor) else v)
        return np.linalg.solve(rows, np.expand_dims(g, -1) * rows)

    return w, pull


@primitive()
def _general_eigenvectors(a, /):
    # Of length 1, in columns.
    def pull(g, y, a):
        within = turned(y) @ g
        values = np.sum((a @ y) * y, axis=-2)
        gaps = np.expand_dims(values, -2) - np.expand_dims(values, -1)
        n = a.shape[-1]
        eye = np.eye(n, dtype=g.dtype)
        lengthwise = np.expand_dims(np.sum(y * g, axis=-2), -2)
        inner = (within - (turned(y) @ y) * lengthwise) / (gaps + eye) * (1 - eye)
        return np.linalg.solve(turned(y), inner @ turned(y))

    return real((at_hand(a) or np.linalg.eig(a))[1]), pull


@implements(np.linalg.eig)
def eig(a):
    """`(eigenvalues, eigenvectors)` of a square matrix where all are real, the vectors of length 1 in columns."""
    with found_once(np.linalg.eig, a):
        return result_type(np.linalg.eig)(_general_eigenvalues(a), _general_eigenvectors(a))


@implements(np.linalg.eigvals)
def eigvals(a):
    """The eigenvalues of a square matrix, where all are real; TypeError where some are complex."""
    w = _general_eigenvalues(a)
    # LAPACK's order may be another when it finds no vectors.
    places = np.argsort(np.argsort(real(np.linalg.eigvals(a.data)), axis=-1), axis=-1)
    return np.take_along_axis(w, np.take_along_axis(np.argsort(w, axis=-1), places, axis=-1), axis=-1)
