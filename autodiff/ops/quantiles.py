"""Medians, quantiles and percentiles: a weighted mean of two neighbours in the order of size."""

import numpy as np

from ..primitive import primitive
from .axes import as_tuple, axes_last, value_of
from .indexing import _put_along_axis
from .refusals import no_out


def neighbours(values, q, method, skips_nan):
    """Which elements of the last axis make each quantile, and how much each of them counts.

    Two arrays whose last axis has the lower elements for the quantiles `q` (one axis), then the upper ones.
    NumPy's quantile of 0, 1, 2, ... is a place in the sorted elements, between two of them if it is not whole:
    so all of NumPy's methods are told by it. Of elements that are not all numbers it is the last, NaN.
    """
    length = values.shape[-1]
    numbers = length - np.count_nonzero(np.isnan(values), axis=-1)
    between = np.full((*numbers.shape, len(q)), length - 1.0)
    for count in np.unique(numbers):
        if count and (skips_nan or count == length):
            between[numbers == count] = np.quantile(np.arange(float(count)), q, method=method)
    lower = np.floor(between)
    both = np.concatenate([lower, np.ceil(between)], axis=-1).astype(np.intp)
    parts = np.concatenate([1 - (between - lower), between - lower], axis=-1).astype(values.dtype)
    if skips_nan:
        parts[numbers == 0] = 0
    return elements_at(values, both), parts


def elements_at(values, places):
    """Where the elements are that a stable sort of the last axis would put at `places`.

    A sort takes ten times as long as a partition, which tells their values; the few that equal one are counted off.
    """
    count = places.shape[-1]
    if count > 8:
        return np.take_along_axis(np.argsort(values, axis=-1, kind="stable"), places, axis=-1)
    sizes = np.take_along_axis(np.partition(values, np.unique(places), axis=-1), places, axis=-1)
    found = np.empty_like(places)
    for i in range(count):
        size = sizes[..., i : i + 1]
        missing = np.isnan(size)
        equal = np.where(missing, np.isnan(values), values == size) if missing.any() else values == size
        smaller = np.where(missing, ~np.isnan(values), values < size) if missing.any() else values < size
        rank = places[..., i] - np.count_nonzero(smaller, axis=-1)
        found[..., i] = np.argmax(equal, axis=-1)
        if rank.any():  # not the first of equal ones
            found[..., i] = np.argmax(np.cumsum(equal, axis=-1) > rank[..., None], axis=-1)
    return found


def _pull(q, axis, method="linear", skips_nan=False):
    q = np.array(q, float).reshape(-1)  # a copy: the caller's may change before the backward pass

    def pull(g, y, x):
        rows, back = axes_last(x, axis)
        if not rows.shape[-1]:  # nothing has no median
            return back(rows)
        places, parts = neighbours(value_of(rows), q, method, skips_nan)
        g = np.reshape(g, (len(q), *rows.shape[:-1]))
        g = np.transpose(g, [*range(1, len(rows.shape)), 0])
        shares = np.concatenate([g, g], axis=-1) * parts
        return back(_put_along_axis(shares, places, -1, rows.shape))

    return pull


def _checked(name, out, weights=None):
    no_out(name, out)
    if weights is not None:
        raise TypeError(f"{name}: with weights= it has no derivative here; leave the graph with t.data")


def _checked_nan(name, x, q, axis, out, weights):
    _checked(name, out, weights)
    if np.ndim(q) > 1 and axis is not None and 1 < len(as_tuple(axis, x.ndim, name)) < x.ndim:
        raise TypeError(
            f"{name}: with q of several axes and several axes of x NumPy mixes up the result's axes; "
            "hand np.ravel(q) and reshape the result to np.shape(q) + result.shape[1:]"
        )


# overwrite_input= allows NumPy to write into the input, which a graph still needs: it is not passed on.


@primitive(np.median, structure="selection")
def median(x, /, axis=None, out=None, overwrite_input=False, keepdims=False):
    """The middle element along `axis` in the order of size, or the mean of the two in the middle."""
    _checked("median", out)
    return np.median(x, axis=axis, keepdims=keepdims), _pull(0.5, axis)


@primitive(np.nanmedian, structure="selection")
def nanmedian(x, /, axis=None, out=None, overwrite_input=False, keepdims=False):
    """The median along `axis` of what is not NaN; NaN with slope 0 where nothing else is."""
    _checked("nanmedian", out)
    return np.nanmedian(x, axis=axis, keepdims=keepdims), _pull(0.5, axis, skips_nan=True)


@primitive(np.quantile, structure="selection")
def quantile(
    x, /, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, weights=None
):
    """The element along `axis` below which the fraction `q` lies, by any of NumPy's methods."""
    _checked("quantile", out, weights)
    return np.quantile(x, q, axis=axis, method=method, keepdims=keepdims), _pull(q, axis, method)


@primitive(np.nanquantile, structure="selection")
def nanquantile(
    x, /, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, weights=None
):
    """The quantile along `axis` of what is not NaN; NaN with slope 0 where nothing else is."""
    _checked_nan("nanquantile", x, q, axis, out, weights)
    return np.nanquantile(x, q, axis=axis, method=method, keepdims=keepdims), _pull(q, axis, method, True)


@primitive(np.percentile, structure="selection")
def percentile(
    x, /, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, weights=None
):
    """The quantile along `axis` at `q` percent."""
    _checked("percentile", out, weights)
    part = np.true_divide(q, 100)
    return np.percentile(x, q, axis=axis, method=method, keepdims=keepdims), _pull(part, axis, method)


@primitive(np.nanpercentile, structure="selection")
def nanpercentile(
    x, /, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, weights=None
):
    """The percentile along `axis` of what is not NaN; NaN with slope 0 where nothing else is."""
    _checked_nan("nanpercentile", x, q, axis, out, weights)
    part = np.true_divide(q, 100)
    y = np.nanpercentile(x, q, axis=axis, method=method, keepdims=keepdims)
    return y, _pull(part, axis, method, True)
