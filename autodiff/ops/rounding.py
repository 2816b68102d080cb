"""What is left when whole parts are taken off: remainders, fractions, and powers of 2."""

import numpy as np

from ..primitive import implements, primitive


@primitive(np.remainder)
def remainder(a, b, /):
    """What is left of a after whole parts b, with the sign of b; at a multiple of b the slope is that from above."""
    return np.remainder(a, b), lambda g, y, a, b: g, lambda g, y, a, b: -g * np.floor_divide(a, b)


@primitive(np.fmod)
def fmod(a, b, /):
    """What is left of a after whole parts b, with the sign of a; at a multiple of b the slope is that away from 0."""
    return np.fmod(a, b), lambda g, y, a, b: g, lambda g, y, a, b: -g * np.rint((a - y) / b)


@implements(np.divmod)
def divmod(a, b):
    """The whole quotient, an array, and the remainder."""
    return np.floor_divide(a, b), remainder(a, b)


@primitive(broadcasts=True, structure="elementwise")
def _fraction(x, /):
    """x without its whole part."""
    return np.modf(x)[0], lambda g, y, x: g


@implements(np.modf)
def modf(x):
    """The fraction, which has the slope 1, and the whole part, an array."""
    return _fraction(x), np.modf(x.value)[1]


@primitive(np.ldexp)
def ldexp(x, exponent, /):
    """x times 2 to the power `exponent`, an array of whole numbers."""
    return np.ldexp(x, exponent), lambda g, y, x, exponent: np.ldexp(g, exponent), None


@implements(np.frexp)
def frexp(x):
    """The mantissa, between 0.5 and 1, and the power of 2, an array; x is their product."""
    exponent = np.frexp(x.value)[1]
    return ldexp(x, -exponent), exponent


@primitive(np.unwrap, structure="elementwise")
def unwrap(x, /, discont=None, axis=-1, *, period=2 * np.pi):
    """Angles without their jumps along `axis`, by adding whole periods; the slope is 1."""
    return np.unwrap(x, discont, axis, period=period), lambda g, y, x: g
