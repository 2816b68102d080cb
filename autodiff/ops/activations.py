"""Activations of neural networks, stable for any size of input."""

import math

import numpy as np

from ..primitive import primitive
from .elementwise import exp

# Python's floats, which are weak: NumPy's own would turn a float32 gradient into float64.
ROOT_8_OVER_PI = math.sqrt(8 / math.pi)
ROOT_2_PI = math.sqrt(2 * math.pi)


@primitive(broadcasts=True, structure="elementwise")
def relu(x, /):
    """max(x, 0), with slope 0 at 0."""
    return np.maximum(x, 0), lambda g, y, x: g * (y > 0)


@primitive(broadcasts=True, structure="elementwise")
def sigmoid(x, /):
    """1 / (1 + exp(-x)); its slope is y * sigmoid(-x), which does not cancel where y is close to 1."""
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e), lambda g, y, x: g * (y * sigmoid(-x))


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
    """x * sigmoid(x), also called swish."""

    def slope(g, y, x):
        s = sigmoid(x)
        return g * (s + x * (s * sigmoid(-x)))

    return x * sigmoid(x), slope


@primitive(broadcasts=True, structure="elementwise")
def _gelu_tanh(x, /):
    # (1 + tanh(u)) / 2 is sigmoid(2u), which keeps its digits where u is very negative. Beyond 25 the
    # sigmoid is 0 or 1 to the last bit, and x cubed must not overflow.
    def twice_u(x):
        x = np.clip(x, -25, 25)
        return ROOT_8_OVER_PI * (x + 0.044715 * x * x * x)

    def slope(g, y, x):
        u, near = twice_u(x), np.clip(x, -25, 25)
        du = ROOT_8_OVER_PI * (1 + 0.134145 * near * near)
        return g * (sigmoid(u) + near * (sigmoid(u) * sigmoid(-u)) * du)

    return x * sigmoid(twice_u(x)), slope


@primitive(broadcasts=True, structure="elementwise")
def _normal_cdf(x, /):
    try:
        from scipy.special import ndtr
    except ImportError:
        raise ImportError(
            "gelu(approximate=False) needs SciPy: pip install scipy, or use the tanh form"
        ) from None
    # float16 is computed in float32, and comes back.
    y = ndtr(x).astype(np.result_type(np.asarray(x), np.float16))
    return y, lambda g, y, x: g * (exp(-0.5 * x * x) / ROOT_2_PI)


def gelu(x, approximate=True):
    """x times the normal distribution function at x, by its tanh approximation or exactly (by SciPy).

    Hendrycks and Gimpel 2016, arXiv:1606.08415.

    >>> round(float(gelu(1.0)), 4), round(float(gelu(-1.0)), 4)
    (0.8412, -0.1588)
    """
    return _gelu_tanh(x) if approximate else x * _normal_cdf(x)
