"""NumPy's functions without a derivative: arrays from Tensors as from arrays."""

from itertools import chain

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.ops.constants import GROUPS
from autodiff.tensor import numpy_name

X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])

# NumPy's functions without a derivative, each with a call of it.
CONSTANT = {
    **{
        name: getattr(np, name)
        for name in (
            *("sign", "floor", "ceil", "trunc", "rint", "fix", "round", "around", "spacing", "imag"),
            *("isnan", "isinf", "isfinite", "isneginf", "isposinf", "signbit", "logical_not", "any", "all"),
            *("iscomplex", "isreal", "iscomplexobj", "isrealobj", "zeros_like", "ones_like"),
            *("argmax", "argmin", "nanargmax", "nanargmin", "argsort", "argwhere", "nonzero", "flatnonzero"),
            *("count_nonzero", "histogram", "histogram_bin_edges", "shape", "ndim", "size", "result_type"),
            *("min_scalar_type", "common_type", "tril_indices_from", "triu_indices_from", "array_repr"),
            *("array_str", "array2string"),
        )
    },
    "diag_indices_from": lambda x: np.diag_indices_from(x[:, :2]),
    "floor_divide": lambda x: np.floor_divide(x, 0.3),
    "floor_divide by": lambda x: 7.0 // x,
    "floor_divide of": lambda x: x // 0.3,
    "equal": lambda x: x == x[0],
    "not_equal": lambda x: x != 1.0,
    "less": lambda x: x < X[0],
    "less_equal": lambda x: x <= 1.0,
    "greater": lambda x: x > 1.0,
    "greater_equal": lambda x: x >= 1.0,
    "logical_and": lambda x: np.logical_and(x, x[0]),
    "logical_or": lambda x: np.logical_or(x, 0),
    "logical_xor": lambda x: np.logical_xor(x, 1),
    "logical_and.reduce": lambda x: np.logical_and.reduce(x, axis=1),
    "logical_or.reduce": lambda x: np.logical_or.reduce(x),
    "logical_xor.reduce": lambda x: np.logical_xor.reduce(x),
    "less.outer": lambda x: np.less.outer(x, [0.5, 1.0]),
    "isin": lambda x: np.isin(x, X[0]),
    "argpartition": lambda x: np.argpartition(x, 1),
    "lexsort": lambda x: np.lexsort((x[0], x[1])),
    "searchsorted": lambda x: np.searchsorted([0.0, 1.0], x),
    "searchsorted in": lambda x: np.searchsorted(x[0], 1.0),
    "digitize": lambda x: np.digitize(x, [0.0, 1.0]),
    "histogram2d": lambda x: np.histogram2d(x[0], x[1], bins=2),
    "histogramdd": lambda x: np.histogramdd(x, bins=2),
    "bincount": lambda x: np.bincount([1, 1, 0]),
    "allclose": lambda x: np.allclose(x, X),
    "isclose": lambda x: np.isclose(x, X[0]),
    "array_equal": lambda x: np.array_equal(x, X),
    "array_equiv": lambda x: np.array_equiv(x, X),
    "shares_memory": lambda x: np.shares_memory(x, x),
    "may_share_memory": lambda x: np.may_share_memory(x, X[0]) in (True, False),
    "can_cast": lambda x: np.can_cast(x[0].dtype, np.float32),
    "full_like": lambda x: np.full_like(x, 3),
    "empty_like": lambda x: np.empty_like(x).shape,
}


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")  # since NumPy 2.5
@pytest.mark.parametrize("name", CONSTANT)
def test_what_has_no_derivative_returns_arrays(name):
    f = CONSTANT[name]
    found, expected = f(Tensor(X)), f(X)
    assert not isinstance(found, Tensor)
    assert type(found) is type(expected)
    if isinstance(expected, tuple | list):
        assert not any(isinstance(part, Tensor) for part in found)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
    else:
        np.testing.assert_array_equal(found, expected)


def test_no_function_without_a_derivative_is_left_untested():
    named = {name.partition(" ")[0] for name in CONSTANT}
    for function in chain.from_iterable(functions for _, functions in GROUPS):
        assert numpy_name(function).removeprefix("np.") in named


@pytest.mark.parametrize(
    "call",
    [
        lambda w: np.histogram([0.5, 1.5], 2, None, None, w),
        lambda w: np.histogram([0.5, 1.5], 2, weights=w),
        lambda w: np.histogram2d([0.5, 1.5], [0.5, 1.5], 2, None, None, w),
        lambda w: np.histogramdd([[0.5], [1.5]], 2, None, None, w),
        lambda w: np.full_like(w, w[0]),
        lambda w: np.full_like(w, fill_value=w[0]),
    ],
)
def test_what_would_be_lost_in_an_array_is_refused_by_place_and_by_name(call):
    with pytest.raises(TypeError, match=r"(weights|fill_value)= would lose its gradient; use np\."):
        call(Tensor([1.0, 2.0]))


def test_nothing_is_counted_in_the_dtype_of_its_weights():
    weights = Tensor(np.empty(0))
    y = np.bincount(np.empty(0, int), weights, minlength=2)
    y.backward(seed=np.ones(2))
    assert (y.tolist(), y.dtype, weights.grad.shape) == ([0.0, 0.0], np.float64, (0,))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: x < np.ones(2), "less: operands could not be broadcast"),
        (lambda x: np.floor_divide(x, np.ones(2)), "floor_divide: operands could not be broadcast"),
        (lambda x: np.argmax(x, axis=4), "argmax: axis 4 is out of bounds"),
        (lambda x: np.nanargmin(x * np.nan), "nanargmin: All-NaN slice"),
    ],
)
def test_what_cannot_be_told_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call(Tensor([1.0, 2.0, 3.0]))
