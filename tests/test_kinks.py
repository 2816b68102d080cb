"""kinks: every tie and corner of a graph, with the convention and what would have been right as well."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, kinks
from autodiff.explanation.corners import CORNERS
from autodiff.primitive import registry
from autodiff.visualize.values import number

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")

# op: (call, inputs, for each input at a corner: name, elements, slope taken, interval)
CASES = {
    "relu": (ad.relu, [[0.0, 1.0]], [("x", [[0]], "0", 0, 1)]),
    "abs": (np.abs, [[0.0, 1.0]], [("x", [[0]], "0", -1, 1)]),
    "sqrt": (np.sqrt, [[0.0, 1.0]], [("x", [[0]], "inf", None, None)]),
    "cbrt": (np.cbrt, [[0.0, 1.0]], [("x", [[0]], "inf", None, None)]),
    "power": (lambda x: x**0.5, [[0.0, 1.0]], [("a", [[0]], "inf", None, None)]),
    "maximum": (np.maximum, [[0.0, 1.0], [0.0, 2.0]], [("a", [[0]], "0.5", 0, 1), ("b", [[0]], "0.5", 0, 1)]),
    "minimum": (np.minimum, [[0.0, 1.0], [0.0, 2.0]], [("a", [[0]], "0.5", 0, 1), ("b", [[0]], "0.5", 0, 1)]),
    "fmax": (np.fmax, [[0.0, 1.0], [0.0, 2.0]], [("a", [[0]], "0.5", 0, 1), ("b", [[0]], "0.5", 0, 1)]),
    "fmin": (np.fmin, [[0.0, 1.0], [0.0, 2.0]], [("a", [[0]], "0.5", 0, 1), ("b", [[0]], "0.5", 0, 1)]),
    "max": (np.max, [[3.0, 1.0, 3.0]], [("x", [[0], [2]], "0.5", 0, 1)]),
    "min": (np.min, [[1.0, 1.0, 1.0]], [("x", [[0], [1], [2]], "0.3333", 0, 1)]),
    "clip": (
        lambda x: np.clip(x, 0, 1),
        [[0.0, 0.5, 1.0]],
        [("x", [[0]], "1", 0, 1), ("x", [[2]], "1", 0, 1)],
    ),
    "std": (np.std, [[2.0, 2.0]], [("x", [[0], [1]], "0", -0.5, 0.5)]),
    "hypot": (np.hypot, [[0.0, 1.0], [0.0, 0.0]], [("a", [[0]], "0", -1, 1), ("b", [[0]], "0", -1, 1)]),
    "arctan2": (
        np.arctan2,
        [[0.0, 1.0], [0.0, 0.0]],
        [("a", [[0]], "0", None, None), ("b", [[0]], "0", None, None)],
    ),
    "nanmax": (np.nanmax, [[3.0, np.nan, 3.0]], [("x", [[0], [2]], "0.5", 0, 1)]),
    "nanmin": (np.nanmin, [[3.0, np.nan, 3.0]], [("x", [[0], [2]], "0.5", 0, 1)]),
    "reorder": (np.sort, [[2.0, 1.0, 2.0]], [("x", [[0], [2]], "1", 0, 1)]),
    "median": (np.median, [[2.0, 1.0, 2.0, 0.0, 2.0]], [("x", [[0], [2], [4]], "0 or 1", 0, 1)]),
    "nanmedian": (np.nanmedian, [[2.0, 2.0, 1.0, np.nan]], [("x", [[0], [1]], "0 or 1", 0, 1)]),
    "quantile": (lambda x: np.quantile(x, 0.75), [[2.0, 1.0, 2.0]], [("x", [[0], [2]], "0.5", 0, 1)]),
    "nanquantile": (lambda x: np.nanquantile(x, 0.75), [[2.0, 1.0, 2.0]], [("x", [[0], [2]], "0.5", 0, 1)]),
    "percentile": (lambda x: np.percentile(x, 75), [[2.0, 1.0, 2.0]], [("x", [[0], [2]], "0.5", 0, 1)]),
    "nanpercentile": (lambda x: np.nanpercentile(x, 75), [[2.0, 1.0, 2.0]], [("x", [[0], [2]], "0.5", 0, 1)]),
    "unique": (np.unique, [[2.0, 1.0, 2.0]], [("x", [[0], [2]], "0.5", None, None)]),
    "copysign": (lambda x: np.copysign(x, 1.0), [[0.0, 1.0]], [("a", [[0]], "0", -1, 1)]),
    "arcsin": (np.arcsin, [[1.0, 0.5]], [("x", [[0]], "inf", None, None)]),
    "arccos": (np.arccos, [[-1.0, 0.5]], [("x", [[0]], "-inf", None, None)]),
    "arccosh": (np.arccosh, [[1.0, 1.5]], [("x", [[0]], "inf", None, None)]),
    "fraction": (lambda x: np.modf(x)[0], [[0.0, 3.0]], [("x", [[1]], "1", None, None)]),
    "vector_norm": (np.linalg.norm, [[0.0, 0.0]], [("x", [[0], [1]], "0", -1, 1)]),
    "remainder": (lambda x: np.remainder(x, 2.0), [[4.0, 1.0]], [("a", [[0]], "1", None, None)]),
    "fmod": (lambda x: np.fmod(x, 2.0), [[4.0, 1.0]], [("a", [[0]], "1", None, None)]),
}


@pytest.mark.parametrize("op", CASES)
def test_an_op_at_its_corner_is_listed_with_its_convention(op):
    call, inputs, expected = CASES[op]
    y = call(*[Tensor(x) for x in inputs])
    rows = [row for row in kinks(y).rows if row.op == op]
    assert [(row.input, row.elements.tolist(), row.slope, row.low, row.high) for row in rows] == [
        (name, elements, slope, low, high) for name, elements, slope, low, high in expected
    ]


@pytest.mark.parametrize("op", CASES)
def test_the_slope_taken_is_the_gradient(op):
    call, inputs, _ = CASES[op]
    leaves = [Tensor(x) for x in inputs]
    y = call(*leaves)
    gradients = ad.gradients(y, leaves, np.ones(y.shape))
    for row in kinks(y).rows:
        gradient = gradients[row.input == "b"]
        taken = {number(gradient[tuple(at)]) for at in row.elements}
        assert " or ".join(sorted(taken)) == row.slope


@pytest.mark.parametrize("op", CASES)
def test_an_op_off_its_corner_is_not_listed(op):
    call, inputs, _ = CASES[op]
    y = call(*[Tensor(np.array(x) + 0.3 * (i + 1) + np.arange(len(x)) * 0.17) for i, x in enumerate(inputs)])
    assert kinks(y).rows == []


@pytest.mark.parametrize("op", ["relu", "abs", "maximum", "max", "clip"])
def test_slopes_beside_a_corner_lie_in_the_interval(op):
    """On either side of a corner the slope is a member of the interval: its ends, or what lies between."""
    call, inputs, expected = CASES[op]
    low, high = expected[0][3:]
    at = tuple(expected[0][1][0])
    for step in (-1e-3, 1e-3):
        moved = [np.array(x) for x in inputs]
        moved[0][at] += step
        x = Tensor(moved[0])
        y = call(x, *moved[1:])
        assert low <= ad.gradients(y, x, np.ones(y.shape))[at] <= high


# What the policy of gradients at kinks speaks of, and is an op; sinc and where have none.
POLICY = {"max", "min", "maximum", "minimum", "relu", "abs", "clip", "sqrt", "power", "std", "vector_norm"}
POLICY |= {"hypot", "arctan2", "reorder", "median"}


def test_every_op_of_the_policy_has_its_corner_declared_and_tested():
    assert set(CORNERS) >= POLICY
    assert (POLICY | ({"hypot", "arctan2"} & set(registry))) <= set(CORNERS)
    assert set(CORNERS) & set(registry) <= set(CASES) | OTHERS


OTHERS = {"max_pool2d"}  # which wants an image


def test_a_condition_is_no_kink_and_sinc_has_none():
    x = Tensor([0.0, 1.0])
    assert kinks(np.where(x > 0, x * 2, x)).rows == []
    assert kinks(x**2).rows == []
    assert kinks(np.sinc(x)).rows == []
    assert kinks(x * np.floor(x)).rows == []


def test_ties_of_a_tensor_with_itself_are_no_choice():
    x = Tensor([0.0, 1.0])
    assert kinks(np.maximum(x, x)).rows == []


def test_ties_along_an_axis_are_counted_row_by_row():
    x = Tensor([[1.0, 1.0, 0.0], [1.0, 2.0, 0.0], [5.0, 5.0, 5.0]])
    (row,) = kinks(np.max(x, axis=1)).rows
    assert row.elements.tolist() == [[0, 0], [0, 1], [2, 0], [2, 1], [2, 2]]
    assert row.slope == "0.3333 or 0.5"


def test_ties_in_a_window_are_listed():
    x = Tensor(np.array([[[[1.0, 2.0, 2.0], [0.0, 2.0, 1.0]]]]))
    (row,) = kinks(ad.max_pool2d(x, 2, stride=1)).rows
    assert row.elements[:, 2:].tolist() == [[0, 1], [0, 2], [1, 1]]
    assert row.slope == "0.3333 or 0.8333"  # 1/3, and 1/2 + 1/3 in both windows


def test_an_element_that_a_median_does_not_use_may_be_tied():
    assert kinks(np.median(Tensor([1.0, 1.0, 2.0, 3.0, 3.0]))).rows == []
    assert kinks(np.median(Tensor([1.0, 2.0, 3.0, 3.0]))).rows[0].elements.tolist() == [[2], [3]]
    assert kinks(np.median(Tensor([[1.0, 1.0], [1.0, 2.0]]), axis=1)).rows[0].elements.tolist() == [
        [0, 0],
        [0, 1],
    ]


def test_a_mask_and_an_initial_value_take_part_in_ties():
    x = Tensor([3.0, 3.0, 1.0])
    assert kinks(np.max(x, where=np.array([True, False, True]), initial=0.0)).rows == []
    assert kinks(np.max(x[1:], initial=3.0)).rows[0].slope == "0.5"


def test_norms_have_the_corner_of_their_order():
    x = Tensor([0.0, 2.0])
    assert kinks(np.linalg.norm(x)).rows == []
    assert kinks(np.linalg.norm(x, 3)).rows == []
    assert kinks(np.linalg.norm(x, 1)).rows[0].elements.tolist() == [[0]]
    assert kinks(np.linalg.norm(x, 0.5)).rows[0].low is None


def test_0_to_the_power_0_is_listed_for_the_exponent():
    b = Tensor([0.0, 1.0])
    (row,) = kinks(np.array([0.0, 2.0]) ** b).rows
    assert (row.input, row.what, row.slope) == ("b", "0**0", "0")


def test_a_corner_matters_where_a_gradient_arrives():
    x = Tensor([0.0, 0.0], "x")
    rows = kinks((ad.relu(x) * np.array([0.0, 0.0])).sum() + abs(x)[1]).rows
    assert [(row.op, row.matters) for row in rows] == [("relu", False), ("abs", True)]
    (row,) = kinks((np.max(Tensor([[1.0, 1.0], [1.0, 2.0]]), axis=1) * np.array([0.0, 1.0])).sum()).rows
    assert not row.matters


def test_the_leaves_below_a_corner_are_named():
    x, w, b = Tensor([0.0, 1.0], "x"), Tensor([1.0, 1.0], "w"), Tensor(2.0, "b")
    (row,) = kinks((ad.relu(x * w) * b).sum()).rows
    assert row.leaves == ("x", "w")
    assert row.of == 2


def test_near_lists_what_almost_sat_on_a_corner():
    x = Tensor([1e-9, 2.0])
    assert kinks(abs(x).sum()).rows == []
    assert kinks(abs(x).sum(), near=1e-6).rows[0].elements.tolist() == [[0]]
    assert kinks(np.max(Tensor([1.0, 1.0 + 1e-9, 0.0])), near=1e-6).rows[0].elements.tolist() == [[0], [1]]
    with pytest.raises(ValueError, match="near is a distance, 0 or more, not -1"):
        kinks(abs(x), near=-1)


def test_the_four_ways_to_spell_a_relu_differ_at_0():
    x = Tensor([0.0])
    slopes = [
        kinks(y).rows[0].slope for y in (ad.relu(x), np.maximum(x, 0), np.clip(x, 0, None)) if kinks(y).rows
    ]
    assert slopes == ["0", "0.5", "1"]
    assert kinks(np.where(x > 0, x, 0)).rows == []


def test_the_report_reads_as_a_table():
    x = Tensor([0.0, 1.0], "x")
    with ad.recording():
        loss = ad.relu(x).sum()
    text = str(kinks(loss))
    assert text.splitlines()[0] == "Ties and corners on the way to loss"
    assert text.splitlines()[2].split()[:9] == ["relu", "x", "=", "0", "1", "of", "2", "0", "0"]
    assert "0 to 1" in text
    assert "loss = ad.relu(x).sum()" in text
    assert str(kinks(x * 2)) == "No element on the way to loss sits on a tie or a corner."
    assert "<table" in kinks(loss)._repr_html_()


def test_a_long_chain_of_corners_is_listed_and_cut_in_print():
    x = Tensor([0.0], "x")
    y = x
    for _ in range(2000):
        y = ad.relu(y)
    told = kinks(y)
    assert len(told.rows) == 2000
    assert "1980 more are in .rows." in str(told)


def test_empty_and_0d_arrays_have_corners_too():
    assert kinks(ad.relu(Tensor(0.0))).rows[0].elements.shape == (1, 0)
    empty = Tensor(np.zeros((0, 3)))
    assert kinks(np.abs(empty) + np.maximum(empty, 0)).rows == []
    assert kinks(np.sort(empty, axis=0)).rows == []


def test_what_has_no_graph_is_refused():
    with pytest.raises(TypeError, match=r"kinks: takes the Tensor .* not ndarray"):
        kinks(np.ones(2))
    x = Tensor([1.0])
    for near in (-1, "a", None):
        with pytest.raises(ValueError, match="kinks: near is a distance, 0 or more, not "):
            kinks(x * x, near=near)
    y = (x * x).sum()
    x.data += 1
    with pytest.raises(ad.StaleGraphError):
        kinks(y)
