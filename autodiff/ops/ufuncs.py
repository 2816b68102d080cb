"""The methods of NumPy's ufuncs: reduce, accumulate and outer, where another function does the same."""

import numpy as np

from ..primitive import implements
from ..tensor import implementation, implementations
from .options import as_array


def _as(function, name, doc):
    function.__name__ = name
    function.__doc__ = doc
    return function


def _reduce(ufunc, reduction):
    """`ufunc.reduce` by the reduction that is the same but for its axis: 0 here, all there."""

    def reduce(x, axis=0, keepdims=False, **options):
        return implementation(reduction, options)(x, axis=axis, keepdims=keepdims, **options)

    return _as(
        reduce, f"{ufunc.__name__}_reduce", f"np.{reduction.__name__} along the first axis, or `axis`."
    )


def _accumulate(ufunc, running):
    """`ufunc.accumulate` by NumPy's running sum or product."""

    def accumulate(x, axis=0):
        return implementation(running, {})(x, axis=axis)

    return _as(
        accumulate, f"{ufunc.__name__}_accumulate", f"np.{running.__name__} along the first axis, or `axis`."
    )


def _outer(ufunc, op):
    """`ufunc.outer`: the ufunc of every element of a and every element of b."""

    def outer(a, b):
        a, b = as_array(a), as_array(b)
        return ufunc(a.reshape(a.shape + (1,) * b.ndim), b)

    if not getattr(op, "differentiable", True):
        outer.differentiable = False  # type: ignore[attr-defined]
        outer.orders = op.orders  # type: ignore[attr-defined]

    return _as(
        outer, f"{ufunc.__name__}_outer", f"np.{ufunc.__name__} of every element of a and every one of b."
    )


METHODS = {"reduce": _reduce, "accumulate": _accumulate}
SAME = [
    (np.add, "reduce", np.sum),
    (np.multiply, "reduce", np.prod),
    (np.maximum, "reduce", np.max),
    (np.minimum, "reduce", np.min),
    (np.add, "accumulate", np.cumsum),
    (np.multiply, "accumulate", np.cumprod),
]


def declare_methods():
    """Let Tensors be handed to the methods of every ufunc that is there."""
    for ufunc, method, function in SAME:
        implements(getattr(ufunc, method))(METHODS[method](ufunc, function))
    for other, op in list(implementations.items()):
        if isinstance(other, np.ufunc) and (other.nin, other.nout, other.signature) == (2, 1, None):
            implements(other.outer)(_outer(other, op))
