"""Reductions, spreads, norms and statistics: NumPy's options, extreme sizes, refusals."""

import numpy as np
import pytest

from autodiff import Tensor, gradients, hvp

from .test_ops import agrees, some

X = np.array([[0.5, -1.5, 2.0, 2.0], [0.0, 1.0, -0.25, 3.0], [1.0, -2.0, 0.75, 1.25]])
HOLES = np.where(np.abs(X) == 2.0, np.nan, X)
MASK = X > 0.6


def by_name(*names):
    return pytest.mark.parametrize("f", [getattr(np, name) for name in names])


SUMS = ("sum", "prod", "nansum", "nanprod")
MEANS = ("mean", "nanmean", "var", "std", "nanvar", "nanstd")
EXTREMES = ("max", "min", "amax", "amin", "nanmax", "nanmin")


def same(f, x, **options):
    """The Tensor's result is NumPy's: value, shape, dtype."""
    expected = f(x, **options)
    found = f(Tensor(x), **options)
    np.testing.assert_allclose(found.data, expected, rtol=1e-14, atol=1e-15)
    assert (found.shape, found.dtype) == (np.shape(expected), expected.dtype)
    found.backward(seed=np.ones(found.shape))


# -- NumPy's options ---------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:(Mean of empty|Degrees of freedom|invalid value):RuntimeWarning")
@by_name(*SUMS, *MEANS, *EXTREMES)
@pytest.mark.parametrize("where", [MASK, MASK[0], MASK[:, :1], True])
def test_a_reduction_takes_numpys_where(f, where):
    bound = {"initial": -5.0 if "max" in f.__name__ else 5.0} if f.__name__ in EXTREMES else {}
    for axis in (None, 1, (1, 0)):
        same(f, X, where=where, axis=axis, **bound)
        same(f, X, where=where, axis=axis, keepdims=True, **bound)


@by_name(*SUMS, *EXTREMES)
@pytest.mark.parametrize("initial", [0.0, -0.5, 9.0])
def test_a_reduction_takes_numpys_initial(f, initial):
    for axis in (None, 0):
        same(f, X, initial=initial, axis=axis)


@by_name(*SUMS, "mean", "var", "std", "nanmean", "cumsum", "cumprod", "nancumsum", "nancumprod")
@pytest.mark.parametrize("dtype", ["float32", "longdouble", float])
def test_a_reduction_computes_in_numpys_dtype(f, dtype):
    x = X.astype(np.float16)
    y, expected = f(Tensor(x), dtype=dtype), f(x, dtype=dtype)
    np.testing.assert_array_equal(y.data, expected)
    assert y.dtype == expected.dtype
    leaf = Tensor(x)
    f(leaf, axis=0, dtype=dtype).sum().backward()
    assert leaf.grad.dtype == np.float16


@by_name("sum", "mean", "var", "std", "cumsum", "nanprod")
@pytest.mark.parametrize("dtype", [int, bool, complex])
def test_a_result_that_is_no_real_floating_number_is_refused(f, dtype):
    with pytest.raises(TypeError, match=r"has no derivative; take a floating dtype, or .*t\.data"):
        f(Tensor(X), dtype=dtype)


@by_name(*SUMS, *MEANS, *EXTREMES, "ptp", "median", "nanmedian", "cumsum", "cumprod")
def test_out_is_refused_by_place_and_by_name(f):
    with pytest.raises(TypeError, match=r"out=.*would lose the gradient.*t\.data"):
        f(Tensor(X), 0, out=np.zeros(4))
    place = (0,) if f.__name__ in (*EXTREMES, "ptp", "median", "nanmedian") else (0, None)
    with pytest.raises(TypeError, match=r"out=.*would lose the gradient.*t\.data"):
        f(Tensor(X), *place, np.zeros(4))


@pytest.mark.parametrize(
    ("where", "error", "words"),
    [
        (X, TypeError, "sum: where= is made of booleans, not of float64"),
        (np.ones(3, bool), ValueError, r"sum: where= of shape \(3,\) does not broadcast to shape \(3, 4\)"),
        (np.ones((2, 3, 4), bool), ValueError, r"sum: where= of shape \(2, 3, 4\) does not broadcast"),
        (Tensor(X), TypeError, r"sum: where= has no derivative.*t\.data"),
    ],
)
def test_a_where_that_does_not_fit_is_refused(where, error, words):
    with pytest.raises(error, match=words):
        np.sum(Tensor(X), where=where)


@by_name("var", "std", "nanvar", "nanstd")
def test_a_spread_takes_numpys_correction_and_mean(f):
    for options in (
        {"correction": 1},
        {"ddof": 1, "axis": 1},
        {"correction": 0.5, "axis": 0, "keepdims": True},
    ):
        same(f, X, **options)
        same(f, X, mean=np.mean(X, options.get("axis"), keepdims=True), **options)
    with pytest.raises(ValueError, match="ddof and correction are two names of one option"):
        f(Tensor(X), ddof=1, correction=1)


@by_name("var", "std")
def test_a_mean_that_was_known_passes_its_share_on(f):
    agrees(lambda x: f(x, axis=1, mean=np.mean(x, axis=1, keepdims=True)), X)
    known, own = Tensor(X), Tensor(X)
    f(known, mean=np.mean(known)).backward()
    f(own).backward()
    np.testing.assert_allclose(known.grad, own.grad, rtol=1e-13)


@by_name("max", "min", "nanmax", "nanmin")
def test_a_number_alone_may_be_left_out_of_an_extreme(f):
    x = Tensor(0.5)
    y = f(x, where=False, initial=3.0)
    assert (y.item(), gradients(y, x)) == (3.0, 0.0)


@pytest.mark.filterwarnings("ignore:(Mean of empty|Degrees of freedom|invalid value):RuntimeWarning")
@by_name("nanvar", "nanstd")
def test_a_row_with_too_few_numbers_for_a_spread_has_the_slope_0(f):
    x = Tensor([[1.0, np.nan, np.nan], [1.0, 2.0, 4.0]])
    y = f(x, axis=1, ddof=1)
    y.backward(seed=np.ones(2))
    assert np.isnan(y.data).tolist() == [True, False]
    assert x.grad[0].tolist() == [0.0, 0.0, 0.0]
    alone = Tensor([1.0, 2.0, 4.0])
    f(alone, ddof=1).backward()
    np.testing.assert_allclose(x.grad[1], alone.grad, rtol=1e-14)


def test_equal_elements_spread_about_a_mean_that_is_not_theirs():
    ones = Tensor([1.0, 1.0, 1.0])
    y = np.std(ones, mean=0.0)
    y.backward()
    assert y.item() == 1.0  # the root of (1 + 1 + 1) / 3
    np.testing.assert_allclose(ones.grad, [1 / 3, 1 / 3, 1 / 3], rtol=1e-15)
    tenths = Tensor([0.1, 0.1, 0.1])  # whose mean is rounded
    np.std(tenths, mean=np.mean(tenths)).backward()
    assert tenths.grad.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.filterwarnings("ignore:(All-NaN|Mean of empty|Degrees of freedom|invalid value):RuntimeWarning")
@by_name("nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd", "nanmedian")
def test_missing_values_are_left_out_as_numpy_leaves_them_out(f):
    whole = HOLES.copy()
    whole[1] = np.nan
    for axis in (None, 0, 1, (0, 1)):
        same(f, HOLES, axis=axis)
        same(f, whole, axis=axis, keepdims=True)


def test_methods_of_arrays_are_methods_of_tensors():
    x = Tensor(X)
    assert x.cumsum(1).tolist() == X.cumsum(1).tolist()
    assert x.cumprod(axis=0).tolist() == X.cumprod(axis=0).tolist()
    assert x.sum(0, None, None, True).shape == (1, 4)
    assert x.std(1, ddof=1).shape == (3,)
    assert x.max(initial=9.0).item() == 9.0


# -- sizes near the ends of the numbers --------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-200, 1e200, 5e-324 * 2**60])
@pytest.mark.parametrize("order", [2, 3, 1.5])
def test_the_slope_of_a_norm_is_a_direction_at_any_scale(scale, order):
    x = np.array([3.0, -4.0])
    expected = np.sign(x) * (np.abs(x) / np.linalg.norm(x, order)) ** (order - 1)
    leaf = Tensor(x * scale)
    with np.errstate(over="ignore", under="ignore"):
        y = np.linalg.norm(leaf, order)
        assert y.data == np.linalg.vector_norm(leaf.data, ord=order)  # NumPy's value, were it infinite
        y.backward()
    np.testing.assert_allclose(leaf.grad, expected, rtol=1e-10)


def test_the_slope_of_a_spread_is_right_at_any_scale():
    x = np.array([1.0, 2.0, 6.0])
    leaf, tiny = Tensor(x), Tensor(x * 1e-200)
    np.std(leaf, ddof=1).backward()
    np.std(tiny, ddof=1).backward()
    np.testing.assert_allclose(tiny.grad, leaf.grad, rtol=1e-14)


def test_a_norm_in_half_precision_has_the_slopes_of_one_in_double():
    x = np.array([0.01, -0.02, 0.02], np.float16)
    leaf = Tensor(x)
    np.linalg.norm(leaf).backward()
    np.testing.assert_allclose(leaf.grad, x / np.linalg.norm(x.astype(float)), rtol=2e-3)


def test_products_that_underflow_or_overflow_leave_the_slopes_of_the_others_right():
    leaf = Tensor([1e-200, 1e-200, 1e250])
    np.prod(leaf).backward()
    np.testing.assert_allclose(leaf.grad, [1e50, 1e50, 0.0], rtol=1e-15)
    leaf = Tensor([1e200, 1e200, 1e-150])
    with np.errstate(over="ignore"):
        np.prod(leaf).backward()
    np.testing.assert_allclose(leaf.grad, [1e50, 1e50, np.inf], rtol=1e-15)


# -- norms -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [(0, 1), (2, 0), (-1, -2)])
def test_matrix_norms_along_any_axes(order, axis):
    x = some(3, 2, 3)
    same(np.linalg.norm, x, ord=order, axis=axis)
    same(np.linalg.norm, x, ord=order, axis=axis, keepdims=True)
    if axis == (-1, -2) and order is not None:
        same(np.linalg.matrix_norm, x, ord=order)


@pytest.mark.parametrize("order", ["nuc", 2, -2])
def test_norms_by_singular_values_have_slopes_of_two_orders(order):
    x, v = some(3, 2), some(3, 2, seed=1)
    f = lambda x: np.linalg.norm(x, order)
    leaf = Tensor(x)
    f(leaf).backward()
    step = 1e-6
    np.testing.assert_allclose(
        np.sum(leaf.grad * v), (f(x + step * v) - f(x - step * v)) / (2 * step), rtol=1e-8
    )
    slope = lambda x: gradients(f(t := Tensor(x)), t)
    np.testing.assert_allclose(
        hvp(f, x, v), (slope(x + step * v) - slope(x - step * v)) / (2 * step), rtol=1e-6, atol=1e-8
    )


def test_the_order_0_counts_and_has_no_slope():
    assert np.linalg.norm(Tensor([0.0, 3.0, 4.0]), 0) == 2.0
    assert not isinstance(np.linalg.vector_norm(Tensor([0.0, 3.0]), ord=0), Tensor)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: np.linalg.norm(x, "fro", axis=0), "norm: the order 'fro' is one of matrices"),
        (lambda x: np.linalg.norm(x, 3), "norm: a matrix has the orders"),
        (lambda x: np.linalg.norm(x, "x"), "norm: a matrix has the orders"),
        (lambda x: np.linalg.norm(x[None], 2), r"norm: axis= names one axis of vectors or two of matrices"),
        (lambda x: np.linalg.norm(x, axis=2), "norm: axis 2 is out of bounds"),
        (lambda x: np.linalg.vector_norm(x, ord="fro"), "vector_norm: ord is a number, not 'fro'"),
    ],
)
def test_a_norm_that_there_is_not_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call(Tensor(X))


# -- averages and covariances ------------------------------------------------------------------------


def test_an_average_weighted_by_its_own_elements_has_both_slopes():
    x = Tensor([1.0, 2.0, 3.0])
    np.average(x, weights=x).backward()  # sum(x * x) / sum(x): (2 x - 14 / 6) / 6
    np.testing.assert_allclose(x.grad, [-1 / 18, 5 / 18, 11 / 18], rtol=1e-14)


def test_an_average_returns_the_weights_sum_as_numpy_does():
    for weights in ([1, 2, 3, 4], np.array([0.1, 0.2, 0.3, 0.4], np.float32)):
        found, expected = (np.average(x, weights=weights, returned=True)[1] for x in (Tensor(X[0]), X[0]))
        np.testing.assert_array_equal(found, expected, strict=True)
    for weights in (None, np.array([1.0, 3.0, 2.0]), np.abs(X) + 1):
        options = {"axis": 0, "weights": weights, "returned": True}
        for found, expected in zip(np.average(Tensor(X), **options), np.average(X, **options), strict=True):
            np.testing.assert_allclose(getattr(found, "value", found), expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"weights": [1.0, 2.0]}, TypeError, "average: .*say which, as axis=0"),
        ({"weights": [1.0, 2.0], "axis": 0}, ValueError, r"average: weights of shape \(2,\) do not fit"),
        ({"weights": [1.0, -2.0, 1.0], "axis": 0}, ZeroDivisionError, "average: the weights add up to 0"),
    ],
)
def test_weights_that_do_not_fit_are_refused(options, error, words):
    with pytest.raises(error, match=words):
        np.average(Tensor(X), **options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bias": True},
        {"rowvar": False, "ddof": 0},
        {"fweights": [2, 1, 3, 1]},
        {"aweights": [0.5, 1.0, 0.25, 2.0]},
        {"fweights": [2, 1, 3, 1], "aweights": np.array([0.5, 1.0, 0.25, 2.0]), "ddof": 2},
        {"y": X[::-1] ** 2},
        {"y": X[0] ** 2},
        {"dtype": np.longdouble},
    ],
)
def test_covariances_are_numpys_in_every_option(options):
    same(np.cov, X, **options)


def test_the_weights_of_a_covariance_may_be_tracked():
    x, w = some(2, 4), some(4, seed=2)
    leaf = Tensor(w)
    f = lambda w: np.cov(x, aweights=w, fweights=[1, 2, 1, 3])[0, 1]
    f(leaf).backward()
    step = 1e-6 * np.eye(4)
    expected = [(f(w + h) - f(w - h)) / 2e-6 for h in step]
    np.testing.assert_allclose(leaf.grad, expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"fweights": [1, 2]}, ValueError, r"cov: fweights= of shape \(2,\) for 4 observations"),
        ({"fweights": [1, 2, 0.5, 1]}, TypeError, "cov: fweights= are whole numbers"),
        ({"aweights": [1, 2, -1, 1]}, ValueError, "cov: aweights= must not be negative"),
        ({"fweights": Tensor(np.ones(4))}, TypeError, "cov: fweights=, a count, has no derivative"),
        ({"ddof": 0.5}, ValueError, "cov: ddof is a whole number"),
        ({"y": np.ones((2, 2, 2))}, ValueError, "cov: takes variables and observations in two axes"),
    ],
)
def test_what_is_no_weight_of_a_covariance_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        np.cov(Tensor(X), **options)


def test_a_covariance_without_degrees_of_freedom_warns_as_numpys():
    with pytest.warns(RuntimeWarning, match="no degrees of freedom"), np.errstate(all="ignore"):
        assert np.isnan(np.cov(Tensor([1.0])).data)


def test_correlations_are_numpys_and_do_not_change_with_the_scale():
    same(np.corrcoef, X)
    same(np.corrcoef, X, rowvar=False)
    same(np.corrcoef, X[0], y=X[1])
    same(np.corrcoef, X[0])
    leaf = Tensor(2.0)
    np.corrcoef(leaf * X[0], X[1])[0, 1].backward()
    assert abs(leaf.grad) < 1e-15
