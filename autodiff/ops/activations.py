"""Activations of neural networks, stable for any size of input, and so are their derivatives.

The slope of sigmoid, y * (1 - y), has no digit left where y rounds to 1. Written y * sigmoid(-x), or
by exp(-abs(x)) alone as in `_bell`, it keeps them all; so does its own slope by a tanh.
"""

from math import pi, sqrt

import numpy as np

from ..primitive import primitive
from .scalars import ONE, ZERO


def _dtype_of(x):
    # Of numbers and integer arrays, too.
    return np.result_type(x, 0.0)


def _not_minus_infinity(x):
    # Where a factor of 0 stands for a limit, infinity times it would be NaN.
    return np.maximum(x, np.finfo(_dtype_of(x)).min)


def _finite(x):
    most = np.finfo(_dtype_of(x)).max
    return np.clip(x, -most, most)


def _not_below_0(x):
    if type(x) is np.ndarray:
        return np.maximum(x, ZERO.get(x.dtype, 0))
    if isinstance(x, np.floating):  # a scalar, for which np.maximum takes ten times as long
        return type(x)(0) if x <= 0 else x
    return np.maximum(x, 0)


@primitive(broadcasts=True, structure="elementwise")
def relu(x, /):
    """max(x, 0), with slope 0 at 0."""

    def where_above_0(g, y, x):  # g * np.sign(y), for a y that is nowhere below 0 in half the time
        if type(g) is type(y) is np.ndarray:
            slope = np.minimum(y, ONE.get(y.dtype, 1))
            np.ceil(slope, slope)
            slope *= g
            return slope
        if isinstance(y, np.floating):
            return g if y > 0 else g * y
        return g * np.sign(y)

    return _not_below_0(x), where_above_0


@primitive(broadcasts=True, structure="elementwise")
def sigmoid(x, /):
    """1 / (1 + exp(-x)).

    >>> float(sigmoid(0.0)), float(sigmoid(-1000.0))
    (0.5, 0.0)
    """
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e), lambda g, y, x: g * _bell(x)


@primitive(broadcasts=True, structure="elementwise")
def _bell(x, /):
    """The slope of sigmoid, sigmoid(x) * sigmoid(-x); its own is -tanh(x / 2) times it."""
    e = np.exp(-np.abs(x))
    return e / ((1 + e) * (1 + e)), lambda g, y, x: -g * (y * np.tanh(x / 2))


@primitive(broadcasts=True, structure="elementwise")
def softplus(x, /):
    """log(1 + exp(x))."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))), lambda g, y, x: g * sigmoid(x)


@primitive(broadcasts=True, structure="elementwise")
def log_sigmoid(x, /):
    """log(sigmoid(x)), which is -softplus(-x)."""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))), lambda g, y, x: g * sigmoid(-x)


@primitive(broadcasts=True, structure="elementwise")
def silu(x, /):
    """x * sigmoid(x), also called swish: 0 at minus infinity.

    Elfwing, Uchibe and Doya 2017, arXiv:1702.03118.
    """
    return _not_minus_infinity(x) * sigmoid(x), lambda g, y, x: g * _silu_slope(x)


@primitive(broadcasts=True, structure="elementwise")
def _silu_slope(x, /):
    """sigmoid(x) + x * bell(x)."""

    def bend(g, y, x):
        return g * (_bell(x) * (2 - _finite(x) * np.tanh(x / 2)))

    return sigmoid(x) + _finite(x) * _bell(x), bend


# Beyond 60 (in longdouble; in float64 beyond 22) the sigmoid below is 0 or 1 to the last bit, and beyond 200 the
# normal density is 0; their arguments' powers must not overflow, not even in float16.
FAR_TANH, FAR_NORMAL = 60, 200


@primitive(broadcasts=True, structure="elementwise")
def _gelu_tanh(x, /):
    """x * (1 + tanh(u / 2)) / 2 with u = sqrt(8 / pi) * (x + 0.044715 * x**3)."""

    # (1 + tanh(u / 2)) / 2 is sigmoid(u), which keeps its digits where u is very negative.
    def u_of(x):
        return sqrt(8 / pi) * (x * (1 + 0.044715 * (x * x)))

    def slope(g, y, x):
        x = np.clip(x, -FAR_TANH, FAR_TANH)
        u = u_of(x)
        return g * (sigmoid(u) + x * (_bell(u) * (sqrt(8 / pi) * (1 + 0.134145 * (x * x)))))

    return _not_minus_infinity(x) * sigmoid(u_of(np.clip(x, -FAR_TANH, FAR_TANH))), slope


@primitive(broadcasts=True, structure="elementwise")
def _gelu_erf(x, /):
    """x times the normal distribution function at x."""
    y = _not_minus_infinity(x) * _normal_cdf(x)
    return y, lambda g, y, x: g * (_normal_cdf(x) + _finite(x) * _normal_density(x))


@primitive(broadcasts=True, structure="elementwise")
def _normal_cdf(x, /):
    """The normal distribution function."""
    try:
        from scipy.special import ndtr
    except ImportError:
        raise ImportError(
            "gelu(approximate=False) needs SciPy: pip install scipy, or use the tanh form"
        ) from None
    y = ndtr(x)  # of float16 in float32
    return y.astype(_dtype_of(x), copy=False), lambda g, y, x: g * _normal_density(x)


@primitive(broadcasts=True, structure="elementwise")
def _normal_density(x, /):
    """The slope of the normal distribution function."""
    near = np.clip(x, -FAR_NORMAL, FAR_NORMAL)
    return np.exp(-0.5 * (near * near)) / sqrt(2 * pi), lambda g, y, x: -g * (_finite(x) * y)


def gelu(x, approximate=True):
    """x times the normal distribution function at x, by its tanh approximation or exactly (by SciPy).

    Hendrycks and Gimpel 2016, arXiv:1606.08415.

    >>> round(float(gelu(1.0)), 4), round(float(gelu(-1.0)), 4)
    (0.8412, -0.1588)
    """
    return _gelu_tanh(x) if approximate else _gelu_erf(x)
