"""sinc and i0, whose derivatives of every order are summed up: formulas for them would cancel near 0.

The sums are taken in float64 at least, and take some ten times as long as the functions themselves.
"""

import numpy as np

from ..primitive import primitive


@primitive(np.sinc, structure="elementwise")
def sinc(x, /):
    """sin(pi * x) / (pi * x), and 1 at 0; its second derivative there is -pi**2 / 3."""
    return np.sinc(x), lambda g, y, x: g * _sinc_derivative(x, 1)


@primitive(structure="elementwise")
def _sinc_derivative(x, /, order):
    """The derivative of sinc of that order."""
    wide = np.asarray(x, np.result_type(x, np.float64))
    y = sinc_derivative(wide, order)
    return y.astype(x.dtype)[()], lambda g, y, x: g * _sinc_derivative(x, order + 1)


def sinc_derivative(x, order):
    """The same, of an array of float64 or longdouble.

    Near 0 the power series; further out by recurrence from z f = sin(z), differentiated: z f' + f = cos(z).
    """
    pi = np.arccos(x.dtype.type(-1))
    z, turned = pi * x, pi * (x - 2 * np.rint(x / 2))
    near = np.abs(z) < order + 1
    small, large = np.where(near, z, 0), np.where(near, 1, z)
    start = order % 2
    term = small if start else np.ones_like(z)
    series = np.zeros_like(z)
    for j in range(start, 4 * order + 40, 2):
        series = series + (-1) ** ((order + j) // 2) * term / (order + j + 1)
        term = term * (small * small) / ((j + 1) * (j + 2))
    waves = np.sin(turned), np.cos(turned), -np.sin(turned), -np.cos(turned)
    recurrence = waves[0] / large
    for n in range(1, order + 1):
        recurrence = (waves[n % 4] - n * recurrence) / large
    return pi**order * np.where(near, series, recurrence)


@primitive(np.i0, structure="elementwise")
def i0(x, /):
    """The modified Bessel function of order 0."""
    return np.i0(x), lambda g, y, x: g * _bessel_i(x, 1)


@primitive(structure="elementwise")
def _bessel_i(x, /, order):
    """The modified Bessel function of a whole order."""
    wide = np.asarray(x, np.result_type(x, np.float64))
    y = np.sign(wide) ** (order % 2) * bessel_i(np.abs(wide), order)

    def slope(g, y, x):
        return g * (0.5 * (_bessel_i(x, abs(order - 1)) + _bessel_i(x, order + 1)))

    return y.astype(x.dtype)[()], slope


# From here on the asymptotic series is exact to the last digit, also of longdouble.
FAR = 30


def bessel_i(x, order):
    """The same of an array of float64 or longdouble, not negative."""
    near, far = np.minimum(x, FAR), np.clip(x, FAR, 1e5)  # where its value is infinite
    term = np.ones_like(x)
    for k in range(1, order + 1):
        term = term * (near / 2) / k
    series = term
    for k in range(1, 80):
        term = term * (near * near / 4) / (k * (k + order))
        series = series + term
    term = tail = np.ones_like(x)
    for k in range(1, 40):
        term = term * ((2 * k - 1) ** 2 - 4 * order**2) / (8 * k * far)
        tail = tail + term
    half = np.exp(far / 2)
    pi = np.arccos(x.dtype.type(-1))
    return np.where(x <= FAR, series, half * (half / np.sqrt(2 * pi * far) * tail))
