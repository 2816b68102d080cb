"""Bessel functions, by the recurrences that give a derivative by the neighbouring orders; DLMF 10.6, 10.29."""

from math import pi

import numpy as np
from scipy import special

from ...primitive import implements, primitive
from ...tensor import Tensor


def _slope(op, order, below, above):
    """The rule of a Bessel function: half the sum, with these signs, of its two neighbours."""
    return lambda g, y, x: g * (0.5 * (below * op(x, order - 1) + above * op(x, order + 1)))


@primitive(broadcasts=True, structure="elementwise")
def _bessel_jv(x, /, order):
    return special.jv(order, x), _slope(_bessel_jv, order, 1, -1)


@primitive(broadcasts=True, structure="elementwise")
def _bessel_yv(x, /, order):
    return special.yv(order, x), _slope(_bessel_yv, order, 1, -1)


@primitive(broadcasts=True, structure="elementwise")
def _bessel_iv(x, /, order):
    return special.iv(order, x), _slope(_bessel_iv, order, 1, 1)


@primitive(broadcasts=True, structure="elementwise")
def _bessel_kv(x, /, order):
    return special.kv(order, x), _slope(_bessel_kv, order, -1, -1)


def _of_constant_order(ufunc, op, what):
    """Let a Tensor be handed to `ufunc(order, x)` as x."""
    name = ufunc.__name__

    def function(order, x):
        if isinstance(order, Tensor):
            raise TypeError(
                f"{name}: the order has no derivative here; hand it a number or an array, as v.data"
            )
        return op(x, order if isinstance(order, float | int) else np.array(order))

    function.__name__ = name
    function.__doc__ = f"The {what} of a constant order, at x."
    return implements(ufunc)(function)


jv = _of_constant_order(special.jv, _bessel_jv, "Bessel function")
yv = _of_constant_order(special.yv, _bessel_yv, "Bessel function of the second kind")
iv = _of_constant_order(special.iv, _bessel_iv, "modified Bessel function")
kv = _of_constant_order(special.kv, _bessel_kv, "modified Bessel function of the second kind")


@primitive(special.j0)
def bessel_j0(x, /):
    """The Bessel function of order 0."""
    return special.j0(x), lambda g, y, x: -g * special.j1(x)


@primitive(special.j1)
def bessel_j1(x, /):
    """The Bessel function of order 1."""
    return special.j1(x), lambda g, y, x: g * (0.5 * (special.j0(x) - _bessel_jv(x, 2)))


@primitive(special.y0)
def bessel_y0(x, /):
    """The Bessel function of the second kind of order 0."""
    return special.y0(x), lambda g, y, x: -g * special.y1(x)


@primitive(special.y1)
def bessel_y1(x, /):
    """The Bessel function of the second kind of order 1."""
    return special.y1(x), lambda g, y, x: g * (0.5 * (special.y0(x) - _bessel_yv(x, 2)))


@primitive(special.i0)
def bessel_i0(x, /):
    """The modified Bessel function of order 0."""
    return special.i0(x), lambda g, y, x: g * special.i1(x)


@primitive(special.i1)
def bessel_i1(x, /):
    """The modified Bessel function of order 1."""
    return special.i1(x), lambda g, y, x: g * (0.5 * (special.i0(x) + _bessel_iv(x, 2)))


@primitive(special.k0)
def bessel_k0(x, /):
    """The modified Bessel function of the second kind of order 0."""
    return special.k0(x), lambda g, y, x: -g * special.k1(x)


@primitive(special.k1)
def bessel_k1(x, /):
    """The modified Bessel function of the second kind of order 1."""
    return special.k1(x), lambda g, y, x: g * (-0.5 * (special.k0(x) + _bessel_kv(x, 2)))


# -- scaled by exp(-abs(x)) ------------------------------------------------------------------------------


@primitive(special.i0e)
def bessel_i0e(x, /):
    """exp(-abs(x)) * i0(x); its slope at 0 is taken as 0."""
    return special.i0e(x), lambda g, y, x: g * _scaled_bessel(x, 0, 1)


@primitive(special.i1e)
def bessel_i1e(x, /):
    """exp(-abs(x)) * i1(x)."""
    return special.i1e(x), lambda g, y, x: g * _scaled_bessel(x, 1, 1)


@primitive(broadcasts=True, structure="elementwise")
def _scaled_bessel(x, /, order, times):
    """A derivative of exp(-abs(x)) * iv(order, x); by its neighbours it would cancel for large x."""
    wide = np.asarray(x, np.float64)
    y = np.sign(wide) ** ((order + times) % 2) * scaled_bessel(np.abs(wide), order, times)
    return y.astype(x.dtype)[()], lambda g, y, x: g * _scaled_bessel(x, order, times + 1)


def scaled_bessel(x, order, times):
    """The same of an array of float64, not negative.

    Up to 30 the integral DLMF 10.32.3, differentiated, by the trapezoidal rule, which for a periodic function
    is exact; it takes 40 times as long as the function itself. Then the asymptotic series 10.40.1.
    """
    near, far = np.minimum(x, 30), np.maximum(x, 30)
    angles = np.linspace(0, pi, 41)
    total = 0
    for angle, weight in zip(angles, [0.5, *[1] * 39, 0.5], strict=True):
        sink = -2 * np.sin(angle / 2) ** 2  # cos(angle) - 1
        total = total + weight * np.cos(order * angle) * sink**times * np.exp(near * sink)
    term, series = 1 / (np.sqrt(2 * pi * far) * far**times), 0
    for k in range(30):
        series = series + term * np.prod([-(k + j + 0.5) for j in range(times)])
        term = term * ((2 * k + 1) ** 2 - 4 * order**2) / (8 * (k + 1) * far)
    return np.where(x <= 30, total / 40, series)
