"""Sequences: convolution and correlation, interpolation, polynomials."""

import numpy as np

from ..primitive import implements, primitive
from ..tensor import Tensor
from .axes import value_of
from .options import as_array

MODES = ("full", "same", "valid")


@primitive()
def _convolve(a, v, /):
    return (
        np.convolve(a, v),
        lambda g, y, a, v: np.correlate(g, v, "valid"),
        lambda g, y, a, v: np.correlate(g, a, "valid"),
    )


def cropped(full, n, m, mode):
    """What `mode` keeps of the full convolution of sequences of lengths n >= m."""
    if mode not in MODES:
        raise ValueError(f"convolve: mode is one of {', '.join(map(repr, MODES))}, not {mode!r}")
    if mode == "full":
        return full
    start, length = ((m - 1) // 2, n) if mode == "same" else (m - 1, n - m + 1)
    return full[start : start + length]


@implements(np.convolve)
def convolve(a, v, mode="full"):
    """The sums of products of a with the reversed v at every shift; `mode` "full", "same" or "valid"."""
    a, v = (x if isinstance(x, Tensor) else np.asarray(x) for x in (a, v))
    a, v = (np.reshape(x, (1,)) if not x.shape else x for x in (a, v))
    n, m = sorted((len(a), len(v)), reverse=True)
    return cropped(_convolve(a, v), n, m, mode)


@implements(np.correlate)
def correlate(a, v, mode="valid"):
    """The sums of products of a with v at every shift; `mode` "full", "same" or "valid"."""
    a, v = (x if isinstance(x, Tensor) else np.asarray(x) for x in (a, v))
    a, v = (np.reshape(x, (1,)) if not x.shape else x for x in (a, v))
    if len(a) >= len(v):
        return convolve(a, v[::-1], mode)
    return convolve(a[::-1], v, mode)[::-1]


def double(x):
    """An array or Tensor in float64, the one dtype that np.interp computes in."""
    if getattr(x, "dtype", None) == np.longdouble:
        raise TypeError("interp: NumPy's computes in float64; take x.astype(np.float64)")
    if not isinstance(x, Tensor):
        return np.asarray(x, np.float64)
    return x if x.dtype == np.float64 else x.astype(np.float64)


@implements(np.interp)
def interp(x, xp, fp, left=None, right=None, period=None):
    """The values at x of the lines through the points (xp, fp); float64, as NumPy's.

    fp, x, `left` and `right` have gradients, xp none. x's is the slope of its piece, at a knot that of the
    piece to the right (at the last knot, to the left), and 0 outside.
    """
    if isinstance(xp, Tensor) or isinstance(period, Tensor):
        raise TypeError("interp: xp and period have no derivative here; hand arrays, as xp.data")
    x, xp, fp = double(x), double(xp), double(fp)
    left, right = (None if end is None else double(end) for end in (left, right))
    place = value_of(x)
    if xp.ndim != 1 or xp.shape != fp.shape or not len(xp):
        raise ValueError(
            f"interp: xp and fp are sequences of one length, not of shape {xp.shape} and {fp.shape}"
        )
    if period is not None:
        period = abs(period)
        x = x - period * np.floor(place / period)
        place = place % period
        order = np.argsort(xp % period)
        before, behind = order[-1:], order[:1]
        xp = np.concatenate(
            [(xp % period)[before] - period, (xp % period)[order], (xp % period)[behind] + period]
        )
        fp = fp[np.concatenate([before, order, behind])]
        left = right = None
    left, right = fp[0] if left is None else left, fp[-1] if right is None else right
    if len(xp) == 1:
        between = fp[np.zeros(place.shape, int)]
    else:
        i = np.clip(np.searchsorted(xp, place, side="right") - 1, 0, len(xp) - 2)
        inside = np.where((place < xp[0]) | (place > xp[-1]), xp[0], x)  # a NaN stays one
        between = fp[i] + (fp[i + 1] - fp[i]) * ((inside - xp[i]) / (xp[i + 1] - xp[i]))
    return np.where(place < xp[0], left, np.where(place > xp[-1], right, between))


# -- polynomials, their highest power first ----------------------------------------------------------
# As NumPy's, whose powers are whole numbers, polyder, polyint and polyfit compute in float64 at least.


@implements(np.polyval)
def polyval(p, x):
    """The polynomial with the coefficients `p`, the highest power first, at x."""
    y = x * 0 if isinstance(x, Tensor) else np.zeros_like(x)
    for coefficient in as_array(p):
        y = y * x + coefficient
    return y


@implements(np.polymul)
def polymul(a1, a2):
    """The coefficients of the product of two polynomials."""
    return convolve(a1, a2)


@implements(np.polyadd)
def polyadd(a1, a2):
    """The coefficients of the sum of two polynomials."""
    a1, a2 = np.atleast_1d(a1), np.atleast_1d(a2)
    length = max(len(a1), len(a2))
    return _prolonged(a1, length) + _prolonged(a2, length)


@implements(np.polysub)
def polysub(a1, a2):
    """The coefficients of the difference of two polynomials."""
    return polyadd(a1, -a2 if isinstance(a2, Tensor) else -np.asarray(a2))


def _prolonged(p, length):
    if len(p) == length:
        return p
    return np.concatenate([np.zeros(length - len(p), p.dtype), p])


@implements(np.polyder)
def polyder(p, m=1):
    """The coefficients of the polynomial's derivative of order m."""
    if m < 0:
        raise ValueError(f"polyder: the order is no negative number, as {m}; see np.polyint")
    for _ in range(m):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@implements(np.polyint)
def polyint(p, m=1, k=None):
    """The coefficients of the polynomial's integral of order m, with the constants `k` of integration."""
    if m < 0:
        raise ValueError(f"polyint: the order is no negative number, as {m}; see np.polyder")
    constants = np.zeros(m) if k is None else np.broadcast_to(np.atleast_1d(k)[:m], m)
    for constant in constants:
        p = p / np.arange(len(p), 0, -1)
        p = np.concatenate([p, np.reshape(as_array(constant).astype(p.dtype), (1,))])
    return p


@implements(np.polyfit)
def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    """The coefficients of the polynomial of degree `deg` nearest to the points (x, y), with weights `w`."""
    if full or cov:
        raise TypeError("polyfit: full= and cov= are not for Tensors; np.linalg.lstsq gives the residuals")
    x, y = (z if isinstance(z, Tensor) else np.asarray(z, np.float64) for z in (x, y))
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    x = x if x.dtype.itemsize >= 8 else x.astype(np.float64)
    powers = np.stack([x**n if n else np.ones(np.shape(x), x.dtype) for n in range(deg, -1, -1)], axis=-1)
    if w is not None:
        powers = powers * np.expand_dims(w, -1)
        y = y * (w if len(np.shape(y)) == 1 else np.expand_dims(w, -1))
    # In units that make the columns alike long, as NumPy.
    scale = np.sqrt(np.sum(powers * powers, axis=0))
    fitted = np.linalg.lstsq(powers / scale, y, rcond)[0]
    return fitted / (scale if len(fitted.shape) == 1 else np.expand_dims(scale, -1))
