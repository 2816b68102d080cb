"""The elements in order: sorted, partitioned, without repetitions."""

from typing import NoReturn

import numpy as np

from ..primitive import implements, primitive
from ..tensor import Tensor
from .axes import value_of
from .refusals import place_of
from .shaping import ravel


@primitive(structure="layout")
def _reorder(x, /, order, axis):
    """The elements along `axis` in another order, a permutation."""

    def turn_back(g, y, x):
        places = np.empty_like(order)
        steps = np.arange(order.shape[axis]).reshape([-1 if i == axis else 1 for i in range(order.ndim)])
        np.put_along_axis(places, order, np.broadcast_to(steps, order.shape), axis)
        return _reorder(g, places, axis)

    return np.take_along_axis(x, order, axis), turn_back


def _in_order(name, order_of, a, axis, fields):
    if fields is not None:
        raise ValueError(f"{name}: order= names the fields of a structured array; a Tensor has none")
    if axis is None:
        a, axis = ravel(a), -1
    axis = place_of(name, axis, len(a.shape))
    return _reorder(a, order_of(value_of(a), axis), axis)


@implements(np.sort)
def sort(a, axis=-1, kind=None, order=None, *, stable=None):
    """The elements along `axis` (None: all of them) in rising order, NaN last.

    Always stable, so equal elements keep their order and each its own gradient, whatever `kind` says.
    """
    np.sort(np.empty(0), kind=kind, stable=stable)  # whether NumPy knows that kind
    return _in_order("sort", lambda a, axis: np.argsort(a, axis, "stable"), a, axis, order)


@implements(np.partition)
def partition(a, kth, axis=-1, kind="introselect", order=None):
    """The elements along `axis` with those at `kth` where sorting puts them, no larger before, no smaller behind."""
    return _in_order("partition", lambda a, axis: np.argpartition(a, kth, axis, kind), a, axis, order)


def _in_place(name):
    def refuse(self: Tensor, *args: object, **options: object) -> NoReturn:
        raise TypeError(
            f"t.{name}() would change a Tensor in place, which its graph cannot; use np.{name}(t)"
        )

    return refuse


Tensor.sort = _in_place("sort")  # type: ignore[attr-defined]
Tensor.partition = _in_place("partition")  # type: ignore[attr-defined]


@primitive(structure="selection")
def _unique(x, /, equal_nan=True):
    """The different elements in rising order; equal ones share the gradient evenly."""
    y, inverse, count = np.unique(x, return_inverse=True, return_counts=True, equal_nan=equal_nan)
    inverse, part = inverse.reshape(x.shape), (1 / count).astype(x.dtype)
    return y, lambda g, y, x: (g * part)[inverse]


@implements(np.unique)
def unique(
    ar,
    return_index=False,
    return_inverse=False,
    return_counts=False,
    axis=None,
    *,
    equal_nan=True,
    sorted=True,
):
    """The different elements in rising order; equal ones share the gradient evenly.

    Where they are found and how often comes along as asked for, in arrays. `sorted` makes no difference.
    """
    if axis is not None:
        raise TypeError(
            "unique: along an axis it has no derivative; take rows by their index, as np.unique(t.data, ...)"
        )
    _, *facts = np.unique(value_of(ar), True, return_inverse, return_counts, equal_nan=equal_nan)
    values = _unique(ar, equal_nan)
    facts = facts if return_index else facts[1:]
    return (values, *facts) if facts else values


# The array API's names for these; in them each NaN counts as a value of its own.


@implements(np.unique_values)
def unique_values(x):
    """The different elements in rising order; equal ones share the gradient evenly."""
    return unique(x, equal_nan=False)


def _with_facts(function, **facts):
    result = type(function(np.zeros(1)))

    def unique_with_facts(x):
        return result(*unique(x, equal_nan=False, **facts))

    unique_with_facts.__name__ = function.__name__
    unique_with_facts.__doc__ = (
        f"The different elements in rising order, and what np.{function.__name__} tells of them."
    )
    return implements(function)(unique_with_facts)


unique_counts = _with_facts(np.unique_counts, return_counts=True)
unique_inverse = _with_facts(np.unique_inverse, return_inverse=True)
unique_all = _with_facts(np.unique_all, return_index=True, return_inverse=True, return_counts=True)
