"""Laws of the softmax family, its accuracy against 60 digits, and its edges."""

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from autodiff import (
    Tensor,
    grad,
    gradients,
    hvp,
    jacobian,
    jvp,
    log_softmax,
    logsumexp,
    softmax,
    softmax_jacobian,
    vjp,
)
from autodiff.graph import topological_order

from . import exact
from .oracles import partials, slope

inf, nan = np.inf, np.nan
all_forms = pytest.mark.parametrize("form", ["naive", "composed", "fused"])
shifting_forms = pytest.mark.parametrize("form", ["composed", "fused"])
both = pytest.mark.parametrize("function", [softmax, log_softmax])
every_axis = pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3, (0, 2), (2, 0), (-1, 1), (1,), None])


def logits(*shape, scale=2.0, seed=3, dtype=float):
    return (scale * np.random.default_rng(seed).normal(size=shape)).astype(dtype)


def pulled(f, x, g):
    """The gradient of f at x for the incoming gradient g."""
    return vjp(f, x)[1](g)[0]


# -- laws of all three forms -------------------------------------------------------------------------


@all_forms
@given(x=st.lists(st.floats(-300, 300), min_size=1, max_size=8))
def test_probabilities_are_not_negative_and_sum_to_one(form, x):
    y = softmax(x, form=form)
    assert (y >= 0).all()
    assert y.sum() == pytest.approx(1, rel=1e-15)


@all_forms
def test_probabilities_are_positive_where_they_can_be_represented(form):
    assert (softmax([[0.0, -700.0], [3.0, 300.0]], form=form) > 0).all()


@all_forms
@both
def test_a_shift_of_the_logits_changes_nothing(function, form):
    x = logits(4, 5)
    np.testing.assert_allclose(function(x + 64, form=form), function(x, form=form), rtol=1e-13)


@shifting_forms
def test_a_shift_far_beyond_exps_range_changes_nothing(form):
    x = np.array([[2.0, -1.0, 0.5]])
    np.testing.assert_allclose(softmax(x + 2.0**20, form=form), softmax(x, form=form), rtol=1e-15)


@all_forms
@both
def test_a_permutation_of_the_logits_permutes_the_result(function, form):
    x, order = logits(4, 5), np.array([3, 0, 4, 1, 2])
    np.testing.assert_allclose(function(x[:, order], form=form), function(x, form=form)[:, order], rtol=1e-14)


@all_forms
@both
@pytest.mark.parametrize("beta", [0.25, 3, -1.5, np.float64(2.0)])
def test_beta_scales_the_logits(function, form, beta):
    x, g = logits(4, 5), logits(4, 5, seed=4)
    np.testing.assert_allclose(
        function(x, beta=beta, form=form), function(float(beta) * x, form=form), rtol=1e-12
    )
    np.testing.assert_allclose(
        pulled(lambda x: function(x, beta=beta, form=form), x, g),
        pulled(lambda x: function(float(beta) * x, form=form), x, g),
        rtol=1e-11,
    )


@all_forms
def test_at_beta_zero_all_classes_are_equal_and_no_gradient_flows(form):
    x, g = logits(4, 5), logits(4, 5, seed=4)
    np.testing.assert_array_equal(softmax(x, beta=0, form=form), np.full((4, 5), 0.2))
    np.testing.assert_allclose(softmax(x, beta=1e-9, form=form), np.full((4, 5), 0.2), rtol=1e-7)
    np.testing.assert_array_equal(pulled(lambda x: softmax(x, beta=0, form=form), x, g), np.zeros((4, 5)))


@all_forms
def test_a_large_beta_picks_the_largest(form):
    np.testing.assert_allclose(softmax([1.0, 2.0, 1.5], beta=300.0, form=form), [0, 1, 0], atol=1e-60)


@all_forms
@both
@every_axis
def test_any_axis_equals_the_last_after_moving_it_there(function, form, axis):
    x, g = logits(2, 3, 4), logits(2, 3, 4, seed=4)
    axes = range(3) if axis is None else np.atleast_1d(axis)

    def by_hand(x):
        order = [i for i in range(3) if i not in {a % 3 for a in axes}] + [int(a) % 3 for a in axes]
        turned = np.transpose(x, order)
        rows = np.reshape(turned, (*turned.shape[: 3 - len(axes)], -1))
        return np.transpose(np.reshape(function(rows, form=form), turned.shape), np.argsort(order))

    def at_once(x):
        return function(x, axis=axis, form=form)

    np.testing.assert_allclose(at_once(x), by_hand(x), rtol=1e-14)
    np.testing.assert_allclose(pulled(at_once, x, g), pulled(by_hand, x, g), rtol=1e-11, atol=1e-16)
    # 1e-15: three roundings of numbers of the order 1
    second = [hvp(lambda x, f=f: (g * f(x)).sum(), x, g) for f in (at_once, by_hand)]
    np.testing.assert_allclose(*second, rtol=1e-10, atol=1e-15)


@both
@pytest.mark.parametrize("beta", [1.0, -0.7])
@pytest.mark.parametrize("axis", [0, -1, (0, 1)])
def test_all_forms_have_the_same_values_and_gradients(function, beta, axis):
    x, g, v = logits(4, 5), logits(4, 5, seed=4), logits(4, 5, seed=5)

    def three(form):
        f = lambda x: function(x, axis, beta=beta, form=form)
        return f(x), pulled(f, x, g), hvp(lambda x: (g * f(x)).sum(), x, v)

    naive, composed, fused = map(three, ["naive", "composed", "fused"])
    for one, other, third in zip(naive, composed, fused, strict=True):
        np.testing.assert_allclose(one, third, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(other, third, rtol=1e-10, atol=1e-14)


@all_forms
def test_gradients_of_softmax_sum_to_zero(form):
    x, g = logits(4, 5), logits(4, 5, seed=4)
    found = pulled(lambda x: softmax(x, form=form), x, g)
    np.testing.assert_allclose(found.sum(-1), np.zeros(4), atol=1e-15)  # five numbers of the order 1


def test_a_constant_gradient_passes_the_fused_softmax_as_exactly_zero():
    x = logits(4, 5, scale=20)
    np.testing.assert_array_equal(pulled(softmax, x, np.full((4, 5), 1e8 / 3)), np.zeros((4, 5)))


@all_forms
def test_log_softmax_is_the_log_of_softmax(form):
    x = logits(4, 5)
    np.testing.assert_allclose(log_softmax(x, form=form), np.log(softmax(x, form=form)), rtol=1e-12)


def test_softmax_and_log_softmax_are_scipys():
    x = logits(3, 4, 5, scale=10)
    np.testing.assert_allclose(softmax(x, axis=1), scipy.special.softmax(x, axis=1), rtol=1e-13)
    # SciPy's is off by an eps or so at probabilities close to 1.
    np.testing.assert_allclose(
        log_softmax(x, axis=1), scipy.special.log_softmax(x, axis=1), rtol=1e-13, atol=1e-15
    )


@all_forms
@both
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_results_and_gradients_have_the_logits_dtype(function, form, dtype):
    x = logits(3, 4, dtype=dtype)
    leaf = Tensor(x)
    y = function(leaf, beta=np.float64(0.5), form=form)
    y.sum().backward()
    assert function(x, form=form).dtype == y.dtype == leaf.grad.dtype == dtype


def test_float16_agrees_with_float64_to_its_digits():
    x, g = logits(3, 4, dtype=np.float16), logits(3, 4, seed=4, dtype=np.float16)
    wide = x.astype(float)
    np.testing.assert_allclose(softmax(x), softmax(wide), rtol=4e-3)
    np.testing.assert_allclose(log_softmax(x), log_softmax(wide), rtol=4e-3)
    np.testing.assert_allclose(pulled(softmax, x, g), pulled(softmax, wide, g.astype(float)), atol=2e-3)


@both
def test_the_fused_form_is_one_node_for_any_axis_mask_and_beta(function):
    x = Tensor(logits(2, 3, 4))
    for options in [{}, {"axis": 0}, {"axis": (0, 2)}, {"axis": None}, {"beta": 2.0, "where": x > -5}]:
        assert [node.op for node in topological_order([function(x, **options)])] == [
            "leaf",
            function.__name__,
        ]


# -- masks -------------------------------------------------------------------------------------------

MASK = np.array([[True, False, True, True], [True, True, False, True], [False, False, False, False]])


@all_forms
@both
@pytest.mark.parametrize("hidden", [nan, inf, -inf, 1e300, 0.0])
def test_masked_logits_count_for_nothing_whatever_they_are(function, form, hidden):
    x, g = logits(3, 4), logits(3, 4, seed=4)
    x[~MASK] = hidden
    g[~MASK] = nan
    leaf = Tensor(x)
    y = function(leaf, where=MASK, form=form)
    y.backward(g)
    for row in range(2):
        kept = Tensor(x[row][MASK[row]])
        alone = function(kept, form=form)
        alone.backward(g[row][MASK[row]])
        np.testing.assert_allclose(y.data[row][MASK[row]], alone.data, rtol=1e-13)
        np.testing.assert_allclose(leaf.grad[row][MASK[row]], kept.grad, rtol=1e-10, atol=1e-16)
    assert (y.data[~MASK] == (0 if function is softmax else -inf)).all()
    assert (leaf.grad[~MASK] == 0).all()


@all_forms
def test_masked_logits_count_for_nothing_at_second_order(form):
    x, g, v = logits(3, 4), logits(3, 4, seed=4), logits(3, 4, seed=5)
    for function in (softmax, log_softmax):

        def total(x, function=function):
            return np.where(MASK, g * function(x, where=MASK, form=form), 0).sum()

        bend = hvp(total, x, v)
        assert (bend[~MASK] == 0).all()
        for row in range(2):
            see = MASK[row]
            alone = hvp(
                lambda x, f=function, g=g[row][see]: (g * f(x, form=form)).sum(), x[row][see], v[row][see]
            )
            np.testing.assert_allclose(bend[row][see], alone, rtol=1e-9, atol=1e-14)


@all_forms
def test_a_mask_broadcasts_and_may_be_a_comparison_of_the_tensor(form):
    x = Tensor([[1.0, -2.0, 3.0], [-1.0, 5.0, 6.0]])
    expected = softmax(x.data, where=x.data > 0, form=form)
    np.testing.assert_array_equal(softmax(x, where=x > 0, form=form).data, expected)
    row = softmax(x, where=[True, False, True], form=form).data
    assert (row[:, 1] == 0).all()
    np.testing.assert_allclose(row.sum(-1), 1, rtol=1e-15)


@all_forms
def test_a_mask_over_several_axes(form):
    x = logits(2, 3, 4)
    where = x > -1
    y = softmax(x, axis=(0, 2), where=where, form=form)
    np.testing.assert_allclose(y.sum((0, 2)), 1, rtol=1e-14)
    assert (y[~where] == 0).all()


# -- rows of semantics.md ------------------------------------------------------------------------------


@shifting_forms
def test_minus_infinity_has_probability_zero_and_gradient_zero(form):
    x = np.array([[-inf, 1.0, 1.0]])
    np.testing.assert_array_equal(softmax(x, form=form), [[0, 0.5, 0.5]])
    np.testing.assert_array_equal(
        pulled(lambda x: softmax(x, form=form), x, np.array([[3.0, 1.0, 2.0]])), [[0, -0.25, 0.25]]
    )


def test_a_row_of_minus_infinity_is_nan_as_in_scipy():
    assert np.isnan(softmax([-inf, -inf])).all()
    assert np.isnan(log_softmax([-inf, -inf])).all()
    np.testing.assert_array_equal(softmax([[-inf, -inf], [0, 0]])[1], [0.5, 0.5])


@all_forms
def test_a_row_of_minus_infinity_is_zero_where_it_is_masked(form):
    x = np.array([[-inf, -inf], [0.0, 0.0]])
    leaf = Tensor(x)
    y = softmax(leaf, where=x > -inf, form=form)
    y.backward(np.array([[5.0, 7.0], [1.0, 0.0]]))
    np.testing.assert_array_equal(y.data, [[0, 0], [0.5, 0.5]])
    np.testing.assert_array_equal(leaf.grad, [[0, 0], [0.25, -0.25]])


def test_logsumexp_of_minus_infinity_throughout_is_minus_infinity_with_gradient_zero():
    x = Tensor([[-inf, -inf], [0.0, -inf]])
    y = logsumexp(x, axis=1)
    y.backward([3.0, 5.0])
    np.testing.assert_array_equal(y.data, [-inf, 0])
    np.testing.assert_array_equal(x.grad, [[0, 0], [5, 0]])


@pytest.mark.parametrize(
    ("x", "beta", "y"),
    [
        ([inf, 0.0], 1, [1, 0]),
        ([inf, 0.0, inf], 1, [0.5, 0, 0.5]),
        ([inf, -inf, 3.0], 1, [1, 0, 0]),
        ([-inf, 0.0], -2, [1, 0]),
    ],
)
def test_the_fused_softmax_of_infinity_is_the_limit_with_gradient_zero(x, beta, y):
    leaf = Tensor(x)
    found = softmax(leaf, beta=beta)
    found.backward(np.arange(1.0, len(x) + 1))
    np.testing.assert_array_equal(found.data, y)
    np.testing.assert_array_equal(leaf.grad, np.zeros(len(x)))


@pytest.mark.parametrize("form", ["naive", "composed"])
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_the_formula_of_infinity_is_nan(form):
    assert np.isnan(softmax([inf, 0.0], form=form)[0])


def test_infinities_share_the_gradient_of_logsumexp():
    for x, shares in [([inf, 0.0], [1, 0]), ([inf, 1.0, inf], [0.5, 0, 0.5])]:
        leaf = Tensor(x)
        y = logsumexp(leaf)
        y.backward()
        assert y.item() == inf
        np.testing.assert_array_equal(leaf.grad, shares)


@shifting_forms
@both
def test_nan_stays_visible_and_in_its_row(function, form):
    for axis in (0, 1):
        x = np.moveaxis(np.array([[1.0, nan, 5000.0], [0.0, 0.0, 0.0]]), 1, axis)
        y = np.moveaxis(function(x, axis=axis, form=form), axis, 1)
        assert np.isnan(y[0]).all()
        assert np.isfinite(y[1]).all()


def test_naive_overflows_where_exp_does_and_the_shifted_forms_do_not():
    for dtype, limit in [(np.float64, 709.8), (np.float32, 88.8)]:
        x = np.array([limit, 0], dtype)
        with np.errstate(all="ignore"):
            assert np.isnan(softmax(x, form="naive")[0])
        below = np.array([limit - 0.2, 0], dtype)
        assert softmax(below, form="naive")[0] == 1
        for form in ("composed", "fused"):
            assert softmax(x, form=form)[0] == 1


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_largest_numbers_of_a_dtype_are_logits_like_any_others(dtype):
    most = np.finfo(dtype).max
    x = np.array([most, most, -most], dtype)
    np.testing.assert_array_equal(softmax(x), [0.5, 0.5, 0])
    np.testing.assert_allclose(log_softmax(x)[:2].astype(float), -np.log(2), rtol=1e-3)
    np.testing.assert_array_equal(pulled(softmax, x, np.array([1, 0, 0], dtype)), [0.25, -0.25, 0])
    assert logsumexp(x) == most


@all_forms
@both
@pytest.mark.parametrize(
    ("shape", "axis"), [((0,), 0), ((3, 0), 1), ((0, 3), 1), ((0, 3), 0), ((2, 0, 3), None)]
)
def test_empty_arrays_have_empty_results_and_gradients(function, form, shape, axis):
    leaf = Tensor(np.zeros(shape, np.float32))
    y = function(leaf, axis=axis, form=form)
    y.backward(np.zeros(shape))
    assert (y.shape, y.dtype) == (shape, np.float32)
    assert (leaf.grad.shape, leaf.grad.dtype) == (shape, np.float32)


@all_forms
def test_one_class_is_certain(form):
    np.testing.assert_array_equal(
        softmax([[3.0], [-800.0 if form != "naive" else 5.0]], form=form), [[1], [1]]
    )
    np.testing.assert_array_equal(
        pulled(lambda x: softmax(x, form=form), np.ones((2, 1)), np.ones((2, 1))), 0
    )


# -- logsumexp -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (2, 1), ()])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("b", [None, 2.0, [[[1.0], [0.5], [0.0]]], [-0.25, 1.0, 2.0, 1.0]])
def test_logsumexp_is_scipys(axis, keepdims, b):
    x = logits(2, 3, 4)
    if axis == () and b is not None:
        b = np.abs(b)
    found = logsumexp(x, axis=axis, b=b, keepdims=keepdims)
    expected = (
        np.log(np.exp(x) * (1 if b is None else np.asarray(b)))
        if axis == () and np.all(b)
        else None
        if axis == ()
        else scipy.special.logsumexp(x, axis=axis, b=b, keepdims=keepdims)
    )
    if expected is not None:
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_factors_may_broadcast_the_logits():
    x, b = logits(3, 1), np.array([1.0, 2.0, 0.5])
    leaf = Tensor(x)
    y = logsumexp(leaf, axis=1, b=b)
    y.backward(np.ones(3))
    np.testing.assert_allclose(y.data, x[:, 0] + np.log(3.5), rtol=1e-14)
    np.testing.assert_allclose(leaf.grad, np.ones((3, 1)), rtol=1e-14)


def test_a_negative_weighted_sum_has_no_logarithm():
    assert np.isnan(logsumexp([0.0, 1.0], b=[1.0, -1.0]))
    assert logsumexp([0.0, 0.0], b=[1.0, -1.0]) == -inf
    assert logsumexp([]) == -inf
    np.testing.assert_array_equal(logsumexp(np.zeros((2, 0)), axis=1), [-inf, -inf])


@pytest.mark.parametrize("b", [None, [0.5, 2.0, 0.0], [1.0, 1.0, -0.01]])
def test_logsumexps_gradient_and_second_order_are_limits_of_differences(b):
    x, v = logits(2, 3, dtype=np.longdouble), logits(2, 3, seed=4, dtype=np.longdouble)
    w = np.array([1.0, -2.0], np.longdouble)
    total = lambda x: (w * logsumexp(x, axis=1, b=b)).sum()
    np.testing.assert_allclose(grad(total)(x), partials(total, [x])[0], rtol=1e-10, atol=1e-12)
    expected = partials(lambda x: (v * grad(total)(x)).sum(), [x])[0]
    np.testing.assert_allclose(hvp(total, x, v), expected, rtol=1e-10, atol=1e-12)


# -- the Jacobian ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", [1, 1.0, -2.0, 0.5])
@pytest.mark.parametrize("form", ["composed", "fused"])
def test_softmax_jacobian_is_the_jacobian_of_softmax(beta, form):
    x = logits(2, 3, 4)
    whole = jacobian(lambda x: softmax(x, beta=beta, form=form))(x)
    blocks = softmax_jacobian(x, beta=beta)
    assert blocks.shape == (2, 3, 4, 4)
    for i, j in np.ndindex(2, 3):
        np.testing.assert_allclose(blocks[i, j], whole[i, j, :, i, j, :], rtol=1e-12, atol=1e-16)
        np.testing.assert_allclose(blocks[i, j], blocks[i, j].T, rtol=1e-15)
        np.testing.assert_allclose(blocks[i, j].sum(-1), 0, atol=1e-16)


def test_softmax_jacobian_is_beta_times_the_diagonal_minus_the_outer_product():
    y = softmax([1.0, 2.0, 4.0], beta=2)
    expected = 2 * (np.diag(y) - np.outer(y, y))
    np.testing.assert_allclose(softmax_jacobian([1.0, 2.0, 4.0], beta=2), expected, rtol=1e-13)


def test_softmax_jacobian_keeps_its_digits_and_its_dtype_and_is_differentiable():
    # exp(-40) / (1 + exp(-40))**2 in every place
    np.testing.assert_allclose(
        softmax_jacobian([40.0, 0.0]), 4.248354255291589e-18 * np.array([[1, -1], [-1, 1]]), rtol=1e-14
    )
    assert softmax_jacobian(np.float32([1, 2]), beta=np.float64(2)).dtype == np.float32
    x = np.array([0.3, -1.0, 2.0], np.longdouble)
    w = logits(3, 3, dtype=np.longdouble)
    total = lambda x: (w * softmax_jacobian(x)).sum()
    np.testing.assert_allclose(grad(total)(x), partials(total, [x])[0], rtol=1e-9, atol=1e-12)


# -- accuracy against 60 digits ----------------------------------------------------------------------------
#
# The exponent z = x - max(x) is rounded, and exp turns an error of half a unit in its last place into a
# relative one: half of 2**floor(log2(z)) eps, 32 eps at z = 64..127, 128 at 256..511. What is left on top
# comes of a few products and sums. float32 loses its exp below -87, so its z ends there.

PAIRS = np.array([[40, 0], [0, 40], [17, 0], [0, -80], [80, 0], [5, 4.999], [1, 1]])
TRIPLES = np.array([[40, 0, -3], [-3, 40, 0], [80, 1, 2], [40, 40, 0], [40, 40, 39.999], [0, 0, 0]])


def accuracy_cases(dtype):
    for scale in (1, 20, 100):
        yield scale, logits(60, 6, scale=scale, seed=20, dtype=dtype)
    yield "pairs", PAIRS.astype(dtype)
    yield "triples", TRIPLES.astype(dtype)


ACCURACY = [
    pytest.param(x, bounds, id=f"{np.dtype(dtype)}-{name}")
    for dtype in (np.float64, np.float32)
    for (name, x), bounds in zip(
        accuracy_cases(dtype),
        # values, first order, second order, in eps
        [(4, 400, 8), (40, 200, 80), (140, 160, 160), (2, 20, 10), (2, 20, 4)],
        strict=True,
    )
]
accurate = pytest.mark.parametrize(("x", "bounds"), ACCURACY)


def told(what, errors):
    """The errors, printed for whoever runs pytest -rP."""
    print(what, {name: round(error, 1) for name, error in errors.items()}, "eps")
    return max(errors.values())


@accurate
def test_values_are_exact_in_every_digit(x, bounds):
    errors = {
        "softmax": exact.worst_error(softmax(x), exact.softmax(x)),
        "log_softmax": exact.worst_error(log_softmax(x), exact.log_softmax(x)),
        "logsumexp": exact.worst_error(logsumexp(x, axis=-1), exact.logsumexp(x)),
    }
    assert told("values", errors) < bounds[0]


@accurate
def test_gradients_are_exact_in_every_digit(x, bounds):
    # Normal incoming gradients nearly cancel now and then, which costs up to 1 / (what is left) eps.
    g = logits(*x.shape, scale=1, seed=7, dtype=x.dtype)
    total = lambda x: logsumexp(x, axis=-1).sum()
    errors = {
        "softmax": exact.worst_error(pulled(softmax, x, g), exact.softmax_vjp(x, g)),
        "log_softmax": exact.worst_error(pulled(log_softmax, x, g), exact.log_softmax_vjp(x, g)),
        "logsumexp": exact.worst_error(grad(total)(x), exact.softmax(x)),
    }
    assert told("gradients", errors) < bounds[1]


@pytest.mark.parametrize("mode", ["reverse over reverse", "jvp of grad", "grad of jvp"])
@accurate
def test_second_derivatives_are_exact_in_every_digit(x, bounds, mode):
    g, v = (logits(*x.shape, scale=1, seed=seed, dtype=x.dtype) for seed in (7, 8))

    def bend(f):
        if mode == "reverse over reverse":
            return hvp(f, x, v)
        if mode == "jvp of grad":
            return jvp(grad(f), (x,), (v,))[1]
        return grad(lambda x: jvp(f, (x,), (v,))[1])(x)

    # These cross zero, at ties exactly: errors are relative to what was added up.
    size = exact.softmax_hvp_size(x, g, v)
    linear = np.abs(g).astype(float).sum(-1, keepdims=True) * exact.softmax_vjp_size(x, v)
    errors = {
        "softmax": exact.worst_error(
            bend(lambda x: (g * softmax(x)).sum()), exact.softmax_hvp(x, g, v), size
        ),
        "log_softmax": exact.worst_error(
            bend(lambda x: (g * log_softmax(x)).sum()), exact.log_softmax_hvp(x, g, v), linear
        ),
        "logsumexp": exact.worst_error(
            bend(lambda x: logsumexp(x, axis=-1).sum()), exact.softmax_vjp(x, v), exact.softmax_vjp_size(x, v)
        ),
    }
    assert told(mode, errors) < bounds[2]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_textbooks_gradient_loses_every_digit(dtype):
    x, g = logits(60, 6, scale=20, seed=20, dtype=dtype), logits(60, 6, scale=1, seed=7, dtype=dtype)
    y = softmax(x)
    textbook = y * (g - (g * y).sum(-1, keepdims=True))
    error = exact.worst_error(textbook, exact.softmax_vjp(x, g))
    told("textbook", {"softmax": error})
    assert error > 0.9 / np.finfo(dtype).eps


def test_the_gradient_at_a_certain_class():
    assert pulled(softmax, np.array([40.0, 0.0]), np.array([1.0, 0.0])).tolist() == [
        pytest.approx(4.248354255291589e-18, rel=1e-15),
        pytest.approx(-4.248354255291589e-18, rel=1e-15),
    ]


@both
def test_third_derivatives_are_the_limits_of_differences_of_second_ones(function):
    x, g, v, w = (logits(2, 4, seed=seed, dtype=np.longdouble) for seed in range(4))
    second = lambda x: hvp(lambda x: (g * function(x, beta=0.7)).sum(), x, v)
    third = grad(lambda x: (w * second(x)).sum())(x)
    expected = partials(lambda x: (w * second(x)).sum(), [x])[0]
    np.testing.assert_allclose(third, expected, rtol=1e-9, atol=1e-11)
    along = jvp(second, (x,), (w,))[1]
    np.testing.assert_allclose(along, slope(lambda t: second(x + t * w)), rtol=1e-9, atol=1e-11)


def test_gradients_of_gradients_are_tensors_that_go_on():
    x = Tensor([0.5, -1.0, 2.0])
    first = gradients(softmax(x)[0], x, create_graph=True)
    second = gradients(first[1], x, create_graph=True)
    third = gradients(second[2], x)
    y = softmax(x.data)
    # d3 y0 / dx1 dx2 dx: differentiate 2 y0 y1 y2, that is 2 y0 y1 y2 (1[i] - 3 y[i])
    np.testing.assert_allclose(third, 2 * y.prod() * (1 - 3 * y), rtol=1e-13)


# -- layouts and errors --------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("axis", [0, 1, 2, (0, 2)])
def test_layout_in_memory_does_not_matter(function, axis):
    x, g = logits(3, 4, 5), logits(3, 4, 5, seed=4)
    expected = pulled(lambda x: function(x, axis), x, g)
    for layout in (
        np.asfortranarray(x),
        np.flip(np.flip(x).copy()),
        np.moveaxis(np.moveaxis(x, 0, 2).copy(), 2, 0),
    ):
        layout.flags.writeable = False
        np.testing.assert_allclose(function(layout, axis), function(x, axis), rtol=1e-14)
        np.testing.assert_allclose(
            pulled(lambda x: function(x, axis), layout, g), expected, rtol=1e-12, atol=1e-16
        )
    np.testing.assert_array_equal(function(x.tolist(), axis), function(x, axis))


@both
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"form": "fast"}, ValueError, "form is one of 'naive', 'composed', 'fused', not 'fast'"),
        ({"form": None}, ValueError, "form is one of"),
        ({"axis": 2}, ValueError, r"axis is a number.*within 2 axes, not 2"),
        ({"axis": (0, 0)}, ValueError, "repeated axis"),
        ({"axis": 0.5}, TypeError, "axis is a number"),
        ({"axis": "last"}, TypeError, "axis is a number"),
        ({"beta": nan}, ValueError, "beta is a finite number, not nan"),
        ({"beta": inf}, ValueError, "beta is a finite number"),
        ({"beta": "1"}, TypeError, "beta is a number, not '1'"),
        ({"beta": None}, TypeError, "beta is a number"),
        ({"beta": Tensor(1.0)}, TypeError, "no derivative"),
        ({"where": [1, 0, 1]}, TypeError, "where= is made of True and False, not of int64"),
        ({"where": [True, False]}, ValueError, r"where= of shape \(2,\) does not broadcast"),
    ],
)
def test_wrong_options_are_named(function, options, error, message):
    with pytest.raises(error, match=f"^{function.__name__}: .*{message}"):
        function(np.zeros((2, 3)), **options)


@both
@pytest.mark.parametrize("x", [[1j, 0], ["a", "b"], None, [None, 1.0], np.array([object()])])
def test_logits_that_are_no_real_numbers_are_refused(function, x):
    with pytest.raises(TypeError, match=f"^{function.__name__}: takes Tensors and real numbers"):
        function(x)


def test_integers_and_numbers_are_logits_too():
    np.testing.assert_array_equal(softmax([1, 1]), [0.5, 0.5])
    assert softmax(5, axis=None) == 1
    assert logsumexp(5) == 5
    with pytest.raises(ValueError, match=r"softmax: a number has no axis .* reshape it to \(1,\)"):
        softmax(5.0)


def test_logsumexp_names_what_is_wrong():
    with pytest.raises(TypeError, match=r"logsumexp: the option b= has no derivative; add np.log\(b\) to x"):
        logsumexp([1.0], b=Tensor([1.0]))
    with pytest.raises(
        ValueError, match=r"logsumexp: b of shape \(2,\) does not broadcast with x of shape \(3,\)"
    ):
        logsumexp(np.zeros(3), b=[1, 2])
    with pytest.raises(ValueError, match=r"logsumexp: axis is a number"):
        logsumexp(np.zeros(3), axis=1)
    with pytest.raises(TypeError, match=r"logsumexp: takes Tensors and real numbers"):
        logsumexp(np.zeros(3), b=[1j, 0, 0])
