"""NumPy's functions whose result has no derivative: on a Tensor they see its value and return arrays."""

import numpy as np

from ..primitive import implements
from ..tensor import Tensor


def _value(x):
    return x.value if isinstance(x, Tensor) else x


def _on_values(function):
    def compute(*args, **options):
        return function(*map(_value, args), **{name: _value(option) for name, option in options.items()})

    compute.__name__ = function.__name__
    compute.differentiable = False  # type: ignore[attr-defined]
    compute.__doc__ = f"NumPy's {function.__name__}, of a Tensor's value."
    return compute


COMPARISONS = (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)
TESTS = (np.isnan, np.isinf, np.isfinite, np.signbit, np.logical_not, np.logical_and, np.logical_or)
STEPS = (np.sign, np.floor, np.ceil, np.trunc, np.rint)
ORDERS = (np.argmax, np.argmin, np.argsort, np.any, np.all, np.count_nonzero, np.nonzero)
FACTS = (np.shape, np.ndim, np.size, np.allclose, np.isclose, np.array_equal, np.result_type)
ALIKE = (np.zeros_like, np.ones_like, np.full_like, np.empty_like)

for _function in (*COMPARISONS, *TESTS, *STEPS, *ORDERS, *FACTS, *ALIKE):
    implements(_function)(_on_values(_function))
