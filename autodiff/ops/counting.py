"""Counting what is where, with weights that have derivatives."""

import numpy as np

from ..primitive import implements, primitive
from .axes import value_of


@primitive()
def _weighed(weights, /, places, minlength):
    y = np.bincount(places, weights, minlength).astype(
        np.float64, copy=False
    )  # of nothing NumPy's are integers
    return y, lambda g, y, weights: g[places]


@implements(np.bincount)
def bincount(x, /, weights=None, minlength=0):
    """How often each whole number occurs in the array x, or the sum of the `weights` in its places."""
    if weights is None:
        return np.bincount(value_of(x), minlength=minlength)
    return _weighed(weights, np.array(x), minlength)  # a copy, for x may change before the backward pass
