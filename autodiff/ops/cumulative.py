"""Running sums and products along an axis."""

import numpy as np

from ..primitive import implements, primitive
from .axes import at, is_regular
from .options import prepared
from .refusals import place_of
from .shaping import ravel


@primitive(structure="layout")
def _cumsum(x, /, axis):
    """The sum of each element and all before it along `axis`."""
    return np.cumsum(x, axis), lambda g, y, x: _sum_from_here(g, axis)


@primitive(structure="layout")
def _sum_from_here(x, /, axis):
    """The sum of each element and all behind it along `axis`."""
    y = np.empty(x.shape, np.float32 if x.dtype == np.float16 else x.dtype)  # 2048 + 1 is 2048 in float16
    np.cumsum(np.flip(x, axis), axis, y.dtype, np.flip(y, axis))
    return y.astype(x.dtype, copy=False), lambda g, y, x: _cumsum(g, axis)


def shifted(x, axis, step, fill):
    """Each element's neighbour `step` places on along `axis` (1 or -1), `fill` where there is none."""
    n = x.shape[axis]
    edge = np.full((*x.shape[:axis], min(n, 1), *x.shape[axis + 1 :]), fill, x.dtype)
    parts = [x[at(axis, slice(1, None))], edge] if step == 1 else [edge, x[at(axis, slice(n - 1))]]
    return np.concatenate(parts, axis)


def _times(a, b):
    """a * b, but 0 where one of them is 0: a product of others may overflow that nobody asks for."""
    return np.multiply(a, b, out=np.zeros_like(b), where=(a != 0) & (b != 0))


@primitive()
def _recur(a, b, /, axis, backward=False):
    """The sequence s with s[i] = b[i] + a[i] * s[i - 1] along `axis`; `backward`, with s[i + 1].

    By doubling steps: s[i] gathers the terms of a window before i, which doubles while a becomes the window's
    product. No division, so a may be 0.
    """
    product, s = (np.flip(a, axis), np.flip(b, axis)) if backward else (a, b)
    n, step = s.shape[axis], 1
    with np.errstate(over="ignore"):
        while step < n:
            here, there = at(axis, slice(step, None)), at(axis, slice(n - step))
            first = at(axis, slice(step))
            s = np.concatenate([s[first], s[here] + _times(product[here], s[there])], axis)
            product = np.concatenate([product[first], _times(product[here], product[there])], axis)
            step *= 2

    def terms(g, s, a, b):
        return _recur(shifted(a, axis, -1 if backward else 1, 1), g, axis, not backward)

    def factors(g, s, a, b):
        return terms(g, s, a, b) * shifted(s, axis, 1 if backward else -1, 0)

    return np.flip(s, axis) if backward else np.array(s), factors, terms


@primitive()
def _cumprod(x, /, axis):
    """The product of each element and all before it; exact slopes where some are 0."""

    def pull(g, y, x):
        if is_regular(y, 2):  # and g * y too
            return _sum_from_here(g * y, axis) / x
        behind = _recur(shifted(x, axis, 1, 1), g, axis, True)
        return behind * shifted(y, axis, -1, 1)

    return np.cumprod(x, axis), pull


def _running(name, op, a, axis, dtype, out):
    a = prepared(name, a, dtype, out)
    if axis is None or not np.ndim(a):
        a, axis = ravel(a), 0 if axis is None else axis
    return op(a, place_of(name, axis, len(a.shape)))


@implements(np.cumsum)
def cumsum(a, axis=None, dtype=None, out=None):
    """The running sum along `axis` (None: of a.ravel())."""
    return _running("cumsum", _cumsum, a, axis, dtype, out)


@implements(np.cumprod)
def cumprod(a, axis=None, dtype=None, out=None):
    """The running product along `axis` (None: of a.ravel()); exact slopes where some elements are 0."""
    return _running("cumprod", _cumprod, a, axis, dtype, out)


@implements(np.nancumsum)
def nancumsum(a, axis=None, dtype=None, out=None):
    """The running sum of what is not NaN."""
    return _running("nancumsum", _cumsum, np.where(np.isnan(a), 0, a), axis, dtype, out)


@implements(np.nancumprod)
def nancumprod(a, axis=None, dtype=None, out=None):
    """The running product of what is not NaN."""
    return _running("nancumprod", _cumprod, np.where(np.isnan(a), 1, a), axis, dtype, out)


def _cumulative(name, op, x, axis, dtype, out, first):
    if axis is None:
        if len(x.shape) > 1:
            raise ValueError(f"{name}: an array of shape {x.shape} has no one axis; say which, as axis=0")
        axis = 0
    y = _running(name, op, x, axis, dtype, out)
    if first is None:
        return y
    axis = axis % len(y.shape)
    start = np.full((*y.shape[:axis], 1, *y.shape[axis + 1 :]), first, y.dtype)
    return np.concatenate([start, y], axis)


if hasattr(np, "cumulative_sum"):  # from NumPy 2.1 on

    @implements(np.cumulative_sum)
    def cumulative_sum(x, *, axis=None, dtype=None, out=None, include_initial=False):
        """The running sum along `axis`, with a 0 in front if `include_initial`."""
        return _cumulative("cumulative_sum", _cumsum, x, axis, dtype, out, 0 if include_initial else None)

    @implements(np.cumulative_prod)
    def cumulative_prod(x, *, axis=None, dtype=None, out=None, include_initial=False):
        """The running product along `axis`, with a 1 in front if `include_initial`."""
        return _cumulative("cumulative_prod", _cumprod, x, axis, dtype, out, 1 if include_initial else None)
