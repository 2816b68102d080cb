"""Trigonometric functions, their inverses, and the two coordinates of a point as length and angle."""

import numpy as np

from ..primitive import primitive
from .digits import _one_minus_square, finite, nonzero


@primitive(np.tan)
def tan(x, /):
    """The tangent of x in radians."""
    return np.tan(x), lambda g, y, x: g + g * y * y


@primitive(np.arcsin)
def arcsin(x, /):
    """The angle whose sine is x, between -1 and 1; its slope at either is infinite."""
    return np.arcsin(x), lambda g, y, x: g / np.sqrt(_one_minus_square(x))


@primitive(np.arccos)
def arccos(x, /):
    """The angle whose cosine is x, between -1 and 1; its slope at either is infinite."""
    return np.arccos(x), lambda g, y, x: -g / np.sqrt(_one_minus_square(x))


@primitive(np.arctan)
def arctan(x, /):
    """The angle whose tangent is x."""
    return np.arctan(x), lambda g, y, x: g * _arctan_slope(x)


@primitive(broadcasts=True, structure="elementwise")
def _arctan_slope(x, /):
    """1 / (1 + x * x); its own slope is -2 * x * y * y."""
    with np.errstate(over="ignore"):  # where it is 0
        y = 1 / (1 + x * x)
    return y, lambda g, y, x: -2 * g * (finite(x) * y * y)


@primitive(np.degrees, np.rad2deg)
def degrees(x, /):
    """Radians in degrees."""
    return np.degrees(x), lambda g, y, x: np.degrees(g)


@primitive(np.radians, np.deg2rad)
def radians(x, /):
    """Degrees in radians."""
    return np.radians(x), lambda g, y, x: np.radians(g)


@primitive(np.hypot)
def hypot(a, b, /):
    """The length of the vector (a, b); that of (0, 0) has the slopes 0."""
    return (
        np.hypot(a, b),
        lambda g, y, a, b: g * _direction(a, b),
        lambda g, y, a, b: g * _direction(b, a),
    )


@primitive(np.arctan2)
def arctan2(a, b, /):
    """The angle of the point (b, a) from the first axis; that of (0, 0) has the slopes 0."""
    return (
        np.arctan2(a, b),
        lambda g, y, a, b: g * _inversion(b, a),
        lambda g, y, a, b: -g * _inversion(a, b),
    )


@primitive(broadcasts=True, structure="elementwise")
def _direction(a, b, /):
    """a / hypot(a, b), and 0 at (0, 0): how fast the length grows with a."""

    def along(g, y, a, b):
        other = _direction(b, a)
        return g * (other * other) / nonzero(np.hypot(a, b))

    return (
        direction(a, b)[0],
        along,
        lambda g, y, a, b: -g * (y * _direction(b, a)) / nonzero(np.hypot(a, b)),
    )


@primitive(broadcasts=True, structure="elementwise")
def _inversion(a, b, /):
    """a / (a * a + b * b), and 0 at (0, 0): how fast the angle of (a, b) grows with b."""

    def along(g, y, a, b):
        other = _inversion(b, a)
        return g * ((other - y) * (other + y))

    part, length = direction(a, b)
    return part / nonzero(length), along, lambda g, y, a, b: -2 * g * (y * _inversion(b, a))


def direction(a, b):
    """a / hypot(a, b), and hypot(a, b), of arrays of any size; as in C (inf, inf) lies half-way between the axes."""
    dtype = np.result_type(a, b)
    a, b = np.asarray(a, dtype), np.asarray(b, dtype)
    longer = np.maximum(abs(a), abs(b))
    info = np.finfo(dtype)
    if longer.size and info.tiny**0.5 / info.eps < longer.min() and longer.max() < info.max**0.5 / 2:
        length = np.sqrt(a * a + b * b)  # four times as fast as np.hypot
        return a / length, length
    infinite = np.isinf(longer)  # seen from there what is finite is 0
    scale = np.where(infinite | (longer == 0), 1, longer)  # a * a might overflow, or be 0
    p, q = (np.where(infinite, np.sign(x) * np.isinf(x), x) / scale for x in (a, b))
    return p / nonzero(np.hypot(p, q)), np.hypot(a, b)
