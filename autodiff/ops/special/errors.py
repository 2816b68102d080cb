"""The error function, the normal distribution, and their inverses and logarithms, exact in the tails."""

from math import pi, sqrt

import numpy as np
from scipy import special

from ...primitive import primitive

FAR = 200  # where the bell curve is 0


@primitive(broadcasts=True, structure="elementwise")
def _gauss(x, /, factor):
    """exp(-factor * x**2). Its exponent is a sum, of which the large part is exact, or the tail would lose digits."""
    near = np.clip(x, -FAR, FAR)
    rough = np.rint(16 * near) / 16
    y = np.exp(-factor * rough * rough) * np.exp(-factor * (near - rough) * (near + rough))
    return y, lambda g, y, x: g * (-2 * factor * np.clip(x, -FAR, FAR) * y)


@primitive(special.erf)
def erf(x, /):
    """The error function."""
    return special.erf(x), lambda g, y, x: g * (2 / sqrt(pi) * _gauss(x, 1))


@primitive(special.erfc)
def erfc(x, /):
    """1 - erf(x)."""
    return special.erfc(x), lambda g, y, x: g * (-2 / sqrt(pi) * _gauss(x, 1))


# -- scaled by exp(x**2) -------------------------------------------------------------------------------


@primitive(special.erfcx)
def erfcx(x, /):
    """exp(x**2) * erfc(x)."""
    return special.erfcx(x), lambda g, y, x: -2 * g * _erfcx_integral(x, 1)


@primitive(broadcasts=True, structure="elementwise")
def _erfcx_integral(x, /, order):
    """exp(x**2) times the repeated integral of erfc from x on; DLMF 7.18. Its slope is the next of them."""
    y = erfcx_integral(np.asarray(x, np.float64), order)
    return y.astype(x.dtype)[()], lambda g, y, x: -2 * (order + 1) * g * _erfcx_integral(x, order + 1)


def erfcx_integral(x, order):
    """The same of an array of float64: by recurrence, from x = 1.5 on downwards, or it would cancel."""
    near = np.minimum(x, 1.5)
    before, y = 2 / sqrt(pi), special.erfcx(near)
    for n in range(1, order + 1):
        before, y = y, (before - 2 * near * y) / (2 * n)
    far = np.maximum(x, 1.5)
    product, ratio = special.erfcx(far), 1 / (far + np.sqrt(far * far + 200))
    for n in range(100, 0, -1):
        ratio = 1 / (2 * far + 2 * (n + 1) * ratio)
        if n <= order:
            product = product * ratio
    return np.where(x <= 1.5, y, product)


# -- the normal distribution ------------------------------------------------------------------------------


@primitive(special.ndtr)
def ndtr(x, /):
    """The normal distribution function."""
    return special.ndtr(x), lambda g, y, x: g * (_gauss(x, 0.5) / sqrt(2 * pi))


@primitive(special.log_ndtr)
def log_ndtr(x, /):
    """The logarithm of the normal distribution function."""
    return special.log_ndtr(x), lambda g, y, x: g * _hazard(x)


@primitive(broadcasts=True, structure="elementwise")
def _hazard(x, /):
    """The normal density over the distribution function; its slope is -y * (x + y)."""
    left, right = np.minimum(x, 0), np.maximum(x, 0)
    tail = sqrt(2 / pi) / special.erfcx(-left / sqrt(2))
    y = np.where(x < 0, tail, _gauss(right, 0.5) / sqrt(2 * pi) / special.ndtr(right))
    return y, lambda g, y, x: -g * (y * _excess(x, y))


def _excess(x, y):
    # x + y, which would cancel in the left tail.
    z = np.maximum(-x, 0) / sqrt(2)
    return np.where(x < 0, sqrt(2) * (_erfcx_integral(z, 1) / _erfcx_integral(z, 0)), x + y)


# -- inverses ---------------------------------------------------------------------------------------------


def _steep(z, tail):
    # exp(z**2) for the z at which erfc(z) is 2 * tail: by erfcx it has all digits of the tail.
    return np.where(tail == 0, np.inf, special.erfcx(np.abs(z)) / np.where(tail == 0, 1, tail))


@primitive(special.erfinv)
def erfinv(x, /):
    """The inverse of erf; its slope at -1 and 1 is infinite."""
    return special.erfinv(x), lambda g, y, x: g * _erfinv_slope(x)


@primitive(broadcasts=True, structure="elementwise")
def _erfinv_slope(x, /):
    y = sqrt(pi) / 2 * _steep(special.erfinv(x), 1 - np.abs(x))
    return y, lambda g, y, x: g * (2 * special.erfinv(x) * y * y)


@primitive(special.erfcinv)
def erfcinv(x, /):
    """The inverse of erfc; its slope at 0 and 2 is minus infinity."""
    return special.erfcinv(x), lambda g, y, x: g * _erfcinv_slope(x)


@primitive(broadcasts=True, structure="elementwise")
def _erfcinv_slope(x, /):
    y = -sqrt(pi) / 2 * _steep(special.erfcinv(x), np.minimum(x, 2 - x))
    return y, lambda g, y, x: g * (2 * special.erfcinv(x) * y * y)


@primitive(special.ndtri)
def ndtri(x, /):
    """The inverse of ndtr; its slope at 0 and 1 is infinite."""
    return special.ndtri(x), lambda g, y, x: g * _ndtri_slope(x)


@primitive(broadcasts=True, structure="elementwise")
def _ndtri_slope(x, /):
    y = sqrt(pi / 2) * _steep(special.ndtri(x) / sqrt(2), np.minimum(x, 1 - x))
    return y, lambda g, y, x: g * (special.ndtri(x) * y * y)
