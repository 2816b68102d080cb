"""Arithmetic and elementary functions, element by element."""

import numpy as np

from ..primitive import implements, primitive
from ..tensor import Tensor
from .axes import value_of


@primitive(np.add)
def add(a, b, /):
    """a + b."""
    return a + b, lambda g, y, a, b: g, lambda g, y, a, b: g


@primitive(np.subtract)
def subtract(a, b, /):
    """a - b."""
    return a - b, lambda g, y, a, b: g, lambda g, y, a, b: -g


@primitive(np.multiply)
def multiply(a, b, /):
    """a * b."""
    return a * b, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a


@primitive(np.divide)
def divide(a, b, /):
    """a / b; the quotient itself serves its derivative, because b * b may overflow."""
    return a / b, lambda g, y, a, b: g / b, lambda g, y, a, b: -g * y / b


@primitive(np.negative)
def negative(x, /):
    """-x."""
    return -x, lambda g, y, x: -g


@primitive(np.positive)
def positive(x, /):
    """+x."""
    return +x, lambda g, y, x: g


@primitive(np.power)
def power(a, b, /):
    """a to the power b; by b it has a derivative where a > 0, and 0 where a = 0 <= b."""

    def base(g, y, a, b):
        flat = b == 0
        if isinstance(b, Tensor):  # whose own slope there is a**-1, but for a near 0
            tiny = np.finfo(a.dtype).tiny
            flat = flat & ~((a >= tiny) | (a <= -tiny))
        one = y.dtype.type(1)  # for b may be of a lower precision than y
        return g * np.where(flat, 0, b * a ** np.where(flat, one, b - one))

    def constant_base(g, y, a, b):
        return g * (b * a ** (b - 1)) if b != 0 else g * 0

    def exponent(g, y, a, b):
        one = y.dtype.type(1)  # for a may be of a lower precision than y
        return g * y * np.log(np.where((a == 0) & (b >= 0), one, a))

    return a**b, constant_base if type(b) in (float, int) else base, exponent


@primitive(np.square)
def square(x, /):
    """x * x."""
    return x * x, lambda g, y, x: g * (2 * x)


@primitive(np.sqrt)
def sqrt(x, /):
    """The non-negative root; its slope at 0 is infinite."""
    return np.sqrt(x), lambda g, y, x: g / (2 * y)


@primitive(np.absolute, np.fabs)
def abs(x, /):
    """The absolute value; its slope at 0 is taken as 0."""
    return np.abs(x), lambda g, y, x: g * np.sign(x)


@primitive(np.exp)
def exp(x, /):
    """e to the power x."""
    return np.exp(x), lambda g, y, x: g * y


@primitive(np.expm1)
def expm1(x, /):
    """exp(x) - 1, exact for small x."""
    return np.expm1(x), lambda g, y, x: g * np.exp(x)


@primitive(np.log)
def log(x, /):
    """The natural logarithm."""
    return np.log(x), lambda g, y, x: g / x


@primitive(np.log1p)
def log1p(x, /):
    """log(1 + x), exact for small x."""
    return np.log1p(x), lambda g, y, x: g / (1 + x)


@primitive(np.sin)
def sin(x, /):
    """The sine of x in radians."""
    return np.sin(x), lambda g, y, x: g * np.cos(x)


@primitive(np.cos)
def cos(x, /):
    """The cosine of x in radians."""
    return np.cos(x), lambda g, y, x: -g * np.sin(x)


def unless(beaten, tied, g):
    # "Unless beaten", not "if it beats": a NaN wins too, so that it stays visible.
    return np.where(beaten, 0, np.where(tied, g / 2, g))


@primitive(np.maximum, structure="selection")
def maximum(a, b, /):
    """The larger of a and b; where they are equal each gets half of the gradient."""
    return (
        np.maximum(a, b),
        lambda g, y, a, b: unless(a < b, a == b, g),
        lambda g, y, a, b: unless(b < a, a == b, g),
    )


@primitive(np.minimum, structure="selection")
def minimum(a, b, /):
    """The smaller of a and b; where they are equal each gets half of the gradient."""
    return (
        np.minimum(a, b),
        lambda g, y, a, b: unless(a > b, a == b, g),
        lambda g, y, a, b: unless(b > a, a == b, g),
    )


@primitive(broadcasts=True, structure="selection")
def _clip(x, low, high, /):
    """x between two bounds, each of which receives what it clipped."""
    return (
        np.clip(x, low, high),
        lambda g, y, x, low, high: np.where((x < low) | (x > high), 0, g),
        lambda g, y, x, low, high: np.where((x < low) & (low <= high), g, 0),
        lambda g, y, x, low, high: np.where(np.maximum(x, low) > high, g, 0),
    )


@implements(np.clip)
def clip(x, a_min=None, a_max=None, *, min=None, max=None):
    """x limited to the closed interval from `a_min` to `a_max` (or `min` to `max`), None for no bound.

    The gradient is 1 inside and at the bounds; a bound that is a Tensor receives what it clipped.
    """
    if (a_min is not None or a_max is not None) and (min is not None or max is not None):
        raise ValueError("clip: the bounds are a_min and a_max, or min and max, not some of both")
    low = min if a_min is None else a_min
    high = max if a_max is None else a_max
    return _clip(x, -np.inf if low is None else low, np.inf if high is None else high)


@primitive(broadcasts=True, structure="selection")
def _where(condition, a, b, /):
    """a where the condition holds, b elsewhere."""
    return (
        np.where(condition, a, b),
        None,
        lambda g, y, c, a, b: np.where(c, g, 0),
        lambda g, y, c, a, b: np.where(c, 0, g),
    )


@implements(np.where)
def where(condition, *branches):
    """`where(condition, a, b)`: a where the condition holds, b elsewhere; the other branch gets no gradient.

    With the condition alone, the indices where it holds, as NumPy's.
    """
    if not branches:
        return np.where(value_of(condition))
    return _where(condition, *branches)


@primitive(np.astype, structure="elementwise")
def astype(x, /, dtype, copy=True):
    """x in another floating-point dtype; its gradient comes back in x's own."""
    if np.dtype(dtype).kind != "f":
        raise TypeError(
            f"astype: {np.dtype(dtype)} has no derivatives; leave the graph with t.data.astype(...)"
        )
    return x.astype(dtype), lambda g, y, x: g
