"""The fused softmax family: one node for each function, exact in every digit and at every order.

With probabilities y = softmax(beta * x), three linear maps carry all derivatives of the family:

    centered(v) = v - sum(y * v)
    spread(g) = g - y * sum(g)                      the adjoint of centered; log_softmax's vjp is beta times it
    softmax_pull(g) = beta * y * centered(g)        softmax's vjp, its own adjoint

and their own derivatives by x need no fourth: softmax_pull's is beta * softmax_pull(centered(g) * centered(v)),
that of the other two -sum(...) * softmax_pull(v). Differentiate y_i = exp(beta x_i) / sum_j exp(beta x_j)
by x_j to get beta * y_i * ((i == j) - y_j), and all of this follows.

Written like that, all three lose every digit where one probability is close to 1, because they
subtract nearly equal numbers there. Centering does not notice a constant added to v, so it first
subtracts v's value at the likeliest element; spreading sums the other elements' probabilities there
instead of taking 1 - y.
"""

from math import isfinite, prod
from typing import Any

import numpy as np

from ..primitive import primitive
from ..sums import row_sums
from .axes import as_tuple, axes_last, value_of

# -- rows: the last axis, one softmax each -----------------------------------------------------------------


def as_rows(x: Any, axis: Any) -> Any:
    """The array `x` with `axis` (a number or a tuple) as its last one; rows of nothing are dropped."""
    if axis != -1:
        axes = as_tuple(axis, x.ndim)
        x = np.moveaxis(x, axes[0], -1) if len(axes) == 1 else axes_last(x, axes)[0]
    return x if x.shape[-1] else x.reshape(0, 1)


def from_rows(rows: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """The way back from `as_rows`, to an array of `shape`."""
    if axis == -1:
        return rows if rows.shape == shape else rows.reshape(shape)
    axes = as_tuple(axis, len(shape))
    order = [i for i in range(len(shape)) if i not in axes] + list(axes)
    return rows.reshape([shape[i] for i in order]).transpose(np.argsort(order))


def likeliest(x: Any, beta: float = 1.0, where: Any = None) -> tuple[Any, ...]:
    """The index of the element of each row where beta * x is largest; in a wholly masked row, of any."""
    if beta < 0:
        x = -x
    if where is not None:
        x = np.where(where, x, -np.inf)
    if x.flags.c_contiguous:
        k = x.argmax(axis=-1)
    else:  # argmax would first copy x, slowly; a NaN is the largest to it
        peak = np.maximum.reduce(x, axis=-1, keepdims=True)
        k = ((x == peak) | np.isnan(x) if np.isnan(peak).any() else x == peak).argmax(axis=-1)
    return (np.arange(len(k)), k) if k.ndim == 1 else (*np.indices(k.shape, sparse=True), k)


def shifted(x: Any, peak: Any, beta: float = 1.0, where: Any = None) -> Any:
    """beta * (x - peak), for the peak of each row, in an array of its own; -inf where masked.

    A row that reaches infinity is at its limit: 0 where it is infinite, -inf elsewhere.
    """
    # No infinity, no NaN, and nothing to be quiet about, which takes longer than all this.
    if beta == 1 and x.dtype.char != "e" and np.vdot(peak, peak) < 1e30:
        z = x - peak
    else:
        # A difference too large for the dtype is -inf, whose exponential is as right as any.
        with np.errstate(over="ignore", invalid="ignore"):
            z = x - peak
            if not isfinite(np.add.reduce(peak, axis=None)):
                z[(x == peak) & (peak == (np.inf if beta >= 0 else -np.inf))] = 0
            if beta != 1:
                z *= beta
    if where is not None:
        z[~where] = -np.inf
    return z


def softmax_rows(x: Any, k: Any, beta: float = 1.0, where: Any = None, b: Any = None) -> Any:
    """b * exp(beta * x) over its sum, in an array of its own; 0 in a wholly masked row."""
    y = shifted(x, x[k][..., None], beta, where)
    np.exp(y, out=y)
    if b is not None:
        y *= b
    total = row_sums(y)[..., None]
    if where is not None:
        total[~y.any(axis=-1)] = 1
    y /= total
    return y


def log_softmax_rows(x: Any, k: Any, beta: float = 1.0, where: Any = None) -> Any:
    """The logarithm of softmax, in an array of its own: through log1p of all exponentials but the largest."""
    z = shifted(x, x[k][..., None], beta, where)
    e = np.exp(z)
    e[k] = 0
    z -= np.log1p(row_sums(e))[..., None]
    return z


def centered_rows(v: Any, y: Any, k: Any) -> Any:
    """v - sum(y * v), in an array of its own."""
    h = v - v[k][..., None]
    # vecdot takes half the time, but only where the elements of a row are neighbours in memory.
    h -= np.vecdot(h, y)[..., None] if h.flags.c_contiguous else np.add.reduce(h * y, axis=-1, keepdims=True)
    return h


def spread_rows(g: Any, y: Any, k: Any) -> Any:
    """g - y * sum(g), in an array of its own."""
    others, h = np.array(y), np.array(g)
    others[k] = h[k] = 0
    y_rest, g_rest = row_sums(others), row_sums(h)
    others *= (g[k] + g_rest)[..., None]
    h -= others
    h[k] = g[k] * y_rest - y[k] * g_rest
    return h


# -- three linear maps: of g or v, at x --------------------------------------------------------------------
#
# Handed along to spare computing them: y = softmax(x), and k, the index of each row's largest element.


def masked(x: Any, where: Any, replacement: float = 0) -> Any:
    """`x` with `replacement` where the mask is False: whatever gradient arrives there ends there."""
    return x if where is None else np.where(where, x, replacement)


def rows_of(y: Any, axis: Any, k: Any) -> tuple[Any, Any]:
    """The rows of `y` and the index of their largest elements."""
    y = as_rows(y, axis)
    return y, likeliest(y) if k is None else k


@primitive()
def softmax_pull(g, x, y, /, axis, beta, where, k=None):
    """beta * y * (g - sum(y * g)) of y = softmax(x)."""
    at = {"axis": axis, "beta": beta, "where": where, "k": k}

    def bend(v, pulled, g, x, y):
        return beta * softmax_pull(centered(g, x, y, **at) * centered(v, x, y, **at), x, y, **at)

    rows, k = rows_of(y, axis, k)
    pulled = centered_rows(as_rows(masked(g, where), axis), rows, k)
    pulled *= rows
    if beta != 1:
        pulled *= beta
    pulled = masked(from_rows(pulled, g.shape, axis), where)
    return pulled, lambda v, pulled, g, x, y: softmax_pull(v, x, y, **at), bend, None


@primitive()
def centered(v, x, y, /, axis, beta, where, k=None):
    """v - sum(y * v) of y = softmax(x)."""
    at = {"axis": axis, "beta": beta, "where": where, "k": k}

    def bend(u, h, v, x, y):
        return -np.sum(masked(u, where), axis=axis, keepdims=True) * softmax_pull(v, x, y, **at)

    h = centered_rows(as_rows(masked(v, where), axis), *rows_of(y, axis, k))
    h = masked(from_rows(h, v.shape, axis), where)
    return h, lambda u, h, v, x, y: spread(u, x, y, **at), bend, None


@primitive()
def spread(g, x, y, /, axis, beta, where, k=None):
    """g - y * sum(g) of y = softmax(x)."""
    at = {"axis": axis, "beta": beta, "where": where, "k": k}

    def bend(v, h, g, x, y):
        return -np.sum(masked(g, where), axis=axis, keepdims=True) * softmax_pull(v, x, y, **at)

    h = spread_rows(as_rows(masked(g, where), axis), *rows_of(y, axis, k))
    h = masked(from_rows(h, g.shape, axis), where)
    return h, lambda v, h, g, x, y: centered(v, x, y, **at), bend, None


# -- the family ----------------------------------------------------------------------------------------


@primitive()
def _softmax(x, /, axis, beta, where, b=None):
    """exp(beta * x) over its sum; with factors `b`, b * exp(beta * x) over its sum."""
    rows, mask = as_rows(x, axis), None if where is None else as_rows(where, axis)
    k = likeliest(rows, beta, mask)
    y = softmax_rows(rows, k, beta, mask, None if b is None else as_rows(b, axis))
    moves = where
    infinite = beta * rows[k] == np.inf
    if infinite.any():  # a row at its limit stays there
        away = from_rows(np.broadcast_to(~infinite[..., None], rows.shape), x.shape, axis)
        moves = away if where is None else away & where

    def pull(g, y, x):
        return softmax_pull(g, x, value_of(y), axis=axis, beta=beta, where=moves, k=k)

    return from_rows(y, x.shape, axis), pull


@primitive()
def _log_softmax(x, /, axis, beta, where):
    """The logarithm of softmax."""
    rows, mask = as_rows(x, axis), None if where is None else as_rows(where, axis)
    k = likeliest(rows, beta, mask)

    def pull(g, y, x):
        h = spread(g, x, np.exp(value_of(y)), axis=axis, beta=beta, where=where, k=k)
        return h if beta == 1 else beta * h

    return from_rows(log_softmax_rows(rows, k, beta, mask), x.shape, axis), pull


@primitive()
def _logsumexp(x, /, axis=-1, b=None, keepdims=False):
    """log(sum(b * exp(x)))."""
    axes = as_tuple(axis, x.ndim)
    ones = tuple([1 if i in axes else n for i, n in enumerate(x.shape)])

    def counting(x):
        # -inf has no share, not even in a row of nothing else.
        return x != -np.inf if b is None else (x != -np.inf) & (b != 0)

    def share(g, y, x):
        shares = _softmax(x, axis=axis, beta=1.0, where=counting(value_of(x)), b=b)
        return np.reshape(g, ones) * shares

    if x.size:
        rows, counts = as_rows(x, axis), as_rows(counting(x), axis)
        peak = rows[likeliest(rows, where=counts)]
        e = np.exp(shifted(rows, peak[..., None], where=counts))
        if b is not None:
            e *= as_rows(b, axis)
        k = likeliest(e)
        e_k = e[k]
        e[k] = 0
        with np.errstate(all="ignore"):
            y = np.where(e_k == 0, -np.inf, peak + (np.log(e_k) + np.log1p(row_sums(e) / e_k)))
    else:
        y = np.full(prod(ones), -np.inf)
    y = y.astype(x.dtype, copy=False)
    return y.reshape(ones if keepdims else [n for i, n in enumerate(x.shape) if i not in axes]), share
