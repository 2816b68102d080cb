"""Matrices as products: Cholesky's, QR, singular values; matrices in the last two axes.

Singular values have a slope also where some are equal; their vectors, chosen arbitrarily then, have none, as
eigenvectors (eigen.py). Sources: Townsend, "Differentiating the singular value decomposition" (2016); Liao
et al., "Differentiable programming tensor networks" (2019).
"""

import numpy as np

from ..primitive import implements, primitive
from ..tensor import Tensor
from .eigen import eigh
from .matrices import at_hand, found_once, lengths, lower, result_type, skew_over
from .products import turned

# -- triangular factors ----------------------------------------------------------------------------


@primitive(np.linalg.cholesky)
def cholesky(a, /, upper=False):
    """The lower triangular L of a = L @ L.T, or with `upper` U = L.T of a = U.T @ U; one triangle of a is read."""

    def pull(g, y, a):
        y, g = (turned(y), turned(g)) if upper else (y, g)
        inner = lower(turned(y) @ g)
        inner = inner - inner * np.eye(inner.shape[-1], dtype=g.dtype) / 2
        # General solves take three times as long as triangular ones, which NumPy has not.
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


# -- singular values -------------------------------------------------------------------------------


def _svd(a):
    """NumPy's, which would never return from a matrix that is not square and holds an infinity."""
    if not np.isfinite(a).all():
        raise np.linalg.LinAlgError("a matrix with an infinity or NaN in it has no singular vectors")
    return np.linalg.svd(a, full_matrices=False)


@primitive(np.linalg.svdvals)
def svdvals(x, /):
    """The singular values, descending; the gradient asks for the vectors, which take longer."""
    u, s, vh = at_hand(x) or (None, np.linalg.svdvals(x), None)

    def pull(g, y, x):
        if isinstance(x, Tensor):
            left, right = _left_vectors(x), _right_vectors(x)
        else:
            left, right = (u, vh) if u is not None else _svd(x)[::2]
        return left * np.expand_dims(g, -2) @ right

    return s, pull


def pull_vectors(g, u, s, vh):
    """The gradient of a = (u * s) @ vh from that of its left singular vectors u."""
    eye = np.eye(s.shape[-1], dtype=g.dtype)
    columns, rows = np.expand_dims(s, -2), np.expand_dims(s, -1)
    # By ratios of singular values, for their squares may be too large or small for the dtype.
    inner = skew_over(turned(u) @ g, s) * (columns / (columns + rows + eye))
    pulled = u @ inner
    if u.shape[-2] > u.shape[-1]:
        pulled = pulled + (g - u @ (turned(u) @ g)) / columns
    return pulled @ vh


@primitive()
def _left_vectors(a, /):
    u, s, vh = at_hand(a) or _svd(a)

    def pull(g, y, a):
        values, right = (svdvals(a), _right_vectors(a)) if isinstance(a, Tensor) else (s, vh)
        return pull_vectors(g, y, values, right)

    return u, pull


@primitive()
def _right_vectors(a, /):
    u, s, vh = at_hand(a) or _svd(a)

    def pull(g, y, a):
        values, left = (svdvals(a), _left_vectors(a)) if isinstance(a, Tensor) else (s, u)
        return turned(pull_vectors(turned(g), turned(y), values, turned(left)))

    return vh, pull


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
    with found_once(_svd, a):
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
