"""How far elements along axes lie from their mean."""

import numpy as np

from ..primitive import implements, primitive
from .axes import as_tuple, degrees_left, expand, is_regular, share, value_of
from .norms import direction, vector_norm
from .options import degrees, given, prepared
from .reductions import NONE, numbers, sum


def _distance(x, axis, where):
    distance = x - np.mean(x, axis=axis, keepdims=True, where=where)
    return distance if where is True else np.where(where, distance, 0)


def equal(x, axis, where=True):
    """Whether all elements along `axis` are the same: not a question to their spread, whose mean is rounded."""
    x = value_of(x)
    largest = np.max(x, axis=axis, keepdims=True, initial=-np.inf, where=where)
    return largest == np.min(x, axis=axis, keepdims=True, initial=np.inf, where=where)


@primitive()
def _var(x, /, axis=None, ddof=0, keepdims=False, where=True):
    """The mean squared distance from the mean over `axis`, with n - `ddof` for n."""

    def pull(g, y, x):
        if 0 in x.shape:  # nothing has no mean
            return expand(g, x, axis, keepdims) * x
        slope = _distance(x, axis, where) * (2 * share(x, axis, ddof, where))
        return expand(g, x, axis, keepdims) * slope

    return np.var(x, axis=axis, ddof=ddof, keepdims=keepdims, where=where), pull


@primitive()
def _std(x, /, axis=None, ddof=0, keepdims=False, where=True):
    """The root of the variance; that of equal elements has the slope 0."""

    def pull(g, y, x):
        g = expand(g, x, axis, keepdims)
        if 0 in x.shape:  # nothing has no largest element
            return g * x
        flat = equal(x, axis, where)
        part = share(x, axis, ddof, where)
        distance = _distance(x, axis, where)
        if is_regular(y, 2):
            return g * np.where(flat, 0, distance / expand(y, x, axis, keepdims) * part)
        return g * direction(np.where(flat, 0, distance), axis) * part**0.5

    return np.std(x, axis=axis, ddof=ddof, keepdims=keepdims, where=where), pull


def _spread(name, op, a, axis, dtype, out, ddof, keepdims, where, mean, correction):
    ddof = degrees(name, ddof, correction)
    a = prepared(name, a, dtype, out, where, 0)
    where = where if where is True else np.array(where)
    if mean is NONE:
        return op(a, **given(axis=axis, ddof=ddof or None, keepdims=keepdims), where=where)
    # From a mean that the caller knows; a Tensor passes its share of the gradient on.
    distance = a - mean
    if where is not True:
        distance = np.where(where, distance, 0)
    left = degrees_left(a, axis, ddof, where).astype(a.dtype)
    if op is _var:
        y = sum(distance * distance, axis=axis, keepdims=True) / left
    else:
        # What is left of equal elements from their own mean is rounding, and a slope of it would be noise.
        rounding = np.abs(value_of(distance)) <= 4 * np.finfo(a.dtype).eps * np.abs(value_of(a))
        distance = np.where(equal(a, axis, where) & rounding, 0, distance)
        y = vector_norm(distance, axis=axis, keepdims=True) / np.sqrt(left)
    return y if keepdims else np.squeeze(y, as_tuple(axis, len(a.shape)))


@implements(np.var)
def var(
    a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, mean=NONE, correction=NONE
):
    """The mean squared distance from the mean over `axis`, with n - `ddof` (or `correction`) for n."""
    return _spread("var", _var, a, axis, dtype, out, ddof, keepdims, where, mean, correction)


@implements(np.std)
def std(
    a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, mean=NONE, correction=NONE
):
    """The root of the variance over `axis`; that of equal elements has the slope 0, at every order."""
    return _spread("std", _std, a, axis, dtype, out, ddof, keepdims, where, mean, correction)


def _nan_spread(name, op, a, axis, dtype, out, ddof, keepdims, where, mean, correction):
    there = numbers(name, a, where)
    # Too few count as none, whose slope is 0 and not 0 / 0.
    there = there & (np.count_nonzero(there, axis=axis, keepdims=True) > degrees(name, ddof, correction))
    y = _spread(name, op, a, axis, dtype, out, ddof, keepdims, there, mean, correction)
    enough = np.any(there, axis=axis, keepdims=keepdims)
    return y if np.all(enough) else np.where(enough, y, np.nan)


@implements(np.nanvar)
def nanvar(
    a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, mean=NONE, correction=NONE
):
    """The variance over `axis` of what is not NaN; NaN with slope 0 where too little else is."""
    return _nan_spread("nanvar", _var, a, axis, dtype, out, ddof, keepdims, where, mean, correction)


@implements(np.nanstd)
def nanstd(
    a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=True, mean=NONE, correction=NONE
):
    """The root of the variance over `axis` of what is not NaN; NaN with slope 0 where too little else is."""
    return _nan_spread("nanstd", _std, a, axis, dtype, out, ddof, keepdims, where, mean, correction)
