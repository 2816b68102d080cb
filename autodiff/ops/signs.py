"""Choices by sign, size and finiteness, and what complex numbers would have besides."""

import numpy as np

from ..primitive import implements, primitive
from ..tensor import Tensor
from .digits import like
from .elementwise import positive, unless
from .refusals import refuse


def _lost(x, y):
    # To y, the number that was chosen; a NaN was chosen only if both are one.
    return (x != y) & (y == y)


@primitive(np.fmax, structure="selection")
def fmax(a, b, /):
    """The larger of a and b, or the one that is not NaN; where they are equal each gets half of the gradient."""
    return (
        np.fmax(a, b),
        lambda g, y, a, b: unless(_lost(a, y), a == b, g),
        lambda g, y, a, b: unless(_lost(b, y), a == b, g),
    )


@primitive(np.fmin, structure="selection")
def fmin(a, b, /):
    """The smaller of a and b, or the one that is not NaN; where they are equal each gets half of the gradient."""
    return (
        np.fmin(a, b),
        lambda g, y, a, b: unless(_lost(a, y), a == b, g),
        lambda g, y, a, b: unless(_lost(b, y), a == b, g),
    )


@primitive(np.copysign)
def copysign(a, b, /):
    """The absolute value of a with the sign of b; its slope by a at 0 is taken as 0, by b it has none."""
    return np.copysign(a, b), lambda g, y, a, b: g * (np.sign(a) * np.copysign(like(g, 1), b)), None


@primitive(np.heaviside, structure="selection")
def heaviside(x, middle, /):
    """0 below 0, 1 above it, `middle` at 0; flat in x."""
    return np.heaviside(x, middle), None, lambda g, y, x, middle: np.where(x == 0, g, 0)


@primitive(np.nan_to_num, structure="selection")
def nan_to_num(x, /, copy=True, nan=0.0, posinf=None, neginf=None):
    """x with numbers in place of NaN and the infinities, where the gradient is 0.

    The result is always a new one, whatever `copy` says.
    """
    y = np.nan_to_num(x, True, nan, posinf, neginf)
    return y, lambda g, y, x: np.where(np.isfinite(x), g, 0)


# -- of real numbers -------------------------------------------------------------------------------

implements(np.conjugate, np.real)(positive)
Tensor.conj = Tensor.conjugate = positive  # type: ignore[attr-defined]
Tensor.real = property(positive)  # type: ignore[attr-defined]


refuse(np.angle, "a real number's angle is 0 or pi, with the slope 0; that of a point is np.arctan2(b, a)")


@implements(np.real_if_close)
def real_if_close(x, tol=100):
    """x, which is real, whatever `tol` says."""
    return positive(x)
