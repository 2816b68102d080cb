"""The softmax family and the activations to 60 digits, by mpmath: what the rounded ones are measured against.

An input is the exact binary value of a float. Nothing here subtracts a probability from 1: a row's
centered gradient is sum_j y_j (g_i - g_j), which has no cancellation to fear.
"""

import mpmath as mp
import numpy as np

DIGITS = 60


def exact(array):
    """The floats of an array as mpmath's numbers, without rounding."""
    return np.vectorize(lambda x: mp.mpf(float(x)), otypes=[object])(array)


def by_rows(function):
    """`function` of rows of numbers, for arrays whose last axis is the row."""

    def of_arrays(*arrays, **options):
        with mp.workdps(DIGITS):
            arrays = [exact(array) for array in arrays]
            shape = arrays[0].shape
            rows = [array.reshape(-1, shape[-1]) for array in arrays]
            found = [function(*row, **options) for row in zip(*rows, strict=True)]
            return np.array(found, dtype=object).reshape(shape if np.ndim(found[0]) else shape[:-1])

    return of_arrays


def _y(x, beta=1):
    peak = max(beta * x)
    e = [mp.exp(beta * xi - peak) for xi in x]
    return np.array([ei / mp.fsum(e) for ei in e], dtype=object)


def _centered(v, y):
    return np.array([mp.fsum(yj * (vi - vj) for vj, yj in zip(v, y, strict=True)) for vi in v], dtype=object)


def _log_y(x):
    return np.array(
        [-mp.log1p(mp.fsum(mp.exp(x[j] - xi) for j in range(len(x)) if j != i)) for i, xi in enumerate(x)],
        dtype=object,
    )


def _spread(g, y):
    n = range(len(g))
    return np.array(
        [mp.fsum(g[i] * y[j] - y[i] * g[j] for j in n if j != i) for i in n],
        dtype=object,
    )


def _size(v, y):
    """What _centered adds up, without the signs: how large an error the cancellation in it may leave."""
    return np.array(
        [mp.fsum(yj * abs(vi - vj) for vj, yj in zip(v, y, strict=True)) for vi in v], dtype=object
    )


softmax = by_rows(_y)
softmax_vjp = by_rows(lambda x, g, beta=1: beta * _y(x, beta) * _centered(g, _y(x, beta)))
softmax_vjp_size = by_rows(lambda x, g: _y(x) * _size(g, _y(x)))
log_softmax = by_rows(_log_y)
log_softmax_vjp = by_rows(lambda x, g: _spread(g, _y(x)))


@by_rows
def spread_size(x, g):
    """What log_softmax's vjp of g adds up, without the signs."""
    y, n = _y(x), range(len(x))
    return np.array(
        [mp.fsum(abs(g[i]) * y[j] + y[i] * abs(g[j]) for j in n if j != i) for i in n], dtype=object
    )


@by_rows
def softmax_hvp(x, g, v):
    """The derivative by x, along v, of softmax's vjp of g."""
    y = _y(x)
    return y * _centered(_centered(g, y) * _centered(v, y), y)


@by_rows
def softmax_hvp_size(x, g, v):
    """The same without signs; an element's own term, which cancels, left out."""
    y, n = _y(x), range(len(x))
    c = _size(g, y) * _size(v, y)
    return np.array([y[i] * mp.fsum(y[j] * (c[i] + c[j]) for j in n if j != i) for i in n], dtype=object)


@by_rows
def log_softmax_hvp(x, g, v):
    """The derivative by x, along v, of log_softmax's vjp of g."""
    y = _y(x)
    return -mp.fsum(g) * y * _centered(v, y)


@by_rows
def logsumexp(x):
    return max(x) + mp.log(mp.fsum(mp.exp(xi - max(x)) for xi in x))


@by_rows
def cross_entropy(x, dense):
    """Minus the sum of `dense` factors times log-probabilities."""
    return -mp.fsum(d * p for d, p in zip(dense, _log_y(x), strict=True) if d)


cross_entropy_vjp = by_rows(lambda x, dense: -_spread(dense, _y(x)))


def worst_error(found, truth, sizes=None):
    """The largest relative error of an element, in units of the dtype's eps.

    Relative to the truth, or to `sizes`, what the truth is a sum of, where that crosses zero. Elements
    too small for the dtype's normal numbers have no digit to keep; they must be small.
    """
    info = np.finfo(found.dtype)
    worst = 0.0
    with mp.workdps(DIGITS):
        for one, true, size in zip(
            np.ravel(found), np.ravel(truth), np.ravel(truth if sizes is None else sizes), strict=True
        ):
            if abs(size) >= info.tiny:
                worst = max(worst, float(abs(mp.mpf(float(one)) - true) / abs(size)))
            else:
                assert abs(one) <= 2 * info.tiny, (one, true)
    return worst / float(info.eps)
