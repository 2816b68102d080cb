"""Linear equations, inverses and determinants: matrices in the last two axes, any axes before.

NumPy computes these in float32 and float64 alone. A singular matrix raises NumPy's LinAlgError, forward or
backward, but for the determinant, whose slope is finite there.
"""

import operator

import numpy as np

from ..primitive import implements, primitive
from .constants import _on_values, _value
from .decompositions import svd
from .matrices import at_hand, found_once, symmetric
from .products import matmul, turned
from .reductions import product_of_others
from .refusals import errors_of

implements(np.linalg.matrix_rank)(_on_values(np.linalg.matrix_rank))


@primitive(np.linalg.inv)
def inv(a, /):
    """The inverse."""
    return np.linalg.inv(a), lambda g, y, a: -turned(y) @ g @ turned(y)


@primitive(np.linalg.solve, broadcasts=True)
def solve(a, b, /):
    """The x of a @ x = b, for a vector b (one axis) or for the columns of b; leading axes broadcast."""

    def right(g, y, a, b):
        if len(b.shape) > 1:
            return np.linalg.solve(turned(a), g)
        return np.squeeze(np.linalg.solve(turned(a), np.expand_dims(g, -1)), -1)

    def left(g, y, a, b):
        pulled = right(g, y, a, b)
        if len(b.shape) > 1:
            return -pulled @ turned(y)
        return -np.expand_dims(pulled, -1) * np.expand_dims(y, -2)

    return np.linalg.solve(a, b), left, right


def inverse_if_regular(a):
    """The inverses of the matrices in `a`, or None unless each has digits to spare."""
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return None
    with np.errstate(all="ignore"):
        sizes = [np.max(np.sum(np.abs(_value(m)), -1), -1, initial=0) for m in (a, inverse)]
        singular = sizes[0] * sizes[1] * np.finfo(a.dtype).eps > 1e-3
    return None if singular.any() else inverse


def minors(a):
    """For each row and column, in two axes before the last two, the matrices of `a` without them."""
    n = a.shape[-1]
    others = np.array([[i for i in range(n) if i != left_out] for left_out in range(n)]).reshape(n, n - 1)
    return a[..., others[:, None, :, None], others[None, :, None, :]]


@primitive()
def _cofactors(a, /):
    # The derivatives of the determinant by the elements, from the singular values, of which some may be 0.
    # Their own derivatives are the cofactors of the minors: n**5 multiplications.
    def pull(g, y, a):
        n = a.shape[-1]
        if n < 2:
            return 0 * g
        signs = ((-1.0) ** np.add.outer(range(n), range(n))).astype(g.dtype)
        return signs * np.sum(minors(g) * _cofactors(minors(a)), axis=(-2, -1))

    u, s, vh = np.linalg.svd(a)
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vh))[..., None]
    return (u * (sign * product_of_others(s, -1))[..., None, :]) @ vh, pull


@primitive(np.linalg.det)
def det(a, /):
    """The determinant; its slope, the cofactors, is exact at singular matrices too, at every order."""

    def pull(g, y, a):
        inverse = inverse_if_regular(a)
        g = np.expand_dims(g, (-2, -1))
        return g * _cofactors(a) if inverse is None else g * np.expand_dims(y, (-2, -1)) * turned(inverse)

    return np.linalg.det(a), pull


@primitive()
def _logabsdet(a, /):
    logarithm = (at_hand(a) or np.linalg.slogdet(a))[1]
    return logarithm, lambda g, y, a: np.expand_dims(g, (-2, -1)) * turned(np.linalg.inv(a))


@implements(np.linalg.slogdet)
def slogdet(a):
    """`(sign, logabsdet)`: the determinant's sign, an array, and the logarithm of its size."""
    with found_once(np.linalg.slogdet, a) as found:
        return type(found)(found.sign, _logabsdet(a))


@primitive()
def _pinv(a, /, rcond):
    # Golub and Pereyra's derivative, of matrices of constant rank.
    def pull(g, p, a):
        q, h = turned(p), turned(g)
        from_left = h @ p @ q
        from_right = q @ p @ h
        return from_left - a @ (p @ from_left) + from_right - (from_right @ p) @ a - q @ g @ q

    return np.linalg.pinv(a, rcond), pull


@implements(np.linalg.pinv)
def pinv(a, rcond=None, hermitian=False, *, rtol=np._NoValue):
    """The pseudo-inverse, singular values below `rcond` times the largest taken as 0.

    The slope is that of a matrix whose rank stays as it is. With `hermitian` one triangle is read, and the
    gradient is symmetric.
    """
    if rcond is not None and rtol is not np._NoValue:
        raise ValueError("pinv: give rcond or rtol, not both")
    if rcond is None:
        eps = np.finfo(a.dtype).eps
        rcond = 1e-15 if rtol is np._NoValue else max(a.shape[-2:]) * eps if rtol is None else rtol
    if hermitian:
        a = symmetric(a)
    with errors_of("pinv"):
        s = np.linalg.svdvals(_value(a))
    largest = np.max(s, axis=-1, keepdims=True, initial=0)
    kept = s > np.asarray(rcond)[..., None] * largest
    rounding = max(a.shape[-2:]) * np.finfo(s.dtype).eps * largest
    if not (~kept & (s > 10 * rounding)).any():
        return _pinv(a, rcond)
    # Singular values that are no rounding errors are cut off: the rest alone is inverted.
    u, s, vh = svd(a, full_matrices=False)
    inverse = np.where(kept, 1 / np.where(kept, s, 1), 0)
    return matmul(turned(vh), np.expand_dims(inverse, -1) * turned(u))


@primitive()
def _least_squares(a, b, /, rcond=None):
    if rcond is None:
        rcond = np.finfo(np.result_type(a, b)).eps * max(np.shape(a))

    def left(g, x, a, b):
        p = np.linalg.pinv(a, rcond)
        g, x, b = (m if len(m.shape) > 1 else np.expand_dims(m, -1) for m in (g, x, b))
        q = turned(p)
        pulled = q @ g
        unseen = g - turned(a) @ pulled  # the part of g in a's null space
        return (b - a @ x) @ turned(p @ pulled) - pulled @ turned(x) + (q @ x) @ turned(unseen)

    return (
        (at_hand(a) or np.linalg.lstsq(a, b, rcond))[0],
        left,
        lambda g, x, a, b: turned(np.linalg.pinv(a, rcond)) @ g,
    )


@implements(np.linalg.lstsq)
def lstsq(a, b, rcond=None):
    """`(x, residuals, rank, s)`: the least-squares solution of a @ x = b, of the smallest norm.

    x, the sums of squared residuals and a's singular values s have gradients; the rank is a number.
    """
    with found_once(np.linalg.lstsq, a, b, rcond=rcond) as (_, residuals, rank, _):
        x = _least_squares(a, b, rcond)
    if residuals.size:
        distance = b - matmul(a, x)
        residuals = np.sum(distance * distance, axis=0, keepdims=np.ndim(b) == 1)
    return x, residuals, rank, np.linalg.svdvals(a)


@implements(np.linalg.matrix_power)
def matrix_power(a, n):
    """The product of n times `a`; of its inverse for a negative n."""
    n = operator.index(n)
    if len(a.shape) < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(f"matrix_power: takes square matrices, not shape {a.shape}")
    if n < 0:
        a, n = inv(a), -n
    if n == 1:
        return +a
    if n == 0:
        return np.where(False, a, np.eye(a.shape[-1], dtype=a.dtype))
    product = None
    while n:
        n, bit = divmod(n, 2)
        if bit:
            product = a if product is None else matmul(product, a)
        if n:
            a = matmul(a, a)
    return product


@implements(np.linalg.tensorinv)
def tensorinv(a, ind=2):
    """The inverse of tensordot: np.tensordot(tensorinv(a), b, ind) undoes np.tensordot(a, x, x.ndim)."""
    if ind <= 0:
        raise ValueError(f"tensorinv: ind is a number from 1 on, not {ind}")
    flat = np.reshape(a, (int(np.prod(a.shape[ind:])), -1)) if a.size else a
    return np.reshape(inv(flat), a.shape[ind:] + a.shape[:ind])


@implements(np.linalg.tensorsolve)
def tensorsolve(a, b, axes=None):
    """The x of np.tensordot(a, x, x.ndim) = b, after a's `axes` have gone to its end."""
    ndim = np.ndim(a)
    if axes is not None:
        order = list(range(ndim))
        for axis in axes:
            order.remove(axis)
            order.insert(ndim, axis)
        a = np.transpose(a, order)
    shape = np.shape(a)[np.ndim(b) :]
    size = int(np.prod(shape))
    if np.size(a) != size * size:
        raise np.linalg.LinAlgError(
            f"tensorsolve: a of shape {np.shape(a)} is no square matrix for b of shape {np.shape(b)}"
        )
    return np.reshape(solve(np.reshape(a, (size, size)), np.ravel(b)), shape)


@implements(np.linalg.cond)
def cond(x, p=None):
    """How much `x` may enlarge relative errors: its norm of order `p` times its inverse's."""
    if 0 in x.shape[-2:]:
        raise np.linalg.LinAlgError(f"cond: there is none of an empty matrix, of shape {x.shape}")
    if p in (None, 2, -2):
        s = np.linalg.svdvals(x)
        largest, smallest = s[..., 0], s[..., -1]
        with np.errstate(divide="ignore", invalid="ignore"):  # a singular matrix's is infinite
            return smallest / largest if p == -2 else largest / smallest
    return np.linalg.norm(x, p, axis=(-2, -1)) * np.linalg.norm(inv(x), p, axis=(-2, -1))
