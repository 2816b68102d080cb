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
from ..tensor import Tensor
from .axes import as_tuple, axes_last


def value_of(x: Any) -> Any:
    """The array in a Tensor, or the array itself."""
    return x.value if isinstance(x, Tensor) else x


# -- a softmax is a row of a matrix -----------------------------------------------------------------


def as_rows(x: Any, axis: Any) -> Any:
    """The array `x` as a matrix with a row for each softmax along `axis` (a number, a tuple or None).

    Rows without an element are dropped, so that every row has a largest one.
    """
    if axis != -1:
        x, _ = axes_last(x, axis)
    length = x.shape[-1]
    return x.reshape((x.size // length, length) if length else (0, 1))


def from_rows(rows: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """The way back from `as_rows`, to an array of `shape`."""
    if axis == -1:
        return rows.reshape(shape)
    axes = as_tuple(axis, len(shape))
    order = [i for i in range(len(shape)) if i not in axes] + list(axes)
    return rows.reshape([shape[i] for i in order]).transpose(np.argsort(order))


def shifted(x: Any, beta: float = 1.0, where: Any = None) -> tuple[Any, Any, Any]:
    """`(z, peak, infinite)`: beta * (rows of x less their largest element), in an array of its own; that element.

    z is -inf where masked. A row that reaches infinity is at its limit, 0 where it is infinite and
    -inf elsewhere; `infinite` marks such rows, None if there is none.
    """
    infinite = None
    extreme, lowest = (np.maximum, -np.inf) if beta >= 0 else (np.minimum, np.inf)
    if where is not None:
        x = np.where(where, x, lowest)
    peak = extreme.reduce(x, axis=1, keepdims=True)
    # A difference too large for the dtype is -inf, whose exponential is as right as any.
    with np.errstate(over="ignore", invalid="ignore"):
        z = x - peak
        if not isfinite(np.add.reduce(peak, None)):
            infinite = peak == -lowest
            z[(x == peak) & infinite] = 0
        if beta != 1:
            z *= beta
    if where is not None:
        z[~where] = -np.inf
    return z, peak, infinite


def without_largest(e: Any) -> tuple[Any, Any]:
    """The sums of the rows of `e` without their largest element, which is overwritten, and its places."""
    places = np.arange(len(e)), e.argmax(axis=1)
    e[places] = 0
    return np.add.reduce(e, axis=1), places


def centered_rows(v: Any, y: Any) -> Any:
    """v - sum(y * v), in an array of its own."""
    h = v - v[np.arange(len(y)), y.argmax(axis=1)][:, None]
    h -= np.vecdot(h, y)[:, None]
    return h


def spread_rows(g: Any, y: Any) -> Any:
    """g - y * sum(g), in an array of its own."""
    others, spread = np.array(y), np.array(g)
    y_rest, k = without_largest(others)
    spread[k] = 0
    g_rest = np.add.reduce(spread, axis=1)
    others *= (g[k] + g_rest)[:, None]
    spread -= others
    spread[k] = g[k] * y_rest - y[k] * g_rest
    return spread


# -- three linear maps: of g or v, at x with y = softmax(x) handed along to spare computing it --------


def _kept(g: Any, where: Any) -> Any:
    return g if where is None else np.where(where, g, 0)


@primitive()
def softmax_pull(g, x, y, /, axis, beta, where):
    """beta * y * (g - sum(y * g)) of y = softmax(x)."""
    at = {"axis": axis, "beta": beta, "where": where}

    def bend(v, pulled, g, x, y):
        return beta * softmax_pull(centered(g, x, y, **at) * centered(v, x, y, **at), x, y, **at)

    rows = as_rows(y, axis)
    pulled = centered_rows(as_rows(_kept(g, where), axis), rows)
    pulled *= rows
    if beta != 1:
        pulled *= beta
    pulled = _kept(from_rows(pulled, g.shape, axis), where)
    return pulled, lambda v, pulled, g, x, y: softmax_pull(v, x, y, **at), bend, None


@primitive()
def centered(v, x, y, /, axis, beta, where):
    """v - sum(y * v) of y = softmax(x)."""
    at = {"axis": axis, "beta": beta, "where": where}

    def bend(u, h, v, x, y):
        return -np.sum(_kept(u, where), axis=axis, keepdims=True) * softmax_pull(v, x, y, **at)

    h = centered_rows(as_rows(_kept(v, where), axis), as_rows(y, axis))
    h = _kept(from_rows(h, v.shape, axis), where)
    return h, lambda u, h, v, x, y: spread(u, x, y, **at), bend, None


@primitive()
def spread(g, x, y, /, axis, beta, where):
    """g - y * sum(g) of y = softmax(x)."""
    at = {"axis": axis, "beta": beta, "where": where}

    def bend(v, h, g, x, y):
        return -np.sum(_kept(g, where), axis=axis, keepdims=True) * softmax_pull(v, x, y, **at)

    h = spread_rows(as_rows(_kept(g, where), axis), as_rows(y, axis))
    h = _kept(from_rows(h, g.shape, axis), where)
    return h, lambda v, h, g, x, y: centered(v, x, y, **at), bend, None


# -- the family ----------------------------------------------------------------------------------------


@primitive()
def _softmax(x, /, axis, beta, where, b=None):
    """exp(beta * x) over its sum; with factors `b`, b * exp(beta * x) over its sum."""
    y, _, infinite = shifted(as_rows(x, axis), beta, None if where is None else as_rows(where, axis))
    np.exp(y, out=y)
    if b is not None:
        y *= as_rows(b, axis)
    total = np.add.reduce(y, axis=1, keepdims=True)
    if where is not None:
        total[~y.any(axis=1)] = 1  # wholly masked
    y /= total
    moves = where
    if infinite is not None:  # a row at its limit stays there
        moves = from_rows(np.broadcast_to(~infinite, y.shape), x.shape, axis)
        moves = moves if where is None else moves & where

    def pull(g, y, x):
        return softmax_pull(g, x, value_of(y), axis=axis, beta=beta, where=moves)

    return from_rows(y, x.shape, axis), pull


@primitive()
def _log_softmax(x, /, axis, beta, where):
    """The logarithm of softmax, through log1p of all exponentials but the largest."""

    def pull(g, y, x):
        h = spread(g, x, np.exp(value_of(y)), axis=axis, beta=beta, where=where)
        return h if beta == 1 else beta * h

    z, _, _ = shifted(as_rows(x, axis), beta, None if where is None else as_rows(where, axis))
    rest, _ = without_largest(np.exp(z))
    z -= np.log1p(rest)[:, None]
    return from_rows(z, x.shape, axis), pull


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
        e, peak, _ = shifted(as_rows(x, axis), where=as_rows(counting(x), axis))
        np.exp(e, out=e)
        if b is not None:
            e *= as_rows(b, axis)
        largest = np.maximum.reduce(e, axis=1)
        largest[largest == 0] = 1  # nothing counts, and peak is -inf
        rest, _ = without_largest(e)
        with np.errstate(all="ignore"):
            y = peak[:, 0] + (np.log(largest) + np.log1p(rest / largest))
    else:
        y = np.full(prod(ones), -np.inf, x.dtype)
    return y.reshape(ones if keepdims else [n for i, n in enumerate(x.shape) if i not in axes]), share
