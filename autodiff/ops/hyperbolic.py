"""Hyperbolic functions and their inverses, whose slopes keep their digits in the tails."""

import math

import numpy as np

from ..primitive import primitive
from ..tensor import Tensor
from .digits import _one_minus_square
from .trigonometry import _direction


@primitive(np.sinh)
def sinh(x, /):
    """The hyperbolic sine."""
    return np.sinh(x), lambda g, y, x: g * np.cosh(x)


@primitive(np.cosh)
def cosh(x, /):
    """The hyperbolic cosine."""
    return np.cosh(x), lambda g, y, x: g * np.sinh(x)


@primitive(np.tanh)
def tanh(x, /):
    """The hyperbolic tangent."""

    def pull(g, y, x):
        # 1 - y * y has no digit left where y rounds to 1. Where it has them all, it is the fastest of a scalar.
        if type(y) is np.float64:
            square = y * y
            if square < 0.75:
                return g * (1 - square)
            e = math.exp(-2 * abs(x))
            return g * (4 * e / ((1 + e) * (1 + e)))
        if type(y) is Tensor:
            return g * _sech2(x)
        c = _sech(x)
        return g * c * c

    return np.tanh(x), pull


def _sech(x):
    with np.errstate(over="ignore"):  # where its inverse is 0
        return 1 / np.cosh(x)


@primitive(broadcasts=True, structure="elementwise")
def _sech2(x, /):
    """The slope of tanh, 1 / cosh(x)**2; its own is -2 * tanh(x) times it."""
    c = _sech(x)
    return c * c, lambda g, y, x: -2 * g * (y * np.tanh(x))


@primitive(np.arcsinh)
def arcsinh(x, /):
    """The inverse of sinh."""
    return np.arcsinh(x), lambda g, y, x: g / _hypot_1(x)


@primitive(broadcasts=True, structure="elementwise")
def _hypot_1(x, /):
    """hypot(1, x), in half of its time."""
    with np.errstate(over="ignore"):
        y = np.sqrt(1 + x * x)
    return np.where(np.isinf(y), np.abs(x), y)[()], lambda g, y, x: g * _direction(x, 1)


@primitive(np.arccosh)
def arccosh(x, /):
    """The inverse of cosh, from 1 on; its slope at 1 is infinite."""
    return np.arccosh(x), lambda g, y, x: g / np.sqrt(x - 1) / np.sqrt(x + 1)


@primitive(np.arctanh)
def arctanh(x, /):
    """The inverse of tanh, between -1 and 1; its slope at either is infinite."""
    return np.arctanh(x), lambda g, y, x: g / _one_minus_square(x)
