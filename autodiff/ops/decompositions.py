"""Matrices as products: Cholesky's, QR, singular values, eigenvalues; matrices in the last two axes.

NumPy's functions of symmetric matrices read one triangle. Their gradient is symmetric, as PyTorch's and
JAX's: half of it for each of the two elements that such a matrix has in common.

Eigenvalues and singular values have a slope also where some are equal. Of equal ones the vectors are
chosen arbitrarily and have no slope: it becomes infinite or NaN there, for 0 / 0 could be anything. Sources:
Giles, "An extended collection of matrix derivative results" (2008); Townsend, "Differentiating the singular
value decomposition" (2016); Liao et al., "Differentiable programming tensor networks" (2019).
"""

from functools import cache

import numpy as np

from ..primitive import implements, primitive
from .products import turned


@cache
def result_type(function):
    """The named tuple that NumPy's function returns."""
    return type(function(np.ones((1, 1))))


def lengths(name, a):
    """How many rows and columns the matrices in `a` have."""
    if len(a.shape) < 2:
        raise np.linalg.LinAlgError(f"{name}: takes matrices in the last two axes, not shape {a.shape}")
    return a.shape[-2:]


def lower(m, k=0):
    """The part of a matrix on and below its diagonal number `k`."""
    return m * np.tri(m.shape[-2], m.shape[-1], k, dtype=m.dtype)


@primitive()
def symmetric(a, /):
    """The symmetric matrix whose lower triangle is a's."""
    return lower(a) + turned(lower(a, -1)), lambda g, y, a: (g + turned(g)) / 2


# -- triangular factors ----------------------------------------------------------------------------


@primitive(np.linalg.cholesky)
def cholesky(a, /, upper=False):
    """The lower triangular L of a = L @ L.T, or with `upper` U = L.T of a = U.T @ U; one triangle of a is read."""

    def pull(g, y, a):
        y, g = (turned(y), turned(g)) if upper else (y, g)
        inner = lower(turned(y) @ g)
        inner = inner - inner * np.eye(inner.shape[-1], dtype=g.dtype) / 2
        once = np.linalg.solve(turned(y), inner)
        pulled = np.linalg.solve(turned(y), turned(once))
        return (pulled + turned(pulled)) / 2

    return np.linalg.cholesky(a, upper=upper), pull


@primitive()
def _orthogonal_triangular(a, /):
    # Q above R, of a tall matrix.
    def pull(g, y, a):
        rows = a.shape[-2]
        q, r = y[..., :rows, :], y[..., rows:, :]
        to_q, to_r = g[..., :rows, :], g[..., rows:, :]
        inner = r @ turned(to_r) - turned(to_q) @ q
        inner = lower(inner) + turned(lower(inner, -1))
        return turned(np.linalg.solve(r, turned(to_q + q @ inner)))

    return np.concatenate(np.linalg.qr(a), axis=-2), pull


@implements(np.linalg.qr)
def qr(a, mode="reduced"):
    """`(Q, R)` of a = Q @ R, or R alone with mode "r"; the first columns must not depend on each other.

    mode "complete" only where it is the same: its further columns of Q are arbitrary.
    """
    rows, columns = lengths("qr", a)
    if mode not in ("reduced", "r", "complete"):
        raise ValueError(f'qr: mode is "reduced", "r" or "complete" for Tensors, not {mode!r}')
    if mode == "complete" and rows > columns:
        raise ValueError('qr: of mode "complete" the last columns of Q are arbitrary; use mode="reduced"')
    both = _orthogonal_triangular(a if rows >= columns else a[..., :rows])
    q, r = both[..., :rows, :], both[..., rows:, :]
    if rows < columns:
        r = np.concatenate([r, turned(q) @ a[..., rows:]], axis=-1)
    return r if mode == "r" else result_type(np.linalg.qr)(q, r)


# -- eigenvalues of symmetric matrices -------------------------------------------------------------


def skew_over(m, values):
    """(m - m.T) over the differences of `values`, of the column's less the row's; 0 on the diagonal."""
    gaps = np.expand_dims(values, -2) - np.expand_dims(values, -1)
    return (m - turned(m)) / (gaps + np.eye(m.shape[-1], dtype=m.dtype))


@primitive(np.linalg.eigvalsh)
def eigvalsh(a, /, UPLO="L"):
    """The eigenvalues of a symmetric matrix, ascending; one triangle is read."""

    def pull(g, y, a):
        v = _eigenvectors(a, UPLO)
        return v * np.expand_dims(g, -2) @ turned(v)

    return np.linalg.eigvalsh(a, UPLO), pull


@primitive()
def _eigenvectors(a, /, UPLO="L"):
    def pull(g, y, a):
        return y @ (skew_over(turned(y) @ g, np.linalg.eigvalsh(a, UPLO)) / 2) @ turned(y)

    return np.linalg.eigh(a, UPLO)[1], pull


@implements(np.linalg.eigh)
def eigh(a, UPLO="L"):
    """`(eigenvalues, eigenvectors)` of a symmetric matrix, the vectors in columns; one triangle is read."""
    return result_type(np.linalg.eigh)(eigvalsh(a, UPLO), _eigenvectors(a, UPLO))


# -- singular values -------------------------------------------------------------------------------


@primitive(np.linalg.svdvals)
def svdvals(x, /):
    """The singular values, descending."""

    def pull(g, y, x):
        return _left_vectors(x) * np.expand_dims(g, -2) @ _right_vectors(x)

    return np.linalg.svdvals(x), pull


def pull_vectors(g, u, a):
    """The gradient of `a` from that of its left singular vectors u."""
    s = np.linalg.svdvals(a)
    rows = turned(u) @ a
    pulled = u @ skew_over(turned(u) @ g, s * s) @ rows
    if a.shape[-2] > a.shape[-1]:
        outside = g - u @ (turned(u) @ g)
        pulled = pulled + outside @ (rows / np.expand_dims(s * s, -1))
    return pulled


@primitive()
def _left_vectors(a, /):
    return np.linalg.svd(a, full_matrices=False)[0], lambda g, y, a: pull_vectors(g, y, a)


@primitive()
def _right_vectors(a, /):
    return (
        np.linalg.svd(a, full_matrices=False)[2],
        lambda g, y, a: turned(pull_vectors(turned(g), turned(y), turned(a))),
    )


@implements(np.linalg.svd)
def svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    """`(U, S, Vh)` of a = (U * S) @ Vh, or S alone without `compute_uv`; with `hermitian` one triangle is read.

    `full_matrices=False` is asked for unless `a` is square: further vectors would be arbitrary.
    """
    rows, columns = lengths("svd", a)
    if compute_uv and full_matrices and rows != columns:
        raise ValueError(
            f"svd: of a matrix of shape {rows, columns} the last vectors are arbitrary; use full_matrices=False"
        )
    if hermitian:
        return hermitian_svd(a, compute_uv)
    if not compute_uv:
        return svdvals(a)
    return result_type(np.linalg.svd)(_left_vectors(a), svdvals(a), _right_vectors(a))


def hermitian_svd(a, compute_uv):
    """The singular values of a symmetric matrix, from its eigenvalues, and their vectors."""
    w, v = eigh(a)
    order = np.argsort(np.abs(w), axis=-1)[..., ::-1]
    w = np.take_along_axis(w, order, axis=-1)
    if not compute_uv:
        return np.abs(w)
    v = np.take_along_axis(v, order[..., None, :], axis=-1)
    return result_type(np.linalg.svd)(v, np.abs(w), turned(v * np.expand_dims(np.sign(w), -2)))


# -- eigenvalues of other matrices -----------------------------------------------------------------


def real(values):
    """What NumPy found, refused where it is complex."""
    if np.iscomplexobj(values):
        raise TypeError(
            "some eigenvalues are complex, and the engine is real; leave the graph with np.linalg.eig(t.data)"
        )
    return values


@primitive()
def _general_eigenvalues(a, /):
    def pull(g, y, a):
        v = _general_eigenvectors(a)
        return np.linalg.solve(turned(v), np.expand_dims(g, -1) * turned(v))

    return real(np.linalg.eig(a)[0]), pull


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

    return real(np.linalg.eig(a)[1]), pull


@implements(np.linalg.eig)
def eig(a):
    """`(eigenvalues, eigenvectors)` of a square matrix where all are real, the vectors of length 1 in columns."""
    return result_type(np.linalg.eig)(_general_eigenvalues(a), _general_eigenvectors(a))


@implements(np.linalg.eigvals)
def eigvals(a):
    """The eigenvalues of a square matrix, where all are real; TypeError where some are complex."""
    w = _general_eigenvalues(a)
    # LAPACK's order may be another when it finds no vectors.
    places = np.argsort(np.argsort(real(np.linalg.eigvals(a.data)), axis=-1), axis=-1)
    return np.take_along_axis(w, np.take_along_axis(np.argsort(w, axis=-1), places, axis=-1), axis=-1)
