"""precision: where digits were lost in a graph that is there already."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, cross_entropy, log_softmax, primitive, softmax
from autodiff.accuracy import precision

WIDER = np.finfo(np.longdouble).eps < np.finfo(np.float64).eps
needs_longdouble = pytest.mark.skipif(not WIDER, reason="longdouble has no more digits than float64 here")
BY = [pytest.param(None, marks=needs_longdouble), 60]


def row(report, op):
    """The one row of an op."""
    (found,) = [row for row in report.rows if row.op == op]
    return found


# -- values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("digits", BY)
def test_a_difference_of_nearly_equal_numbers_magnifies_what_was_rounded_before(digits):
    report = precision(np.sqrt(1 + Tensor(1e-9, name="x")) - 1, digits=digits)
    rounded, root, lost = row(report, "add"), row(report, "sqrt"), row(report, "subtract")
    # 1 + 1e-9 is off by 8.3e-17, the nearest float64; its root by half of that, and so is root - 1 = 5e-10.
    assert rounded.value.error == pytest.approx(8.27e-17, rel=0.01)
    assert rounded.value.how == "rounded here"
    assert root.value.error == pytest.approx(4.14e-17, rel=0.01)
    assert root.value.how == "inherited"
    assert lost.value.error == pytest.approx(8.27e-8, rel=0.01)
    assert (lost.value.born, lost.value.how) == (0, "magnified here")
    assert report.first_value is lost
    said = " ".join(str(report).split())
    assert "first lost in subtract #n4: its inputs are right to 16.4 digits, its value to 7.1 digits" in said


@pytest.mark.parametrize("digits", BY)
def test_an_op_whose_own_formula_loses_digits_is_told_from_one_that_inherits(digits, fresh_registry):
    @primitive()
    def careless(x, /):
        return (1 + x) - 1, lambda g, y, x: g

    report = precision(careless(Tensor(1e-9)) * 3, digits=digits)
    assert row(report, "careless").value.how == "lost here"
    assert row(report, "careless").value.born == pytest.approx(8.27e-8, rel=0.01)
    assert row(report, "multiply").value.how == "inherited"
    assert report.first_value.op == "careless"


@needs_longdouble
def test_a_nan_is_not_taken_for_a_number_that_is_right():
    x = Tensor([1.0, np.nan], name="x")
    said = " ".join(str(precision((x * x).sum())).split())
    assert "x: leaf is the first of 3 nodes with a NaN or an infinity in value or gradient" in said
    assert "ad.find_nan(loss)" in said
    assert "ad.find_nan" not in str(precision((Tensor([1.0, 2.0]) * 2).sum()))


@pytest.mark.parametrize("digits", BY)
def test_the_first_of_two_losses_is_named(digits):
    x = Tensor(1e-7)
    report = precision(((1 + x) - 1) * ((2 + x) - 2), digits=digits)
    assert report.first_value.id == report.rows[2].id
    assert report.first_value.op == "subtract"


@needs_longdouble
def test_overflow_leaves_no_digit():
    with np.errstate(over="ignore"):
        report = precision(np.exp(Tensor(800.0)))
    assert report.first_value.value.error == 1
    assert report.first_value.value.how == "lost here"


def test_float32_is_measured_by_its_own_eps():
    report = precision(np.exp(Tensor(np.float32(0.1))) * 1)
    assert 1e-9 < row(report, "exp").value.error < np.finfo(np.float32).eps
    assert report.first_value is report.first_gradient is None
    assert "No digits are lost" in str(report)


# -- gradients -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("digits", BY)
def test_the_textbook_rule_loses_the_tail_on_its_way_back(digits, fresh_registry):
    @primitive()
    def textbook(x, /):
        e = np.exp(x - np.max(x))
        return e / np.sum(e), lambda g, y, x: y * (g - np.sum(g * y))

    report = precision(textbook(Tensor([40.0, 0.0], name="logits"))[0], digits=digits)
    assert report.first_value is None
    lost = report.first_gradient
    assert (lost.name, lost.gradient.how, lost.gradient.by) == ("logits", "lost here", ", through textbook")
    assert lost.gradient.error > 0.9  # 0 instead of exp(-40); longdouble has a digit of it
    assert precision(softmax(Tensor([40.0, 0.0]))[0], digits=digits).first_gradient is None


@pytest.mark.parametrize("digits", BY)
def test_contributions_that_cancel_lose_digits_in_their_sum(digits):
    report = precision(-log_softmax(Tensor([40.0, 0.0]), form="composed")[0], digits=digits)
    assert report.first_gradient.gradient.how == "magnified here"
    assert report.first_gradient.gradient.by == ", in the sum of its 2 contributions"
    assert report.rows[0].gradient.error > 0.9


@pytest.mark.parametrize("digits", BY)
def test_the_fused_loss_loses_no_digit(digits):
    report = precision(cross_entropy(Tensor([[40.0, 0.0], [1.0, 2.0]]), [0, 0]), digits=digits)
    assert max(report.rows[0].gradient.error, report.rows[1].value.error) < 1e-15
    assert "No digits are lost" in str(report)


def test_exact_digits_see_what_longdouble_cannot(fresh_registry):
    # exp(-100) = 4e-44 beside 1: no digit of longdouble has it, so only exact arithmetic knows the gradient.
    @primitive()
    def textbook(x, /):
        e = np.exp(x - np.max(x))
        return e / np.sum(e), lambda g, y, x: y * (g - np.sum(g * y))

    y = textbook(Tensor([100.0, 0.0]))[0]
    assert precision(y, digits=80).first_gradient.gradient.error == 1
    if WIDER:
        assert precision(y).first_gradient is None


def test_elements_that_were_not_selected_have_no_error():
    x = Tensor([0.0, 2.0], name="x")
    with np.errstate(divide="ignore"):
        report = precision(np.where(x.data > 0, np.log(x), 0).sum())
    assert report.rows[0].gradient.error < 1e-15


def test_hooks_change_both_gradients_alike():
    x = Tensor(0.1)
    y = x * 3
    y.register_hook(lambda g: g * 7)
    assert precision(y * 2).rows[0].gradient.error < 1e-15


# -- what it runs on -----------------------------------------------------------------------------------


def test_no_code_of_the_users_runs_again():
    calls = []

    def f(x):
        calls.append(1)
        return np.exp(x)

    y = f(Tensor(1.0))
    precision(y)
    precision(y, digits=40)
    assert calls == [1]


def test_no_gradient_and_no_value_is_touched():
    x = Tensor([1.0, 2.0])
    y = (x * x).sum()
    y.backward()
    before = x.grad.copy()
    precision(y)
    assert x.grad.tolist() == before.tolist()
    assert x.data.tolist() == [1.0, 2.0]
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_the_options_of_ops_are_kept_but_for_their_dtype():
    x = Tensor(np.array([[0.1, 0.2], [0.3, 0.4]], np.float32))
    report = precision(np.sum(x.astype(np.float64), axis=0, keepdims=True)[0, 1])
    assert row(report, "sum").value.error < 1e-15
    assert row(report, "astype").value.error == 0


def test_an_op_without_longdouble_form_is_carried_in_float64_and_says_so(fresh_registry):
    @primitive()
    def narrow(x, /):
        if x.dtype == np.longdouble:
            raise TypeError("no such loop")
        return x * 3, lambda g, y, x: (g * 3).astype(np.float64)

    report = precision(np.exp(narrow(Tensor(0.1))))
    assert [row.narrow for row in report.rows] == [False, True, False]
    assert "No longdouble form: narrow" in str(report)
    assert row(report, "narrow").gradient.error < 1e-15


def test_a_linear_solve_has_no_longdouble_form():
    a = Tensor([[2.0, 1.0], [1.0, 3.0]])
    report = precision(np.linalg.solve(a, np.array([1.0, 2.0])).sum())
    assert row(report, "solve").narrow
    assert "No longdouble form: solve" in str(report)


def test_an_array_without_a_seed_has_values_alone():
    y = np.exp(Tensor([1.0, 2.0]))
    assert [row.gradient for row in precision(y).rows] == [None, None]
    seeded = precision(y, np.array([1.0, -1.0]))
    assert [row.gradient.error < 1e-15 for row in seeded.rows] == [True, True]


def test_ids_are_those_of_the_trace():
    x = Tensor(2.0, name="x")
    y = x * x + np.exp(x)
    assert [row.id for row in precision(y).rows] == [node.id for node in ad.trace(y).nodes]


def test_empty_arrays_have_no_error():
    assert [row.value.error for row in precision(np.exp(Tensor(np.zeros((0, 3)))).sum()).rows] == [0, 0, 0]


def test_a_long_chain_is_no_recursion():
    y = Tensor(1.0)
    for _ in range(3000):
        y = y * 1.0001
    assert len(precision(y).rows) == 3001
    assert "2981 nodes with smaller errors are in .rows" in str(precision(y))


# -- what it refuses -----------------------------------------------------------------------------------


def test_arrays_have_no_graph():
    with pytest.raises(TypeError, match=r"precision: takes the Tensor .* not float64"):
        precision(np.float64(1.0))


def test_longdouble_cannot_judge_itself_but_exact_arithmetic_can():
    y = np.exp(Tensor(np.longdouble(1)))
    with pytest.raises(ValueError, match="longdouble has no more digits here than"):
        precision(y)
    assert precision(y, digits=60).rows[1].value.error < np.finfo(np.longdouble).eps


def test_a_graph_without_exact_form_is_refused_by_name():
    y = np.linalg.solve(Tensor([[2.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0])).sum()
    with pytest.raises(ValueError, match=r"precision: solve has no exact form .*leave digits= out"):
        precision(y, digits=60)


def test_a_freed_graph_is_refused():
    y = np.exp(Tensor(1.0))
    y.backward(free_graph=True)
    with pytest.raises(RuntimeError, match="its graph was freed"):
        precision(y)


# -- the picture ------------------------------------------------------------------------------------------


@pytest.fixture
def drawn():
    """A graph that loses digits in its log, and on the way back in its exp."""
    p = softmax(Tensor([40.0, 0.0], name="logits"), form="composed").named("p")
    return (-np.log(p[0])).named("loss")


@needs_longdouble
def test_the_picture_says_on_every_card_what_was_lost_and_tints_it(drawn):
    picture = ad.draw(drawn, show="error")
    lines = str(picture).splitlines()
    assert next(line for line in lines if "─ log" in line).endswith(
        "; value right to no digit, magnified here"
    )
    assert next(line for line in lines if "exp #n3 =" in line).endswith(
        "; grad right to no digit, magnified here"
    )
    assert next(line for line in lines if "p: divide" in line).endswith("grad [-1, 0]")
    assert lines[-1] == "(digits of the worst elements, float64 against longdouble)"
    cards = picture.source.split("label=<")
    tinted = [card for card in cards if "right to no digit" in card]
    assert len(tinted) == 5  # logits, subtract, exp, log, loss
    assert all('BGCOLOR="#F3D' in card for card in tinted)
    assert all('BGCOLOR="#F3D' not in card for card in cards if "all digits right" in card)


@needs_longdouble
def test_a_folded_scope_has_the_loss_of_its_worst_node(drawn):
    text = str(ad.draw(drawn, show="error", collapse="softmax"))
    assert "grad right to no digit, magnified here" in next(
        line for line in text.splitlines() if "scope of" in line
    )


def test_the_picture_of_values_knows_nothing_of_errors(drawn):
    assert "right to" not in ad.draw(drawn).source
    assert ad.draw(drawn, show="values").source == ad.draw(drawn).source


def test_there_is_nothing_else_to_show(drawn):
    with pytest.raises(ValueError, match=r"draw: show is one of 'values', 'error', not 'errors'"):
        ad.draw(drawn, show="errors")


# -- the report ------------------------------------------------------------------------------------------


def test_the_worst_node_comes_first():
    lines = str(precision(np.sqrt(1 + Tensor(1e-9, name="x")) - 1)).splitlines()
    table = lines[lines.index(next(line for line in lines if "born here" in line)) + 1 :]
    assert table[0].split()[0] == "subtract"
    assert {line.split()[0] for line in table} == {"subtract", "add", "x:", "sqrt"}


def test_lines_of_code_are_named_where_they_are_recorded():
    with ad.recording():
        y = 1 + Tensor(1e-9)
        z = y - 1
    text = str(precision(z))
    assert "subtract #n3 (test_accuracy.py, line " in text
    assert "z = y - 1" in text


def test_names_are_escaped_in_html():
    x = Tensor(1.0, name="</td><script>")
    html = precision(np.exp(x))._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("digits", [2, -1, 0, 30.5, "60"])
def test_too_few_digits_are_refused(digits):
    with pytest.raises(ValueError, match="precision: digits is a whole number, 20 or more, not "):
        precision(Tensor(1.0) * 2, digits=digits)
