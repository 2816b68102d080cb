"""The gamma function and its kin. What differs by little is subtracted term by term, not at the end."""

from math import factorial, log, pi

import numpy as np
from scipy import special

from ...primitive import primitive
from ...tensor import Tensor

BERNOULLI = special.bernoulli(20)[2::2]
RAISED = 12


@primitive(special.gamma)
def gamma(x, /):
    """The gamma function."""
    return special.gamma(x), lambda g, y, x: g * (y * special.psi(x))


@primitive(special.gammaln)
def gammaln(x, /):
    """The logarithm of the absolute value of the gamma function."""
    return special.gammaln(x), lambda g, y, x: g * special.psi(x)


@primitive(special.loggamma)
def loggamma(x, /):
    """The logarithm of the gamma function, of positive numbers."""
    return special.loggamma(x), lambda g, y, x: g * special.psi(x)


@primitive(special.psi)
def psi(x, /):
    """The slope of gammaln, also called digamma."""
    return special.psi(x), lambda g, y, x: g * _polygamma(x, 1)


@primitive(broadcasts=True, structure="elementwise")
def _polygamma(x, /, order):
    y = np.asarray(special.polygamma(order, x))
    return y.astype(x.dtype)[()], lambda g, y, x: g * _polygamma(x, order + 1)


def polygamma(n, x):
    """The nth derivative of digamma at x, n a whole number or an array of them.

    >>> from autodiff import Tensor
    >>> round(polygamma(1, Tensor(1.0)).item(), 6)  # pi**2 / 6
    1.644934
    """
    if isinstance(n, Tensor):
        raise TypeError("polygamma: n has no derivative; hand it a whole number")
    return _polygamma(x if isinstance(x, Tensor) else np.asarray(x, np.result_type(x, 1.0)), n)


def multigammaln(a, d):
    """The logarithm of the multivariate gamma function of dimension d, for a > (d - 1) / 2.

    >>> from autodiff import Tensor
    >>> round(multigammaln(Tensor(3.0), 2).item(), 6)
    1.550195
    """
    if isinstance(d, Tensor) or d != int(d) or d < 1:
        raise ValueError(f"multigammaln: the dimension d is a positive whole number, not {d}")
    if not np.all(a > 0.5 * (d - 1)):
        raise ValueError(f"multigammaln: a is greater than (d - 1) / 2 = {0.5 * (d - 1)}")
    total = d * (d - 1) / 4 * log(pi)
    for j in range(int(d)):
        total = total + special.gammaln(a - j / 2)
    return total


# -- beta -----------------------------------------------------------------------------------------------


@primitive(special.beta)
def beta(a, b, /):
    """gamma(a) * gamma(b) / gamma(a + b)."""
    return (
        special.beta(a, b),
        lambda g, y, a, b: -g * (y * _polygamma_rise(a, b, 0)),
        lambda g, y, a, b: -g * (y * _polygamma_rise(b, a, 0)),
    )


@primitive(special.betaln)
def betaln(a, b, /):
    """The logarithm of the absolute value of beta."""
    return (
        special.betaln(a, b),
        lambda g, y, a, b: -g * _polygamma_rise(a, b, 0),
        lambda g, y, a, b: -g * _polygamma_rise(b, a, 0),
    )


@primitive(broadcasts=True, structure="elementwise")
def _polygamma_rise(a, b, /, order):
    """polygamma(order, a + b) - polygamma(order, a)."""
    dtype = np.result_type(a, b)
    y = polygamma_rise(np.asarray(a, np.float64), np.asarray(b, np.float64), order)
    return (
        y.astype(dtype)[()],
        lambda g, y, a, b: g * _polygamma_rise(a, b, order + 1),
        lambda g, y, a, b: g * polygamma(order + 1, a + b),
    )


def polygamma_rise(a, b, order):
    """The same of arrays of float64, without cancellation where both arguments are positive.

    By the recurrence DLMF 5.15.5 the arguments are raised to 12 and more, where the asymptotic series
    5.15.8 is exact; each term's rise from a to a + b is that of a power.
    """
    ordinary = (a > 0) & (a + b > 0)
    start, step = np.where(ordinary, a, 1), np.where(ordinary, b, 1)
    sign, n = (-1) ** order, order

    def rise(z, power):
        if power == 1:
            return -step / z / (z + step)
        return z**-power * np.expm1(-power * np.log1p(step / z))

    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        total = -sign * factorial(n) * sum(rise(start + k, n + 1) for k in range(RAISED))
        z = start + RAISED
        growth = np.log1p(step / z)
        total = total + (growth if n == 0 else -sign * factorial(n - 1) * rise(z, n))
        total = total - sign * factorial(n) / 2 * rise(z, n + 1)
        inverse = 1 / (z * z)
        power = z**-n * inverse
        for k, number in enumerate(BERNOULLI, 1):
            factor = sign * number * factorial(2 * k + n - 1) / factorial(2 * k)
            total = total - factor * power * np.expm1(-(2 * k + n) * growth)
            power = power * inverse
        if ordinary.all():
            return total
        difference = special.polygamma(n, a + b) - special.polygamma(n, a)
    return np.where(ordinary, total, difference)
