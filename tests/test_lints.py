"""Lints: each pattern is found, and nothing is said about the package's own stable forms."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor
from autodiff.explanation.lints import lints
from autodiff.trees import leaves_of

from .samples import SAMPLES

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
LOGITS = np.array([[2.0, -1.0, 0.5], [0.25, 1.0, 3.0]])


def titles(root):
    return [lint.title for lint in lints(root)]


def by_hand(x, shift=False):
    """A softmax as it is often written."""
    e = np.exp(x - np.max(x, axis=-1, keepdims=True)) if shift else np.exp(x)
    return e / e.sum(axis=-1, keepdims=True)


SOFTMAXES = {
    "naive": lambda x: ad.softmax(x, form="naive"),
    "composed": lambda x: ad.softmax(x, form="composed"),
    "fused": ad.softmax,
    "by hand": by_hand,
    "by hand, shifted": lambda x: by_hand(x, shift=True),
    "with a temperature": lambda x: ad.softmax(x, beta=0.5, form="composed"),
}


@pytest.mark.parametrize("outer", SOFTMAXES)
@pytest.mark.parametrize("inner", SOFTMAXES)
def test_a_softmax_of_a_softmax_is_found_in_any_form(inner, outer):
    assert "softmax twice" in titles(SOFTMAXES[outer](SOFTMAXES[inner](Tensor(LOGITS))))


@pytest.mark.parametrize("form", SOFTMAXES)
def test_log_of_softmax_is_found_in_any_form(form):
    assert "log(softmax)" in titles(np.log(SOFTMAXES[form](Tensor(LOGITS))))
    assert "log(softmax)" in titles(np.log(SOFTMAXES[form](Tensor(LOGITS)) + 1e-9)[0, 1])


def test_a_softmax_whose_exponentials_are_computed_twice_is_found():
    x = Tensor(LOGITS)
    whole = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
    assert titles(np.log(whole)) == ["exp without a shift", "log(softmax)"]
    assert titles(-np.log(np.exp(x[0, 1]) / np.exp(x[0]).sum())) == ["exp without a shift", "log(softmax)"]
    top = np.exp(x - x.max(axis=-1, keepdims=True))
    below = np.exp(x - x.max(axis=-1, keepdims=True)).sum(axis=-1, keepdims=True)
    assert titles(np.log(top / below)) == ["log(softmax)"]
    assert titles(np.exp(2 * x) / np.exp(x).sum()) == []
    assert titles(np.exp(Tensor(LOGITS)) / np.exp(x).sum()) == []


@pytest.mark.parametrize("form", ["composed", "fused"])
@pytest.mark.parametrize("inner", SOFTMAXES)
def test_cross_entropy_on_a_softmax_is_found(inner, form):
    loss = ad.cross_entropy(SOFTMAXES[inner](Tensor(LOGITS)), [0, 1], form=form)
    assert "cross-entropy on probabilities" in titles(loss)


def test_cross_entropy_on_probabilities_is_found_by_their_values():
    (lint,) = lints(ad.cross_entropy(Tensor([[0.25, 0.75], [0.5, 0.5]]), [0, 1]))
    assert lint.title == "cross-entropy on probabilities"
    assert "the rows handed to cross_entropy are not negative and sum to 1" in lint.why
    assert titles(ad.cross_entropy(Tensor([[0.25, 0.75], [0.5, 0.25]]), [0, 1])) == []
    assert titles(ad.cross_entropy(Tensor([[1.0, 0.0], [0.0, 1.0]]), [0, 1])) == []


def test_exp_without_a_shift_is_found_with_the_size_at_which_it_overflows():
    (lint,) = lints(by_hand(Tensor(LOGITS)))
    assert lint.title == "exp without a shift"
    assert "exp overflows for logits above 710 in float64" in lint.why
    assert "ad.softmax" in lint.instead
    assert "above 89 in float32" in lints(by_hand(Tensor(LOGITS.astype(np.float32))))[0].why
    assert titles(np.log(np.exp(Tensor(LOGITS)).sum(axis=1))) == ["exp without a shift"]
    assert titles(by_hand(Tensor(LOGITS), shift=True)) == []
    x = Tensor([1.0, 2.0])
    e = np.exp(-(x * x))  # a kernel, which cannot overflow
    assert titles(e / e.sum()) == []


def test_log_of_a_sigmoid_is_found():
    x = Tensor([1.0, -2.0])
    assert titles(np.log(ad.sigmoid(x))) == ["log(sigmoid)"]
    assert titles(np.log(ad.sigmoid(x) + 1e-9)) == ["log(sigmoid)"]
    assert titles(np.log(1 - ad.sigmoid(x))) == ["log(sigmoid)"]


def test_a_difference_that_lost_its_digits_is_found():
    x = Tensor(np.array([1.0, 2.0], np.float32))
    (lint,) = lints(x * 3 - np.array([3.0, 6.0], np.float32) * np.float32(1.000001))
    assert lint.title == "cancellation"
    assert lint.why == (
        "subtract left a result 1e+06 times smaller than its inputs, and float32 has 6 digits, so at most 0 are left"
    )
    assert lint.instead == "subtract earlier, or compute in float64"
    assert titles(x * 3 - np.array([3.0, 6.0], np.float32) * np.float32(1.01)) == []
    assert titles(x - np.array([1.0, 2.0], np.float32) * np.float32(1.000001)) == []  # exact: both were given


def test_float64_has_digits_left_where_float32_has_none():
    x = Tensor([1.0, 2.0])
    assert titles(x * 3 - np.array([3.0, 6.0]) * 1.000001) == []
    assert titles(x * 3 - np.array([3.0, 6.0]) * 1.0000000000001) == ["cancellation"]


def test_a_root_of_squares_at_0_is_found():
    x = Tensor([0.0, 0.0])
    for squares in (x * x, x**2, np.square(x)):
        assert titles(np.sqrt(squares.sum())) == ["sqrt(sum(x**2)) at 0"]
    assert titles(np.sqrt(x * x + np.square(x))) == ["sqrt(sum(x**2)) at 0"]
    assert titles(np.sqrt((Tensor([3.0, 4.0]) ** 2).sum())) == []
    assert titles(np.sqrt((x * x).sum() + 1e-12)) == []


def test_log_of_1_plus_a_small_number_is_found():
    (lint,) = lints(np.log(1 + Tensor(1e-12)))
    assert (lint.title, lint.instead) == ("log(1 + x)", "use np.log1p(x)")
    assert titles(np.log(Tensor([1e-12, 5.0]) + 1)) == ["log(1 + x)"]
    assert titles(np.log(1 + Tensor([0.5, 0.0]))) == []
    assert titles(np.log(2 + Tensor(1e-12))) == []


def test_exp_of_a_small_number_minus_1_is_found():
    (lint,) = lints(np.exp(Tensor(1e-12)) - 1)
    assert (lint.title, lint.instead) == ("exp(x) - 1", "use np.expm1(x)")
    assert titles(-1 + np.exp(Tensor(1e-12))) == ["exp(x) - 1"]
    assert titles(np.exp(Tensor(0.5)) - 1) == []
    assert titles(1 - np.exp(Tensor(0.5))) == []


def test_a_variance_by_the_mean_of_squares_is_found_in_every_spelling():
    x = Tensor([1.0, 2.0, 4.0])
    for squares in (x * x, x**2, np.square(x)):
        assert titles(np.mean(squares) - np.mean(x) ** 2) == ["E[x**2] - E[x]**2"]
        assert titles(squares.sum() / 3 - np.square(x.sum() / 3)) == ["E[x**2] - E[x]**2"]
    assert titles(np.mean(x * x) - np.mean(Tensor([1.0])) ** 2) == []


def test_a_std_of_equal_elements_and_a_norm_of_zeros_are_found():
    assert titles(np.linalg.norm(Tensor([0.0, 0.0]))) == ["norm at 0"]
    assert titles(np.std(Tensor([2.0, 2.0]))) == ["std at 0"]
    assert titles(np.std(Tensor([2.0, 3.0]))) == []


def test_a_float64_constant_in_a_float32_graph_is_found():
    x = Tensor(np.array([1.0, 2.0], np.float32))
    (lint,) = lints((x * np.float64(2.0)).sum())
    assert lint.why == "a float64 number in multiply turns float32 into float64 from here on"
    assert lint.instead == "use a Python number, float(c), or c.astype(np.float32)"
    assert titles(x + np.ones(2)) == ["promotion"]
    assert titles(x * 2.0) == []
    assert titles(x.astype(np.float64)) == []


def test_a_lint_names_its_line():
    x = Tensor([1.0, 2.0])
    with ad.recording():
        y = np.log(ad.softmax(x))
    assert lints(y)[0].where.endswith("y = np.log(ad.softmax(x)))")


STABLE = {
    f"{function.__name__} {form}": (function, form)
    for function in (ad.softmax, ad.log_softmax)
    for form in ("composed", "fused")
}


@pytest.mark.parametrize("name", STABLE)
@pytest.mark.parametrize("scale", [1.0, 1000.0, 1e-9])
@pytest.mark.parametrize("where", [None, np.array([True, True, False])])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nothing_is_said_about_stable_softmaxes(name, scale, where, dtype):
    function, form = STABLE[name]
    x = Tensor((LOGITS * scale).astype(dtype))
    for axis in (0, 1, None):
        mask = where if axis == 1 else None
        assert titles(function(x * 1.0, axis, beta=2.0, where=mask, form=form)) == []


@pytest.mark.parametrize("form", ["composed", "fused"])
@pytest.mark.parametrize(
    "options",
    [{}, {"weight": [1.0, 0.0, 2.0]}, {"label_smoothing": 0.1}, {"reduction": "sum"}, {"ignore_index": 0}],
)
def test_nothing_is_said_about_stable_losses(form, options):
    x = Tensor(LOGITS)
    assert titles(ad.cross_entropy(x, [0, 1], form=form, **options)) == []
    assert titles(ad.cross_entropy(x, np.full((2, 3), 1 / 3), form=form)) == []
    assert titles(ad.nll_loss(ad.log_softmax(x, form=form), [0, 1])) == []
    assert titles(ad.logsumexp(x)) == []


def test_nothing_is_said_about_an_ordinary_network(rng):
    W, b = Tensor(rng.normal(size=(4, 8)), "W"), Tensor(np.zeros(8), "b")
    V = Tensor(rng.normal(size=(8, 3)), "V")
    attention = ad.softmax(np.tanh(rng.normal(size=(5, 4)) @ W + b) @ V) @ rng.normal(size=(3, 3))
    assert titles(ad.cross_entropy(attention, [0, 1, 2, 0, 1]) + 0.01 * (W * W).sum()) == []


@pytest.mark.parametrize("op", SAMPLES)
def test_nothing_is_said_about_samples_of_ops(op):
    for sample in SAMPLES[op]:
        for y in leaves_of(sample.of(*sample.leaves())):
            if isinstance(y, Tensor):
                assert titles(y) == [], sample


def test_a_freed_a_stale_and_a_huge_graph_have_lints_too():
    x = Tensor([1.0, 2.0])
    y = np.log(ad.softmax(x)).sum()
    x.data += 1
    assert titles(y) == ["log(softmax)"]
    x = Tensor([1.0, 2.0])
    y = np.log(ad.softmax(x)).sum()
    y.backward(free_graph=True)
    assert titles(y) == []
    z = Tensor(1.0)
    for _ in range(5000):
        z = z * 1.0
    assert titles(z) == []
