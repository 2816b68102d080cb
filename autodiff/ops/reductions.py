"""Sums, means, extrema and products along axes, of all elements or of those that are numbers."""

import numpy as np

from ..primitive import implements, primitive
from .axes import axes_last, expand, is_regular, share
from .cumulative import cumprod, shifted
from .options import fitted, given, prepared
from .refusals import no_out

NONE = np._NoValue


# -- sums and means ----------------------------------------------------------------------------------


@primitive(structure="layout")
def _sum(x, /, axis=None, keepdims=False, initial=NONE):
    """The sum over `axis`; each element receives the whole gradient."""
    # What np.sum does, without the way there, which takes three times as long on small arrays.
    y = np.add.reduce(x, axis=axis, keepdims=keepdims, initial=initial)
    return y, lambda g, y, x: np.broadcast_to(expand(g, x, axis, keepdims), x.shape)


@implements(np.sum)
def sum(a, axis=None, dtype=None, out=None, keepdims=False, initial=NONE, where=True):
    """The sum over `axis`; each element receives the whole gradient."""
    return _sum(
        prepared("sum", a, dtype, out, where, 0), **given(axis=axis, keepdims=keepdims, initial=initial)
    )


@implements(np.nansum)
def nansum(a, axis=None, dtype=None, out=None, keepdims=False, initial=NONE, where=True):
    """The sum over `axis` of what is not NaN."""
    return sum(np.where(np.isnan(a), 0, a), axis, dtype, out, keepdims, initial, where)


@primitive(structure="layout")
def _mean(x, /, axis=None, keepdims=False, where=True):
    """The average over `axis`; each element receives an equal share."""

    def pull(g, y, x):
        each = expand(g, x, axis, keepdims) * share(x, axis, where=where)
        return np.broadcast_to(each, x.shape) if where is True else np.where(where, each, np.zeros_like(x))

    return np.mean(x, axis=axis, keepdims=keepdims, where=where), pull


@implements(np.mean)
def mean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=True):
    """The average over `axis`; each element receives an equal share."""
    a = prepared("mean", a, dtype, out, where, 0)
    if where is not True:
        return _mean(a, axis, keepdims, np.array(where))
    return _mean(a, **given(axis=axis, keepdims=keepdims))


def numbers(name, a, where):
    """Where the elements of `a` are numbers, and `where`, the option of the reduction `name`, holds."""
    there = ~np.isnan(a)
    return there if where is True else there & fitted(name, where, a)


@implements(np.nanmean)
def nanmean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=True):
    """The average over `axis` of what is not NaN; NaN with slope 0 where nothing else is."""
    return mean(a, axis, dtype, out, keepdims, where=numbers("nanmean", a, where))


# -- extrema -----------------------------------------------------------------------------------------


def _share_among_tied(axis, keepdims, initial, where, skips_nan=False):
    def pull(g, y, x):
        extreme = expand(y, x, axis, keepdims)
        tied = x == extreme
        if not skips_nan and np.any(np.isnan(y)):
            tied = tied | (x != x)
        if where is not True:
            tied = tied & where
        count = np.count_nonzero(tied, axis=axis, keepdims=True)
        if initial is not NONE:  # it is one more element
            count = count + (extreme == initial)
        part = 1 / np.maximum(count, 1, dtype=np.promote_types(g.dtype, np.float64))
        return np.where(tied, expand(g, x, axis, keepdims) * part.astype(g.dtype), 0)

    return pull


def _extreme(function, x, axis, out, keepdims, initial, where):
    no_out(function.__name__, out)
    where = where if where is True else np.array(where)  # the caller's may change
    # As an array: of a number alone NumPy's nanmax and nanmin overlook where= and initial=.
    y = function(np.asarray(x), axis=axis, keepdims=keepdims, initial=initial, where=where)
    return y, _share_among_tied(axis, keepdims, initial, where, function.__name__.startswith("nan"))


@primitive(np.max, np.amax, structure="selection")
def max(x, /, axis=None, out=None, keepdims=False, initial=NONE, where=True):
    """The largest element along `axis`; the tied share the gradient evenly, `initial` among them."""
    return _extreme(np.max, x, axis, out, keepdims, initial, where)


@primitive(np.min, np.amin, structure="selection")
def min(x, /, axis=None, out=None, keepdims=False, initial=NONE, where=True):
    """The smallest element along `axis`; the tied share the gradient evenly, `initial` among them."""
    return _extreme(np.min, x, axis, out, keepdims, initial, where)


@primitive(np.nanmax, structure="selection")
def nanmax(x, /, axis=None, out=None, keepdims=False, initial=NONE, where=True):
    """The largest element along `axis` that is not NaN; NaN with slope 0 where nothing else is."""
    return _extreme(np.nanmax, x, axis, out, keepdims, initial, where)


@primitive(np.nanmin, structure="selection")
def nanmin(x, /, axis=None, out=None, keepdims=False, initial=NONE, where=True):
    """The smallest element along `axis` that is not NaN; NaN with slope 0 where nothing else is."""
    return _extreme(np.nanmin, x, axis, out, keepdims, initial, where)


@implements(np.ptp)
def ptp(a, axis=None, out=None, keepdims=False):
    """The largest minus the smallest element along `axis`."""
    no_out("ptp", out)
    return max(a, axis, keepdims=keepdims) - min(a, axis, keepdims=keepdims)


# -- products ----------------------------------------------------------------------------------------


def product_of_others(x, axis):
    """For each element the product of the others along `axis`, exact where some are 0.

    The product of all before times that of all behind: running ones, which no 0 disturbs.
    """
    x, back = axes_last(x, axis)
    last = len(x.shape) - 1
    before = cumprod(shifted(x, last, -1, 1), last)
    behind = cumprod(shifted(x, last, 1, 1)[..., ::-1], last)[..., ::-1]
    return back(before * behind)


@primitive()
def _prod(x, /, axis=None, keepdims=False, initial=NONE):
    """The product over `axis`; each element receives the product of the others."""

    def pull(g, y, x):
        if is_regular(y):
            return expand(g, x, axis, keepdims) * (expand(y, x, axis, keepdims) / x)
        others = product_of_others(x, axis)
        return expand(g, x, axis, keepdims) * (others if initial is NONE else others * initial)

    return np.prod(x, axis=axis, keepdims=keepdims, initial=initial), pull


@implements(np.prod)
def prod(a, axis=None, dtype=None, out=None, keepdims=False, initial=NONE, where=True):
    """The product over `axis`; each element receives the product of the others."""
    return _prod(
        prepared("prod", a, dtype, out, where, 1), **given(axis=axis, keepdims=keepdims, initial=initial)
    )


@implements(np.nanprod)
def nanprod(a, axis=None, dtype=None, out=None, keepdims=False, initial=NONE, where=True):
    """The product over `axis` of what is not NaN."""
    return prod(np.where(np.isnan(a), 1, a), axis, dtype, out, keepdims, initial, where)
