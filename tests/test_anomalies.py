"""Where a NaN or an infinity was born, how, and what to write instead; afterwards, and as it happens."""

import asyncio
import threading

import numpy as np
import pytest

import autodiff as ad
from autodiff import StaleGraphError, Tensor, detect_anomaly, find_nan, grad, gradients, hvp, jvp
from autodiff.ambient import ambient
from autodiff.anomalies.mechanisms import of_arrays

from .samples import every_sample

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*(encountered in|empty slice|Degrees of freedom):RuntimeWarning"
)
INF, NAN = np.inf, np.nan


def first(f, *xs, seed=None):
    """The oldest birth in f's graph at leaves of these numbers."""
    found = find_nan(f(*map(Tensor, xs)), seed=seed).first
    assert found is not None
    return found


def half(*numbers):
    return np.array(numbers, np.float16)


# -- forward -------------------------------------------------------------------------------------------

# What is computed, at which x; the first birth as "op index x count value: mechanism"; a part of the advice.
FORWARD = {
    "exp": (lambda x: np.exp(x).sum(), [0.0, 710.0], "exp (1,) x1 inf: overflow in exp", "709.78"),
    "naive softmax": (
        lambda x: ad.softmax(x, form="naive")[0],
        [0.0, 1.0, 710.0],
        "exp (2,) x1 inf: overflow in exp",
        "ad.softmax(x)",
    ),
    "log of a sum of exp": (
        lambda x: np.log(np.exp(x).sum()),
        [800.0, 900.0],
        "exp (0,) x2 inf: overflow in exp",
        "ad.logsumexp(x)",
    ),
    "log of exp + exp": (
        lambda x: np.log(np.exp(x) + np.exp(0.0)).sum(),
        [800.0],
        "exp (0,) x1 inf: overflow in exp",
        "np.logaddexp",
    ),
    "log1p of exp": (
        lambda x: np.log1p(np.exp(x)).sum(),
        [800.0],
        "exp (0,) x1 inf: overflow in exp",
        "ad.softplus(x)",
    ),
    "0/0": (lambda x: (x / np.zeros(2)).sum(), [0.0, 1.0], "divide (0,) x2 nan: 0 / 0", "where(d == 0"),
    "x/0": (lambda x: (1 / x).sum(), [[1.0, 0.0]], "divide (0, 1) x1 inf: x / 0", "where(d == 0"),
    "inf/inf": (
        lambda x: (np.where(x > 0, INF, x) / np.array([INF, 1.0])).sum(),
        [1.0, -1.0],
        "divide (0,) x1 nan: inf / inf",
        "logarithms",
    ),
    "division": (
        lambda x: (x / 1e-300).sum(),
        [1.0, 1e10],
        "divide (1,) x1 inf: overflow in divide",
        "scale",
    ),
    "inf - inf": (
        lambda x: (np.where(x > 0, INF, x) - np.where(x > 0, INF, 0)).sum(),
        [-1.0, 1.0],
        "subtract (1,) x1 nan: inf - inf",
        "np.where",
    ),
    "0 * inf": (
        lambda x: (np.where(x > 0, x, -INF) * np.array([1.0, 0.0])).sum(),
        [1.0, -1.0],
        "multiply (1,) x1 nan: 0 * inf",
        "np.where(mask, x, 0)",
    ),
    "log of 0": (lambda x: np.log(x).sum(), [2.0, 0.0, 0.0], "log (1,) x2 -inf: log of 0", "np.log(x + eps)"),
    "log of a mask": (
        lambda x: (np.array([0.0, 1.0]) * np.log(x)).sum(),
        [0.0, 1.0],
        "log (0,) x1 -inf: log of 0",
        "instead of mask * x",
    ),
    "log of softmax": (
        lambda x: np.log(ad.softmax(x))[1],
        [800.0, 0.0],
        "log (1,) x1 -inf: log of 0",
        "ad.log_softmax(x)",
    ),
    "log of composed softmax": (
        lambda x: np.log(ad.softmax(x, form="composed"))[1],
        [800.0, 0.0],
        "log (1,) x1 -inf: log of 0",
        "ad.log_softmax(x)",
    ),
    "log of an element of softmax": (
        lambda x: np.log(ad.softmax(x[None])[0, 1]),
        [800.0, 0.0],
        "log () x1 -inf: log of 0",
        "ad.log_softmax(x)",
    ),
    "log of sigmoid": (
        lambda x: np.log(ad.sigmoid(x)),
        -800.0,
        "log () x1 -inf: log of 0",
        "ad.log_sigmoid(x)",
    ),
    "log(1 - p)": (lambda p: np.log(1 - p), 1.0, "log () x1 -inf: log of 0", "np.log(1 - p + eps)"),
    "log(1 - sigmoid)": (
        lambda x: np.log(1 - ad.sigmoid(x)),
        50.0,
        "log () x1 -inf: log of 0",
        "ad.log_sigmoid(-x) for log(1 - sigmoid(x))",
    ),
    "log1p": (lambda x: np.log1p(x), -1.0, "log1p () x1 -inf: log of 0", "eps"),
    "log of a negative": (
        lambda x: np.log(x).sum(),
        [1.0, -0.5],
        "log (1,) x1 nan: log of a negative number",
        "ad.softplus(x)",
    ),
    "root of a negative": (
        lambda x: np.sqrt(x).sum(),
        [4.0, -4.0],
        "sqrt (1,) x1 nan: the square root of a negative number",
        "np.maximum(x, 0)",
    ),
    "root of a difference": (
        lambda x: np.sqrt(np.mean(x) - 2.0),
        [1.0],
        "sqrt () x1 nan: the square root of a negative number",
        "np.var(x)",
    ),
    "fractional power": (
        lambda x: (x**0.5).sum(),
        [-2.0],
        "power (0,) x1 nan: a fractional power of a negative number",
        "np.abs(x)**p",
    ),
    "negative power": (
        lambda x: (x**-1.0).sum(),
        [2.0, 0.0],
        "power (1,) x1 inf: 0 to a negative power",
        "where(x > 0",
    ),
    "squares before a root": (
        lambda x: np.sqrt((x * x).sum()),
        [3e200, 4e200],
        "multiply (0,) x2 inf: overflow in multiply",
        "np.hypot(a, b)",
    ),
    "matmul, 0 * inf": (
        lambda x: np.where(x > 0, x, -INF) @ np.array([[3.0, 1.0], [1.0, 0.0]]) @ np.array([0.0, 1.0]),
        [1.0, -1.0],
        "matmul (1,) x1 nan: 0 * inf in a sum of products",
        "np.where(mask, x, 0)",
    ),
    "sum, inf - inf": (
        lambda x: np.sum(x * np.array([INF, INF])),
        [1.0, -1.0],
        "sum () x1 nan: inf - inf in a sum",
        "np.where",
    ),
    "matmul, overflow": (
        lambda x: (np.ones((2, 2)) @ x)[1],
        [1e308, 1e308],
        "matmul (1,) x1 inf: overflow of a sum of products",
        "scale",
    ),
    "a row of -inf": (
        lambda x: ad.softmax(np.where(x > 5, x, -INF))[1].sum(),
        [[9.0, 1.0], [1.0, 2.0]],
        "softmax (1, 0) x2 nan: 0 / 0: a row of nothing but -inf",
        "where=mask",
    ),
    "cast to float16": (
        lambda x: x.astype(np.float16).sum(),
        [1.0, 70000.0],
        "astype (1,) x1 inf: overflow of a cast to float16",
        "wider dtype",
    ),
    "cast to float32": (
        lambda x: x.astype(np.float32).sum(),
        [1e39],
        "astype (0,) x1 inf: overflow of a cast to float32",
        "wider dtype",
    ),
    "sum": (lambda x: np.sum(x), half(4e4, 4e4), "sum () x1 inf: overflow of a sum", "wider dtype"),
    "sums of rows": (
        lambda x: np.sum(x, axis=1).max(),
        half(1, 2, 4e4, 4e4).reshape(2, 2),
        "sum (1,) x1 inf: overflow of a sum",
        "wider dtype",
    ),
    "prod": (lambda x: np.prod(x), [1e200, 1e200], "prod () x1 inf: overflow in prod", "logarithms"),
    "var": (lambda x: np.var(x), [1e200, -1e200], "var () x1 inf: overflow of the squares in var", "scale"),
    "std of one": (
        lambda x: np.std(x, ddof=1),
        [3.0],
        "std () x1 nan: 0 / 0: std of 1 elements with ddof=1",
        "count",
    ),
    "mean of nothing": (
        lambda x: np.mean(x[:0]),
        [3.0],
        "mean () x1 nan: 0 / 0: mean of no elements",
        "np.maximum(count, 1)",
    ),
    "a singular matrix": (
        lambda x: np.linalg.slogdet(x * np.ones((2, 2)))[1],
        1.0,
        "logabsdet () x1 -inf: a singular matrix, or nearly",
        "np.linalg.pinv",
    ),
    "einsum of three": (
        lambda x: np.einsum("i,i,i->", x, x, x),
        [1.0, 1e200],
        "einsum () x1 inf: overflow in einsum",
        "scale",
    ),
    "sin": (
        lambda x: np.sin(np.where(x > 0, INF, x)).sum(),
        [1.0, -1.0],
        "sin (0,) x1 nan: sin of an infinity",
        "np.where",
    ),
    "arcsin": (
        lambda x: np.arcsin(x).sum(),
        [1.0, 1.5],
        "arcsin (1,) x1 nan: arcsin outside [-1, 1]",
        "np.clip(x, -1, 1)",
    ),
    "arctanh": (
        lambda x: np.arctanh(x),
        1.0,
        "arctanh () x1 inf: arctanh at 1, where it is infinite",
        "np.clip",
    ),
    "log2": (lambda x: np.log2(x - 1.0), 1.0, "log2 () x1 -inf: log of 0", "np.log(x + eps)"),
    "remainder": (lambda x: np.remainder(x, 0.0), 1.0, "remainder () x1 nan: remainder by 0", "where(d == 0"),
    "logsumexp": (
        lambda x: ad.logsumexp(x, b=[1.0, -2.0]),
        [0.0, 0.0],
        "logsumexp () x1 nan: log of a negative number: the factors b make the sum negative",
        "positive",
    ),
}


@pytest.mark.parametrize("name", FORWARD)
def test_a_birth_in_the_forward_pass_is_named(name):
    f, x, birth, advice = FORWARD[name]
    found = first(f, x)
    assert found.phase == "forward"
    assert f"{found.op} {found.index} x{found.count} {found.value}: {found.mechanism}" == birth
    assert advice in found.advice


def test_the_numbers_are_the_operands_of_that_element():
    found = first(lambda x: np.exp(x).sum(), [0.0, 710.0])
    assert found.numbers == {"x": 710.0}
    assert "  its input x  710\n" in str(find_nan(np.exp(Tensor(710.0, name="logits"))))
    found = first(lambda x, y: (x / y).sum(), [[1.0], [2.0]], [4.0, 0.0])
    assert (found.index, found.count, found.numbers) == ((0, 1), 2, {"a": 1.0, "b": 0.0})
    found = first(lambda x: (np.ones((2, 2)) @ x)[1], [1e308, 1.5e308])
    assert {key: x.tolist() for key, x in found.numbers.items()} == {"a": [1.0, 1.0], "b": [1e308, 1.5e308]}


def test_an_infinity_is_the_birth_and_the_nan_it_makes_is_a_step_of_the_path():
    found = first(lambda x: ad.softmax(x, form="naive")[2], [1000.0, 0.0, 1000.0])
    assert found.path[:4] == ("exp[0] = inf", "sum[0] = inf", "divide[2] = nan   inf / inf", "getitem = nan")


def test_products_that_overflow_both_ways_cancel_to_nan():
    """Asked by itself: whether BLAS gives inf or NaN there depends on the machine."""
    big = np.array([1e200, 1e200])
    assert (
        of_arrays("matmul", NAN, [big, big * [1, -1]], {}) == "inf - inf in a sum of products that overflow"
    )
    assert of_arrays("matmul", INF, [big, big], {}) == "overflow of a product"


def test_births_are_listed_by_age_and_counted():
    def f(x):
        late = np.sqrt(x - 3.0)
        return late.sum() + np.log(x - 1.5).sum()

    report = find_nan(f(Tensor([1.0, 2.0])))
    assert [(row.op, row.index, row.count) for row in report.rows] == [("sqrt", (0,), 2), ("log", (0,), 1)]
    assert "Born later, of other causes: 1" in str(report)


def test_an_element_that_nothing_comes_of_is_not_told():
    """Of row 0's NaN and row 1's overflow the loss uses row 1."""
    x = Tensor(np.array([[NAN, 1.0], [1e308, 1e308]]))
    found = find_nan(np.sum(x, axis=1)[1])
    assert [(row.phase, row.op, row.index) for row in found.rows] == [("forward", "sum", (1,))]


# -- backward ------------------------------------------------------------------------------------------

# As above, for an input's gradient.
BACKWARD = {
    "root at 0": (
        lambda x: np.sqrt(x).sum(),
        [4.0, 0.0],
        "sqrt (1,) x1 inf: sqrt's slope at 0 is infinite",
        "np.sqrt(x + eps)",
    ),
    "0 * inf": (
        lambda x: (np.sqrt(x) ** 2).sum(),
        [4.0, 0.0],
        "sqrt (1,) x1 nan: 0 * inf: sqrt's slope at 0 is infinite, and a gradient of 0 arrives",
        "np.where(ok",
    ),
    "power": (lambda x: (x**0.5).sum(), [0.0], "power (0,) x1 inf: power's slope at 0 is infinite", "eps"),
    "exponent": (
        lambda y: (np.array([2.0, -2.0]) ** y).sum(),
        [3.0, 3.0],
        "power (1,) x1 nan: log of a negative number, in the slope of power by its exponent",
        "constant",
    ),
    "behind a matmul": (
        lambda x: (np.sqrt(x) @ np.eye(2))[1],
        [0.0, 4.0],
        "sqrt (0,) x1 nan: 0 * inf: sqrt's slope at 0 is infinite, and a gradient of 0 arrives",
        "The getitem after it cannot help: matmul in between mixes elements",
    ),
    "cast": (
        lambda x: (x.astype(np.float64) * 1e5).sum(),
        half(1, 1),
        "astype (0,) x2 inf: overflow of a cast to float16",
        "scale the loss",
    ),
    "copies": (
        lambda x: (x * np.full(3000, 50, np.float16)).astype(np.float64).sum(),
        np.float16(1),
        "multiply () x1 inf: overflow of the sum over broadcast copies",
        "wider dtype",
    ),
    "a root's guard": (
        lambda x: np.arcsin(x),
        1.0,
        "arcsin () x1 inf: arcsin's slope at 1 is infinite",
        "clip",
    ),
    "matmul": (
        lambda x: (x @ np.array([1e300, 1.0])) * 1e300,
        [1e-300, 1.0],
        "matmul (0,) x1 inf: overflow in the rule of matmul",
        "scale",
    ),
    "matmul's cast": (
        lambda x: x @ np.array([1e5, 1.0]),
        half(1e-4, 1.0),
        "matmul (0,) x1 inf: overflow of a cast to float16",
        "scale the loss",
    ),
    "overflow": (
        lambda x: (x * 1e300).sum() * 1e300,
        [1e-300],
        "multiply (0,) x1 inf: overflow of the gradient in the rule of multiply",
        "scale",
    ),
}


@pytest.mark.parametrize("name", BACKWARD)
def test_a_birth_in_the_backward_pass_is_named(name):
    f, x, birth, advice = BACKWARD[name]
    report = find_nan(f(Tensor(x)))
    found = report.first
    assert report.loss
    assert (found.phase, found.place) == ("backward", 1 if name == "exponent" else 0)
    assert f"{found.op} {found.index} x{found.count} {found.value}: {found.mechanism}" == birth
    assert advice in found.advice


def test_a_where_beyond_a_matmul_does_not_help_and_one_before_it_does():
    c = np.array([False, True])
    found = first(lambda x: np.where(c, np.sqrt(x) @ np.eye(2), 0).sum(), [0.0, 4.0])
    assert (found.op, found.mechanism[:7]) == ("sqrt", "0 * inf")
    assert "The where after it cannot help" in found.advice
    assert not find_nan((np.where(c, np.sqrt(Tensor([0.0, 4.0])), 0) @ np.eye(2)).sum())


def test_the_leaves_that_are_spoiled_are_counted_and_the_path_leads_there():
    x, w, other = Tensor([0.0, 4.0], name="x"), Tensor([2.0, 2.0], name="w"), Tensor(3.0, name="other")
    report = find_nan(np.sqrt(x * w).sum() * other)
    assert report.first.poisons == report.leaves == {"x": 1, "w": 1}
    assert report.first.path == ("backward of sqrt: inf to multiply[0]", "gradient of x[0] = inf")
    assert report.first.numbers == {"x": 0.0, "arriving gradient": 3.0, "slope": INF}


def test_contributions_that_overflow_together_are_a_birth():
    x = Tensor(half(1e-4, 1e-4), name="x")
    y = x * np.float16(1)
    found = find_nan((y * np.float16(4e4) + y * np.float16(4e4)).astype(np.float64).sum()).first
    assert (found.phase, found.op, found.index, found.count) == ("sum", "multiply", (0,), 2)
    assert found.mechanism == "overflow of the sum of its contributions"
    assert found.numbers == {"contribution 1": 4e4, "contribution 2": 4e4}


def test_an_infinity_that_only_the_backward_pass_meets_counts():
    report = find_nan((1 / (1 + np.exp(Tensor([0.0, 800.0], name="x")))).sum())
    assert report.loss
    assert (report.first.phase, report.first.op, report.first.index) == ("forward", "exp", (1,))
    assert report.first.path == ("exp[1] = inf", "backward of exp: nan to x[1]")
    assert "ad.sigmoid(x)" in report.first.advice


def test_a_hook_and_a_seed_that_bring_a_nan_are_named():
    x = Tensor([1.0, 2.0], name="x")
    y = (x * 3).named("y")
    handle = y.register_hook(lambda g: g * np.array([1.0, NAN]))
    found = find_nan(y.sum()).first
    assert (found.phase, found.name, found.index, found.mechanism) == (
        "hook",
        "y",
        (1,),
        "the hook returned it",
    )
    handle.remove()
    found = find_nan(y, seed=[INF, 1.0]).first
    assert (found.phase, found.index, found.value) == ("seed", (0,), INF)
    assert found.poisons == {"x": 1}


def test_a_hook_on_a_leaf_is_named():
    x = Tensor(2.0, name="x")
    x.register_hook(lambda g: g / 0.0)
    assert find_nan(x * x).first.phase == "hook"


# -- what came in, and what does no harm ----------------------------------------------------------------


def test_what_a_leaf_or_a_constant_holds_came_in():
    found = first(lambda x: (x * 2).sum(), [1.0, NAN])
    assert (found.phase, found.op, found.index, found.mechanism) == (
        *("input", "leaf", (1,)),
        "it was there already, in this leaf's data",
    )
    found = first(lambda x: (x * np.array([1.0, NAN])).sum(), [1.0, 2.0])
    assert (found.phase, found.op, found.place, found.index) == ("input", "multiply", 1, (1,))
    assert found.path == ("constant[1] = nan", "multiply[1] = nan", "sum = nan")
    found = first(lambda x: x * 2, INF)
    assert (found.phase, found.value) == ("input", INF)


MASK = np.array([[True, False, True], [False, False, False]])
LOGITS = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


@pytest.mark.parametrize("form", ["naive", "composed", "fused"])
def test_masks_before_a_softmax_do_no_harm(form):
    x = Tensor(LOGITS)
    ones = np.ones((2, 3))
    assert not find_nan(ad.softmax(x, where=MASK, form=form), seed=ones)
    assert not find_nan(ad.softmax(np.where(MASK | [[False], [True]], x, -INF), form=form), seed=ones)
    assert not find_nan(ad.log_softmax(x, where=MASK, form=form), seed=np.where(MASK, 1.0, 0.0))
    assert not find_nan(ad.cross_entropy(np.where(MASK | [[False], [True]], x, -INF), [0, 1], form=form))
    with detect_anomaly():
        ad.softmax(x, where=MASK, form=form).backward(ones)
        ad.log_softmax(x, where=MASK, form=form).backward(np.where(MASK, 1.0, 0.0))
        ad.cross_entropy(np.where(MASK | [[False], [True]], x, -INF), [0, 1], form=form).backward()


def test_a_masked_logarithm_times_0_is_the_products_fault():
    found = first(lambda x: (ad.log_softmax(x, where=MASK[0]) * np.array([1.0, 0.0, 0.0])).sum(), LOGITS[0])
    assert (found.op, found.index, found.mechanism) == ("multiply", (1,), "0 * inf")


def test_what_is_not_selected_is_harmless():
    x = Tensor([0.0, -1.0, 2.0])
    report = find_nan(np.where(x > 0, np.log(x), 0).sum())
    assert not report
    assert report.first is None
    assert report.harmless == 1
    assert "No NaN and no infinity" in str(report)
    assert "Harmless: 1 node holds" in str(report)


@every_sample
def test_there_is_no_false_alarm(sample):
    with detect_anomaly():
        y = sample.of(*sample.leaves())
        if isinstance(y, Tensor):
            y.backward(np.ones(y.shape))
    if isinstance(y, Tensor):
        assert str(find_nan(y, seed=np.ones(y.shape))).startswith("No NaN and no infinity")


# -- the report, and the graph it looks at ----------------------------------------------------------------


def test_looking_changes_no_grad_and_runs_nothing_again(fresh_registry):
    calls = []

    @ad.primitive()
    def counted_root(x, /):
        calls.append(1)
        return np.sqrt(x), lambda g, y, x: g / (2 * y)

    x = Tensor([0.0, 1.0])
    x.grad = [5.0, 5.0]
    loss = counted_root(x).sum()
    found = find_nan(loss).first
    assert calls == [1]
    assert x.grad.tolist() == [5.0, 5.0]
    assert (found.op, found.index) == ("counted_root", (0,))


def test_the_line_is_named_where_it_was_recorded():
    x = Tensor([0.0, 1.0])
    with ad.recording():
        loss = np.log(x).sum()  # this line
    assert first(lambda x: np.log(x).sum(), [0.0]).line is None
    assert "test_anomalies.py" in find_nan(loss).first.line
    assert "loss = np.log(x).sum()  # this line" in find_nan(loss).first.line


def test_the_report_shows_itself_and_names_are_only_text():
    x = Tensor([0.0], name="<img src=x>")
    html = find_nan(np.log(x).sum())._repr_html_()
    assert "&lt;img src=x&gt;" in html
    assert "<img" not in html
    assert "log of 0" in html


def test_a_loss_that_is_no_scalar_is_searched_forward():
    report = find_nan(np.log(Tensor([1.0, 0.0])))
    assert report.first.op == "log"
    assert "seed=array" in report.note
    assert not find_nan(np.log(Tensor([1.0, 2.0])))


def test_what_has_no_graph_is_refused():
    with pytest.raises(TypeError, match="find_nan: takes the Tensor"):
        find_nan(np.ones(2))
    x = Tensor([1.0, 2.0])
    loss = (x * x).sum()
    loss.backward(free_graph=True)
    with pytest.raises(RuntimeError, match="freed"):
        find_nan(loss)
    loss = (x * x).sum()
    x.data -= 1.0
    with pytest.raises(StaleGraphError):
        find_nan(loss)


def test_a_rule_that_raises_leaves_the_forward_births(fresh_registry):
    @ad.primitive()
    def fussy(x, /):
        def refuse(g, y, x):
            raise np.linalg.LinAlgError("not with a NaN")

        return x * 1.0, refuse

    report = find_nan(fussy(np.log(Tensor(0.0))))
    assert report.first.op == "log"
    assert report.note == "The backward pass raised LinAlgError: not with a NaN"


def test_a_long_chain_is_searched_without_recursion():
    y = np.log(Tensor([1.0, 0.0]))
    for _ in range(5000):
        y = y * 1.0
    report = find_nan(y.sum())
    assert report.first.op == "log"
    assert len(report.first.path) == 13
    assert "... 4990 more ..." in report.first.path


def test_nothing_and_a_number_are_searched_too():
    assert not find_nan(np.exp(Tensor(np.zeros(0))).sum())
    assert first(np.log, 0.0).index == ()


@pytest.mark.parametrize(("dtype", "x"), [(np.float16, 12.0), (np.float32, 89.0), (np.float64, 710.0)])
def test_exp_overflows_where_the_dtype_ends(dtype, x):
    assert first(np.exp, dtype(x)).mechanism == "overflow in exp"
    assert not find_nan(np.exp(Tensor(dtype(x - 2))))


def test_a_checkpoint_is_told_as_one_op():
    found = first(ad.checkpoint(lambda x: np.log(x).sum()), [0.0, 1.0])
    assert (found.phase, found.op) == ("forward", "recompute")
    found = first(ad.checkpoint(lambda x: np.sqrt(x).sum()), [0.0, 1.0])
    assert (found.phase, found.op, found.poisons) == ("backward", "recompute", {"leaf 1 of shape (2,)": 1})
    assert "detect_anomaly" in found.advice


# -- as it happens -----------------------------------------------------------------------------------------


def raised(run):
    """The report of the error that `run` raises inside detect_anomaly."""
    with detect_anomaly(), pytest.raises(FloatingPointError) as caught:
        run()
    assert str(caught.value.report) == str(caught.value)
    return caught.value.report


def test_a_nan_raises_right_after_its_op():
    reached = []

    def run():
        y = np.sqrt(Tensor([4.0, -4.0]))
        reached.append(y)

    found = raised(run).first
    assert reached == []
    assert (found.op, found.index, found.mechanism) == ("sqrt", (1,), "the square root of a negative number")
    assert "y = np.sqrt(Tensor([4.0, -4.0]))" in found.line


def test_an_infinity_raises_once_a_nan_comes_of_it():
    found = raised(lambda: ad.softmax(Tensor([1000.0, 0.0]), form="naive")).first
    assert (found.op, found.mechanism, found.path[-1]) == (
        "exp",
        "overflow in exp",
        "divide[0] = nan   inf / inf",
    )
    with detect_anomaly():
        assert np.exp(Tensor(1000.0)).item() == INF


def test_an_infinite_loss_raises_as_its_backward_pass_starts():
    x = Tensor([0.0, 1.0])
    assert raised(lambda: np.log(x).sum().backward()).first.mechanism == "log of 0"
    assert x.grad is None


def test_a_gradient_raises_right_after_its_rule():
    x = Tensor([0.0, 1.0], name="x")
    seen = []

    def run():
        y = x * 1.0
        y.register_hook(seen.append)
        np.sqrt(y).sum().backward()

    report = raised(run)
    assert (report.first.phase, report.first.op, report.first.index) == ("backward", "sqrt", (0,))
    assert "np.sqrt(y).sum().backward()" in report.first.line
    assert report.note == "It was on its way to the gradients of 'x'."
    assert seen == []
    assert x.grad is None


@pytest.mark.parametrize("free_graph", [False, True])
def test_what_comes_behind_a_rule_is_told_while_it_is_there(free_graph):
    x = Tensor([0.0, 4.0])
    found = raised(lambda: (np.sqrt(x) @ np.eye(2))[1].backward(free_graph=free_graph)).first
    assert (found.op, found.index, found.mechanism[:7]) == ("sqrt", (0,), "0 * inf")
    assert ("The getitem after it cannot help" in found.advice) is not free_graph


def test_a_graph_from_before_the_block_is_looked_at_in_the_backward_pass():
    loss = (1 / (1 + np.exp(Tensor([0.0, 800.0])))).sum()
    assert raised(loss.backward).first.op == "exp"


def test_a_hook_a_seed_and_a_sum_raise_too():
    x = Tensor([1.0, 2.0])
    y = x * 3
    assert raised(lambda: y.backward([NAN, 1.0])).first.phase == "seed"
    y.register_hook(lambda g: g * NAN)
    assert raised(lambda: y.sum().backward()).first.phase == "hook"
    z = Tensor(half(1e-4)) * np.float16(1)
    total = (z * np.float16(4e4) + z * np.float16(4e4)).astype(np.float64).sum()
    assert raised(total.backward).first.phase == "sum"


def test_writing_into_a_leaf_between_the_passes_raises():
    x = Tensor([1.0, 2.0], name="x")
    with detect_anomaly():
        loss = (x * x).sum()
        x.data[1] = 5.0
        with pytest.raises(StaleGraphError, match=r"used 'x'.*element \[1\] was 2.0 and now is 5.0"):
            loss.backward()
    loss = (x * x).sum()
    x.data[1] = 7.0
    loss.backward()  # it cannot be seen for free
    assert x.grad.tolist() == [2.0, 14.0]


def test_writing_into_a_constant_between_the_passes_raises():
    x, c = Tensor([1.0, 2.0]), np.array([3.0, NAN])
    with detect_anomaly():
        loss = (x * c)[0]
        c[0] = 4.0
        with pytest.raises(
            StaleGraphError, match=r"the constant that is its input 1.*\[0\] was 3.0 and now is 4.0"
        ):
            loss.backward()
        c[0] = 3.0
        loss.backward()
    assert x.grad.tolist() == [3.0, 0.0]


def test_a_training_loop_runs_as_ever():
    W = Tensor(np.zeros((4, 3)), name="W")
    features, labels = np.random.default_rng(0).normal(size=(5, 4)), [0, 2, 1, 1, 0]
    losses = []
    with detect_anomaly():
        for _ in range(3):
            loss = ad.cross_entropy(features @ W, labels)
            W.grad = None
            loss.backward(free_graph=True)
            W.data -= 0.5 * W.grad
            losses.append(round(loss.item(), 3))
    assert losses == [1.099, 0.856, 0.738]  # as in README.md


def test_higher_orders_forward_mode_and_checkpoints_work_inside():
    f = lambda x: np.where(x > 0, np.log(x), 0).sum()
    x = np.array([0.0, 2.0])
    with detect_anomaly():
        assert grad(f)(x).tolist() == [0.0, 0.5]
        assert hvp(f, x, np.ones(2)).tolist() == [0.0, -0.25]
        assert jvp(f, (x,), (np.ones(2),))[1] == 0.5
        assert grad(ad.checkpoint(f))(x).tolist() == [0.0, 0.5]
        t = Tensor(x)
        (g,) = gradients((t**3).sum(), [t], create_graph=True)
        assert gradients(g.sum(), [t])[0].tolist() == [0.0, 12.0]


def test_a_birth_at_the_second_order_and_in_a_checkpoint_raises():
    found = raised(lambda: grad(grad(lambda x: x**1.5))(0.0)).first
    assert (found.phase, found.value) == ("backward", INF)
    assert raised(lambda: grad(ad.checkpoint(lambda x: np.log(x)))(-1.0)).first.op == "log"


def test_plain_arrays_and_no_grad_are_not_seen():
    x = Tensor(-1.0)
    with detect_anomaly():
        assert np.isnan(np.sqrt(np.float64(-1.0)))
        with ad.no_grad():
            assert np.isnan(np.sqrt(x))


def test_blocks_nest_and_leave_nothing_behind():
    with detect_anomaly():
        with detect_anomaly():
            raised(lambda: np.log(Tensor(-1.0)))
        with pytest.raises(FloatingPointError):
            np.log(Tensor(-1.0))
    assert ambient.get() is None
    y = np.log(Tensor(-1.0))
    assert np.isnan(y.item())
    assert y.notes is None


def test_it_decorates_a_function():
    @detect_anomaly()
    def f(x):
        return np.log(x)

    with pytest.raises(FloatingPointError):
        f(Tensor(-1.0))
    assert ambient.get() is None


def test_another_thread_is_not_watched_and_tasks_are_apart():
    results = {}

    def work():
        results["thread"] = np.log(Tensor(-1.0)).item()

    async def watched():
        with detect_anomaly():
            await asyncio.sleep(0)
            with pytest.raises(FloatingPointError):
                np.log(Tensor(-1.0))
            await asyncio.sleep(0)

    async def free():
        for _ in range(3):
            results["task"] = np.log(Tensor(-1.0)).item()
            await asyncio.sleep(0)

    async def both():
        await asyncio.gather(watched(), free())

    with detect_anomaly():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    asyncio.run(both())
    assert np.isnan(results["thread"])
    assert np.isnan(results["task"])


def test_an_error_inside_the_block_leaves_it_clean():
    x = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="broadcast"), detect_anomaly():
        x + np.ones(3)
    assert ambient.get() is None
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_a_watched_graph_dies_with_its_root(no_collector):
    import weakref

    with detect_anomaly():
        x = Tensor(np.ones(3))
        loss = (x * np.ones(3)).sum()
        alive = weakref.ref(loss.parents[0])
        loss.backward()
        del loss
        assert alive() is None
