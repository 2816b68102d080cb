"""What goes along an axis: running sums and products, differences, orders, quantiles."""

import numpy as np
import pytest

from autodiff import Tensor, gradients, jacobian
from autodiff.ops.quantiles import elements_at

from .test_ops import agrees, some

X = np.array([[0.5, -1.5, 2.0, 2.5], [0.0, 1.0, -0.25, 3.0], [1.0, -2.0, 0.75, 1.25]])


# -- running sums and products -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "nancumsum", "nancumprod"])
def test_running_sums_and_products_take_any_axis(name):
    f = getattr(np, name)
    for axis in (None, 0, 1, -1):
        agrees(lambda x, axis=axis: f(x, axis), some(2, 3))
    assert f(Tensor(2.0)).tolist() == [2.0]
    assert f(Tensor(np.zeros((2, 0))), axis=1).shape == (2, 0)
    with pytest.raises(ValueError, match=rf"{name}: axis 2 is out of bounds"):
        f(Tensor(X), axis=2)


@pytest.mark.skipif(not hasattr(np, "cumulative_sum"), reason="NumPy has them from 2.1 on")
def test_cumulative_sums_and_products_ask_for_an_axis():
    for name in ("cumulative_sum", "cumulative_prod"):
        f = getattr(np, name)
        np.testing.assert_array_equal(
            f(Tensor(X), axis=0, include_initial=True).data, f(X, axis=0, include_initial=True)
        )
        with pytest.raises(ValueError, match=rf"{name}: an array of shape \(3, 4\) has no one axis"):
            f(Tensor(X))


def test_a_running_sums_slope_counts_beyond_what_half_precision_adds():
    x = Tensor(np.ones(5000, np.float16))
    with np.errstate(over="ignore"):
        np.cumsum(x).backward(seed=np.full(5000, 0.5, np.float16))
    np.testing.assert_array_equal(x.grad, (0.5 * np.arange(5000, 0, -1)).astype(np.float16))


@pytest.mark.parametrize(
    "x",
    [
        [2.0, 0.0, 5.0, 0.0, 3.0],
        [0.0] * 5,
        [1e-200, 1e-200, 1e300, 2.0, 1.0],
        [0.0, 1e-200, 1e-200, 1e200, 3.0],
    ],
)
def test_a_running_products_jacobian_is_the_products_of_the_others(x):
    expected = [[np.prod(np.delete(x[: i + 1], j)) if j <= i else 0.0 for j in range(5)] for i in range(5)]
    np.testing.assert_allclose(jacobian(np.cumprod)(np.array(x)), expected, rtol=1e-14)


def test_what_a_running_product_has_not_reached_does_not_disturb_its_slopes():
    x = Tensor([1e-300, 1e200, 1e200, 0.0])  # the product of those in the middle overflows
    np.cumprod(x)[0].backward()
    assert x.grad.tolist() == [1.0, 0.0, 0.0, 0.0]


# -- differences, slopes, areas ----------------------------------------------------------------------


def same(f, *args, **options):
    """On a Tensor in place of the first argument the result is NumPy's."""
    found, expected = f(Tensor(args[0]), *args[1:], **options), f(*args, **options)
    several = isinstance(expected, tuple)
    assert isinstance(found, tuple) == several
    for one, other in zip(found if several else [found], expected if several else [expected], strict=True):
        np.testing.assert_allclose(one.data, other, rtol=1e-13, atol=1e-14)
        assert one.dtype == np.asarray(other).dtype


@pytest.mark.parametrize(
    "options",
    [{}, {"n": 0}, {"n": 3, "axis": 0}, {"n": 9}, {"prepend": 1}, {"append": X[:, :2], "n": 2}, {"axis": -2}],
)
def test_differences_are_numpys(options):
    same(np.diff, X, **options)


@pytest.mark.parametrize("options", [{}, {"to_end": [1, 2]}, {"to_begin": 7.0, "to_end": X}])
def test_differences_of_all_elements_are_numpys(options):
    same(np.ediff1d, X, **options)
    same(np.ediff1d, X.astype(np.float32), **options)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_slopes_along_axes_are_numpys(edge_order):
    places = np.array([0.0, 0.5, 2.0]), np.array([0.0, 1.0, 1.5, 4.0])
    same(np.gradient, X, edge_order=edge_order)
    same(np.gradient, X, 0.5, edge_order=edge_order)
    same(np.gradient, X, 0.5, 2.0, edge_order=edge_order)
    same(np.gradient, X, *places, edge_order=edge_order)
    same(np.gradient, X, 2.0, places[1], edge_order=edge_order)
    same(np.gradient, X, places[0], axis=0, edge_order=edge_order)
    same(np.gradient, X, places[1], 3.0, axis=(-1, 0), edge_order=edge_order)
    same(np.gradient, X.astype(np.float32), *places, edge_order=edge_order)


def test_equal_steps_that_are_tracked_have_slopes_of_their_own():
    x = Tensor([0.0, 1.0, 2.0, 3.0])
    np.gradient(np.array([0.0, 1.0, 4.0, 9.0]), x)[1].backward()  # of x[0], x[1], x[2] alone
    step = 1e-6 * np.eye(4)
    f = lambda x: np.gradient(np.array([0.0, 1.0, 4.0, 9.0]), x)[1]
    expected = [(f(x.data + h) - f(x.data - h)) / 2e-6 for h in step]
    np.testing.assert_allclose(x.grad, expected, atol=1e-8)


def test_areas_are_numpys():
    same(np.trapezoid, X)
    same(np.trapezoid, X, dx=0.5, axis=0)
    same(np.trapezoid, X, x=np.array([0.0, 0.5, 2.0]), axis=0)
    same(np.trapezoid, X, x=np.cumsum(np.abs(X), 1))
    y = [1.0, 3.0, 2.0]
    agrees(lambda x: np.trapezoid(np.asarray(y), x), some(3))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: np.diff(x, -1), ValueError, "diff: n, how often to take differences"),
        (lambda x: np.diff(x, axis=2), ValueError, "diff: axis 2 is out of bounds"),
        (lambda x: np.diff(x[0, 0]), ValueError, "diff: axis -1 is out of bounds"),
        (lambda x: np.gradient(x, edge_order=3), ValueError, "gradient: edge_order is 1 or 2"),
        (lambda x: np.gradient(x[:2], edge_order=2), ValueError, "gradient: axis 0 has 2 elements"),
        (
            lambda x: np.gradient(x, 1.0, 2.0, 3.0),
            TypeError,
            "gradient: takes one spacing, or one for each of 2",
        ),
        (lambda x: np.gradient(x, [1.0, 2.0, 3.0]), TypeError, "gradient: takes one spacing"),
        (lambda x: np.gradient(x, [1.0, 2.0], axis=0), ValueError, "gradient: 2 places for the 3 elements"),
        (lambda x: np.gradient(x, np.ones((3, 3)), axis=0), ValueError, "gradient: a spacing is a number"),
    ],
)
def test_what_has_no_neighbours_or_no_fitting_steps_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call(Tensor(X))


# -- orders ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [None, "quicksort", "stable", "heapsort"])
def test_sorting_is_numpys_and_stable_whatever_its_kind(kind):
    x = np.array([[2.0, 1.0, np.nan, 1.0], [0.0, np.inf, -np.inf, 0.0]])
    for axis in (-1, 0, None):
        same(np.sort, x, axis=axis, kind=kind)
    leaf = Tensor(x)
    np.sort(leaf, kind=kind).backward(seed=np.array([[1.0, 2.0, 3.0, 4.0]] * 2))
    assert leaf.grad.tolist() == [[3.0, 1.0, 4.0, 2.0], [2.0, 4.0, 1.0, 3.0]]


@pytest.mark.parametrize("kth", [0, 2, -1, (1, 2)])
@pytest.mark.parametrize("axis", [-1, 0, None])
def test_a_partition_puts_each_kth_element_where_sorting_puts_it(kth, axis):
    length = X.size if axis is None else X.shape[axis]
    leaf = Tensor(X)
    y = np.partition(leaf, kth, axis)
    line, whole = np.moveaxis(y.data, axis or 0, -1), np.moveaxis(np.sort(X, axis), axis or 0, -1)
    for k in np.atleast_1d(kth) % length:
        np.testing.assert_array_equal(line[..., k], whole[..., k])
        assert (line[..., :k] <= line[..., k : k + 1]).all()
        assert (line[..., k:] >= line[..., k : k + 1]).all()
    y.backward(seed=y.data)
    np.testing.assert_array_equal(leaf.grad, X)  # each element gets what was handed to its place


def test_what_sorts_in_place_is_refused_with_the_way_out():
    for name, arguments in (("sort", ()), ("partition", (1,))):
        with pytest.raises(
            TypeError, match=rf"t\.{name}\(\) would change a Tensor in place.*use np\.{name}\(t\)"
        ):
            getattr(Tensor(X), name)(*arguments)
    with pytest.raises(ValueError, match="sort: order= names the fields"):
        np.sort(Tensor(X), order="x")
    with pytest.raises(ValueError, match="kind"):
        np.sort(Tensor(X), kind="nonsense")


def test_different_elements_come_with_the_facts_that_numpy_tells():
    x = np.array([[2.0, 1.0, 2.0], [3.0, np.nan, np.nan]])
    for options in (
        {"equal_nan": False},
        {"return_index": True, "return_counts": True},
        {"return_inverse": True},
    ):
        found, expected = np.unique(Tensor(x), **options), np.unique(x, **options)
        values, *facts = found if isinstance(found, tuple) else (found,)
        expected_values, *expected_facts = expected if isinstance(expected, tuple) else (expected,)
        np.testing.assert_array_equal(values.data, expected_values)
        for fact, other in zip(facts, expected_facts, strict=True):
            np.testing.assert_array_equal(fact, other)
    with pytest.raises(TypeError, match=r"unique: along an axis .*t\.data"):
        np.unique(Tensor(x), axis=0)


# -- quantiles ---------------------------------------------------------------------------------------

METHODS = [
    "inverted_cdf",
    "averaged_inverted_cdf",
    "closest_observation",
    "interpolated_inverted_cdf",
    "hazen",
    "weibull",
    "linear",
    "median_unbiased",
    "normal_unbiased",
    "lower",
    "higher",
    "midpoint",
    "nearest",
]


@pytest.mark.parametrize("method", METHODS)
def test_a_quantiles_slope_is_the_limit_of_differences_by_every_method(method):
    x = np.random.default_rng(2).permutation(21.0 * np.arange(14)).reshape(2, 7) / 13
    for q in (0.0, 0.23, 0.5, 0.875, 1.0):
        f = lambda x, q=q: np.quantile(x, q, axis=1, method=method)
        found = jacobian(f)(x)
        assert found.sum(axis=(1, 2)).tolist() == pytest.approx([1.0, 1.0])
        moved = np.zeros_like(found)
        for index in np.ndindex(x.shape):
            step = np.zeros_like(x)
            step[index] = 0.5
            moved[(slice(None), *index)] = f(x + step) - f(x - step)
        np.testing.assert_allclose(found, moved, atol=1e-12)
        np.testing.assert_array_equal(
            jacobian(lambda x, q=q: np.percentile(x, 100 * q, 1, None, method=method))(x), found
        )


@pytest.mark.parametrize("method", ["linear", "hazen", "inverted_cdf"])
def test_a_quantile_of_what_is_not_missing_is_that_of_the_rest(method):
    x = np.array([[4.0, np.nan, 1.0, 3.0], [np.nan, np.nan, 2.0, 7.0], [5.0, 6.0, 8.0, 0.0]])
    whole = jacobian(lambda x: np.nanquantile(x, [0.3, 0.8], axis=1, method=method))(x)
    for row in range(3):
        there = ~np.isnan(x[row])
        alone = jacobian(lambda x: np.quantile(x, [0.3, 0.8], method=method))(x[row][there])
        np.testing.assert_allclose(whole[:, row, row][:, there], alone, atol=1e-15)
        assert (whole[:, row, row][:, ~there] == 0).all()


@pytest.mark.parametrize("count", [1, 3, 9])
def test_the_elements_of_an_order_are_found_where_a_stable_sort_puts_them(count):
    rng = np.random.default_rng(4)
    for length in (1, 2, 7, 30):
        values = rng.choice([0.0, -0.0, 1.0, 2.0, np.inf, np.nan], size=(5, length))
        places = rng.integers(0, length, (5, count))
        expected = np.take_along_axis(np.argsort(values, axis=-1, kind="stable"), places, axis=-1)
        np.testing.assert_array_equal(elements_at(values, places), expected)


def test_a_quantile_that_is_nan_has_the_slope_of_the_nan():
    x = Tensor([1.0, np.nan, 2.0])
    np.median(x).backward()
    assert x.grad.tolist() == [0.0, 1.0, 0.0]


def test_fractions_that_change_later_change_no_gradient():
    q = np.array([0.0, 1.0])
    x = Tensor([3.0, 1.0, 2.0])
    y = np.quantile(x, q)
    q[...] = 0.5
    assert gradients(y, x, seed=np.array([10.0, 20.0])).tolist() == [20.0, 10.0, 0.0]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: np.quantile(x, Tensor(0.5)), TypeError, "quantile: the option q= has no derivative"),
        (lambda x: np.quantile(x, 1.5), ValueError, "quantile: .*range"),
        (lambda x: np.quantile(x, 0.5, method="best"), ValueError, "quantile: .*method"),
        (
            lambda x: np.quantile(x, 0.5, method="inverted_cdf", weights=np.ones((3, 4))),
            TypeError,
            r"quantile: with weights= it has no derivative here.*t\.data",
        ),
    ],
)
def test_a_quantile_that_there_is_not_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call(Tensor(X))


@pytest.mark.parametrize("f", [np.nanquantile, np.nanpercentile])
def test_quantiles_whose_axes_numpy_mixes_up_are_refused(f):
    x, q = np.arange(12.0).reshape(3, 2, 2), np.array([[0.25, 0.5, 0.75], [0.0, 0.1, 1.0]])
    assert f(x, q, axis=(0, 1)).shape == (3, 2, 2)  # and not (2, 3, 2)
    with pytest.raises(TypeError, match=r"mixes up the result's axes; hand np\.ravel\(q\)"):
        f(Tensor(x), q, axis=(0, 1))
    assert f(Tensor(x), q, axis=0).shape == (2, 3, 2, 2)


def test_an_input_that_numpy_may_overwrite_is_not_overwritten():
    for f in (np.median, lambda x, **options: np.quantile(x, 0.4, **options)):
        leaf = Tensor(X)
        f(leaf, overwrite_input=True).backward()
        np.testing.assert_array_equal(leaf.data, X)
