"""Forms of one function compared: errors against an exact truth, failures, nodes, bytes and times."""

import gc
import json
import warnings
from functools import partial
from html.parser import HTMLParser

import numpy as np
import pytest

from autodiff import Tensor, cross_entropy, log_softmax, no_grad, primitive, relu, softmax
from autodiff.comparison import compare
from autodiff.comparison.costs import kept_bytes

FORMS = ("naive", "composed", "fused")
quick = partial(compare, repeats=1, sweep=None, scales=())


def row(report, name):
    """The row of one form."""
    (found,) = [row for row in report.rows if row.name == name]
    return found


@pytest.fixture
def textbook(fresh_registry):
    """A softmax with the vjp that every textbook gives."""

    @primitive()
    def textbook_softmax(x, /):
        e = np.exp(x - np.max(x, axis=-1, keepdims=True))
        return e / np.sum(
            e, axis=-1, keepdims=True
        ), lambda g, y, x: y * (g - np.sum(g * y, axis=-1, keepdims=True))

    return textbook_softmax


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


# -- what it finds on the softmax forms, without being told ---------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "largest_exponent"),
    [(np.float64, 709.7827), (np.float32, 88.72284)],  # log of the dtype's largest number
)
def test_the_naive_form_overflows_where_exp_does_and_the_others_never(dtype, largest_exponent):
    forms = {form: partial(softmax, form=form) for form in FORMS}
    report = compare(forms, [0.0, 1.0, -1.0], dtype=dtype, repeats=1, sweep=(1, 1e4))
    naive, *others = report.rows
    assert naive.failures["overflow"] == pytest.approx(largest_exponent, rel=1e-4)
    assert naive.failures["nan"] == naive.failures["overflow"]
    assert naive.overflow == "exp"
    assert f"overflows in exp from {naive.failures['overflow']:.4g} " in naive.verdict
    assert [(other.failures["overflow"], other.failures["nan"]) for other in others] == [(None, None)] * 2


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_textbook_rule_loses_the_tail_and_the_fused_one_does_not(dtype, textbook):
    report = compare({"textbook": textbook, "fused": softmax}, [40.0, 0.0], dtype=dtype, repeats=1)
    eps = np.finfo(dtype).eps
    assert row(report, "textbook").gradient_error.largest * eps > 0.4  # not one digit
    assert row(report, "textbook").value_error.largest <= 2
    assert row(report, "fused").gradient_error.largest <= 4
    assert row(report, "textbook").failures["gradient half"] == 1
    assert row(report, "fused").failures["gradient half"] is None
    # softmax's slope there is exp(-40) = 4.2e-18 times the difference of the two random factors.
    assert "an element of its gradient that is" in row(report, "textbook").verdict
    assert row(report, "fused").verdict.startswith(
        "fused keeps at least half its digits from 0.0001 to 10000"
    )


def test_the_rule_that_is_judged_does_not_make_the_truth(textbook):
    # Both have the textbook's rule, so no form has the tail; the truth does: exp(-40) = 4.2e-18.
    twin = {"one": textbook, "two": lambda x: textbook(x + 0)}
    report = quick(twin, [40.0, 0.0])
    assert all(row.gradient_error.largest * 2.0**-52 > 0.4 for row in report.rows)
    assert "should be" in report.rows[0].verdict
    assert "e-18" in report.rows[0].verdict


def test_the_logarithm_of_a_softmax_loses_what_log_softmax_keeps():
    report = compare(
        {"log(softmax)": lambda x: np.log(softmax(x)), "log_softmax": log_softmax}, [40.0, 0.0], repeats=1
    )
    lossy, kept = report.rows
    assert lossy.verdict.startswith("log(softmax) gives NaN or infinity from 17.7")
    assert "has an element of its value that is 0 and should be -4.2e-18" in lossy.verdict  # -log1p(exp(-40))
    # The logarithm's slope 1 / p overflows from exp(709.78) on.
    assert lossy.failures["nan"] == pytest.approx(709.78 / 40, rel=2e-3)
    assert kept.value_error.largest < 1
    assert [kept.failures[what] for what in kept.failures] == [None] * len(kept.failures)
    assert [lint.title for lint in lossy.lints] == ["log(softmax)"]


def test_a_difference_of_nearly_equal_numbers_loses_its_digits_below():
    report = compare(
        {"exp(x) - 1": lambda x: np.exp(x) - 1, "expm1": np.expm1}, 1.0, repeats=1, sweep=(1e-12, 1)
    )
    one, other = report.rows
    # The rounding of exp(x) near 1, eps / 4 on average, is sqrt(eps) of x there: x around 1e-8.
    assert 1e-9 < one.failures["value half below"] < 2e-8
    assert other.failures["value half below"] is None
    assert "below" in one.verdict


def test_a_verdict_says_once_that_the_arguments_are_multiplied():
    report = compare(
        {"naive": lambda x: np.exp(x) / np.exp(x).sum(), "shifted": softmax}, [1.0, 2.0], repeats=1
    )
    for each in report.rows:
        assert each.verdict.count("times these arguments") == 1
    assert report.rows[0].verdict.count("times them") == 1


# -- the truth ------------------------------------------------------------------------------------------


def test_a_form_that_is_another_function_is_called_one():
    report = quick(
        {"x**2": lambda x: x**2, "x * x": lambda x: x * x, "odd": lambda x: x * x * 1.001}, [1.0, 2.0]
    )
    assert [max(row.formula) < 1e-39 for row in report.rows] == [True, True, False]
    assert report.rows[2].formula == pytest.approx((1e-3, 1e-3), rel=1e-9)
    told = report.rows[2].verdict
    assert told.startswith("odd is another function than x * x: in exact arithmetic its value is 1.0e-03 off")
    assert "that is 1.001 where x * x has 1" in told
    assert "should be" not in told


def test_another_gradient_of_the_same_values_is_a_matter_of_a_corner():
    report = quick(
        {"maximum": lambda x: np.maximum(x, 0), "abs": lambda x: (x + np.abs(x)) / 2, "relu": relu},
        [0.0, 1.0],
    )
    # At 0: maximum shares, (1 + 0) / 2 is the same half, relu has 0.
    assert [row.gradients[0][0] == 0 for row in report.rows] == [False, False, True]
    assert "has another gradient by itself" in row(report, "relu").verdict
    assert "sits on a tie or a corner" in row(report, "relu").verdict
    assert "that is 0 where abs has 0.5" in row(report, "relu").verdict  # neither is wrong
    assert row(report, "relu").second_error is None  # nor is there a second derivative


def test_the_odd_one_out_is_not_the_truth_even_if_it_comes_last():
    report = quick({"one": lambda x: x + x, "two": lambda x: 2 * x, "odd": lambda x: 2.01 * x}, 3.0)
    assert [row.value_error.largest < 1 for row in report.rows] == [True, True, False]


def test_a_wrong_rule_is_seen_though_the_value_is_right(fresh_registry):
    @primitive()
    def wrong(x, /):
        return x * x, lambda g, y, x: g * x

    report = quick({"wrong": wrong, "right": np.square}, 3.0)
    assert report.rows[0].value_error.largest == 0
    assert report.rows[0].worst_gradient == ("3", "6")
    assert report.rows[1].gradient_error.largest == 0


def test_errors_are_counted_in_units_in_the_last_place():
    # The float64 nearest to 0.1 and to 0.2 add up to 0.3000000000000000166, half-way between two float64.
    report = quick({"off": lambda x: x + 0.2 - 2.0**-53, "sum": lambda x: x + 0.2}, 0.1)
    assert row(report, "sum").value_error == (0.5, 0.5)
    assert row(report, "off").value_error.largest == 1.5


def test_without_an_exact_form_the_truth_is_longdouble_and_says_so(fresh_registry):
    @primitive()
    def stiff(x, /):
        if x.dtype.kind != "f":
            raise TypeError("floats only")
        return x * x, lambda g, y, x: 2 * g * x

    report = compare({"stiff": stiff, "again": lambda x: stiff(x + 0)}, 0.1, repeats=1)
    assert "Truth: longdouble (stiff: stiff has no exact form (TypeError))" in str(report)
    assert report.rows[0].formula is None
    if np.finfo(np.longdouble).eps < 2.0**-52:
        assert 0 < report.rows[0].value_error.largest < 1


def test_too_large_a_graph_is_not_computed_exactly():
    report = quick(
        {"sum": lambda x: np.exp(x).sum(), "mean": lambda x: np.exp(x).mean() * x.size}, np.zeros(60_000)
    )
    assert "would take more than 100,000 exact numbers" in str(report)


def test_digits_are_the_users_to_choose():
    assert "exact arithmetic with 41 digits" in str(quick({"a": np.exp, "b": np.exp}, 1.0, digits=41))


# -- what is compared -------------------------------------------------------------------------------------


def test_differences_are_to_the_last_form():
    report = quick({"square": lambda x: (x * x).sum(), "cube": lambda x: (x**3).sum()}, [1.0, 3.0])
    # 10 against 28; 2x is 2 and 6, 3x**2 is 3 and 27.
    assert [row.value_difference for row in report.rows] == [18, 0]
    assert [row.gradient_difference for row in report.rows] == [21, 0]


def test_arguments_may_be_nested_and_unused():
    report = quick(
        {"first": lambda p, c: (p["a"] * 2).sum() + c, "both": lambda p, c: (p["a"] * 2 + p["b"]).sum()},
        {"a": np.ones(2), "b": np.ones(2)},
        3.0,
    )
    assert [[g.tolist() for g in row.gradients] for row in report.rows] == [
        [[2.0, 2.0], [0.0, 0.0], 1.0],
        [[2.0, 2.0], [1.0, 1.0], 0.0],
    ]


def test_results_may_be_nested_arrays_whose_gradient_is_that_of_a_random_sum():
    report = quick(
        {"pair": lambda x: (x * 2, [np.exp(x)]), "same": lambda x: (x + x, [np.exp(x)])}, [1.0, 2.0]
    )
    assert all(row.gradient_error.largest < 3 for row in report.rows)
    assert report.rows[0].gradient_difference == 0
    assert not np.allclose(report.rows[0].gradients[0], 2 + np.exp([1.0, 2.0]))


def test_second_derivatives_are_compared():
    @primitive()
    def once(x, /):
        return x**3, lambda g, y, x: g * 3 * getattr(x, "value", x) ** 2

    report = quick({"once": once, "power": lambda x: x**3}, 2.0)
    assert report.rows[0].second_difference == 1  # 0 instead of 6x
    assert report.rows[0].second_error == 1
    assert report.rows[1].second_error < 1e-15
    assert "second derivative with a relative error of 1" in report.rows[0].verdict


def test_nodes_and_bytes_are_those_of_the_graph():
    report = quick(
        {"f": lambda x, y: (x * y + x).sum(), "g": lambda x, y: (x * y).sum()}, [1.0, 2.0], [3.0, 4.0]
    )
    assert [row.nodes for row in report.rows] == [5, 4]  # x, y, x * y, + x, sum
    assert [row.bytes for row in report.rows] == [16 + 16 + 8, 16 + 8]


def test_times_are_of_the_forward_and_of_the_backward_pass():
    calls = []

    def slow(x):
        calls.append(gc.isenabled())
        return sum((x * k for k in range(100)), start=x).sum()

    report = compare(
        {"slow": slow, "fast": lambda x: x.sum() * 4951}, np.ones(3), repeats=5, sweep=None, scales=()
    )
    slow_row, fast = report.rows
    assert slow_row.forward > fast.forward > 0
    assert slow_row.backward > fast.backward > 0
    assert calls.count(False) == 5  # timed without the collector
    assert gc.isenabled()


def test_forms_are_differentiated_inside_no_grad_too():
    with no_grad():
        report = quick({"f": lambda x: x * x, "g": np.square}, 3.0)
    assert [row.gradients for row in report.rows] == [[6.0], [6.0]]
    assert report.rows[0].nodes == 2


def test_the_callers_tensors_are_left_alone():
    x = Tensor([1.0, 2.0])
    report = quick({"f": lambda x: (x * x).sum(), "g": lambda x: (x**2).sum()}, x)
    assert x.grad is None
    assert x.data.tolist() == [1.0, 2.0]
    assert report.rows[0].gradients[0].tolist() == [2.0, 4.0]


def test_the_collector_comes_back_after_an_exception():
    times = iter(range(3))

    def runs_out(x):
        next(times)
        return x

    with pytest.raises(StopIteration):
        compare({"f": runs_out, "g": lambda x: x}, 1.0, sweep=None, scales=())
    assert gc.isenabled()


def test_all_but_the_times_depends_on_nothing_but_the_seed():
    def facts(seed):
        report = compare(
            {"a": np.tanh, "b": lambda x: np.tanh(x)}, [0.5, 1.0], seed=seed, repeats=1, sweep=(0.1, 10)
        )
        return [(r.gradients[0].tolist(), r.curve, r.failures, r.verdict) for r in report.rows]

    assert facts(1) == facts(1)
    assert facts(1) != facts(2)


# -- forms that misbehave ------------------------------------------------------------------------------------


def test_a_form_that_raises_at_some_scales_is_not_a_number_there():
    def picky(x):
        if x.data > 5:
            raise ValueError("too large")
        return x * 2

    picky_row, easy = compare({"picky": picky, "easy": lambda x: x + x}, 1.0, repeats=1, sweep=(1, 100)).rows
    assert picky_row.failures["nan"] == pytest.approx(5, rel=1e-4)
    assert easy.failures["nan"] is None
    assert picky_row.failures["raised"] == picky_row.failures["nan"]
    assert picky_row.verdict == "picky raises ValueError from 5 times these arguments on."
    assert easy.failures["raised"] is None


@pytest.mark.parametrize("last", [False, True])
def test_a_form_without_a_graph_is_not_the_truth_of_one_that_has_one(last):
    forms = {"with": np.sin, "without": lambda x: np.sin(x.data)}
    rows = quick(forms if last else dict(reversed(forms.items())), 1.0).rows
    verdicts = {row.name: row.verdict for row in rows}
    assert verdicts["without"].startswith("without returns no Tensor that depends on its arguments")
    assert verdicts["with"] == "with keeps at least half its digits here."


def test_a_nan_that_must_be_is_not_praised():
    rows = quick({"product": lambda x: x * x, "square": np.square}, [np.nan, 1.0]).rows
    assert [row.verdict for row in rows] == [
        "product gives NaN at these arguments, as it must.",
        "square gives NaN at these arguments, as it must.",
    ]


def test_a_form_that_is_no_number_where_another_is_is_another_function():
    logs = {"log": lambda x: np.log(x).sum(), "half of the square's": lambda x: np.log(x * x).sum() / 2}
    row, other = quick(logs, [-1.0, 1.0]).rows
    assert row.verdict.startswith(
        "log is another function than half of the square's: in exact arithmetic too it is no number here"
    )
    assert other.verdict == "half of the square's keeps at least half its digits here."


def test_a_form_that_raises_here_is_named():
    with pytest.raises(ZeroDivisionError) as caught:
        quick({"fine": np.exp, "broken": lambda x: 1 / 0}, 1.0)
    assert caught.value.__notes__ == ["in the form 'broken' that compare was handed"]


def test_a_form_that_gives_nan_here_has_no_digits():
    nan, fine = quick({"nan": lambda x: x * np.nan, "fine": lambda x: x * 2}, [1.0, 2.0]).rows
    assert np.isnan(nan.value_error.largest)
    assert np.isnan(nan.value_difference)
    assert fine.value_error.largest == 0
    assert "nan" in nan.verdict


def test_a_form_that_returns_nothing_is_refused():
    with pytest.raises(TypeError, match="compare: 'f' returned no numbers"):
        quick({"f": lambda x: None, "g": lambda x: None}, 1.0)


@pytest.mark.parametrize("x", [1e-300, 1e300, [1e-300, 1e300]])
def test_second_derivatives_are_right_at_any_size_of_the_arguments(x):
    report = quick({"product": lambda x: np.sqrt(x), "power": lambda x: x**0.5}, x)
    assert all(row.second_error < 1e-14 for row in report.rows)


@pytest.mark.parametrize("x", [np.nan, np.inf, [np.nan, 1.0]])
def test_what_must_be_no_number_is_no_failure(x):
    report = compare({"product": lambda x: x * x, "square": np.square}, x, repeats=1)
    assert [row.value_error.largest for row in report.rows] == [0, 0]
    assert [row.failures["nan"] for row in report.rows] == [None, None]


def test_forms_of_other_shapes_are_refused_by_name():
    with pytest.raises(ValueError, match=r"'f' returns shape \(2,\) and 'g' shape \(\)"):
        quick({"f": lambda x: x, "g": lambda x: x.sum()}, [1.0, 2.0])
    with pytest.raises(ValueError, match="2 arrays of shapes"):
        quick({"f": lambda x: (x, x), "g": lambda x: x}, [1.0, 2.0])


@pytest.mark.parametrize("forms", [{}, {"alone": np.exp}])
def test_fewer_than_two_forms_are_nothing_to_compare(forms):
    with pytest.raises(ValueError, match="needs two forms or more"):
        compare(forms, 1.0)


@pytest.mark.parametrize(
    ("forms", "args", "options"),
    [
        ([np.exp, np.exp], (1.0,), {}),
        ({"a": np.exp, "b": 3}, (1.0,), {}),
        ({"a": np.exp, "b": np.exp}, (), {}),
        ({"a": np.exp, "b": np.exp}, (True,), {}),
        ({"a": np.exp, "b": np.exp}, ("text",), {}),
        ({"a": np.exp, "b": np.exp}, (1.0,), {"dtype": int}),
        ({"a": np.exp, "b": lambda x: "text"}, (1.0,), {}),
        ({"a": np.exp, "b": np.exp}, (1.0,), {"scales": 3}),
        ({"a": np.exp, "b": np.exp}, (1.0,), {"scales": "ab"}),
    ],
)
def test_what_is_no_form_and_no_number_is_refused(forms, args, options):
    with pytest.raises(TypeError, match="compare: "):
        compare(forms, *args, **options)


@pytest.mark.parametrize("options", [{"repeats": 0}, {"digits": 5}, {"sweep": (2, 3)}, {"sweep": (0, 3)}])
def test_measuring_nothing_is_refused(options):
    with pytest.raises(ValueError, match="compare: "):
        compare({"a": np.exp, "b": np.exp}, 1.0, **options)


def test_a_constant_function_has_the_gradient_zero():
    rows = quick({"constant": lambda x: 3.0, "zero times x": lambda x: x * 0 + 3.0}, 2.0).rows
    assert [row.gradients for row in rows] == [[0.0], [0.0]]
    assert [row.gradient_error.largest for row in rows] == [0, 0]
    assert [row.nodes for row in rows] == [0, 3]


def test_integers_are_compared_as_float64():
    report = quick({"a": np.square, "b": lambda x: x * x}, 3)
    assert report.rows[0].values[0].dtype == np.float64
    assert report.rows[0].gradients == [6.0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_every_dtype_is_compared_in_its_own_units(dtype):
    report = compare(
        {"a": np.exp, "b": lambda x: np.exp(x)}, [0.5, 2.0], dtype=dtype, repeats=1, sweep=(1, 2)
    )
    assert report.rows[0].values[0].dtype == dtype
    assert report.rows[0].value_error.largest < 2


def test_empty_arrays_have_no_errors():
    report = compare({"a": np.exp, "b": lambda x: x * 2}, np.zeros((0, 3)), repeats=1)
    assert [(row.value_error.largest, row.value_difference) for row in report.rows] == [(0, 0), (0, 0)]


def test_nothing_warns_at_any_scale():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compare(
            {form: partial(cross_entropy, targets=[0], form=form) for form in FORMS}, [[1.0, 2.0]], repeats=1
        )


# -- the report ---------------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """The tags and the words of a piece of HTML."""

    def __init__(self):
        super().__init__()
        self.tags, self.words = [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words += data


def test_the_report_prints_a_column_for_each_form_and_a_sentence_on_it():
    report = compare({form: partial(softmax, form=form) for form in FORMS}, [0.0, 1.0], repeats=1)
    lines = str(report).splitlines()
    assert lines[2].split() == list(FORMS)
    assert len({len(line) for line in lines[2:24] if len(line) > 60}) == 1  # aligned
    assert "\nnaive overflows in exp" in str(report)
    assert "\nfused keeps" in str(report)
    assert repr(report) == str(report)
    assert max(map(len, lines)) <= 100


def test_the_html_is_escaped_and_says_the_same():
    name = "</td><script>alert(1)</script>"
    report = quick({name: np.exp, "b": lambda x: np.exp(x)}, 1.0)
    reader = Reader()
    reader.feed(report._repr_html_())
    assert set(reader.tags) <= {"div", "h4", "p", "table", "tr", "th", "td"}
    assert name in reader.words
    assert report.rows[0].verdict in reader.words


def test_the_rows_are_data():
    report = quick({"a": np.exp, "b": np.exp}, 1.0)
    json.dumps([row.failures for row in report.rows])
    assert report.rows[0].verdict
    with pytest.raises(AttributeError):
        report.rows[0].name = "other"
