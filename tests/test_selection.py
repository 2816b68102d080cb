"""An element that was not selected contributes nothing, whatever its own derivative."""

import weakref

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, grad, gradients, hvp, jvp, primitive

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in:RuntimeWarning")
ZERO_ONE = np.array([0.0, 2.0])

SAFE_LOGS = {
    "where": lambda x: np.where(x > 0, np.log(x), 0).sum(),
    "where, turned round": lambda x: np.where(x <= 0, 0, np.log(x)).sum(),
    "getitem by a mask": lambda x: np.log(x)[x > 0].sum(),
    "getitem by a slice": lambda x: np.log(x)[1:].sum(),
    "getitem by a number": lambda x: np.log(x)[1],
    "getitem by a list": lambda x: np.log(x)[[1]].sum(),
    "take_along_axis": lambda x: np.take_along_axis(np.log(x), np.array([1]), 0).sum(),
    "maximum": lambda x: np.maximum(np.log(x), -5.0).sum(),
    "clip": lambda x: np.clip(np.log(x), -5.0, 5.0).sum(),
    "max": lambda x: np.max(np.log(x)),
}


@pytest.mark.parametrize("form", SAFE_LOGS)
def test_an_element_left_out_has_gradient_0_at_both_orders_and_in_jvp(form):
    f = SAFE_LOGS[form]
    assert grad(f)(ZERO_ONE).tolist() == [0.0, 0.5]
    assert hvp(f, ZERO_ONE, np.array([1.0, 1.0])).tolist() == [0.0, -0.25]
    value, slope = jvp(f, (ZERO_ONE,), (np.array([1.0, 3.0]),))
    assert np.isfinite(value)
    assert slope == 1.5
    assert jvp(grad(f), (ZERO_ONE,), (np.array([1.0, 1.0]),))[1].tolist() == [0.0, -0.25]


def test_a_zero_that_was_selected_is_no_excuse():
    """sqrt(x)**2 at 0: 0 times infinity is honestly NaN, a selection or not."""
    assert np.isnan(grad(lambda x: np.sqrt(x) ** 2)(0.0))
    x = np.array([0.0, 4.0])
    assert np.isnan(grad(lambda x: (np.sqrt(x) ** 2).sum())(x)).tolist() == [True, False]
    assert np.isnan(grad(lambda x: np.where(x >= 0, np.sqrt(x) ** 2, 0).sum())(x)).tolist() == [True, False]
    assert np.isnan(grad(lambda x: (np.sqrt(x) ** 2)[:1].sum())(x)).tolist() == [True, False]


def test_a_nan_on_a_selected_path_stays_visible():
    x = np.array([-1.0, 4.0, np.nan])
    slopes = grad(lambda x: np.where(x < 5, np.log(x) * np.sqrt(x), x * np.sqrt(x)).sum())(x)
    assert np.isnan(slopes).tolist() == [True, False, True]
    assert np.isnan(grad(lambda x: np.maximum(x * np.nan, 1.0).sum())(x)).all()


@pytest.mark.parametrize(
    "travels",
    [
        lambda z: z.reshape(2, 2),
        lambda z: np.transpose(z.reshape(2, 2)),
        lambda z: np.swapaxes(z.reshape(2, 2), 0, 1),
        lambda z: np.expand_dims(z, 0),
        lambda z: np.squeeze(np.expand_dims(z, 0)),
        lambda z: np.ravel(z.reshape(2, 2)),
        lambda z: np.concatenate([z, np.ones(2)]),
        lambda z: np.stack([z, np.ones(4)]),
        lambda z: np.broadcast_to(z, (3, 4)),
        lambda z: z[::-1],
        lambda z: z[[0, 0, 1, 2, 3]],
        lambda z: z * 3.0 + 1.0,
        lambda z: np.exp(-z),
        lambda z: z.astype(np.float32),
    ],
)
def test_a_mask_travels_through_what_moves_elements(travels):
    x = np.array([0.0, 1.0, 2.0, 4.0])
    used = travels(x) != travels(np.zeros(4))
    f = lambda x: np.where(used, travels(np.sqrt(x)), 0).sum()
    slopes = grad(f)(x)
    assert slopes[0] == 0
    assert np.isfinite(slopes).all()
    assert (slopes[1:] != 0).all()
    assert np.isfinite(hvp(f, x, np.ones(4))).all()


@pytest.mark.parametrize("reduce", [np.sum, np.mean])
def test_a_mask_travels_through_sums_and_means(reduce):
    x = np.array([[0.0, 0.0], [1.0, 4.0]])
    f = lambda x: reduce(np.sqrt(x), axis=1)[1]
    assert grad(f)(x)[0].tolist() == [0.0, 0.0]
    assert hvp(f, x, np.ones((2, 2)))[0].tolist() == [0.0, 0.0]


def test_masks_of_several_contributions_intersect():
    """An element that one use left out and another took is used."""
    x = np.array([0.0, 0.0, 4.0])

    def f(x):
        root = np.sqrt(x)
        return root[1:].sum() + root[2:].sum() + (root * np.array([0.0, 1.0, 1.0]))[1:].sum()

    slopes = grad(f)(x)
    assert slopes[0] == 0
    assert slopes[1] == np.inf
    assert slopes[2] == 0.75
    both = grad(lambda x: (lambda root: root[1:].sum() + root.sum() * 0.0)(np.sqrt(x)))(x)
    assert np.isnan(both[0])


def test_masks_intersect_whatever_the_order_of_the_uses():
    x = np.array([0.0, 4.0])
    for f in (
        lambda r: r[1:].sum() + (r * 0.0).sum(),
        lambda r: (r * 0.0).sum() + r[1:].sum(),
        lambda r: r[1:].sum() + r[1] + (r * 0.0).sum(),
    ):
        assert np.isnan(grad(lambda x, f=f: f(np.sqrt(x)))(x)[0])
    for f in (lambda r: r[1:].sum() + r[1], lambda r: r[1] + np.where(np.array([False, True]), r, 0).sum()):
        assert grad(lambda x, f=f: f(np.sqrt(x)))(x)[0] == 0


def test_a_matmul_drops_the_mask_and_its_zeros_are_zeros():
    x = np.array([[0.0, 1.0], [2.0, 4.0]])
    slopes = grad(lambda x: (np.sqrt(x) @ np.eye(2))[1].sum())(x)
    assert np.isnan(slopes[0, 0])
    assert slopes[1].tolist() == [0.5 / np.sqrt(2.0), 0.25]


def test_a_mask_is_summed_down_where_its_input_was_repeated():
    """The row's root at 0 is left out in both rows of the first column, so it is unused."""
    row = np.array([0.0, 4.0])
    f = lambda row: np.where(
        np.array([[False, True], [False, True]]), np.sqrt(row) * np.ones((2, 1)), 0
    ).sum()
    assert grad(f)(row).tolist() == [0.0, 0.5]
    one = lambda row: np.where(
        np.array([[False, True], [True, True]]), np.sqrt(row) * np.ones((2, 1)), 0
    ).sum()
    assert grad(one)(row).tolist() == [np.inf, 0.5]


def test_the_gradient_that_arrives_is_exactly_0_with_its_dtype():
    x = Tensor(np.array([0.0, 1.0], np.float32))
    np.where(x.data > 0, np.log(x), 0).sum().backward()
    assert x.grad.dtype == np.float32
    assert x.grad.tolist() == [0.0, 1.0]


def test_a_division_that_was_not_selected_adds_nothing_to_its_other_input():
    x, y = Tensor(np.array([1.0, 2.0])), Tensor(np.array([0.0, 4.0]))
    np.where(y.data != 0, x / y, 0).sum().backward()
    assert x.grad.tolist() == [0.0, 0.25]
    assert y.grad.tolist() == [0.0, -0.125]


def test_interior_gradients_see_the_same_zeros():
    x = Tensor(np.array([0.0, 1.0]))
    inner = x * x
    y = np.where(x.data > 0, np.log(inner), 0).sum()
    assert gradients(y, inner).tolist() == [0.0, 1.0]
    assert gradients(y, x).tolist() == [0.0, 2.0]


def test_a_graph_that_selects_nothing_makes_no_masks(monkeypatch):
    from autodiff import graph

    monkeypatch.setattr(graph, "pass_selection", lambda *args: pytest.fail("a mask was made"))
    x = Tensor(np.ones((2, 3)))
    (np.tanh(x @ np.ones((3, 2))) * 2 + 1).mean().backward()
    assert x.grad.shape == (2, 3)


def test_a_plain_walk_asks_what_was_left_out_only_where_a_zero_meets_an_infinity(fresh_registry):
    asked = []

    @primitive(structure="selection")
    def second_half(x, /):
        def pull(g, y, x):
            asked.append(np.shape(g))
            return np.concatenate([np.zeros_like(g), g])

        return x[len(x) // 2 :], pull

    x = np.repeat([0.0, 4.0], 100)
    assert grad(lambda x: second_half(np.exp(x * 2.0)).sum())(x)[:100].tolist() == [0.0] * 100
    assert len(asked) == 1
    assert grad(lambda x: second_half(np.sqrt(x * 2.0)).sum())(x)[:100].tolist() == [0.0] * 100
    assert len(asked) == 3


@pytest.mark.parametrize("repeats", [1, 50])
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_selection_of_everything_is_as_good_as_none(repeats, create_graph):
    """What a layout behind it drops is a zero like any other."""

    def slopes(f, x):
        leaf = Tensor(x)
        found = gradients(f(leaf), leaf, create_graph=create_graph)
        return getattr(found, "value", found).tolist()

    x = np.tile([1.0, 0.0, 4.0, 0.0], repeats)
    everys_second = lambda x: ad.avg_pool2d(np.sqrt(x).reshape(1, 1, -1, 1), 1, stride=2)
    found = slopes(lambda x: everys_second(x)[::-1].sum(), x)
    np.testing.assert_array_equal(found, slopes(lambda x: everys_second(x).sum(), x))
    np.testing.assert_array_equal(found, np.tile([0.5, np.nan, 0.25, np.nan], repeats))
    rows_of_nothing = lambda x: (np.sqrt(x) * np.ones((0, x.size)))[::-1].sum()
    np.testing.assert_array_equal(slopes(rows_of_nothing, x), np.tile([0.0, np.nan], 2 * repeats))


@pytest.mark.filterwarnings("default")
def test_a_warning_is_heard_where_nothing_was_left_out():
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        grad(lambda x: np.sqrt(x)[::-1].sum())(np.zeros(200))


def test_a_mask_that_nobody_asked_for_keeps_no_array_alive():
    x, low = Tensor(np.ones(200)), Tensor(np.zeros(200))
    oldest = np.tanh(x)
    top = np.maximum(np.eye(200) @ oldest, low)
    alive, watched = [], weakref.ref(top.value)
    oldest.register_hook(lambda g: alive.append(watched() is not None))
    loss = (top * 2.0).sum()
    del top
    loss.backward(free_graph=True)
    assert alive == [False]


def test_a_rule_below_a_selection_that_returns_no_gradient_is_named(fresh_registry):
    @primitive(structure="elementwise")
    def unwilling(x, /):
        return x * 1.0, lambda g, y, x: None

    with pytest.raises(TypeError, match=r"unwilling: its vjp returned object; gradients are real numbers"):
        unwilling(Tensor(np.ones(200)) * 1.0)[1:].sum().backward()


@pytest.mark.parametrize(
    "moved",
    [lambda x: np.flip(x), lambda x: np.expand_dims(x, 0)[0], lambda x: x * 1.0, lambda x: x[[0, 1, 0]]],
)
def test_a_mask_goes_through_thousands_of_ops_without_recursion(moved):
    def f(x):
        root = np.sqrt(x)
        for _ in range(3000):
            root = moved(root)
        return root[1]

    assert grad(f)(np.array([0.0, 4.0, 0.0])).tolist() == [0.0, 0.25, 0.0]
