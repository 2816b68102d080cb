"""explain: the ledger of a gradient, and the reason for every 0 and None."""

import gc
import weakref

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, explain
from autodiff.formulas import source_text
from autodiff.primitive import primitive, registry
from autodiff.rules import RULES, SLOPES
from autodiff.trees import leaves_of

from .samples import SAMPLES

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")


def kinds(explanation):
    return {zero.kind: zero.elements for zero in explanation.zeros}


# -- the ledger ------------------------------------------------------------------------------------------


def test_the_gradient_of_x_squared_plus_sin_x_is_the_sum_of_three_parts():
    x = Tensor(2.0, name="x")
    told = explain(x, x * x + np.sin(x))
    assert [(row.use, row.input, row.formula, row.numbers) for row in told.rows] == [
        ("multiply(a=x, b=x)", "a", "g * b", "1 * 2"),
        ("multiply(a=x, b=x)", "b", "g * a", "1 * 2"),
        ("sin(x)", "x", "g * cos(x)", "1 * cos(2)"),
    ]
    np.testing.assert_allclose([row.part for row in told.rows], [2.0, 2.0, -0.4161468365471424])
    np.testing.assert_allclose([row.share for row in told.rows], [0.55806, 0.55806, -0.11612], atol=1e-5)
    assert round(float(told.gradient), 12) == 3.583853163453
    assert str(told).splitlines()[:3] == [
        "The gradient of loss by x",
        "It is 3.584 at x = 2: the sum over 3 uses of x.",
        "     use                 its input  g arrives  rule        in numbers     part    share",
    ]
    assert "1, 2 multiply: a factor receives the gradient times the other factor." in str(told)


def test_the_parts_sum_to_the_gradient_of_backward(rng):
    W, b = Tensor(rng.normal(size=(4, 3)), "W"), Tensor(np.zeros(3), "b")
    hidden = np.tanh(rng.normal(size=(5, 4)) @ W + b)
    loss = ad.cross_entropy(hidden * hidden + hidden @ W.T[:3, :3], [0, 1, 2, 0, 1]) + (W * W).sum()
    loss.backward()
    for x in (W, b, hidden):
        told = explain(x, loss)
        np.testing.assert_allclose(sum(row.part for row in told.rows), told.gradient, rtol=1e-13)
        np.testing.assert_allclose(sum(row.share for row in told.rows), 1)
    assert explain(W, loss).gradient.tolist() == W.grad.tolist()
    assert explain(b, loss).gradient.tolist() == b.grad.tolist()
    assert [row.op for row in explain(W, loss).rows] == ["matmul", "transpose", "multiply", "multiply"]


def test_an_element_has_a_ledger_in_numbers():
    X = np.array([[1.0, 2.0], [3.0, -4.0]])
    W = Tensor(np.array([[0.5, 1.0], [0.25, 0.0]]), "W")
    told = explain(W, ((X @ W) * np.array([[1.0, 2.0], [3.0, 5.0]])).sum(), element=(1, 0))
    assert told.name == "W[1, 0]"
    assert told.gradient == 2 * 1 - 4 * 3
    assert told.rows[0].numbers == "2 * 1 + (-4) * 3"
    assert "It is -10 at W[1, 0] = 0.25" in str(told)


def test_a_long_sum_of_products_shows_the_largest():
    column = Tensor([[1.0]], "column")
    rows = np.array([[1.0], [7.0], [-2.0], [6.0], [-5.0], [4.0]])
    told = explain(column, (rows @ column).sum(), element=(0, 0))
    assert told.rows[0].numbers == "7 * 1 + 6 * 1 + (-5) * 1 + 4 * 1 + … 2 smaller"


def test_an_element_of_fused_cross_entropy_is_probability_minus_target_over_rows():
    logits = Tensor(np.log([[1.0, 1.0, 2.0], [1.0, 1.0, 1.0]]), "logits")
    told = explain(logits, ad.cross_entropy(logits, [2, 0]), element=(0, 2))
    assert told.rows[0].numbers == "(0.5 - 1) * 1 / 2"
    assert told.gradient == -0.25
    assert (
        explain(logits, ad.cross_entropy(logits, [2, 0]), element=(0, 0)).rows[0].numbers
        == "(0.25 - 0) * 1 / 2"
    )


def test_composed_cross_entropy_is_the_same_along_two_paths():
    logits = Tensor(np.log([[1.0, 1.0, 2.0]]), "logits")
    told = explain(logits, ad.cross_entropy(logits, [2], form="composed"), element=(0, 2), paths=True)
    assert told.path_count == 2
    np.testing.assert_allclose(
        sorted(path.part for path in told.paths), [-1.0, 0.5]
    )  # minus target, probability
    np.testing.assert_allclose(told.gradient, -0.5)


def test_softmax_and_log_softmax_have_numbers():
    logits = Tensor(np.log([1.0, 1.0, 2.0]), "logits")
    assert explain(logits, ad.softmax(logits)[2], element=2).rows[0].numbers == "0.5 * (1 - 0.5)"
    assert explain(logits, ad.log_softmax(logits)[0], element=2).rows[0].numbers == "0 - 0.5 * 1"
    assert explain(logits, logits.mean(), element=2).rows[0].numbers == "1 / 3"


def test_the_rule_of_a_softmax_counts_its_beta():
    logits = Tensor(np.log([1.0, 1.0, 2.0]) / 4, "logits")
    row = explain(logits, ad.softmax(logits, beta=4)[2], element=2).rows[0]
    assert (row.formula, row.numbers) == ("beta * y * (g - sum(g * y))", "4 * 0.5 * (1 - 0.5)")
    assert row.words.endswith("their weighted mean, times beta")
    row = explain(logits, ad.log_softmax(logits, beta=4)[0], element=2).rows[0]
    assert (row.formula, row.numbers) == ("beta * (g - exp(y) * sum(g))", "4 * (0 - 0.5 * 1)")
    assert row.words.endswith("their sum, times beta")


def test_a_part_of_a_repeated_input_is_a_sum_over_its_copies():
    b = Tensor([1.0, 2.0], "b")
    row = explain(b, (np.ones((3, 2)) + b).sum()).rows[0]
    assert row.formula == "sum of g"
    assert row.words == "the gradient passes unchanged, summed over the copies that made it (3, 2)"
    assert row.part.tolist() == [3.0, 3.0]


def test_lines_show_where_they_were_recorded():
    x = Tensor(2.0, "x")
    with ad.recording():
        y = x * x
    assert explain(x, y).rows[0].line.startswith("test_explanation.py, line ")
    assert explain(x, y).rows[0].line.endswith("y = x * x")
    assert "(test_explanation.py, line" in str(explain(x, y))


def test_names_come_from_a_dict_too():
    x, w = Tensor(2.0), Tensor(3.0)
    assert explain(x, x * w, names={"x": x, "weight": w}).rows[0].use == "multiply(a=x, b=weight)"


def test_an_interior_tensor_and_the_loss_itself_can_be_explained():
    x = Tensor(3.0, "x")
    square = (x * x).named("square")
    loss = square * 2 + np.sin(x)
    told = explain(square, loss)
    assert (told.gradient, [row.op for row in told.rows]) == (2.0, ["multiply"])
    assert "square.grad is None: it was computed; retain_grad() keeps it." in str(told)
    itself = explain(loss, loss)
    assert (itself.gradient, itself.rows) == (1.0, [])
    assert "is the loss itself, so this is the seed" in str(itself)


def test_a_seed_starts_the_pass():
    x = Tensor([1.0, 2.0], "x")
    assert explain(x, x * x, seed=[3.0, 5.0]).gradient.tolist() == [6.0, 20.0]
    with pytest.raises(ValueError, match="is no scalar"):
        explain(x, x * x)


def test_no_grad_is_touched_and_the_graph_can_die():
    x = Tensor([1.0, 2.0], "x")
    loss = (x * x).sum()
    loss.backward()
    before = x.grad
    told = explain(x, loss, paths=True)
    assert x.grad is before
    assert before.tolist() == [2.0, 4.0]
    end = weakref.ref(loss)
    del loss
    gc.collect()
    assert end() is None
    assert told.gradient.tolist() == [2.0, 4.0]


def test_grad_that_added_up_is_told():
    x = Tensor(3.0, "x")
    loss = x * x
    loss.backward()
    assert ".grad" not in str(explain(x, loss))
    loss.backward()
    assert "x.grad holds other numbers: it adds up over backward passes until x.grad = None." in str(
        explain(x, loss)
    )


def test_hooks_run_as_in_backward():
    x = Tensor(3.0, "x")
    y = x * x
    y.register_hook(lambda g: g * 10)
    told = explain(x, y * 2)
    assert told.gradient == 120.0
    assert "Hooks changed the gradient at: multiply" in str(told)


def test_cancellation_is_marked():
    x = Tensor(1.0, "x")
    told = explain(x, x * 1e6 - x * (1e6 - 1))
    assert told.gradient == 1.0
    assert round(told.cancels) == 1999999
    assert (
        "Cancellation: the parts are 2e+06 times as large as their sum, which may have lost 6 digits."
        in str(told)
    )
    assert explain(x, x * 3 - x).cancels is None


def test_a_gradient_with_nan_or_inf_points_to_find_nan():
    x = Tensor([0.0, 1.0], "x")
    told = explain(x, np.sqrt(x).sum())
    assert told.gradient.tolist() == [np.inf, 0.5]
    assert "The gradient has 1 inf: ad.find_nan(loss) names the op where the first was born." in str(told)


def test_a_name_of_several_lines_stays_on_one():
    x = Tensor(1.0, "a\nb\x00")
    assert str(explain(x, x * x)).splitlines()[0] == r"The gradient of loss by a\nb\x00"


def test_the_html_escapes_names():
    x = Tensor(1.0, "</script><img src=x onerror=alert(1)>")
    html = explain(x, x * x)._repr_html_()
    assert "<img" not in html
    assert "&lt;img" in html


# -- formulas --------------------------------------------------------------------------------------------


def test_a_formula_is_the_source_of_the_vjp():
    x = Tensor(2.0)
    assert source_text((x * x).vjps[1]) == "g * a"
    assert source_text(np.log1p(x).vjps[0]) == "g / (1 + x)"
    assert source_text(len) == ""


def test_an_op_of_your_own_has_its_formula_and_numbers(fresh_registry):
    @primitive()
    def thrice(x, /):
        """Three times x."""
        return 3 * x, lambda g, y, x: 3 * g

    x = Tensor(2.0, "x")
    row = explain(x, thrice(x)).rows[0]
    assert (row.formula, row.words) == ("3 * g", "the gradient times the slope of thrice: Three times x")


def test_an_op_without_source_still_has_a_ledger(fresh_registry):
    names = {}
    exec("def twice(x, /):\n    return 2 * x, lambda g, y, x: 2 * g\n", {}, names)
    x = Tensor(2.0, "x")
    row = explain(x, primitive()(names["twice"])(x)).rows[0]
    assert (row.formula, row.words, row.part) == ("", "the gradient times the slope of twice", 2.0)


def test_every_row_of_the_tables_of_rules_names_an_op():
    assert {*RULES, *SLOPES} <= set(registry)
    assert set(RULES) & set(SLOPES) == set()


@pytest.mark.parametrize("op", SLOPES)
def test_a_slope_in_the_table_is_the_slope_of_the_op(op):
    """The book's formula, worked out by Python, against the rule."""
    inputs = [np.array(1.3 if op == "arccosh" else 0.7), np.array(0.4)][: len(SLOPES[op])]
    leaves = [Tensor(x) for x in inputs]
    y = registry[op](*leaves)
    names = vars(np) | {"sigmoid": ad.sigmoid, "y": y.value}
    names |= dict(zip(("x",) if len(inputs) == 1 else ("a", "b"), inputs, strict=True))
    for place, leaf in enumerate(leaves):
        np.testing.assert_allclose(eval(SLOPES[op][place], names), ad.gradients(y, leaf), rtol=1e-14)
        assert explain(leaf, y).rows[0].words.endswith(f" is {SLOPES[op][place]}")


@pytest.mark.parametrize("op", SAMPLES)
def test_every_op_is_explained_to_the_last_digit(op):
    sample = SAMPLES[op][-1]
    leaves = sample.leaves()
    results = [y for y in leaves_of(sample.of(*leaves)) if isinstance(y, Tensor)]
    for x in leaves:
        y = results[0]
        seed = np.ones_like(y.value)
        told = explain(x, y, seed, paths=2)
        expected = ad.gradients(y, x, seed)
        np.testing.assert_array_equal(0 if told.gradient is None else told.gradient, expected)
        assert told.gradient is None or np.all(expected) == (told.zeros == [])
        assert "" not in [row.words for row in told.rows]


# -- why there is none -----------------------------------------------------------------------------------


def test_a_tensor_that_was_not_used_is_not_reached():
    x, y = Tensor(1.0, "x"), Tensor(2.0, "y")
    told = explain(x, y * y)
    assert told.gradient is None
    assert [(zero.kind, zero.words) for zero in told.zeros] == [
        (
            "not reached",
            "the loss was not computed from x, or through an array (t.data, float(t)); its leaves are: 'y'",
        )
    ]
    assert "There is none: the loss was not computed from x, or through an array" in str(told)


@pytest.mark.parametrize("name", ["w", None])
def test_a_new_tensor_under_the_old_name_is_another_one(name):
    w = Tensor([1.0, 2.5], name)
    loss = (w * w).sum()
    w = Tensor([1.0, 2.5], name)
    assert explain(w, loss).zeros[0].kind == "another tensor"
    assert ("'w', the leaf of shape (2,)" in str(explain(w, loss))) == (name == "w")


def test_a_name_rebound_by_an_update_is_no_leaf_of_the_loss():
    w = Tensor([1.0, 2.5], "w")
    loss = (w * w).sum()
    loss.backward()
    w = w - 0.1 * w.grad
    told = explain(w, loss)
    assert told.zeros[0].kind == "rebound"
    assert "the result of subtract, made after the leaf 'w'" in str(told)


def test_a_leaf_updated_in_place_makes_the_graph_stale():
    w = Tensor([1.0, 2.5], "w")
    loss = (w * w).sum()
    w.data -= 0.1
    assert kinds(explain(w, loss)) == {"stale": 2}
    assert (
        "its data was changed after the multiply of shape (2,) had used it" in explain(w, loss).zeros[0].words
    )


def test_a_tensor_newer_than_the_loss_is_too_new():
    y = Tensor(2.0, "y")
    loss = y * y
    assert explain(Tensor(3.0, "x"), loss).zeros[0].kind == "too new"


def test_a_freed_graph_says_so():
    x = Tensor(2.0, "x")
    loss = x * x
    loss.backward(free_graph=True)
    assert explain(x, loss).zeros[0].kind == "freed"


def test_arguments_turned_round_are_noticed():
    x = Tensor([2.0, 1.0], "x")
    told = explain((x * x).sum(), x)
    assert told.zeros[0].kind == "turned round"
    assert "the order is explain(x, loss)" in str(told)


@pytest.mark.parametrize("leave", [lambda t: t.data, lambda t: t.detach(), lambda t: t.numpy()])
def test_a_detached_value_is_found_where_it_entered(leave):
    x, w = Tensor([1.0, 2.5], "x"), Tensor([1.0, 1.0], "w")
    with ad.recording():
        loss = (w * leave(x)).sum()
    told = explain(x, loss)
    assert told.zeros[0].kind == "detached"
    assert told.zeros[0].words.startswith("input 2 of multiply is a constant with the value of 'x'")
    assert "loss = (w * leave(x)).sum()" in told.zeros[0].words


def test_a_single_number_that_left_by_item_is_found():
    x, w = Tensor(2.718, "x"), Tensor(1.0, "w")
    assert explain(x, w * x.item()).zeros[0].kind == "detached"


def test_a_value_detached_beside_a_path_is_told_as_well():
    x = Tensor([1.0, 2.5], "x")
    hidden = x * 2
    told = explain(x, (hidden * hidden.data).sum())
    assert told.gradient.tolist() == [4.0, 10.0]
    assert "The gradient stops here: input 2 of multiply is a constant with the value of the multiply" in str(
        told
    )


def test_a_constant_that_only_happens_to_be_equal_is_no_suspect():
    x = Tensor(2.0, "x")
    assert "stops here" not in str(explain(x, x * 2.0))
    ones = Tensor([1.0, 1.0], "ones")
    assert "stops here" not in str(explain(ones, (ones * np.ones(2)).sum()))


STEPS = {
    "np.floor(t)": lambda w, x: w * np.floor(x.data),
    "np.rint(t)": lambda w, x: w * np.rint(x.data),
    "np.sign(t)": lambda w, x: w * np.sign(x),
    "astype(int)": lambda w, x: w * x.data.astype(int),
    "a comparison": lambda w, x: np.where(x > 0, w, 0),
    "np.argmax": lambda w, x: w[np.argmax(x, axis=-1)],
    "np.argsort": lambda w, x: w[np.argsort(x)],
}


@pytest.mark.parametrize("step", STEPS)
def test_a_path_of_whole_numbers_is_named(step):
    x, w = Tensor([[1.7, -2.6], [0.2, 3.9]], "x"), Tensor([[1.0, 2.0], [3.0, 4.0]], "w")
    told = explain(x, STEPS[step](w, x).sum())
    assert told.zeros[0].kind == "integer path"
    assert step in told.zeros[0].words


# -- why it is 0 -------------------------------------------------------------------------------------------


def hooked(x):
    y = x * 2
    y.register_hook(lambda g: g * 0)
    return y.sum()


# kind: (loss of x, x, elements that are 0 for that reason)
ZEROS = {
    "dead ReLU": (lambda x: ad.relu(x).sum(), [-1.0, 2.0, 0.0], 2),
    "dead ReLU by maximum": (lambda x: np.maximum(x, 0).sum(), [-1.0, 2.0, 0.5], 1),
    "dead ReLU layer": (lambda x: ad.relu(x @ np.ones((3, 4)) - 9).sum(), [1.0, 2.0, 3.0], 3),
    "saturated": (lambda x: ad.sigmoid(x).sum(), [0.0, 1000.0, -1000.0], 2),
    "saturated tanh": (lambda x: np.tanh(x).sum(), [0.0, 1000.0, -1000.0], 2),
    "saturated softmax": (lambda x: ad.softmax(x)[0], [0.0, 1000.0], 2),
    "saturated cross-entropy": (lambda x: ad.cross_entropy(x, 1), [0.0, 1000.0], 2),
    "saturated logsumexp": (lambda x: ad.logsumexp(x), [0.0, 1000.0], 1),
    "saturated exp": (lambda x: np.exp(x).sum(), [0.0, -1000.0], 1),
    "saturated logaddexp": (lambda x: np.logaddexp(x, 0).sum(), [0.0, -1000.0], 1),
    "saturated op of any kind": (lambda x: ad.softplus(x).sum(), [0.0, -1000.0], 1),
    "multiplied by zero": (lambda x: (x * np.array([0.0, 1.0])).sum(), [1.0, 2.0], 1),
    "multiplied by zero in matmul": (lambda x: x @ np.array([0.0, 1.0]), [1.0, 2.0], 1),
    "multiplied by zero as a whole": (lambda x: ad.relu(x).sum() * 0, [-1.0, 2.0], 2),
    "multiplied by zero in prod": (lambda x: np.prod(x), [0.0, 0.0, 2.0], 3),
    "multiplied by zero in divide": (lambda x: (np.array([0.0, 1.0]) / x).sum(), [1.0, 2.0], 1),
    "not selected": (lambda x: np.where(x > 1, x * x, 0).sum(), [0.5, 2.0], 1),
    "not selected beside an infinite slope": (lambda x: np.where(x > 0, np.log(x), 0).sum(), [0.0, 2.0], 1),
    "not selected by getitem": (lambda x: x[1:].sum(), [0.5, 2.0], 1),
    "not selected by max": (lambda x: x.max(), [0.5, 2.0, 1.0], 2),
    "not selected by maximum": (lambda x: np.maximum(x, 1.0).sum(), [0.5, 2.0], 1),
    "not selected by a loss": (
        lambda x: ad.cross_entropy(x.reshape(2, 2), [1, -100]),
        [1.0, 2.0, 3.0, 4.0],
        2,
    ),
    "not selected by a mask": (
        lambda x: ad.softmax(x, where=np.array([True, True, False]))[0],
        [1.0, 2.0, 3.0],
        1,
    ),
    "not selected by a mask of mean": (
        lambda x: np.mean(x, where=np.array([True, True, False])),
        [1.0, 2.0, 3.0],
        1,
    ),
    "not selected by repeat": (lambda x: np.repeat(x, [2, 0]).sum(), [1.0, 2.0], 1),
    "not selected by einsum": (lambda x: np.einsum("ii->", x.reshape(2, 2)), [1.0, 2.0, 3.0, 4.0], 2),
    "clipped": (lambda x: np.clip(x, -1, 1).sum(), [0.5, 2.0, -3.0], 2),
    "cancelled": (lambda x: (x - x).sum(), [0.5, 2.0], 2),
    "cancelled in matmul": (lambda x: (x.reshape(2, 1) @ np.array([[1.0, -1.0]])).sum(), [0.5, 2.0], 2),
    "cancelled in a sum over copies": (
        lambda x: ((np.ones((2, 1)) - x) * np.array([[0.1], [-0.1]])).sum(),
        [0.5, 2.0],
        2,
    ),
    "cancelled in softmax": (lambda x: ad.softmax(x).sum(), [0.5, 2.0], 2),
    "underflow": (lambda x: (x * 1e-200 * 1e-200).sum(), [1.0, 2.0], 2),
    "underflow by sums": (lambda x: (x @ np.array([[1e-200], [2e-200]])).sum() * 1e-200, [1.0, 2.0], 2),
    "hook": (hooked, [1.0, 2.0], 2),
    "flat": (lambda x: np.square(x).sum(), [0.0, 2.0], 1),
    "flat std": (lambda x: np.std(x), [2.0, 2.0], 2),
    "checkpoint": (lambda x: ad.checkpoint(lambda x: ad.relu(x))(x).sum(), [-1.0, 2.0], 1),
}


@pytest.mark.parametrize("case", ZEROS)
def test_a_zero_has_its_reason(case):
    f, x, count = ZEROS[case]
    x = Tensor(x, "x")
    told = explain(x, f(x))
    kind = next(kind for kind in sorted(ZEROS, key=len) if case.startswith(kind))
    assert kinds(told) == {kind: count}
    assert np.count_nonzero(np.asarray(told.gradient) == 0) == count


def test_an_empty_result_is_a_reason():
    x = Tensor([1.0, 2.0], "x")
    assert kinds(explain(x, (x * np.zeros((0, 2))).sum())) == {"empty": 2}


def test_a_zero_seed_is_a_reason():
    x = Tensor([1.0, 2.0], "x")
    assert kinds(explain(x, x * 2, seed=[0.0, 1.0])) == {"zero seed": 1}


def test_a_dead_layer_says_how_many_of_how_many_and_on_which_line():
    W = Tensor(np.ones((2, 3)), "W")
    with ad.recording():
        hidden = ad.relu(np.array([[1.0, 2.0], [3.0, 4.0]]) @ W - 100)
    told = explain(W, hidden.sum())
    assert told.zeros[0].words.startswith(
        "6 of 6 inputs of relu were not above 0 (test_explanation.py, line "
    )
    assert "Why all 6 elements are 0:" in str(told)


def test_a_partly_zero_gradient_is_told_by_reason():
    x = Tensor([-1.0, 5.0, 0.5, 2.0], "x")
    told = explain(x, (np.clip(ad.relu(x), None, 1) * np.array([1.0, 1.0, 0.0, 1.0])).sum())
    assert told.gradient.tolist() == [0.0, 0.0, 0.0, 0.0]
    assert kinds(told) == {"clipped": 2, "dead ReLU": 1, "multiplied by zero": 1}
    told = explain(x, np.clip(ad.relu(x), None, 1).sum())
    assert told.gradient.tolist() == [0.0, 0.0, 1.0, 0.0]
    assert kinds(told) == {"clipped": 2, "dead ReLU": 1}
    assert "Why 3 of its 4 elements are exactly 0:" in str(told)


def test_an_element_has_its_own_reasons():
    x = Tensor([-1.0, 5.0], "x")
    loss = np.clip(ad.relu(x), None, 1).sum()
    assert [zero.kind for zero in explain(x, loss, element=0).zeros] == ["dead ReLU"]
    assert [zero.kind for zero in explain(x, loss, element=1).zeros] == ["clipped"]


def test_a_zero_that_one_use_silences_and_two_others_cancel_has_both_reasons():
    x = Tensor([-1.0], "x")
    assert kinds(explain(x, (ad.relu(x) + x * 2 - x * 2).sum())) == {"dead ReLU": 1, "cancelled": 1}


def test_a_reason_passes_through_a_reshape_a_transpose_and_a_matmul(rng):
    x = Tensor(rng.normal(size=(2, 3)), "x")
    mask = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    assert kinds(explain(x, (x.T * mask).sum())) == {"multiplied by zero": 2}
    rows = np.array([[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]])
    assert kinds(explain(x, ((np.eye(3) @ x.T) * rows).sum())) == {"multiplied by zero": 2}


# -- paths -------------------------------------------------------------------------------------------------


def test_paths_are_products_of_slopes():
    x = Tensor(3.0, "x")
    told = explain(x, (x * x) * 2 + x, paths=True)
    assert [(path.ops, path.slopes, float(path.part)) for path in told.paths] == [
        (("x", "multiply (a)", "multiply", "add"), (3.0, 2.0, 1.0), 6.0),
        (("x", "multiply (b)", "multiply", "add"), (3.0, 2.0, 1.0), 6.0),
        (("x", "add"), (1.0,), 1.0),
    ]
    assert told.gradient == sum(path.part for path in told.paths) == 13.0


def test_paths_of_arrays_sum_to_the_gradient(rng):
    x = Tensor(rng.normal(size=(3, 3)), "x")
    hidden = np.tanh(x @ x) + x
    told = explain(x, (hidden * hidden).sum(), paths=True)
    assert told.path_count == len(told.paths) == 6
    np.testing.assert_allclose(sum(path.part for path in told.paths), told.gradient, rtol=1e-13)


def test_a_chain_of_diamonds_shows_the_largest_of_its_paths():
    x = Tensor(1.0, "x")
    y = x
    for _ in range(30):
        y = y * 0.5 + y * 0.25
    told = explain(x, y, paths=3)
    assert told.path_count == 2**30
    assert [float(path.part) for path in told.paths] == [2.0**-30, 2.0**-31, 2.0**-31]
    assert "The 3 largest of 1,073,741,824 paths from x to loss" in str(told)
    assert "1,073,741,824 paths lead from x to loss; paths=True shows them." in str(explain(x, y))


# -- size and strangeness ------------------------------------------------------------------------------------


def test_a_chain_of_5000_ops_is_explained():
    x = Tensor(1.0, "x")
    y = x
    for _ in range(5000):
        y = y * 1.0
    told = explain(x, y, paths=True)
    assert told.gradient == 1.0
    assert len(told.paths[0].slopes) == 5000
    assert "… 4994 more …" in str(told)


def test_a_thousand_uses_show_the_largest_and_sum_the_others():
    x = Tensor(2.0, "x")
    y = x * 0.0
    for i in range(1000):
        y = y + x * float(i)
    told = explain(x, y)
    assert len(told.rows) == 1001
    assert told.gradient == 499500.0
    assert "990 smaller uses" in str(told)
    assert len(str(told).splitlines()) < 30


def test_empty_and_0d_arrays_are_explained():
    empty = Tensor(np.zeros((0, 3)), "empty")
    told = explain(empty, (empty * 2).sum(), paths=True)
    assert told.gradient.shape == (0, 3)
    assert told.zeros == []
    assert "It is empty (0, 3)" in str(told)
    scalar = Tensor(np.array(2.0), "x")
    assert explain(scalar, scalar**2, element=()).rows[0].numbers == "1 * 2 * 2 ** (2 - 1)"


def test_a_graph_of_gradients_is_explained():
    x = Tensor(3.0, "x")
    (slope,) = (ad.gradients(x * x * x, x, create_graph=True),)
    told = explain(x, slope, paths=True)
    assert told.gradient == 18.0
    assert sum(path.part for path in told.paths) == 18.0


def test_a_checkpoint_is_a_use_like_any_other():
    x = Tensor([3.0, 1.0], "x")
    told = explain(x, ad.checkpoint(lambda x: (x * x).sum())(x))
    assert told.gradient.tolist() == [6.0, 2.0]
    assert [row.op for row in told.rows] == ["gather_inputs"]
    assert "stops here" not in str(explain(x, ad.checkpoint(lambda x: x * x)(x).sum()))


def test_what_is_no_tensor_is_refused_with_the_way_out():
    x = Tensor(1.0)
    with pytest.raises(
        TypeError, match=r"explain: x is a Tensor, not ndarray; .* inside no_grad has no graph"
    ):
        explain(np.ones(2), x)
    with pytest.raises(TypeError, match="explain: loss is a Tensor, not float"):
        explain(x, 1.0)
    with pytest.raises(IndexError, match=r"no element \(2, 0\) in a tensor of shape \(2, 2\)"):
        explain(Tensor(np.ones((2, 2))), x, element=(2, 0))
    with pytest.raises(TypeError, match="explain: names= is a dict"):
        explain(x, x * x, names=[x])
    for paths in (-1, 1.5, "a"):
        with pytest.raises(ValueError, match="explain: paths is True, or how many of them to show, not "):
            explain(x, x * x, paths=paths)


def test_lints_show_in_the_report():
    x = Tensor([1.0, 2.0], "x")
    told = explain(x, np.log(ad.softmax(x))[0])
    assert [lint.title for lint in told.lints] == ["log(softmax)"]
    assert "Lint, log(softmax): a probability that rounds to 0 has the logarithm -inf" in str(told)


def test_of_a_layer_that_lives_the_dead_units_are_named():
    X, W = (
        np.array([[1.0, 2.0], [3.0, 1.0], [0.5, 1.0]]),
        Tensor([[1.0, -1.0, 0.5], [0.5, -2.0, -0.5]], name="W"),
    )
    loss = ad.relu(X @ W).sum()
    (zero,) = explain(W, loss, element=(0, 1)).zeros
    assert zero.words == "5 of 9 inputs of relu were not above 0, all 3 of column 1"
    (both,) = explain(W, ad.relu(X @ W - np.array([0, 0, 9.0])).sum()).zeros
    assert both.words.endswith("were not above 0, all 3 of each of the columns 1, 2")
    (all_of_them,) = explain(W, ad.relu(X @ W - 99).sum()).zeros
    assert all_of_them.words == "9 of 9 inputs of relu were not above 0"


def test_a_weight_behind_a_dead_unit_is_multiplied_by_zeros():
    W = Tensor([[1.0], [2.0]], name="W")
    (zero,) = explain(W, (np.array([[0.0, 1.0], [0.0, 3.0]]) @ W).sum()).zeros
    assert zero.kind == "multiplied by zero"
    assert zero.words.startswith("matmul multiplies it by nothing but zeros in 1 of 2 elements")


@pytest.mark.parametrize("element", ["a", 1.0, slice(0, 1), (0, None)])
def test_an_element_is_an_index(element):
    with pytest.raises(TypeError, match="the index of one element of x"):
        explain(Tensor([1.0, 2.0]), Tensor([1.0]).sum(), element=element)


def test_numbers_that_do_not_give_the_part_are_not_shown():
    x = Tensor([1.0, 100.0], name="x")
    assert explain(x, np.tanh(x).sum(), element=0).rows[0].numbers == "1 * (1 - 0.7616 ** 2)"
    row = explain(x, np.tanh(x).sum(), element=1).rows[0]
    assert row.part == pytest.approx(4 * np.exp(-200.0))  # and not 1 - 1 ** 2
    assert row.numbers == ""
