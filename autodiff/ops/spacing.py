"""Evenly spaced numbers between two ends that are Tensors."""

import operator

import numpy as np

from ..primitive import implements
from ..tensor import Tensor
from .elementwise import abs, multiply, power
from .options import cast
from .shaping import expand_dims, moveaxis


def _floating(x):
    if isinstance(x, Tensor):
        return x
    return np.asarray(x) if isinstance(x, list | tuple) else x


def _weights(name, start, stop, num, endpoint):
    """Two ends, and how much of the second each of `num` numbers has, in a new first axis."""
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"{name}: num is the number of elements, not {num}")
    start, stop = _floating(start), _floating(stop)
    dtype = np.result_type(*(x.dtype if isinstance(x, Tensor) else x for x in (start, stop)), 0.0)
    parts = max(num - 1 if endpoint else num, 1)
    ndim = max(np.ndim(start), np.ndim(stop))
    share = np.arange(num, dtype=np.promote_types(dtype, np.float64)) / parts
    return start, stop, share.astype(dtype).reshape([num, *[1] * ndim])


def _placed(name, y, dtype, axis):
    y = moveaxis(y, 0, axis)
    return y if dtype is None else cast(name, y, dtype)


@implements(np.linspace)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """`num` numbers in equal steps from `start` to `stop`, both exact; with `retstep` also the step."""
    start, stop, share = _weights("linspace", start, stop, num, endpoint)
    y = _placed("linspace", multiply(start, 1 - share) + multiply(stop, share), dtype, axis)
    if not retstep:
        return y
    parts = num - 1 if endpoint else num
    return y, (stop - start) / parts if parts > 0 else np.nan


@implements(np.logspace)
def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    """`base` to the powers of linspace(start, stop)."""
    exponents = linspace(start, stop, num, endpoint)
    base = expand_dims(base, 0) if np.ndim(base) else base
    return _placed("logspace", power(base, exponents), dtype, axis)


@implements(np.geomspace)
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """`num` numbers from `start` to `stop`, each the same multiple of the one before."""
    start, stop, share = _weights("geomspace", start, stop, num, endpoint)
    if not np.all(np.sign(start) * np.sign(stop) > 0):
        raise ValueError("geomspace: both ends are positive, or both negative; np.linspace passes 0")
    y = multiply(np.sign(start), power(abs(start), 1 - share) * power(abs(stop), share))
    return _placed("geomspace", y, dtype, axis)
