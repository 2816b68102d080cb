"""What a gradient is where calculus does not say: the policy, a test for each of its rows."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, grad, gradients, hvp, jacobian, jvp

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")


def slopes(f, *xs):
    """The gradients of sum(f(*xs)) by every x, as lists."""
    leaves = [Tensor(x) for x in xs]
    y = f(*leaves)
    found = gradients(y, leaves, seed=np.ones(y.shape))
    return [g.tolist() for g in found] if len(found) > 1 else found[0].tolist()


def bend(f, x):
    """The gradient of the sum of the gradient of sum(f(x))."""
    return hvp(lambda x: f(x).sum(), np.asarray(x, float), np.ones(np.shape(x))).tolist()


def pushed(f, x):
    """jvp along ones."""
    return jvp(f, (np.asarray(x, float),), (np.ones(np.shape(x)),))[1].tolist()


# -- extrema -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("extreme", [np.max, np.min])
def test_tied_extrema_share_evenly(extreme):
    assert slopes(extreme, [3.0, 3.0, 3.0, 3.0]) == [0.25, 0.25, 0.25, 0.25]
    sign = 1 if extreme is np.max else -1
    assert slopes(extreme, [sign * 5.0, 0.0, sign * 5.0]) == [0.5, 0.0, 0.5]
    assert slopes(lambda x: extreme(x, axis=1), [[1.0, 1.0], [2.0, 2.0 - sign]]) == [[0.5, 0.5], [1.0, 0.0]]
    assert bend(extreme, [3.0, 3.0]) == [0.0, 0.0]
    assert pushed(extreme, [3.0, 3.0]) == 1.0


@pytest.mark.parametrize("extreme", [np.maximum, np.minimum])
def test_equal_arguments_get_half_each(extreme):
    assert slopes(extreme, [2.0, 2.0], 2.0) == [[0.5, 0.5], 1.0]
    sign = 1 if extreme is np.maximum else -1
    assert slopes(extreme, [sign * 3.0, sign * 1.0], sign * 2.0) == [[1.0, 0.0], 1.0]
    assert bend(lambda x: extreme(x, 2.0), [2.0]) == [0.0]
    assert pushed(lambda x: extreme(x, 2.0), [2.0]) == [0.5]


# -- kinks --------------------------------------------------------------------------------------------


def test_relu_abs_and_sign_are_flat_at_0():
    assert slopes(ad.relu, [-1.0, 0.0, 2.0]) == [0.0, 0.0, 1.0]
    assert slopes(np.abs, [-1.0, 0.0, 2.0]) == [-1.0, 0.0, 1.0]
    assert bend(ad.relu, [0.0]) == bend(np.abs, [0.0]) == [0.0]
    assert pushed(ad.relu, [0.0]) == pushed(np.abs, [0.0]) == [0.0]
    assert np.sign(Tensor([-2.0, 0.0, 2.0])).tolist() == [-1.0, 0.0, 1.0]


def test_clip_has_slope_1_in_the_closed_interval_and_a_tracked_bound_gets_what_it_clipped():
    assert slopes(lambda x: np.clip(x, -1, 1), [-2.0, -1.0, 0.0, 1.0, 2.0]) == [0.0, 1.0, 1.0, 1.0, 0.0]
    assert slopes(np.clip, [-2.0, -1.0, 0.0, 1.0, 3.0], -1.0, 1.0) == [[0.0, 1.0, 1.0, 1.0, 0.0], 1.0, 1.0]
    assert slopes(lambda x, low: np.clip(x, low, None), [-2.0, -1.0, 0.0], -1.0) == [[0.0, 1.0, 1.0], 1.0]
    assert bend(lambda x: np.clip(x, -1, 1), [-1.0, 1.0, 2.0]) == [0.0, 0.0, 0.0]
    assert pushed(lambda x: np.clip(x, -1, 1), [-1.0, 1.0, 2.0]) == [1.0, 1.0, 0.0]


def test_the_four_spellings_of_a_relu_differ_at_0():
    x = [0.0]
    assert slopes(ad.relu, x) == [0.0]
    assert slopes(lambda x: np.maximum(x, 0), x) == [0.5]
    assert slopes(lambda x: np.clip(x, 0, None), x) == [1.0]
    assert slopes(lambda x: np.where(x > 0, x, 0), x) == [0.0]


def test_a_root_is_infinitely_steep_at_0():
    assert slopes(np.sqrt, [0.0, 4.0]) == [np.inf, 0.25]
    assert slopes(lambda x: x**0.5, [0.0, 4.0]) == [np.inf, 0.25]
    assert slopes(lambda x: x ** np.array([0.5]), [0.0]) == [np.inf]
    assert bend(np.sqrt, [0.0, 4.0]) == bend(lambda x: x**0.5, [0.0, 4.0]) == [-np.inf, -0.03125]
    assert pushed(np.sqrt, [0.0, 4.0]) == pushed(lambda x: x**0.5, [0.0, 4.0]) == [np.inf, 0.25]


@pytest.mark.parametrize("ddof", [0, 1])
def test_the_spread_of_equal_numbers_is_flat_at_both_orders(ddof):
    x = np.array([[0.1, 0.1, 0.1], [1.0, 2.0, 3.0]])
    f = lambda x: np.std(x, axis=1, ddof=ddof)
    assert slopes(f, x)[0] == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(
        slopes(f, x)[1],
        [-1 / np.sqrt(3 * (3 - ddof) / 1.5), 0, 1 / np.sqrt(3 * (3 - ddof) / 1.5)],
        atol=1e-15,
    )
    assert bend(f, x)[0] == [0.0, 0.0, 0.0]
    assert pushed(f, x)[0] == 0.0
    assert slopes(lambda x: np.std(x, axis=0), [[5.0]]) == [[0.0]]
    assert slopes(lambda x: np.var(x, axis=1, ddof=ddof), x)[0] == pytest.approx([0.0, 0.0, 0.0])


@pytest.mark.parametrize("order", [None, 1, 2, 3, 1.5, np.inf, -np.inf])
def test_the_norm_of_a_zero_vector_is_flat_at_both_orders(order):
    f = lambda x: np.linalg.norm(x, order)
    assert slopes(f, [0.0, 0.0, 0.0]) == [0.0, 0.0, 0.0]
    assert bend(f, [0.0, 0.0, 0.0]) == [0.0, 0.0, 0.0]
    assert pushed(f, [0.0, 0.0, 0.0]) == 0.0


def test_a_norm_beside_a_zero_vector_keeps_its_slope():
    f = lambda x: np.linalg.norm(x, axis=1)
    assert slopes(f, [[0.0, 0.0], [3.0, 4.0]]) == [[0.0, 0.0], [pytest.approx(0.6), pytest.approx(0.8)]]
    assert slopes(np.linalg.norm, np.zeros((2, 2))) == [[0.0, 0.0], [0.0, 0.0]]
    # (I - u uT) / 5 of u = (3, 4) / 5, along (1, 1)
    assert bend(f, [[0.0, 0.0], [3.0, 4.0]]) == [[0.0, 0.0], [pytest.approx(0.032), pytest.approx(-0.024)]]
    assert pushed(f, [[0.0, 0.0], [3.0, 4.0]]) == [0.0, pytest.approx(1.4)]


def test_the_largest_norm_shares_evenly_among_the_tied():
    assert slopes(lambda x: np.linalg.norm(x, np.inf), [3.0, -3.0, 1.0]) == [0.5, -0.5, 0.0]
    assert slopes(lambda x: np.linalg.norm(x, -np.inf), [3.0, -1.0, 1.0]) == [0.0, -0.5, 0.5]


def test_the_initial_value_of_an_extreme_is_one_more_element():
    assert slopes(lambda x: np.max(x, initial=3.0), [3.0, 1.0, 3.0]) == [1 / 3, 0.0, 1 / 3]
    assert slopes(lambda x: np.max(x, initial=4.0), [3.0, 1.0, 3.0]) == [0.0, 0.0, 0.0]
    assert slopes(lambda x: np.min(x, initial=4.0), [3.0, 1.0, 3.0]) == [0.0, 1.0, 0.0]


def test_hypot_and_arctan2_are_flat_at_the_origin():
    for f in (np.hypot, np.arctan2):
        assert slopes(f, 0.0, 0.0) == [0.0, 0.0]
        assert jvp(f, (0.0, 0.0), (1.0, 1.0))[1] == 0.0
        assert hvp(lambda x, f=f: f(x[0], x[1]), np.zeros(2), np.ones(2)).tolist() == [0.0, 0.0]
    assert slopes(np.hypot, 3.0, 4.0) == [pytest.approx(0.6), pytest.approx(0.8)]
    assert slopes(np.arctan2, 1.0, 2.0) == [pytest.approx(0.4), pytest.approx(-0.2)]


def test_sinc_at_0_is_flat_with_its_true_bend():
    assert slopes(np.sinc, [0.0, 1.0]) == [0.0, pytest.approx(-1.0)]
    assert bend(np.sinc, [0.0]) == [pytest.approx(-(np.pi**2) / 3)]
    assert pushed(np.sinc, [0.0]) == [0.0]


# -- order ----------------------------------------------------------------------------------------------


def test_sort_is_stable():
    """Of [3, 1, 3] the first 3 comes before the second."""
    weights = np.array([1.0, 10.0, 100.0])
    assert slopes(lambda x: np.sort(x) * weights, [3.0, 1.0, 3.0]) == [10.0, 1.0, 100.0]
    assert jvp(np.sort, (np.array([3.0, 1.0, 3.0]),), (weights,))[1].tolist() == [10.0, 1.0, 100.0]
    assert bend(lambda x: np.sort(x) ** 2, [3.0, 1.0, 3.0]) == [2.0, 2.0, 2.0]


def test_an_even_median_shares_between_the_two_in_the_middle():
    x = [1.0, 4.0, 2.0, 3.0]
    assert slopes(np.median, x) == [0.0, 0.0, 0.5, 0.5]
    assert slopes(np.median, [1.0, 5.0, 2.0]) == [0.0, 0.0, 1.0]
    assert pushed(np.median, x) == 1.0
    assert bend(lambda x: np.median(x) ** 2, x) == [0.0, 0.0, 1.0, 1.0]


def test_equal_elements_of_which_one_is_kept_share_evenly():
    assert slopes(lambda x: np.unique(x) * np.array([10.0, 6.0]), [2.0, 1.0, 2.0, 2.0]) == [
        2.0,
        10.0,
        2.0,
        2.0,
    ]


# -- products and powers --------------------------------------------------------------------------------


def test_the_product_of_the_others_is_exact_with_zeros_at_both_orders():
    assert slopes(np.prod, [2.0, 0.0, 5.0]) == [0.0, 10.0, 0.0]
    assert slopes(np.prod, [0.0, 0.0, 5.0]) == [0.0, 0.0, 0.0]
    hessian = ad.hessian(np.prod)
    assert hessian(np.array([2.0, 0.0, 5.0])).tolist() == [[0.0, 5.0, 0.0], [5.0, 0.0, 2.0], [0.0, 2.0, 0.0]]
    assert hessian(np.array([0.0, 0.0, 5.0])).tolist() == [[0.0, 5.0, 0.0], [5.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    assert hessian(np.zeros(3)).tolist() == np.zeros((3, 3)).tolist()
    assert slopes(lambda x: np.prod(x, axis=0), [[0.0, 2.0], [3.0, 0.0]]) == [[3.0, 0.0], [0.0, 2.0]]
    assert pushed(np.prod, [2.0, 0.0, 5.0]) == 10.0


def test_running_products_are_exact_with_zeros_at_both_orders():
    """a + ab + abc at (2, 0, 5), by hand."""
    assert slopes(np.cumprod, [2.0, 0.0, 5.0]) == [1.0, 12.0, 0.0]
    assert bend(np.cumprod, [2.0, 0.0, 5.0]) == [6.0, 8.0, 2.0]
    assert pushed(np.cumprod, [2.0, 0.0, 5.0]) == [1.0, 2.0, 10.0]
    assert slopes(np.cumprod, [0.0, 0.0, 5.0]) == [1.0, 0.0, 0.0]


def test_powers_of_0_are_those_of_polynomials():
    for two in (2, 2.0, np.float64(2), np.array([2.0])):
        assert slopes(lambda x, two=two: x**two, [0.0, 3.0]) == [0.0, 6.0]
        assert bend(lambda x, two=two: x**two, [0.0, 3.0]) == [2.0, 2.0]
    for zero in (0, 0.0, np.float64(0), np.array([0.0])):
        assert slopes(lambda x, zero=zero: x**zero, [0.0, 3.0]) == [0.0, 0.0]
        assert bend(lambda x, zero=zero: x**zero, [0.0, 3.0]) == [0.0, 0.0]
    assert slopes(lambda x: x**1, [0.0, -2.0]) == [1.0, 1.0]
    assert bend(lambda x: x**1, [0.0, -2.0]) == [0.0, 0.0]
    assert slopes(lambda x: x**3, [-2.0]) == [12.0]
    assert pushed(lambda x: x**2, [0.0, 3.0]) == [0.0, 6.0]
    assert pushed(lambda x: x**0, [0.0, 3.0]) == [0.0, 0.0]


def test_zero_to_the_power_zero_has_slopes_0():
    assert slopes(lambda x, y: x**y, [0.0], [0.0]) == [[0.0], [0.0]]
    assert slopes(lambda x, y: x**y, [0.0], [2.0]) == [[0.0], [0.0]]
    assert slopes(lambda x, y: x**y, [2.0], [0.0]) == [[0.0], [np.log(2.0)]]
    assert jvp(lambda x, y: x**y, (0.0, 0.0), (1.0, 1.0))[1] == 0.0


def test_the_exponent_of_a_negative_base_has_no_slope_and_is_never_computed_for_a_constant():
    base, exponent = slopes(lambda x, y: x**y, [-2.0], [3.0])
    assert base == [12.0]
    assert np.isnan(exponent).all()
    with np.errstate(all="raise"):
        assert slopes(lambda x: x ** np.array([3.0]), [-2.0]) == [12.0]
        assert slopes(lambda x: x**-1, [-2.0]) == [-0.25]
        assert bend(lambda x: x ** np.array([3.0]), [-2.0]) == [-12.0]
        assert pushed(lambda x: x ** np.array([3.0]), [-2.0]) == [12.0]
    assert np.isnan(pushed(lambda y: (-2.0) ** y, 3.0))


# -- selections ---------------------------------------------------------------------------------------


def test_the_branch_not_taken_gets_0_and_the_condition_nothing():
    c = np.array([True, False])
    assert slopes(lambda a, b: np.where(c, a, b), [1.0, 2.0], [3.0, 4.0]) == [[1.0, 0.0], [0.0, 1.0]]
    t = Tensor([1.0, 0.0])
    a = Tensor([5.0, 6.0])
    y = np.where(t, a, a * 2)
    assert y.data.tolist() == [5.0, 12.0]
    y.sum().backward()
    assert t.grad is None
    assert a.grad.tolist() == [1.0, 2.0]
    assert bend(lambda x: np.where(c, x**2, x**3), [1.0, 2.0]) == [2.0, 12.0]
    assert pushed(lambda x: np.where(c, x**2, x**3), [1.0, 2.0]) == [2.0, 12.0]


def test_a_guarded_log_is_flat_where_it_was_not_selected():
    f = lambda x: np.where(x > 0, np.log(x), 0)
    assert slopes(f, [0.0, 2.0]) == [0.0, 0.5]
    assert slopes(f, 0.0) == 0.0
    assert bend(f, [0.0, 2.0]) == [0.0, -0.25]
    assert pushed(f, [0.0, 2.0]) == [0.0, 0.5]
    assert jacobian(f)(np.array([0.0, 2.0])).tolist() == [[0.0, 0.0], [0.0, 0.5]]


def test_a_nan_that_was_selected_stays():
    assert np.isnan(slopes(lambda x: np.where(x < 0, np.log(x), 0), [-1.0, 2.0])).tolist() == [False, False]
    assert np.isnan(slopes(lambda x: np.sqrt(x) ** 2, 0.0))
    assert np.isnan(pushed(lambda x: np.sqrt(x) ** 2, 0.0))
    assert np.isnan(bend(lambda x: np.sqrt(x) ** 2, 0.0))


def logs(x):
    """Its slope at 0 is infinite; at 2 it is 0.5, and its own slope -0.25."""
    return np.log(x)


# Of [0, 2] each takes the second element's logarithm alone.
SELECTIONS = {
    "where": lambda x: np.where(x > 0, logs(x), 0),
    "select": lambda x: np.select([x > 0], [logs(x)], 0),
    "choose": lambda x: np.choose(np.array([0, 1]), [np.zeros(2), logs(x)]),
    "a number": lambda x: logs(x)[1],
    "a slice": lambda x: logs(x)[1:],
    "a list": lambda x: logs(x)[[1]],
    "a mask": lambda x: logs(x)[x > 0],
    "an array": lambda x: logs(x)[np.array([[1]])],
    "take": lambda x: np.take(logs(x), [1]),
    "take_along_axis": lambda x: np.take_along_axis(logs(x), np.array([1]), 0),
    "compress": lambda x: np.compress([False, True], logs(x)),
    "extract": lambda x: np.extract([False, True], logs(x)),
    "clip": lambda x: np.clip(logs(x), -5, 5),
    "maximum": lambda x: np.maximum(logs(x), -5),
    "minimum": lambda x: -np.minimum(-logs(x), 5),
    "max": lambda x: np.max(logs(x)),
    "min": lambda x: -np.min(-logs(x)),
    "fmax": lambda x: np.fmax(logs(x), -5),
    "fmin": lambda x: -np.fmin(-logs(x), 5),
    "nan_to_num": lambda x: np.nan_to_num(logs(x), neginf=0.0),
}


@pytest.mark.parametrize("way", SELECTIONS)
def test_what_no_selection_took_contributes_nothing_at_any_order(way):
    f = lambda x: np.sum(SELECTIONS[way](x))
    x = np.array([0.0, 2.0])
    assert grad(f)(x).tolist() == [0.0, 0.5]
    assert hvp(f, x, np.ones(2)).tolist() == [0.0, -0.25]
    assert jvp(f, (x,), (np.array([1.0, 3.0]),))[1] == 1.5
    assert jvp(grad(f), (x,), (np.array([1.0, 3.0]),))[1].tolist() == [0.0, -0.75]


NAN_REDUCTIONS = ["nansum", "nanmean", "nanmax", "nanmin", "nanprod", "nanmedian"]


@pytest.mark.parametrize("name", NAN_REDUCTIONS)
def test_an_element_that_is_nan_is_left_out_of_a_nan_reduction_at_any_order(name):
    """Of [0, 2] the first becomes 0 / 0, whose slope is NaN; the second is its square, 4."""
    f = lambda x: getattr(np, name)(x * x * np.sqrt(x) / np.sqrt(x))
    x = np.array([0.0, 2.0])
    assert grad(f)(x).tolist() == pytest.approx([0.0, 4.0])
    assert hvp(f, x, np.ones(2)).tolist() == pytest.approx([0.0, 2.0])
    assert jvp(f, (x,), (np.array([1.0, 3.0]),))[1] == pytest.approx(12.0)


@pytest.mark.parametrize("spread", ["nanvar", "nanstd"])
def test_a_nan_spread_leaves_nan_out_too(spread):
    """Of the two that remain, 2 and 4, the variance is 1 and so is its root."""
    f = lambda x: getattr(np, spread)(x * np.sqrt(x) / np.sqrt(x))
    x = np.array([0.0, 2.0, 4.0])
    per = 1.0 if spread == "nanvar" else 0.5
    assert grad(f)(x).tolist() == pytest.approx([0.0, -per, per])
    assert hvp(f, x, np.array([1.0, 0.0, 1.0])).tolist() == pytest.approx(
        [0.0, -0.5, 0.5] if spread == "nanvar" else [0.0, 0.0, 0.0]
    )
    assert jvp(f, (x,), (np.array([1.0, 0.0, 1.0]),))[1] == pytest.approx(per)


def test_a_matmul_beyond_a_root_ends_what_a_selection_knows():
    """The last paragraph of the policy: its zeros are plain zeros, and 0 * inf is NaN."""
    f = lambda x: (np.sqrt(x) @ np.eye(2))[1]
    assert np.isnan(slopes(f, [0.0, 4.0])[0])
    assert slopes(lambda x: np.sqrt(x)[1] * 1.0, [0.0, 4.0]) == [0.0, 0.25]


@pytest.mark.parametrize("extreme", [np.fmax, np.fmin])
def test_fmax_and_fmin_share_ties_and_leave_nan_out(extreme):
    assert slopes(extreme, [2.0, 2.0], 2.0) == [[0.5, 0.5], 1.0]
    assert slopes(extreme, [np.nan, 3.0], [1.0, np.nan]) == [[0.0, 1.0], [1.0, 0.0]]
    assert bend(lambda x: extreme(x, 2.0), [2.0]) == [0.0]
    assert pushed(lambda x: extreme(x, 2.0), [2.0]) == [0.5]


@pytest.mark.filterwarnings("ignore:(All-NaN|Mean of empty|Degrees of freedom):RuntimeWarning")
def test_where_all_is_missing_nothing_gets_a_slope():
    for f in (np.nansum, np.nanmean, np.nanmax, np.nanmin, np.nanvar, np.nanstd, np.nanmedian, np.nanprod):
        assert slopes(lambda x, f=f: f(x, axis=1), [[np.nan, np.nan], [1.0, 3.0]])[0] == [0.0, 0.0]
    assert slopes(lambda x: np.nanquantile(x, 0.25, axis=1), [[np.nan, np.nan], [1.0, np.nan]])[1] == [
        1.0,
        0.0,
    ]


def test_what_where_leaves_out_of_a_reduction_was_not_selected():
    mask = np.array([True, False, True])
    for f in (np.sum, np.mean, np.prod, np.var, np.std):
        root = lambda x, f=f: f(np.sqrt(x), where=mask)
        assert slopes(root, [4.0, 0.0, 9.0])[1] == 0.0
        assert bend(root, [4.0, 0.0, 9.0])[1] == 0.0
    assert slopes(lambda x: np.max(np.sqrt(x), where=mask, initial=0), [4.0, 0.0, 9.0]) == [0.0, 0.0, 1 / 6]
    assert slopes(lambda x: np.sum(x, where=np.zeros(3, bool)), [1.0, 2.0, 3.0]) == [0.0, 0.0, 0.0]


def test_repeated_indices_accumulate():
    assert slopes(lambda x: x[[0, 0, 2]], [1.0, 2.0, 3.0]) == [2.0, 0.0, 1.0]
    assert slopes(lambda x: x[np.array([[0, 1], [1, 1]])], [1.0, 2.0]) == [1.0, 3.0]
    assert bend(lambda x: (x**3)[[0, 0, 2]], [1.0, 2.0, 3.0]) == [12.0, 0.0, 18.0]
    assert pushed(lambda x: (x**3)[[0, 0, 2]], [1.0, 2.0, 3.0]) == [3.0, 3.0, 27.0]


# -- shapes and types -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
def test_empty_arrays_have_empty_gradients(shape):
    for f in (np.sum, np.exp, ad.relu, lambda x: x * 2, lambda x: ad.softmax(x, axis=0) if shape[0] else x):
        x = Tensor(np.zeros(shape))
        y = f(x)
        y.backward(seed=np.ones(y.shape))
        assert x.grad.shape == shape


@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning")
def test_the_mean_of_nothing_has_a_gradient_of_its_shape():
    x = Tensor(np.zeros((2, 0)))
    np.mean(x, axis=1).backward(seed=np.ones(2))
    assert x.grad.shape == (2, 0)


@pytest.mark.filterwarnings("ignore:.*(Degrees of freedom|encountered in):RuntimeWarning")
@pytest.mark.parametrize("spread", [np.var, np.std])
def test_the_spread_of_nothing_has_a_gradient_of_its_shape(spread):
    for axis, shape in ((1, (2,)), (0, (0,))):
        x = Tensor(np.zeros((2, 0)))
        spread(x, axis=axis).backward(seed=np.ones(shape))
        assert x.grad.shape == (2, 0)


@pytest.mark.parametrize("extreme", [np.max, np.min])
def test_the_extreme_of_nothing_is_numpys_error_with_the_ops_name(extreme):
    with pytest.raises(ValueError, match=r"m(ax|in): zero-size array.*\(0,\)"):
        extreme(Tensor(np.zeros(0)))
    x = Tensor(np.zeros((0, 3)))
    y = extreme(x, axis=1)
    y.backward(seed=np.ones(0))
    assert x.grad.shape == (0, 3)


def test_what_does_not_depend_on_x_has_gradient_zero_and_leaves_grad_alone():
    x, y = Tensor([1.0, 2.0]), Tensor(3.0)
    (y * 2).backward()
    assert x.grad is None
    assert gradients(y * 2, x).tolist() == [0.0, 0.0]
    assert grad(lambda x: 5.0)(np.ones(2)).tolist() == [0.0, 0.0]


def test_backward_from_a_non_scalar_names_the_shape_and_the_ways_out():
    with pytest.raises(ValueError, match=r"multiply of shape \(2,\).*\.sum\(\).*seed.*vjp"):
        (Tensor([1.0, 2.0]) * 2).backward()


def test_integers_become_float64():
    for data in (3, [1, 2], np.arange(3), np.arange(3, dtype=np.uint8), np.int16(3), [[1, 2.5]]):
        assert Tensor(data).dtype == np.float64


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (True, "bool.*astype"),
        (np.array([True, False]), "bool.*astype"),
        (1j, "complex.*z.real and z.imag"),
        (np.array([1 + 2j]), "complex.*z.real and z.imag"),
        (np.array([object()]), "object"),
        ("text", "not real numbers"),
        (["1.0", "2.0"], "not real numbers"),
        (None, "None"),
    ],
)
def test_what_is_no_real_number_is_no_tensor(data, words):
    with pytest.raises(TypeError, match=f"Tensor: the data is {'' if data is None else '.*'}{words}"):
        Tensor(data)


def test_a_numpy_float64_scalar_promotes_and_a_python_float_does_not():
    x = Tensor(np.ones(2, np.float32))
    assert (x * 2.0).dtype == np.float32
    y = x * np.float64(2)
    assert y.dtype == np.float64
    y.sum().backward()
    assert x.grad.dtype == np.float32


def test_0d_in_is_0d_out():
    for f in (np.exp, ad.relu, ad.sigmoid, np.sum, np.mean, np.max, lambda x: x * 2, lambda x: x[()]):
        x = Tensor(0.5)
        y = f(x)
        y.backward()
        assert y.shape == x.grad.shape == ()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_every_gradient_has_its_inputs_dtype(dtype):
    x, other = np.array([1.0, 2.0], dtype), Tensor([1.0, 1.0])
    for f in (np.mean, lambda x: np.where(x > 1, x, 0), lambda x: x * other, lambda x: x**2.0, ad.softmax):
        leaf = Tensor(x)
        np.sum(f(leaf)).backward()
        assert leaf.grad.dtype == x.dtype
    assert hvp(lambda x: np.sum(x**3), x, x).dtype == x.dtype
    assert jvp(np.tanh, (x,), (x,))[1].dtype == x.dtype


def test_numpy_refuses_float16_where_it_has_no_such_function():
    with pytest.raises(TypeError, match=r"inv: .*float16"):
        np.linalg.inv(Tensor(np.eye(2, dtype=np.float16)))


def test_labels_and_indices_are_arrays():
    with pytest.raises(TypeError, match="targets have no derivative"):
        ad.cross_entropy(Tensor([[1.0, 2.0]]), Tensor([1]))
    with pytest.raises(TypeError, match=r"getitem: .*index.* has no derivative"):
        Tensor([1.0, 2.0])[Tensor([1])]


def test_strides_and_read_only_arrays_make_no_difference():
    base = np.arange(12.0).reshape(3, 4)
    fixed = base.copy()
    fixed.flags.writeable = False
    for x in (base[::-1], base[:, ::2], base.T, fixed, np.asfortranarray(base)):
        assert slopes(lambda x: x * x, x) == (2 * x).tolist()
        c = Tensor(np.ones(x.shape))
        (c * x).backward(seed=x)
        assert c.grad.tolist() == (x * x).tolist()


def test_axes_of_length_1_and_0_are_summed_down():
    assert slopes(lambda a, b: a * b, [[1.0], [2.0]], [10.0, 20.0]) == [[[30.0], [30.0]], [3.0, 3.0]]
    assert slopes(lambda a, b: a * b, np.ones((1, 0)), np.ones((3, 1))) == [[[]], [[0.0], [0.0], [0.0]]]
    assert slopes(lambda a: a * np.ones((2, 3)), 5.0) == 6.0


def test_the_same_tensor_twice_has_both_edges():
    x = Tensor(3.0)
    y = x * x
    assert y.parents == (x, x)
    y.backward()
    assert x.grad == 6.0
    v = Tensor([1.0, 2.0])
    (v @ v).backward()
    assert v.grad.tolist() == [2.0, 4.0]
    m = Tensor([[1.0, 2.0], [3.0, 4.0]])
    w = np.array([[1.0, 0.0], [0.0, 0.0]])
    (m @ m).backward(seed=w)
    assert m.grad.tolist() == [[2.0, 3.0], [2.0, 0.0]]
    e = Tensor([1.0, 2.0])
    np.einsum("i,i->", e, e).backward()
    assert e.grad.tolist() == [2.0, 4.0]


# -- the softmax family ---------------------------------------------------------------------------------

INF = np.inf


@pytest.mark.parametrize("form", ["naive", "composed", "fused"])
def test_a_logit_of_minus_infinity_has_probability_0_and_no_gradient(form):
    f = lambda x: ad.softmax(x, form=form)[1:]
    y = ad.softmax(Tensor([-INF, 1.0, 1.0]), form=form)
    assert y.data.tolist() == [0.0, 0.5, 0.5]
    slope = slopes(lambda x: ad.softmax(x, form=form) * np.array([5.0, 1.0, 0.0]), [-INF, 1.0, 1.0])
    assert slope == [0.0, 0.25, -0.25]
    assert f(np.array([-INF, 1.0, 1.0])).tolist() == [0.5, 0.5]
    # the logistic function at log(3): 3/4, with slopes 3/16 and -3/32
    second = lambda x: ad.softmax(x, form=form)[1]
    x, along = np.array([-INF, np.log(3.0), 0.0]), np.array([0.0, 1.0, 0.0])
    np.testing.assert_allclose(hvp(second, x, along), [0, -3 / 32, 3 / 32], rtol=1e-14)
    np.testing.assert_allclose(jvp(second, (x,), (along,))[1], 3 / 16, rtol=1e-14)


def test_a_row_of_minus_infinity_is_nan_or_zeros_with_where():
    row = np.full((1, 2), -INF)
    assert np.isnan(ad.softmax(row)).all()
    assert ad.softmax(row, where=np.zeros((1, 2), bool)).tolist() == [[0.0, 0.0]]
    assert ad.logsumexp(row) == -INF
    assert slopes(ad.logsumexp, row) == [[0.0, 0.0]]
    assert bend(ad.logsumexp, row) == [[0.0, 0.0]]
    assert pushed(ad.logsumexp, row) == 0.0
    where = np.zeros((1, 2), bool)
    assert slopes(lambda x: ad.softmax(x, where=where), row) == [[0.0, 0.0]]
    assert bend(lambda x: ad.softmax(x, where=where), row) == [[0.0, 0.0]]
    assert pushed(lambda x: ad.softmax(x, where=where), row) == [[0.0, 0.0]]


def test_an_infinite_logit_is_the_limit_in_the_fused_form():
    assert ad.softmax(np.array([INF, 0.0])).tolist() == [1.0, 0.0]
    assert ad.softmax(np.array([INF, INF, 0.0])).tolist() == [0.5, 0.5, 0.0]
    assert slopes(lambda x: ad.softmax(x) * np.array([1.0, 3.0]), [INF, 0.0]) == [0.0, 0.0]
    assert slopes(ad.logsumexp, [INF, 0.0]) == [1.0, 0.0]
    assert bend(ad.logsumexp, [INF, 0.0]) == bend(ad.softmax, [INF, 0.0]) == [0.0, 0.0]
    assert pushed(ad.logsumexp, [INF, 0.0]) == 1.0
    assert pushed(ad.softmax, [INF, 0.0]) == [0.0, 0.0]
    assert np.isnan(ad.softmax(np.array([INF, 0.0]), form="composed")).any()


@pytest.mark.parametrize("form", ["composed", "fused"])
def test_an_impossible_class_of_target_0_makes_no_nan(form):
    f = lambda x: ad.cross_entropy(x, np.array([[0.0, 1.0, 0.0]]), form=form)
    logits = [[-INF, 0.0, 0.0]]
    assert float(f(np.array(logits))) == pytest.approx(np.log(2))
    assert slopes(f, logits) == [[0.0, -0.5, 0.5]]
    along = np.array([[0.0, 1.0, 0.0]])
    assert hvp(f, np.array(logits), along).tolist() == [[0.0, 0.25, -0.25]]
    assert jvp(f, (np.array(logits),), (along,))[1] == -0.5


@pytest.mark.parametrize("form", ["composed", "fused"])
def test_a_loss_of_ignored_targets_alone_is_0(form):
    f = lambda x: ad.cross_entropy(x, np.array([-100, -100]), form=form)
    assert f(np.ones((2, 3))) == 0
    assert slopes(f, np.ones((2, 3))) == [[0.0] * 3] * 2
    assert bend(f, np.ones((2, 3))) == [[0.0] * 3] * 2
    assert pushed(f, np.ones((2, 3))) == 0.0
