"""Exact arithmetic: elementary functions to any number of digits, and graphs computed with them."""

import sys
from decimal import Decimal

import mpmath
import numpy as np
import pytest

from autodiff import Tensor, log_softmax, primitive, softmax
from autodiff.calls import pull
from autodiff.differences import weights
from autodiff.reference.decimals import digits, exp_of, expm1_of, log1p_of, log_of
from autodiff.reference.exact import decimal
from autodiff.reference.reference import NoTruth, Truth, errors
from autodiff.trees import leaves_of

from .samples import SAMPLES

# -- functions of Decimals -------------------------------------------------------------------------

NUMBERS = [
    0.1,
    -0.3,
    3.7,
    -40.0,
    700.5,
    -12345.678,
    1e-30,
    -1e-200,
    1e10,
    2.0**-1074,
    1 + 2.0**-52,
    1 - 2.0**-53,
]


@pytest.mark.parametrize("count", [30, 60, 350])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(exp_of, mpmath.exp), (expm1_of, mpmath.expm1), (log1p_of, mpmath.log1p), (log_of, mpmath.log)],
    ids=lambda function: function.__name__,
)
def test_elementary_functions_have_all_their_digits(ours, theirs, count):
    with digits(count), mpmath.workdps(count + 400):
        for x in NUMBERS:
            if x <= 0 and ours in (log_of, log1p_of):
                continue
            found, truth = mpmath.mpf(str(ours(Decimal(x)))), theirs(mpmath.mpf(x))
            assert abs(found / truth - 1) < 10 * mpmath.mpf(10) ** -count, x


@pytest.mark.parametrize(
    ("function", "x", "y"),
    [
        (exp_of, "Infinity", "Infinity"),
        (exp_of, "-Infinity", "0"),
        (exp_of, "1e30", "Infinity"),
        (exp_of, "-1e30", "0"),
        (exp_of, "0", "1"),
        (log_of, "0", "-Infinity"),
        (log_of, "1", "0"),
        (log_of, "-1", "NaN"),
        (log_of, "Infinity", "Infinity"),
        (log1p_of, "0", "0"),
        (expm1_of, "0", "0"),
    ],
)
def test_elementary_functions_know_their_limits(function, x, y):
    with digits(50):
        found = function(Decimal(x))
        assert found == Decimal(y) or (found.is_nan() and y == "NaN")


@pytest.mark.parametrize("x", ["nan", "inf", "-inf", "0.1", "1e-310", "1e300", "1e-4000", "3e4000"])
def test_a_longdouble_becomes_a_decimal_without_rounding(x):
    with np.errstate(all="ignore"):
        number = np.longdouble(x)
        found = decimal(number)
    if not np.isfinite(number):
        assert str(float(found)) == str(float(number))
    else:
        assert np.longdouble(f"{found:.40e}") == number


# -- graphs ------------------------------------------------------------------------------------------


def truth_of(outputs, leaves, count=40):
    seeds = [weights(y, np.random.default_rng(0)) for y in outputs]
    return Truth(outputs, leaves, seeds, count), pull(outputs, seeds, leaves, False)


# Without these a graph of the usual kind would have no exact truth.
USUAL = (  # noqa: SIM905  # a list of fifty quoted words is no easier to read
    """abs add arctan broadcast_to clip concatenate conv2d cos cross_entropy cumsum divide einsum exp expm1 gelu_tanh
getitem log log1p log_sigmoid log_softmax logsumexp matmul max maximum mean min minimum multiply negative power prod relu
reshape sigmoid silu sin soft_cross_entropy softmax softplus sqrt square stack std subtract sum take_along_axis tanh transpose
var where"""
).split()


@pytest.mark.parametrize("op", SAMPLES)
def test_exact_numbers_agree_with_every_op_and_rule_or_refuse(op):
    # The gradients come from the numbers' own memory: an oracle that knows none of the rules.
    for sample in SAMPLES[op]:
        leaves = sample.leaves()
        with np.errstate(all="ignore"):
            outputs = [y for y in leaves_of(sample.of(*leaves)) if isinstance(y, Tensor)]
            try:
                truth, gradients = truth_of(outputs, leaves)
            except NoTruth:
                if op in USUAL:
                    raise
                continue
        for found, true in zip(
            [*(y.value for y in outputs), *gradients], [*truth.values, *truth.gradients], strict=True
        ):
            np.testing.assert_allclose(np.asarray(found, float), true.astype(float), rtol=1e-9, atol=1e-12)


def test_the_usual_ops_have_samples():
    assert [op for op in USUAL if op not in SAMPLES] == []


def test_masked_classes_and_their_zeros_are_exact_too():
    x = Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    where = np.array([[True, False, True], [False, False, False]])
    truth, (gradient,) = truth_of([softmax(x, where=where)], [x])
    np.testing.assert_allclose(gradient, truth.gradients[0].astype(float), rtol=1e-14)


def test_ties_share_evenly_and_corners_have_the_slope_of_the_policy():
    for f, x in (
        (lambda x: np.max(x), [1.0, 1.0, 1.0]),
        (lambda x: np.maximum(x, 0), [0.0]),
        (lambda x: np.abs(x), [0.0]),
        (lambda x: np.clip(x, 0, 1), [0.0, 1.0, 2.0]),
    ):
        leaf = Tensor(x)
        truth, (gradient,) = truth_of([f(leaf)], [leaf])
        np.testing.assert_allclose(gradient, truth.gradients[0].astype(float), rtol=1e-15)


def test_a_rule_is_no_part_of_the_truth(fresh_registry):
    @primitive()
    def wrong(x, /):
        return x * x, lambda g, y, x: g * 17

    x = Tensor(3.0)
    assert float(Truth([wrong(x)], [x], [1.0], 30).gradients[0]) == 6


def test_an_op_that_makes_floats_of_its_numbers_has_no_exact_form(fresh_registry):
    @primitive()
    def forgetful(x, /):
        return np.array([float(element) for element in x]), lambda g, y, x: g

    @primitive()
    def partly(x, /):
        return x * float(np.sum(x)), lambda g, y, x: g * np.sum(x) + np.sum(g * x)

    @primitive()
    def asks(x, /):
        return x * x if float(x[0]) > 0 else -x, lambda g, y, x: 2 * g * x

    for op in (forgetful, partly):
        x = Tensor([1.0, 2.0])
        with pytest.raises(NoTruth, match="has no exact form"):
            truth_of([op(x)], [x])
    x = Tensor([1.0, 2.0])
    assert truth_of([asks(x)], [x])[0].values[0].tolist() == [1, 4]


def test_a_checkpoint_hides_its_graph():
    from autodiff import checkpoint

    x = Tensor([1.0, 2.0])
    with pytest.raises(NoTruth, match="has no exact form"):
        truth_of([checkpoint(np.exp)(x)], [x])


def test_without_mpmath_its_functions_have_no_truth(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpmath", None)
    x = Tensor(1.0)
    with pytest.raises(NoTruth, match="sin needs mpmath for its digits: pip install mpmath"):
        truth_of([np.sin(x)], [x])
    assert truth_of([np.tanh(x)], [x])


def test_tails_far_below_eps_are_exact():
    x = Tensor([300.0, 0.0])
    truth, _ = truth_of([log_softmax(x, form="naive")], [x], 350)
    with mpmath.workdps(50):  # -log1p(exp(-300))
        assert float(truth.values[0][0]) == pytest.approx(float(-mpmath.log1p(mpmath.exp(-300))), rel=1e-15)


# -- errors --------------------------------------------------------------------------------------------


def test_errors_are_in_units_in_the_last_place_of_the_truth():
    truth = np.array([Decimal(1), Decimal("0.1"), Decimal(0)], object)
    found = np.array([1 + 2.0**-52, 0.1, 2.0**-1074])
    # The nearest float64 to 0.1 is 0.4 units off: 5.55e-18 of 1.39e-17.
    assert errors(found, truth) == pytest.approx([1, 0.4, 1], rel=1e-3)
    assert errors(found, truth, relative=True) == pytest.approx([2.0**-52, 5.55e-17, 2.0**-52], rel=1e-3)


def test_what_is_no_number_has_no_error_only_where_the_truth_is_none_either():
    truth = np.array([Decimal(1), Decimal("Infinity"), Decimal("NaN")], object)
    assert np.isnan(errors(np.array([np.nan, 1.0, np.inf]), truth)).all()
    assert errors(np.array([1.0, np.inf, np.nan]), truth).tolist() == [0, 0, 0]
