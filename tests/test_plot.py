"""Plots: what is drawn into the Axes, and which Axes."""

import sys
from itertools import pairwise

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib", reason="plots need matplotlib, the extra [plot]")
matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  # after the choice of a backend that needs no screen

from autodiff import Tensor, plot, softmax  # noqa: E402
from autodiff.comparison import compare  # noqa: E402


@pytest.fixture
def ax():
    """Axes of the test's own."""
    figure, axes = pyplot.subplots()
    yield axes
    pyplot.close(figure)


@pytest.fixture(autouse=True)
def no_show(monkeypatch):
    """Showing is the caller's, and no figure outlives a test."""
    monkeypatch.setattr(pyplot, "show", lambda *a, **k: pytest.fail("a plot showed itself"))
    yield
    pyplot.close("all")


def report(dtype=None):
    return compare({"a": np.exp, "b": lambda x: np.exp(x)}, 1.0, dtype=dtype, repeats=1, sweep=(0.5, 1e3))


PLOTS = {
    "jacobian": lambda ax: plot.jacobian(np.square, [1.0, 2.0], ax=ax),
    "grad_flow": lambda ax: plot.grad_flow(Tensor(2.0, name="x") * 3, ax=ax),
    "loss_curve": lambda ax: plot.loss_curve([1.0, 0.5], ax=ax),
    "confusion": lambda ax: plot.confusion([0, 1, 1], [0, 1, 0], ax=ax),
    "softmax_error": lambda ax: plot.softmax_error(ax=ax, dtypes=[np.float16]),
    "compare": lambda ax: report().plot(ax=ax),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_goes_into_the_axes_given_and_returns_them(name, ax):
    others = pyplot.get_fignums()
    assert PLOTS[name](ax) is ax
    assert pyplot.get_fignums() == others
    ax.figure.canvas.draw()


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_without_axes_makes_its_own(name):
    made = PLOTS[name](None)
    assert made.figure.number in pyplot.get_fignums()


def test_a_heatmap_holds_the_jacobian_and_writes_small_ones_in(ax):
    plot.jacobian(lambda x: np.stack([x[0] * x[1], x[0]]), [3.0, 5.0], ax=ax)
    assert ax.images[0].get_array().tolist() == [[5, 3], [1, 0]]
    assert [text.get_text() for text in ax.texts] == ["5", "3", "1", "0"]
    low, high = ax.images[0].get_clim()
    assert low == -high  # white is zero
    bar = ax.images[0].colorbar
    assert bar.get_ticks().tolist() == [-5, 0, 5]
    assert bar.get_ticks(minor=True).size == 0


def test_a_heatmap_writes_no_negative_zero(ax):
    plot.jacobian(lambda x: x * np.array([-0.0, 1.0]), [3.0, 5.0], ax=ax)
    assert [text.get_text() for text in ax.texts] == ["0", "0", "0", "1"]


def test_the_numbers_in_a_heatmap_stay_inside_their_cells():
    ax = plot.jacobian(softmax, [-9.0, 0.0, -3.0, -8.0, -1.0, -5.0])
    ax.figure.draw_without_rendering()
    edges = ax.transData.transform([[-0.5, 0], [0.5, 0]])[:, 0]
    assert len(ax.texts) == 36
    assert max(text.get_window_extent().width for text in ax.texts) < edges[1] - edges[0]


@pytest.mark.parametrize("size", [7, 20])
def test_a_heatmap_of_a_large_jacobian_has_no_numbers(ax, size):
    plot.jacobian(np.tanh, np.zeros(size), ax=ax)
    assert ax.images[0].get_array().shape == (size, size)
    assert len(ax.texts) == 0


def test_gradients_flow_from_first_to_last_parameter_and_zeros_are_named(ax):
    first, dead, last = Tensor([1.0, -3.0], name="first"), Tensor(1.0), Tensor(2.0, name="last")
    loss = (first * [1.0, 3.0]).sum() * last + dead * 0
    plot.grad_flow(loss, ax=ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["first", "parameter 1", "last"]
    assert [bar.get_height() for bar in ax.patches] == [4, 8]  # |2 * (1, 3)| / 2 and |1 - 9|
    assert [text.get_text() for text in ax.texts] == ["0"]
    assert first.grad is None


def test_gradients_of_an_array_cannot_flow():
    with pytest.raises(TypeError, match=r"grad_flow: takes the Tensor .* not ndarray"):
        plot.grad_flow(np.ones(3))


def test_losses_are_drawn_by_step_on_the_scale_that_shows_them(ax):
    plot.loss_curve({"one": [3.0, 2.0], "two": [3.0, 0.01]}, ax=ax)
    assert [line.get_xydata().tolist() for line in ax.lines] == [[[1, 3], [2, 2]], [[1, 3], [2, 0.01]]]
    assert ax.get_yscale() == "log"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one", "two"]
    assert plot.loss_curve([3.0, 2.0]).get_yscale() == "linear"


def test_a_confusion_has_a_row_for_each_true_class_and_counts_in_its_cells(ax):
    plot.confusion([0, 0, 0, 2], [0, 0, 2, 2], labels=["a", "b", "c"], ax=ax)
    assert {text.get_position(): text.get_text() for text in ax.texts} == {
        (0, 0): "2",
        (2, 0): "1",
        (2, 2): "1",
    }
    assert ax.images[0].get_array().tolist() == [[-2 / 3, 0, 1 / 3], [0, 0, 0], [0, 0, -1]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]
    assert ax.get_title() == "3 of 4 right"


@pytest.mark.parametrize(
    ("targets", "predictions", "labels", "message"),
    [
        ([0, 1], [0], None, "2 targets for 1 predictions"),
        ([0.0, 1.0], [0, 1], None, "targets must be one class a row, as integers"),
        ([0, 1], [[0.2, 0.8], [0.9, 0.1]], None, "predictions must be one class a row"),
        ([0, -1], [0, 1], None, "targets must be one class a row, as integers from 0 on"),
        ([0, 2], [0, 1], ["a", "b"], "class 2 has no label; there are 2"),
    ],
)
def test_a_confusion_refuses_what_is_not_a_class_for_each_row(targets, predictions, labels, message, ax):
    with pytest.raises(ValueError, match=f"confusion: {message}"):
        plot.confusion(targets, predictions, labels, ax)


def test_short_class_names_stand_beside_each_other(ax):
    plot.confusion([0, 1, 2], [0, 1, 2], ["setosa", "versicolor", "virginica"], ax)
    ax.figure.canvas.draw()
    boxes = [name.get_window_extent() for name in ax.get_xticklabels()]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_long_class_names_stand_aslant_so_that_they_do_not_run_into_each_other(ax):
    plot.confusion(range(10), range(10), ["automobile"] * 10, ax)
    assert {name.get_rotation() for name in ax.get_xticklabels()} == {45.0}


def test_the_composed_softmax_loses_every_digit_and_the_fused_one_none(ax):
    plot.softmax_error(ax=ax, dtypes=[np.float32])
    curves = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert curves["composed, float32"][-1] == 1
    assert max(curves["fused, float32"]) < 4 * np.finfo(np.float32).eps


def test_a_comparison_draws_both_errors_of_every_form_and_where_it_ends(ax):
    compare({"exp": np.exp, "softmax": lambda x: softmax(x)}, [1.0, 2.0], repeats=1, sweep=(0.5, 2)).plot(ax)
    labels = [line.get_label() for line in ax.lines if not line.get_label().startswith("_")]
    assert labels == ["exp, value", "exp, gradient", "softmax, value", "softmax, gradient"]


def test_a_line_that_ends_in_nan_ends_in_a_cross(ax):
    compare(
        {"a": lambda x: np.exp(x) / np.exp(x), "b": lambda x: x * 0 + 1}, 1.0, repeats=1, sweep=(0.5, 1e3)
    ).plot(ax)
    assert [text.get_text() for text in ax.texts].count("NaN") == 2  # value and gradient of the first


def test_without_matplotlib_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'tiny-autodiff\[plot\]'"):
        plot.loss_curve([1.0])
