"""check_grads lets right rules pass, catches wrong ones, and names the one to blame."""

from collections import namedtuple

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, check_grads, primitive
from autodiff.checks import GradientError
from autodiff.differences import Line, slope
from autodiff.primitive import registry

from .samples import SAMPLES
from .wrong_rules import caught, declare

X = np.array([0.5, -1.25, 2.0])


@pytest.fixture(autouse=True)
def _declared_here_is_gone_after():
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


# -- what is right passes ----------------------------------------------------------------------------


@pytest.mark.parametrize("op", sorted(SAMPLES))
def test_no_declared_op_raises_a_false_alarm(op):
    # One sample of each: all of them hold for the ops in test_laws.py, here it is the checker that is tried.
    sample = SAMPLES[op][-1]
    check_grads(sample.of, *sample.values())
    if "float32" not in sample.refuses:
        cast = sample.cast(np.dtype("float32"))
        check_grads(cast.of, *cast.values())


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.exp(np.sin(x)) * x,
        lambda x: x.exp().sum(),
        lambda x: ad.softmax(x).sum(),  # its derivative is 0, but for rounding
        lambda x: (x - x.mean()).sum(),
        lambda x: x.sum(),
        lambda x: (x * x + 1).sqrt(),
        lambda x: ad.relu(x).max(),
        lambda x: np.stack([x, x]) @ x,
        ad.checkpoint(lambda x: np.tanh(x) * x),
    ],
)
def test_a_right_function_passes_in_every_dtype(f, dtype):
    check_grads(f, X.astype(dtype))


def test_a_strongly_curved_function_raises_no_false_alarm():
    check_grads(lambda x: np.exp(100 * x), 0.5)
    check_grads(lambda x: np.sin(1000 * x), 0.5)
    check_grads(np.log, np.array([1e-6, 1.0, 1e6]))


def test_a_large_constant_beside_the_derivative_raises_no_false_alarm():
    check_grads(lambda x: 1e6 + x * x, 0.5)


def test_a_step_through_a_lower_precision_is_judged_by_it():
    check_grads(lambda x: np.exp(x).astype(np.float32).sum() * x, X)


def test_a_thousand_relus_with_kinks_nearby_raise_no_false_alarm():
    x = np.random.default_rng(0).normal(size=1000)
    assert np.abs(x).min() < 2e-3
    check_grads(lambda x: ad.relu(x).sum(), x)


def test_order_three_and_four_are_checked():
    check_grads(np.sin, 0.7, order=4, modes="rev")
    check_grads(lambda x: np.tanh(x) * x, np.array([0.7, 0.1]), order=3)


def test_arguments_and_results_may_be_nested():
    Pair = namedtuple("Pair", "left right")

    def f(params, pair, unused):
        return {"a": [params["w"][0] * pair.left, None], "b": (pair.right.sum(), 3.0, np.arange(3))}

    check_grads(f, {"w": [X, None], "c": ()}, Pair(X + 1, np.ones((2, 2))), 5.0)


def test_empty_arrays_and_infinite_inputs_pass():
    check_grads(lambda x: x * x, np.zeros((0, 3)))
    check_grads(ad.softmax, np.array([1.0, -np.inf, 2.0]))


def test_a_function_may_use_tensors_from_outside():
    w = Tensor(X)
    check_grads(lambda x: x * w * w, X)
    check_grads(lambda x: x * x, w)
    assert w.grad is None


def test_it_works_inside_no_grad():
    with ad.no_grad():
        check_grads(lambda x: np.exp(x) * x, X)
        assert caught(declare(lambda g, y, x: 2 * g * x * x), X).op == "cube"


def test_the_arguments_stay_as_they_were():
    x = X.copy()
    check_grads(lambda x: x * x, x)
    np.testing.assert_array_equal(x, X)


def test_a_call_is_repeatable():
    wrong = declare(lambda g, y, x: 2 * g * x * x)
    assert str(caught(wrong, X)) == str(caught(wrong, X))
    assert caught(wrong, X).from_rules != caught(wrong, X, seed=1).from_rules


# -- what is wrong is caught -------------------------------------------------------------------------


def _one_element(g, y, x):
    return 3 * g * x * x * np.array([1.0, 1.0, 1.5], x.dtype)


WRONG = {
    "sign": lambda g, y, x: -3 * g * x * x,
    "factor 2": lambda g, y, x: 6 * g * x * x,
    "missing factor": lambda g, y, x: 3 * g * x,
    "one part in a million": lambda g, y, x: 3 * g * x * x * (1 + 1e-6),
    "one element": _one_element,
    "zero": lambda g, y, x: 0 * g,
    "nan": lambda g, y, x: g * np.nan,
}


@pytest.mark.parametrize("modes", ["rev", "fwd"])
@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_rule_is_caught_and_named(fault, modes):
    wrong = declare(WRONG[fault])
    error = caught(lambda x: (np.sin(wrong(np.exp(x))) + x).sum(), X / 4, modes=modes)
    assert (error.op, error.order, error.mode, error.input) == ("cube", 1, modes, "args[0]")


@pytest.mark.parametrize("fault", [fault for fault in WRONG if fault != "one part in a million"])
def test_a_wrong_rule_is_caught_in_float32(fault):
    assert caught(declare(WRONG[fault]), X.astype(np.float32)).op == "cube"


def test_a_wrong_rule_for_one_of_two_inputs_is_named_with_the_input():
    @primitive()
    def scale(a, b, /):
        return a * b, lambda g, y, a, b: g * b, lambda g, y, a, b: g

    error = caught(lambda p: scale(p["w"][0], p["w"][1]), {"w": [X, X + 1]})
    assert error.input == "args[0]['w'][1]"
    assert "the first op whose rule is wrong is scale, by its input 1, inputs of shape (3,), (3,)" in str(
        error
    )


def test_of_two_wrong_ops_the_oldest_is_named():
    wrong = declare(WRONG["sign"])
    later = declare(WRONG["zero"], name="later")
    assert caught(lambda x: later(wrong(x)), X).op == "cube"
    assert caught(lambda x: wrong(later(x)), X).op == "later"


def test_an_option_of_the_wrong_op_is_handed_on():
    @primitive()
    def total(x, /, axis=None):
        return np.sum(x, axis=axis), lambda g, y, x: np.broadcast_to(2 * g, x.shape)

    assert caught(lambda x: total(x, axis=0), np.ones((2, 3))).op == "total"


def test_a_rule_that_closes_over_its_input_is_wrong_at_order_two():
    @primitive()
    def closed(x, /):
        return x * x * x, lambda g, y, _: 3 * g * x * x

    check_grads(closed, X, order=1)
    error = caught(lambda x: np.sin(closed(x)), X)
    assert (error.op, error.order, error.mode) == ("closed", 2, "rev over rev")
    assert "right at order 1 and wrong at order 2" in str(error)


def test_a_rule_that_leaves_the_graph_is_wrong_at_order_two():
    leaving = declare(lambda g, y, x: 3 * g * getattr(x, "data", x) ** 2)
    wrong = declare(lambda g, y, x: 3 * g * (x.value if isinstance(x, Tensor) else x) ** 2, name="leaving")
    assert caught(lambda x: wrong(x).sum(), X).op == "leaving"
    with pytest.raises(TypeError):  # ndarray.data is a memoryview
        check_grads(leaving, X)


def test_a_rule_that_makes_arrays_of_its_inputs_raises_what_the_tensor_says():
    with pytest.raises(TypeError, match=r"np\.asarray\(t\)") as caught:
        check_grads(declare(lambda g, y, x: 3 * g * np.asarray(x) ** 2), X)
    assert caught.value.__notes__[0].startswith("in the backward pass of the cube")


def test_a_wrong_op_inside_a_right_rule_is_the_one_to_blame():
    inner = declare(WRONG["sign"], name="inner")
    outer = declare(lambda g, y, x: g * inner(x), name="outer", compute=lambda x: x**4 / 4)
    check_grads(outer, X, order=1)
    assert caught(outer, X).op == "inner"


def test_a_rule_wrong_at_order_three_only_is_caught():
    slope_of_slope = declare(lambda g, y, x: -2 * g * x, name="square", compute=lambda x: x * x)
    middle = declare(lambda g, y, x: g * slope_of_slope(x), name="middle", compute=lambda x: x**3 / 3)
    right = declare(lambda g, y, x: g * middle(x), name="right", compute=lambda x: x**4 / 12)
    check_grads(right, X, order=2)
    error = caught(right, X, order=3, modes="rev")
    assert (error.order, error.op) == (3, "square")


def test_a_rule_of_the_wrong_shape_raises_the_walks_error():
    with pytest.raises(ValueError, match=r"cube: its vjp returned shape \(\) for an input of shape \(3,\)"):
        check_grads(declare(lambda g, y, x: (3 * g * x * x).sum()), X)


def test_a_rule_that_writes_into_its_gradient_is_caught():
    def careless(g, y, x):
        g *= 3 * x * x
        return g

    error = caught(lambda x: (declare(careless)(x) * X).sum(), X, order=1)
    assert error.op == "cube"
    assert "the rule of cube writes into g" in str(error)


def test_a_rule_that_writes_into_its_input_is_caught():
    def careless(g, y, x):
        x *= 1.0000001
        return 3 * g * x * x

    assert "writes into" in str(caught(declare(careless), X, order=1))


def test_a_wrong_op_inside_a_right_rule_that_writes_is_called_so():
    def careless(g, y, x):
        g *= -3 * x * x
        return g

    inner = declare(careless, name="inner")
    outer = declare(lambda g, y, x: g * inner(x), name="outer", compute=lambda x: x**4 / 4)
    error = caught(outer, X, modes="rev")
    assert error.op == "inner"
    assert "the rule of inner writes into g; these arrays are everybody's" in str(error)


def test_leaving_the_graph_is_told_from_a_wrong_rule():
    error = caught(lambda x: x * x.data, X)
    assert error.op is None
    assert "does f leave the graph" in str(error)


def test_a_wrong_op_inside_a_checkpoint_is_caught():
    wrong = declare(WRONG["sign"])
    error = caught(ad.checkpoint(lambda x: wrong(x) * x), X)
    assert error.op is None
    assert "inside a checkpoint" in str(error)


# -- where there is no derivative -------------------------------------------------------------------


@pytest.mark.parametrize("at", [0.0, 1e-20])
def test_a_kink_is_told_from_a_wrong_rule(at):
    error = caught(lambda x: ad.relu(x).sum(), np.array([at, 1.0]))
    assert error.kink
    assert error.op == "relu"
    assert "meets a kink" in str(error)
    assert "rather than a wrong rule, is relu" in str(error)


def test_a_kink_beside_the_point_is_stepped_around():
    check_grads(lambda x: ad.relu(x).sum(), np.array([1e-6, -1e-3, 1.0]))


def test_a_kink_of_the_first_derivative_is_one_at_order_two():
    error = caught(lambda x: ad.relu(x) * x, 0.0)
    assert error.kink
    assert error.order == 2


def test_a_jump_is_no_wrong_rule():
    error = caught(lambda x: np.where(x.data > 0.5, x, x + 1), 0.5)
    assert error.kink
    assert error.op is None


def test_the_border_of_a_domain_is_no_wrong_rule():
    with np.errstate(divide="ignore"):
        assert caught(np.sqrt, 0.0, order=1).kink


def test_a_wrong_rule_beside_a_kink_is_blamed_first():
    wrong = declare(WRONG["sign"])
    assert caught(lambda x: wrong(ad.relu(x)).sum(), np.array([0.0, 2.0])).op == "cube"


def test_a_function_that_gives_other_values_each_time_is_called_so():
    random = np.random.default_rng(0)
    with pytest.raises(GradientError, match="other values at a second call"):
        check_grads(lambda x: x * random.normal(), 2.0)


def test_an_op_that_gives_other_values_each_time_is_named():
    random = np.random.default_rng(0)
    with pytest.raises(GradientError) as refused:  # here, for the error names the line
        check_grads(declare(lambda g, y, x: g, "noisy", lambda x: x * random.normal()), np.ones((2, 3)))
    error = refused.value
    assert error.op == "noisy"
    assert "other values at a second call" in str(error)
    assert "the op that does so is noisy, inputs of shape (2, 3) (test_testing.py, line " in str(error)


def test_random_numbers_outside_of_every_op_are_blamed_on_none():
    random = np.random.default_rng(0)
    error = caught(lambda x: x * random.normal(), 2.0)
    assert error.op is None
    assert error.blame == ""


# -- the message, the options, bad input --------------------------------------------------------------


def test_the_error_names_the_input_the_order_the_mode_the_direction_and_both_numbers():
    with pytest.raises(GradientError) as refused:  # here, for the error names the line
        check_grads(declare(WRONG["factor 2"]), np.array([2.0]), order=1)
    error = refused.value
    direction = float(error.direction[0])
    assert 0.5 <= abs(direction / 2) <= 1.5  # twice as long where x is 2
    assert error.from_rules == pytest.approx(2 * error.numeric)
    text = str(error)
    assert "the derivative by args[0] at order 1 (rev) is wrong" in text
    assert f"{error.from_rules:.10g} from the rules, {error.numeric:.10g} from differences" in text
    assert f"in the random direction [{direction:g}" in text
    assert "(test_testing.py, line " in text
    assert isinstance(error, AssertionError)


def test_only_the_modes_asked_for_are_checked():
    assert caught(declare(WRONG["sign"]), X, modes=("fwd",)).mode == "fwd"
    nonlinear = declare(lambda g, y, x: 3 * g * x * x + 0 * np.sqrt(np.abs(g)))
    check_grads(nonlinear, X, order=1, modes=("rev",))


def test_order_one_leaves_order_two_alone():
    @primitive()
    def closed(x, /):
        return x * x, lambda g, y, _: 2 * g * x

    check_grads(closed, X, order=1)


def test_tolerances_decide():
    nearly = declare(lambda g, y, x: 3 * g * x * x * 1.001)
    caught(nearly, X)
    check_grads(nearly, X, rtol=0.01)
    check_grads(nearly, X, atol=1.0)


def test_what_f_raises_passes_through():
    def f(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        check_grads(f, 1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": 0}, "order is a number from 1 on, not 0"),
        ({"order": "2"}, "order is a number from 1 on, not '2'"),
        ({"modes": "reverse"}, "modes are"),
        ({"modes": ()}, "modes are"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        check_grads(np.sin, 1.0, **options)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="nothing to differentiate by"):
        check_grads(lambda: 1.0)
    with pytest.raises(TypeError, match="not real numbers"):
        check_grads(np.sin, 1j)


# -- the numbers themselves ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phi", "derivative"),
    [
        (lambda t: np.exp(3 * t), 3.0),
        (lambda t: np.sin(200 * t), 200.0),
        (lambda t: t**5, 0.0),
        (lambda t: 1e6 + t, 1.0),
        (lambda t: np.maximum(t + 1e-4, 0), 1.0),
        (lambda t: np.log(1e-5 + t), 1e5),
    ],
)
def test_a_slope_is_within_its_estimated_error(phi, derivative):
    found = slope(lambda t: np.array([phi(t)]), 2.0**-52 * abs(phi(0.0)))
    assert abs(found.value - derivative) <= found.error
    assert found.error <= 1e-5 * max(derivative, 1)


def line(f, x, v=1.0):
    return Line(f, (np.asarray(x, float),), 0, np.asarray(v), [np.asarray(1.0)], 1.0)


def test_a_complex_step_is_exact_where_differences_are_not():
    noisy = line(lambda x: np.sin(x) + 1e-9 * np.cos(1e12 * x), 1.0)
    rough = noisy.slope(0.0)
    assert abs(rough.value - 0.5403023058681398) < 3 * rough.error
    assert rough.error > 1e-9
    refined = noisy.refined(rough, np.sin)
    assert abs(refined.value - 0.5403023058681398) < 1e-15  # cos(1)


def test_a_complex_step_that_differences_do_not_back_is_not_used():
    kinked = line(np.abs, 2.0)
    assert kinked.complex_step(np.abs) == 0.0  # wrong without a word: the derivative is 1
    rough = kinked.slope(0.0)
    assert kinked.refined(rough, np.abs) == rough


def test_a_function_that_refuses_complex_arrays_gets_no_complex_step():
    assert line(ad.relu, 2.0).complex_step(ad.relu) is None
    assert line(np.floor, 2.0).complex_step(np.floor) is None
    dropping = lambda x: x.astype(float)  # warns, and drops the imaginary part
    assert line(dropping, 2.0).complex_step(dropping) is None


@pytest.mark.parametrize("modes", ["rev", "fwd"])
def test_of_a_number_by_a_number_the_error_shows_the_slope_itself(modes):
    error = caught(declare(WRONG["factor 2"]), 3.0, order=1, modes=modes)  # of a cube
    assert error.direction is None
    assert error.from_rules == pytest.approx(54.0)
    assert error.numeric == pytest.approx(27.0)
    assert "direction" not in str(error)


def test_a_rule_that_forgets_its_gradient_is_wrong_for_a_number_too():
    @primitive()
    def forgetful(x, /):
        return x * x, lambda g, y, x: 2 * x

    assert caught(forgetful, 3.0, order=1).op == "forgetful"


def test_a_value_that_is_not_finite_is_no_kink_in_words():
    with np.errstate(divide="ignore", invalid="ignore"):
        text = str(caught(np.log, 0.0, order=1))
    assert "f's value is not finite here; move the input" in text
    assert "the first op whose value is not finite here is log" in text
    assert "kink" not in text
