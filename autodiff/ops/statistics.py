"""Weighted averages and covariances."""

import warnings

import numpy as np

from ..primitive import implements
from .axes import as_tuple
from .options import as_array, cast
from .reductions import mean
from .refusals import no_tensor


@implements(np.average)
def average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    """The average over `axis`, each element counted by its weight, which may be a Tensor too.

    `weights`: of a's shape, or of the lengths of `axis`. With `returned` the sum of the weights comes along.
    Raises ZeroDivisionError where the weights add up to 0.
    """
    if weights is None:
        y = mean(a, axis=axis, keepdims=keepdims)
        count = np.full(y.shape, np.size(a) / (y.size or 1), y.dtype)[()]
        return (y, count) if returned else y
    if np.shape(weights) != np.shape(a):
        if axis is None:
            raise TypeError(
                "average: weights of another shape than a's belong to an axis; say which, as axis=0"
            )
        axes = as_tuple(axis, np.ndim(a), "average")
        lengths = tuple(np.shape(a)[axis] for axis in axes)
        if np.shape(weights) != lengths:
            raise ValueError(
                f"average: weights of shape {np.shape(weights)} do not fit the lengths {lengths}"
            )
        weights = np.transpose(weights, np.argsort(axes))
        weights = np.reshape(weights, [n if i in axes else 1 for i, n in enumerate(np.shape(a))])
    product = np.multiply(a, weights)
    weights = np.broadcast_to(weights, product.shape)
    total = np.sum(weights, axis=axis, keepdims=keepdims, dtype=product.dtype)
    if np.any(total == 0):
        raise ZeroDivisionError("average: the weights add up to 0, so they cannot be normalized")
    y = np.sum(product, axis=axis, keepdims=keepdims) / total
    return (y, total) if returned else y


def _rows(name, x, rowvar, dtype, turns):
    """The variables of `x` as rows."""
    if np.ndim(x) > 2:
        raise ValueError(f"{name}: takes variables and observations in two axes, not {np.ndim(x)}")
    x = cast(name, as_array(x), dtype)
    rows = np.reshape(x, (1, -1)) if len(x.shape) < 2 else x
    return rows if rowvar or not turns(x, rows) else np.transpose(rows)


def _weights_of(name, fweights, aweights, count, dtype):
    """Frequencies and weights of `count` observations, each None or one-dimensional."""
    no_tensor(name, "fweights=, a count,", fweights)
    for option, weights in (("fweights", fweights), ("aweights", aweights)):
        if weights is None:
            continue
        if np.shape(weights) != (count,):
            raise ValueError(f"{name}: {option}= of shape {np.shape(weights)} for {count} observations")
        if not np.all(np.greater_equal(weights, 0)):
            raise ValueError(f"{name}: {option}= must not be negative")
    if fweights is not None and not np.all(np.equal(fweights, np.rint(fweights))):
        raise TypeError(f"{name}: fweights= are whole numbers; see also aweights=")
    return [
        None if weights is None else cast(name, as_array(weights), dtype) for weights in (fweights, aweights)
    ]


@implements(np.cov)
def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None):
    """The covariances of variables, the rows of `m` (and of `y`), or their columns without `rowvar`.

    Divided by n - 1, or by n if `bias`, or by n - `ddof`. `fweights`: how often each observation was made;
    `aweights`: how much it counts, which may be a Tensor. In float64 at least, unless `dtype` says.
    """
    if dtype is None:
        dtypes = [getattr(x, "dtype", np.float64) for x in (m, y)]
        dtype = np.result_type(np.float64, *dtypes)
    x = _rows("cov", m, rowvar, dtype, lambda x, rows: len(x.shape) != 1)
    if x.shape[0] == 0:
        return np.zeros((0, 0))
    if y is not None:
        x = np.concatenate([x, _rows("cov", y, rowvar, dtype, lambda y, rows: rows.shape[0] != 1)], axis=0)
    fweights, aweights = _weights_of("cov", fweights, aweights, x.shape[1], dtype)
    if ddof is None:
        ddof = 0 if bias else 1
    elif ddof != int(ddof):
        raise ValueError(f"cov: ddof is a whole number, not {ddof}")
    both = [weights for weights in (fweights, aweights) if weights is not None]
    weights = both[0] * both[-1] if len(both) == 2 else both[0] if both else None
    center = average(x, axis=1, weights=weights, keepdims=True)
    if weights is None:
        count = x.shape[1] - ddof
    else:
        count = total = np.sum(weights)
        if ddof:
            count = total - ddof * (1 if aweights is None else np.sum(weights * aweights) / total)
    if not count > 0:
        warnings.warn("cov: no degrees of freedom are left", RuntimeWarning, stacklevel=2)
        count = 0.0
    distance = x - center
    weighted = distance if weights is None else distance * weights
    return np.squeeze(distance @ np.transpose(weighted) * np.true_divide(np.ones((), dtype), count))


@implements(np.corrcoef)
def corrcoef(x, y=None, rowvar=True, *, dtype=None):
    """The covariances of variables divided by their standard deviations: numbers between -1 and 1."""
    c = cov(x, y, rowvar, dtype=dtype)
    if len(c.shape) < 2:
        return c / c
    spread = np.sqrt(np.einsum("ii->i", c))
    return np.clip(c / np.expand_dims(spread, 1) / spread, -1, 1)
