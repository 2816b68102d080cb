"""What measures: nodes, bytes, times, and a gradient's accuracy."""

import gc
from functools import partial

import mpmath
import numpy as np
import pytest

from autodiff import Tensor, cross_entropy, primitive
from autodiff.compare import accuracies, costs, exact_slope, first_failure, kept_bytes, relative_error

FORMS = ("naive", "composed", "fused")


# -- bytes -----------------------------------------------------------------------------------------


def test_a_node_keeps_its_value():
    assert kept_bytes(np.exp(Tensor(np.zeros(100)))) == 800


def test_leaves_are_not_counted_since_they_are_there_without_a_graph():
    x = Tensor(np.zeros(100))
    assert kept_bytes(x) == 0
    assert kept_bytes(x.reshape(10, 10)) == 0


def test_a_view_shares_the_bytes_that_it_views():
    y = np.exp(Tensor(np.zeros((10, 10))))
    assert kept_bytes(y.T) == 800
    assert kept_bytes(y.reshape(100)) == 800


def test_an_array_in_two_places_counts_once():
    y = np.exp(Tensor(np.zeros(100)))
    assert kept_bytes(y * y) == 1600


def test_constants_that_a_graph_keeps_alive_count():
    # 100 float64 of the product, 100 of the constant factor.
    assert kept_bytes(Tensor(np.zeros(100)) * np.ones(100)) == 1600


def test_float32_takes_half():
    assert kept_bytes(np.exp(Tensor(np.zeros(100, np.float32)))) == 400


class Factors:
    """A rule as an object."""

    def __init__(self):
        self.factors = np.arange(50.0)

    def pull(self, g, y, x):
        return g * self.factors


def pull_by(factors, g, y, x):
    return g * factors


HOLDERS = {
    "function": lambda factors: lambda g, y, x: g * factors,
    "default": lambda factors: lambda g, y, x, factors=factors: g * factors,
    "partial": lambda factors: partial(pull_by, factors),
    "list": lambda factors: lambda g, y, x, held=[factors]: g * held[0],
    "method": lambda factors: Factors().pull,
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_a_vjp_holds_counts_however_it_holds_it(fresh_registry, holder):
    @primitive()
    def weighed(x, /):
        return x[0] * 1.0, HOLDERS[holder](np.arange(50.0))

    x = Tensor(np.ones(50))
    y = weighed(x)
    assert kept_bytes(y) == 400 + 8
    y.backward()
    assert x.grad.tolist() == list(range(50))


def test_a_deleted_variable_of_a_closure_keeps_nothing(fresh_registry):
    @primitive()
    def emptied(x, /):
        factors = np.arange(50.0)

        def pull(g, y, x):
            return g * factors

        if x.size:
            factors = None
            del factors
        return x[0] * 1.0, pull

    assert kept_bytes(emptied(Tensor(np.zeros(50)))) == 8


# -- costs -----------------------------------------------------------------------------------------


def test_costs_count_the_nodes_leaves_included():
    (row,) = costs({"f": lambda x, y: (x * y + x).sum()}, [1.0, 2.0], [3.0, 4.0], repeats=1)
    assert row.nodes == 5  # x, y, x * y, + x, sum
    assert row.value == 14.0


def test_costs_compare_every_gradient_with_the_last_functions():
    rows = costs(
        {"square": lambda x: (x * x).sum(), "cube": lambda x: (x * x * x).sum()}, [1.0, 3.0], repeats=1
    )
    # 2x is 2 and 6, 3x**2 is 3 and 27.
    assert [row.difference for row in rows] == [21.0, 0.0]


def test_costs_take_nested_arguments_and_ignore_what_a_function_does_not_use():
    rows = costs(
        {"first": lambda p: (p["a"] * 2).sum(), "both": lambda p: (p["a"] * 2 + p["b"]).sum()},
        {"a": np.ones(2), "b": np.ones(2)},
        repeats=1,
    )
    assert [row.difference for row in rows] == [1.0, 0.0]


def test_costs_leave_the_callers_tensors_alone():
    x = Tensor([1.0, 2.0])
    costs({"f": lambda x: (x * x).sum()}, x, repeats=2)
    assert x.grad is None
    assert x.data.tolist() == [1.0, 2.0]


def test_times_are_of_the_forward_and_of_the_backward_pass():
    calls = []

    def slow_forward(x):
        calls.append(gc.isenabled())
        return sum((x * k for k in range(100)), start=x).sum() * 0 + x.sum()

    rows = costs({"slow": slow_forward, "fast": lambda x: x.sum()}, np.ones(3), repeats=5)
    assert rows[0].forward > rows[1].forward > 0
    assert rows[0].backward > rows[1].backward > 0
    assert calls == [True] + [False] * 5  # counted with the collector as it was, timed without
    assert gc.isenabled()


def test_the_collector_comes_back_after_an_exception():
    answers = iter([Tensor(1.0) * 2])

    with pytest.raises(StopIteration):
        costs({"f": lambda x: next(answers)}, 1.0, repeats=1)
    assert gc.isenabled()


@pytest.mark.parametrize(("functions", "repeats"), [({}, 1), ({"f": lambda x: x}, 0)])
def test_costs_of_nothing_are_refused(functions, repeats):
    with pytest.raises(ValueError, match="at least one function and one repeat"):
        costs(functions, 1.0, repeats=repeats)


# -- accuracy --------------------------------------------------------------------------------------


def test_the_exact_slope_agrees_with_mpmath(rng):
    logits, targets = 30 * rng.normal(size=(6, 4)), np.array([0, 1, 2, 3, 0, 1])
    found = exact_slope(logits, targets)
    with mpmath.workdps(400):
        for row, target, slopes in zip(logits, targets, found, strict=True):
            powers = [mpmath.exp(mpmath.mpf(float(x))) for x in row]
            for k, slope in enumerate(slopes):
                truth = (powers[k] / mpmath.fsum(powers) - int(k == target)) / 6
                assert abs(mpmath.mpf(str(slope)) / truth - 1) < mpmath.mpf(10) ** -55


def test_a_relative_error_is_that_of_the_worst_element():
    exact = exact_slope([[0.0, 0.0]], [0])  # -1/2, 1/2
    assert relative_error(np.array([[-0.5, 0.5]]), exact) == 0
    assert relative_error(np.array([[-0.5, 0.75]]), exact) == 0.5
    assert relative_error(np.array([[0.0, 0.5]]), exact) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_with_one_element_that_is_no_number_has_error_nan(bad):
    assert np.isnan(relative_error(np.array([[-0.5, bad]]), exact_slope([[0.0, 0.0]], [0])))


def test_a_truth_too_small_for_the_dtype_may_come_out_as_zero():
    # exp(-200) is 1e-87: no float32, but a float64 of full precision.
    exact = exact_slope([[0.0, 200.0]], [1])
    assert relative_error(np.zeros((1, 2), np.float32), exact) < 1e-40
    assert relative_error(np.zeros((1, 2)), exact) == 1


def test_the_first_failure_is_found_to_four_digits():
    assert first_failure(lambda x: x >= 88.7228, limit=1e4) == 88.72


def test_what_fails_at_once_fails_from_the_start_on():
    assert first_failure(lambda x: True, limit=1e4, start=3.0) == 3.0


def test_what_fails_at_the_limit_only_is_found_there():
    assert first_failure(lambda x: x >= 100, limit=100) == 100


def test_what_never_fails_has_no_first_failure():
    assert first_failure(lambda x: x > 100, limit=100) is None


@pytest.mark.parametrize(
    ("dtype", "overflow"),
    [(np.float64, 709.8), (np.float32, 88.72)],  # log of the largest number: 709.7827, 88.7228
)
def test_the_naive_form_is_nan_once_exp_overflows_and_the_others_never(dtype, overflow):
    rows = accuracies({form: partial(cross_entropy, form=form) for form in FORMS}, [1], dtype)
    assert [row.nan_from for row in rows] == [overflow, None, None]


@pytest.mark.parametrize(("dtype", "digits_last_to"), [(np.float64, 32.2), (np.float32, 12.1)])
def test_only_the_fused_form_keeps_its_digits_at_a_growing_logit(dtype, digits_last_to):
    # 1 - p loses all but 1 % of its digits where 2 exp(-logit) is about 100 eps / 2: logit = -log(25 eps).
    rows = accuracies({form: partial(cross_entropy, form=form) for form in FORMS}, [100], dtype)
    naive, composed, fused = rows
    assert naive.wrong_from == pytest.approx(digits_last_to, abs=2.5)
    assert composed.wrong_from == pytest.approx(digits_last_to, abs=2.5)
    assert fused.wrong_from is None
    assert composed.errors[100] == 1
    assert fused.errors[100] < 200 * np.finfo(dtype).eps


def test_accuracies_depend_on_nothing_but_the_seed():
    losses = {"fused": cross_entropy}
    assert accuracies(losses, [1, 20], seed=4, limit=2) == accuracies(losses, [1, 20], seed=4, limit=2)
