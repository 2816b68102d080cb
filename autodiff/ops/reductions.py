"""Sums, means, extrema, products and spreads along axes."""

import numpy as np

from ..primitive import primitive
from .axes import axes_last, expand, share


@primitive(np.sum, structure="layout")
def sum(x, /, axis=None, keepdims=False):
    """The sum over `axis`; each element receives the whole gradient."""
    return np.sum(x, axis=axis, keepdims=keepdims), lambda g, y, x: np.broadcast_to(
        expand(g, x, axis, keepdims), x.shape
    )


@primitive(np.mean, structure="layout")
def mean(x, /, axis=None, keepdims=False):
    """The average over `axis`; each element receives an equal share."""
    return np.mean(x, axis=axis, keepdims=keepdims), lambda g, y, x: np.broadcast_to(
        expand(g, x, axis, keepdims) * share(x, axis), x.shape
    )


def _share_among_tied(axis, keepdims):
    def pull(g, y, x):
        tied = (x == expand(y, x, axis, keepdims)) | (x != x)
        count = np.sum(tied, axis=axis, keepdims=True, dtype=np.promote_types(g.dtype, np.float64))
        return np.where(tied, expand(g, x, axis, keepdims) * (1 / count).astype(g.dtype), 0)

    return pull


@primitive(np.max, structure="selection")
def max(x, /, axis=None, keepdims=False):
    """The largest element along `axis`; the tied share the gradient evenly."""
    return np.max(x, axis=axis, keepdims=keepdims), _share_among_tied(axis, keepdims)


@primitive(np.min, structure="selection")
def min(x, /, axis=None, keepdims=False):
    """The smallest element along `axis`; the tied share the gradient evenly."""
    return np.min(x, axis=axis, keepdims=keepdims), _share_among_tied(axis, keepdims)


def product_of_others(x, axis):
    """For each element the product of the others along `axis`, exact where some are 0.

    Products of all elements before times products of all elements behind: running ones of an array, of a
    Tensor the same by doubling steps, which other orders can differentiate.
    """
    x, back = axes_last(x, axis)
    if not x.shape[-1]:
        return back(x)

    def before(x):
        ones = np.ones((*x.shape[:-1], 1), x.dtype)
        product = np.concatenate([ones, x[..., :-1]], axis=-1)
        if isinstance(product, np.ndarray):
            return np.cumprod(product, axis=-1)
        step = 1
        while step < x.shape[-1]:
            ones = np.ones((*x.shape[:-1], step), x.dtype)
            product = product * np.concatenate([ones, product[..., :-step]], axis=-1)
            step *= 2
        return product

    return back(before(x) * before(x[..., ::-1])[..., ::-1])


@primitive(np.prod)
def prod(x, /, axis=None, keepdims=False):
    """The product over `axis`; each element receives the product of the others."""
    return np.prod(
        x, axis=axis, keepdims=keepdims
    ), lambda g, y, x: expand(g, x, axis, keepdims) * product_of_others(x, axis)


@primitive(np.var)
def var(x, /, axis=None, ddof=0, keepdims=False):
    """The mean squared distance from the mean over `axis`, with n - `ddof` for n."""

    def spread(g, y, x):
        if 0 in x.shape:  # nothing has no mean
            return expand(g, x, axis, keepdims) * x
        distance = x - np.mean(x, axis=axis, keepdims=True)
        return expand(g, x, axis, keepdims) * distance * (2 * share(x, axis, ddof))

    return np.var(x, axis=axis, ddof=ddof, keepdims=keepdims), spread


@primitive(np.std)
def std(x, /, axis=None, ddof=0, keepdims=False):
    """The root of the variance; that of constant elements has the gradient 0."""

    def spread(g, y, x):
        if 0 in x.shape:  # nothing has no largest element
            return expand(g, x, axis, keepdims) * x
        # Not y == 0: the rounded mean of equal numbers may differ from them.
        constant = np.max(x, axis=axis, keepdims=True) == np.min(x, axis=axis, keepdims=True)
        safe = np.where(constant, 1, expand(y, x, axis, keepdims))
        distance = x - np.mean(x, axis=axis, keepdims=True)
        slope = distance / safe * share(x, axis, ddof)
        return expand(g, x, axis, keepdims) * np.where(constant, 0, slope)

    return np.std(x, axis=axis, ddof=ddof, keepdims=keepdims), spread
