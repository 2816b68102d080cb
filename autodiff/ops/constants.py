"""NumPy's functions whose result has no derivative, or 0 for one: on a Tensor they see its value and return arrays."""

from typing import Any

import numpy as np

from ..primitive import implements
from ..tensor import Tensor


def _value(x):
    if isinstance(x, Tensor):
        return x.value
    return type(x)(map(_value, x)) if type(x) in (list, tuple) else x


# What of their arguments has a derivative that the result, an array, would not tell of: by which name or place.
WEIGHING = {
    np.histogram: ("weights", 4, "np.bincount(np.digitize(...), weights)"),
    np.histogram2d: ("weights", 5, "np.bincount(np.digitize(...), weights)"),
    np.histogramdd: ("weights", 4, "np.bincount(np.digitize(...), weights)"),
    np.full_like: ("fill_value", 1, "np.broadcast_to(value, shape)"),
}


def _on_values(function, name=None, orders="none"):
    name = name or function.__name__
    option, place, instead = WEIGHING.get(function, ("", 0, ""))

    def compute(*args, **options):
        if option and isinstance(args[place] if len(args) > place else options.get(option), Tensor):
            raise TypeError(
                f"{name}: {option}= would lose its gradient; use {instead}, or leave the graph with t.data"
            )
        try:
            return function(*map(_value, args), **{name: _value(option) for name, option in options.items()})
        except (ValueError, IndexError) as error:
            raise type(error)(f"{name}: {error}".strip()) from None

    compute.__name__ = name
    compute.differentiable = False  # type: ignore[attr-defined]
    compute.orders = orders  # type: ignore[attr-defined]  # for `supported`
    compute.__doc__ = f"NumPy's {name}, of a Tensor's value."
    return compute


COMPARISONS = (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)
LOGIC = (np.logical_not, np.logical_and, np.logical_or, np.logical_xor, np.any, np.all)
TESTS = (np.isnan, np.isinf, np.isfinite, np.isneginf, np.isposinf, np.signbit, np.isin)
KINDS = (np.iscomplex, np.isreal, np.iscomplexobj, np.isrealobj, np.imag)
PLACES = (
    *(np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argsort, np.argpartition, np.lexsort),
    *(np.argwhere, np.nonzero, np.flatnonzero, np.searchsorted, np.digitize),
)
COUNTS = (np.count_nonzero, np.histogram, np.histogram2d, np.histogramdd, np.histogram_bin_edges)
SAME = (np.allclose, np.isclose, np.array_equal, np.array_equiv, np.shares_memory, np.may_share_memory)
FACTS = (
    *(np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type, np.common_type),
    *(np.diag_indices_from, np.tril_indices_from, np.triu_indices_from),
    *(np.array_repr, np.array_str, np.array2string),
)
ALIKE = (np.zeros_like, np.ones_like, np.full_like, np.empty_like)
# What is flat between its jumps.
STEPS = (
    np.sign,
    np.floor,
    np.ceil,
    np.trunc,
    np.rint,
    np.fix,
    np.round,
    np.around,
    np.floor_divide,
    np.spacing,
)

GROUPS: list[tuple[str, tuple[Any, ...]]] = [
    ("none", (*COMPARISONS, *LOGIC, *TESTS, *KINDS, *PLACES, *COUNTS, *SAME, *FACTS, *ALIKE)),
    ("zero", STEPS),
]

for _orders, _functions in GROUPS:
    for _function in _functions:
        implements(_function)(_on_values(_function, orders=_orders))
for _ufunc in (np.logical_and, np.logical_or, np.logical_xor):
    implements(_ufunc.reduce)(_on_values(_ufunc.reduce, f"{_ufunc.__name__}_reduce"))

Tensor.imag = property(lambda t: np.zeros_like(t.value))  # type: ignore[attr-defined]
