"""What the rooms of linear algebra share.

`found_once`: np.linalg.svd is one call, yet three ops here, one for each of its results. So that it finds
them once, it is called beforehand, and what it found lies at hand for the ops that are called in the block.
"""

from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

import numpy as np

from ..primitive import primitive
from ..tensor import Tensor
from .products import turned

_found = ContextVar("_found", default=(None, None))


@contextmanager
def found_once(function, *inputs, **options):
    """Call NumPy's function, and let `at_hand` return its result to the ops called in the block."""
    values = [x.value if isinstance(x, Tensor) else x for x in inputs]
    try:
        result = function(*values, **options)
    except (ValueError, TypeError) as error:
        shapes = ", ".join(str(np.shape(value)) for value in values)
        raise type(error)(f"{function.__name__.lstrip('_')}: {error} (inputs of shape {shapes})") from error
    token = _found.set((values[0], result))
    try:
        yield result
    finally:
        _found.reset(token)


def at_hand(a):
    """What was found of this very array, or None."""
    array, result = _found.get()
    return result if array is a else None


@cache
def result_type(function):
    """The named tuple that NumPy's function returns."""
    return type(function(np.ones((1, 1))))


def lengths(name, a):
    """How many rows and columns the matrices in `a` have."""
    if len(a.shape) < 2:
        raise np.linalg.LinAlgError(f"{name}: takes matrices in the last two axes, not shape {a.shape}")
    return a.shape[-2:]


def lower(m, k=0):
    """The part of a matrix on and below its diagonal number `k`."""
    return m * np.tri(m.shape[-2], m.shape[-1], k, dtype=m.dtype)


@primitive()
def symmetric(a, /):
    """The symmetric matrix whose lower triangle is a's."""
    return lower(a) + turned(lower(a, -1)), lambda g, y, a: (g + turned(g)) / 2


def skew_over(m, values):
    """(m - m.T) over the differences of `values`, of the column's less the row's; 0 on the diagonal."""
    gaps = np.expand_dims(values, -2) - np.expand_dims(values, -1)
    return (m - turned(m)) / (gaps + np.eye(m.shape[-1], dtype=m.dtype))
