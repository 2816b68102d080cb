"""Powers and logarithms to other bases than e, roots, and the sum of numbers given by their logarithms."""

import numpy as np

from ..primitive import implements, primitive
from ..tensor import Tensor
from .activations import sigmoid
from .digits import like
from .elementwise import power


@primitive(np.exp2)
def exp2(x, /):
    """2 to the power x."""
    return np.exp2(x), lambda g, y, x: g * (y * np.log(like(g, 2)))


@primitive(np.log2)
def log2(x, /):
    """The logarithm to base 2."""
    return np.log2(x), lambda g, y, x: g / np.log(like(g, 2)) / x


@primitive(np.log10)
def log10(x, /):
    """The logarithm to base 10."""
    return np.log10(x), lambda g, y, x: g / np.log(like(g, 10)) / x


@primitive(np.cbrt)
def cbrt(x, /):
    """The cube root; its slope at 0 is infinite."""
    return np.cbrt(x), lambda g, y, x: g / (3 * y) / y


@primitive(np.reciprocal)
def reciprocal(x, /):
    """1 / x."""
    return np.reciprocal(x), lambda g, y, x: -g * y * y


def _wide(x):
    if isinstance(x, float | int):  # NumPy's float64 among them
        return x
    x = x if isinstance(x, Tensor) else np.asarray(x)
    return x.astype(np.float64) if x.dtype.itemsize < 8 else x


@implements(np.float_power)
def float_power(a, b):
    """a to the power b, in float64 or wider."""
    return power(_wide(a), _wide(b))


def _share(a, b, y, unit):
    # exp(a - y), from a - b: y has lost the digits of the smaller one.
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.where((a == b) & np.isinf(a), 0, a - b)
    return np.where(np.isneginf(y), 0, sigmoid(gap * unit))


@primitive(np.logaddexp)
def logaddexp(a, b, /):
    """log(exp(a) + exp(b)); where both are minus infinity the slopes are 0."""
    return (
        np.logaddexp(a, b),
        lambda g, y, a, b: g * _share(a, b, y, 1),
        lambda g, y, a, b: g * _share(b, a, y, 1),
    )


@primitive(np.logaddexp2)
def logaddexp2(a, b, /):
    """log2(2**a + 2**b); where both are minus infinity the slopes are 0."""
    return (
        np.logaddexp2(a, b),
        lambda g, y, a, b: g * _share(a, b, y, np.log(like(g, 2))),
        lambda g, y, a, b: g * _share(b, a, y, np.log(like(g, 2))),
    )
