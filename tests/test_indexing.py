"""Taking, choosing, writing as a function, diagonals: what the generic laws do not say."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, grad, gradients, hvp, jvp
from autodiff.ops.indexing import is_distinct, summed_at

X = np.arange(6.0).reshape(2, 3)

# -- taking -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "take",
    [
        lambda x, i: x[i],
        lambda x, i: np.take(x, i),
        lambda x, i: np.take(x, i, axis=0, mode="wrap"),
        lambda x, i: np.take_along_axis(x, i, 0),
        lambda x, i: np.concatenate([x[k : k + 1] for k in i]),
    ],
)
def test_elements_taken_twice_add_their_gradients_at_both_orders(take):
    f = lambda x: (take(x, np.array([0, 0, 2])) ** 3 * np.array([1.0, 10.0, 100.0])).sum()
    x = np.array([1.0, 2.0, 3.0])
    assert grad(f)(x).tolist() == [33, 0, 2700]
    assert hvp(f, x, np.array([1.0, 1.0, 2.0])).tolist() == [66, 0, 3600]
    assert jvp(f, (x,), (np.array([1.0, 1.0, 2.0]),))[1] == 33 + 5400


@pytest.mark.parametrize(
    ("shape", "index"),
    [
        ((50, 80), (np.arange(200) % 7,)),
        ((50, 80), (slice(None), np.arange(200) % 7 - 3)),
        ((4, 50, 8), (slice(None), np.arange(40).reshape(8, 5) % 9)),
        ((50, 8), (np.arange(400).reshape(8, 50) % 11, 3)),
        ((5, 6), (np.arange(30) % 4, np.arange(30) % 6)),
        ((50, 60), (np.arange(30) % 4, np.arange(30) % 6)),
        ((5, 6, 7), (np.arange(20) % 3, slice(None), np.arange(20) % 7)),
        ((300,), (np.arange(1000) % 9,)),
        ((4, 5), (np.zeros((0, 2), int),)),
        ((0, 5), (slice(None), np.array([1, 1]))),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "longdouble"])
def test_every_way_to_add_up_agrees_with_one_element_at_a_time(shape, index, dtype):
    g = (np.arange(np.zeros(shape)[index].size) % 17 - 8).reshape(np.zeros(shape)[index].shape).astype(dtype)
    expected = np.zeros(shape, dtype)
    places = np.arange(expected.size).reshape(shape)[index]
    for place in np.ndindex(g.shape):
        expected.reshape(-1)[places[place]] += g[place]
    np.testing.assert_array_equal(summed_at(g, index, shape), expected, strict=True)


def test_only_lists_of_numbers_may_name_an_element_twice():
    mask = X > 2
    for index in (
        1,
        slice(0, 2),
        (..., None, -1),
        mask,
        (slice(None), mask[0]),
        (mask[:, 0], 1),
        True,
        np.int64(1),
    ):
        assert is_distinct(index)
    for index in ([0, 0], np.array([1, 1]), (slice(None), [0, 0]), (mask[:, 0], np.array([1, 1]))):
        assert not is_distinct(index)
    # One true element and a list of numbers are paired: the very same element twice.
    one = np.array([False, True])
    f = lambda x: x[one, [2, 2]].sum()
    assert grad(f)(X).tolist() == [[0, 0, 0], [0, 0, 2]]


def test_an_index_changed_after_the_forward_pass_changes_nothing():
    def changing(f, index, value):
        x = Tensor(np.array([1.0, 2.0, 3.0]))
        y = f(x, index)
        index[...] = value
        return gradients(y.sum(), x).tolist()

    places = lambda: np.array([0, 1])
    mask = lambda: np.array([True, True, False])
    assert changing(lambda x, i: x[i], places(), 2) == [1, 1, 0]
    assert changing(lambda x, i: x[i], mask(), True) == [1, 1, 0]
    assert changing(lambda x, i: np.take(x, i), places(), 2) == [1, 1, 0]
    assert changing(lambda x, i: np.take_along_axis(x, i, 0), places(), 2) == [1, 1, 0]
    assert changing(lambda x, i: np.compress(i, x), mask(), True) == [1, 1, 0]
    assert changing(lambda x, i: np.extract(i, x), mask(), True) == [1, 1, 0]
    assert changing(lambda x, i: np.delete(x, i), places(), 2) == [0, 0, 1]
    assert changing(lambda x, i: np.repeat(x, i), np.array([0, 1, 2]), 1) == [0, 1, 2]
    assert changing(lambda x, i: np.choose(i, [x, -x]), np.array([0, 1, 0]), 1) == [1, -1, 1]
    assert changing(lambda x, i: ad.index_update(x, i, 0.0), places(), 2) == [0, 0, 1]
    assert changing(lambda x, i: ad.index_add(np.zeros(3), i, x[:2]), places(), 2) == [1, 1, 0]
    assert changing(lambda x, i: np.roll(x, i, (0,))[:1], np.array([1]), 2) == [0, 0, 1]


def test_places_out_of_range_may_wrap_or_be_clipped():
    x = np.array([1.0, 2.0, 3.0])
    for mode, places, slopes in [("clip", [-5, 0, 9], [2, 0, 1]), ("wrap", [-1, 3, 7], [1, 1, 1])]:
        y = np.take(Tensor(x), places, mode=mode)
        assert y.tolist() == np.take(x, places, mode=mode).tolist()
        assert grad(lambda x, p=places, m=mode: np.take(x, p, mode=m).sum())(x).tolist() == slopes
        assert grad(lambda x, p=places, m=mode: np.take(x, p, 0, mode=m).sum())(x).tolist() == slopes


def test_booleans_are_places_to_take_but_masks_as_an_index():
    x = Tensor([1.0, 2.0, 3.0])
    y = np.take(x, [True, True, False])
    assert y.tolist() == np.take(x.data, [True, True, False]).tolist() == [2, 2, 1]
    assert gradients(y.sum(), x).tolist() == [1, 2, 0]


# -- an element that was left out contributes nothing ------------------------------------------------------

ZERO_ONE = np.array([0.0, 2.0])
SAFE_LOGS = {
    "take": lambda z: np.take(z, [1]),
    "compress": lambda z: np.compress([False, True], z),
    "extract": lambda z: np.extract([False, True], z),
    "choose": lambda z: np.choose([1, 0], [z, 0.0]),
    "select": lambda z: np.select([np.array([False, True])], [z]),
    "piecewise": lambda z: np.piecewise(z, [np.array([False, True])], [np.positive]),
    "delete": lambda z: np.delete(z, 0),
    "split": lambda z: np.split(z, 2)[1],
    "trace": lambda z: np.trace(z[None, ::-1]),
    "triu": lambda z: np.triu(z[None, :], 1),
    "tril": lambda z: np.tril(z[None, ::-1]),
    "index_update": lambda z: ad.index_update(z, 0, 0.0),
    "index_update by a list": lambda z: ad.index_update(z, [0, 0], 0.0),
    "index_update of values": lambda z: ad.index_update(np.zeros(1), [0, 0], z),
    "index_add": lambda z: ad.index_add(z, 1, 0.0)[1:],
    "windows": lambda z: np.lib.stride_tricks.sliding_window_view(z, 1)[1],
    "layouts": lambda z: np.moveaxis(np.roll(np.flip(np.tile(np.pad(z, (1, 0)), 2)), 1)[None], 0, 1)[1],
    "repeat": lambda z: np.repeat(z, [3, 2])[4:],
    "diagonal": lambda z: np.diagonal(np.diag(z), 0)[1:],
    "pad by copies": lambda z: np.pad(z, 1, "edge")[3:],
    "pad by a ramp": lambda z: np.pad(z, (0, 2), "linear_ramp")[2:3] * 2.0,
}


@pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning")
@pytest.mark.parametrize("form", SAFE_LOGS)
def test_an_element_left_out_has_gradient_0_at_both_orders_and_in_jvp(form):
    f = lambda x: SAFE_LOGS[form](np.log(x)).sum()
    assert grad(f)(ZERO_ONE).tolist() == [0, 0.5]
    assert hvp(f, ZERO_ONE, np.ones(2)).tolist() == [0, -0.25]
    assert jvp(f, (ZERO_ONE,), (np.array([1.0, 3.0]),))[1] == 1.5


# -- writing, as a function --------------------------------------------------------------------------------


def test_an_update_hands_gradients_to_what_stays_and_to_what_is_written():
    x, v = Tensor(X), Tensor([[10.0], [20.0]])
    y = ad.index_update(x, (slice(None), [0, 2]), v)
    assert y.tolist() == [[10, 1, 10], [20, 4, 20]]
    assert x.tolist() == X.tolist()
    y.backward(seed=np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert x.grad.tolist() == [[0, 2, 0], [0, 5, 0]]
    assert v.grad.tolist() == [[4], [10]]


def test_of_several_updates_of_one_element_the_last_wins_and_alone_gets_a_gradient():
    x, v = np.array([1.0, 2.0, 3.0]), np.array([5.0, 6.0, 7.0])
    f = lambda x, v: (ad.index_update(x, [0, 2, 0], v) ** 2 * np.array([1.0, 10.0, 100.0])).sum()
    assert ad.index_update(x, [0, 2, 0], v).tolist() == [7, 2, 6]
    slopes = grad(f, argnums=(0, 1))(x, v)
    assert [slope.tolist() for slope in slopes] == [[0, 40, 0], [0, 1200, 14]]
    bend = hvp(lambda xs: f(*xs), [x, v], [np.ones(3), np.ones(3)])
    assert [b.tolist() for b in bend] == [[0, 20, 0], [0, 200, 2]]


def test_several_additions_to_one_element_add_up():
    x, v = np.array([1.0, 2.0, 3.0]), np.array([5.0, 6.0, 7.0])
    f = lambda x, v: (ad.index_add(x, [0, 2, 0], v) ** 2 * np.array([1.0, 10.0, 100.0])).sum()
    assert ad.index_add(x, [0, 2, 0], v).tolist() == [13, 2, 9]
    slopes = grad(f, argnums=(0, 1))(x, v)
    assert [slope.tolist() for slope in slopes] == [[26, 40, 1800], [26, 1800, 26]]
    bend = hvp(lambda xs: f(*xs), [x, v], [np.ones(3), np.ones(3)])
    assert [b.tolist() for b in bend] == [[6, 20, 400], [6, 400, 6]]


WRITTEN = [
    (1, 5.0),
    ((0, -1), 5.0),
    (slice(None, None, 2), [7.0, 8.0, 9.0]),
    (..., 1.0),
    ((), X + 1),
    (X > 2, [7.0, 8.0, 9.0]),
    (X > 9, np.zeros(0)),
    ((None, 0, slice(1, 3)), [[4.0, 5.0]]),
    (np.ix_([1, 0], [0, 2]), [4.0, 5.0]),
    ([1, 0, 1], np.ones((3, 1))),
    (([0, 1], slice(1)), np.ones((1, 1, 1))),
]


@pytest.mark.parametrize(("index", "v"), WRITTEN)
def test_an_update_is_numpys_assignment(index, v):
    expected = X.copy()
    expected[index] = v
    for x, values in [(X, v), (Tensor(X), v), (X, Tensor(v)), (Tensor(X), Tensor(v))]:
        found = ad.index_update(x, index, values)
        np.testing.assert_array_equal(getattr(found, "data", found), expected)
    added = X.copy()
    np.add.at(added, index, np.reshape(v, np.shape(v)[-X[index].ndim :] if X[index].ndim else ()))
    np.testing.assert_array_equal(ad.index_add(Tensor(X), index, v).data, added)


def test_what_is_written_takes_the_dtype_of_what_it_is_written_into():
    x, v = Tensor(np.ones(2, np.float32)), Tensor(np.float64(0.1))
    for write in (ad.index_update, ad.index_add):
        y = write(x, 0, v)
        assert y.dtype == np.float32
        assert [g.dtype for g in gradients(y.sum(), [x, v])] == [np.float32, np.float64]
        assert write(np.arange(3), 0, v).dtype == np.float64  # integers would lose the gradient
        assert write(np.arange(3), 0, 1).dtype == np.arange(3).dtype


def test_one_tensor_written_into_itself_gets_both_gradients():
    x = Tensor([1.0, 2.0, 3.0])
    assert gradients(ad.index_update(x, slice(0, 2), x[1:]).sum(), x).tolist() == [0, 1, 2]
    assert gradients(ad.index_add(x, [0, 0], x[1:]).sum(), x).tolist() == [1, 2, 2]


def test_a_loop_of_updates_differentiates_as_the_formula_does():
    """A recurrence written element by element: y[i] = y[i - 1] * x[i]."""

    def running_product(x):
        y = ad.index_update(np.zeros(4), 0, x[0])
        for i in range(1, 4):
            y = ad.index_update(y, i, y[i - 1] * x[i])
        return y[3]

    x = np.array([2.0, 3.0, 5.0, 7.0])
    assert grad(running_product)(x).tolist() == [105, 70, 42, 30]
    assert hvp(running_product, x, np.array([1.0, 0.0, 0.0, 0.0])).tolist() == [0, 35, 21, 15]


# -- choosing ------------------------------------------------------------------------------------------


def test_the_last_piece_that_holds_counts():
    x = np.array([-2.0, -0.5, 0.5, 2.0])
    f = lambda x: np.piecewise(x, [x < 0, x > 1], [np.negative, lambda z: z * z, np.exp])
    np.testing.assert_allclose(f(Tensor(x)).data, [2, 0.5, np.exp(0.5), 4], rtol=1e-15)
    np.testing.assert_allclose(grad(lambda x: f(x).sum())(x), [-1, -1, np.exp(0.5), 4], rtol=1e-15)
    both = np.piecewise(Tensor(x), [x < 1, x < 0], [np.square, 7.0])
    assert both.tolist() == np.piecewise(x, [x < 1, x < 0], [np.square, 7.0]).tolist() == [7, 7, 0.25, 0]
    assert np.piecewise(Tensor(3.0), True, [lambda z, n: z**n], n=2).item() == 9


def test_python_numbers_are_weak_among_choices():
    conditions = [np.array([True, False]), np.array([False, False])]
    halves = np.array([1, 2], np.float16)
    for default in (0, 1.5):
        found, expected = (np.select(conditions, [x, 2.5], default) for x in (Tensor(halves), halves))
        np.testing.assert_array_equal(found.data, expected, strict=True)


def test_the_first_condition_that_holds_selects():
    a, b = Tensor([1.0, 2.0, 3.0]), Tensor(10.0)
    y = np.select([np.array([True, True, False]), np.array([False, True, False])], [a, b], default=-1.0)
    assert y.tolist() == [1, 2, -1]
    assert [g.tolist() for g in gradients(y.sum(), [a, b])] == [[1, 1, 0], 0]


# -- refusals ------------------------------------------------------------------------------------------

T = Tensor(X)
V = Tensor([1.0, 2.0, 3.0])
REFUSED = {
    "take far": (lambda: np.take(T, [3], axis=1), IndexError, "take: index 3 is out of bounds for axis 1"),
    "take by a Tensor": (lambda: np.take(T, V), TypeError, r"take: the option indices= has no derivative"),
    "take into": (lambda: np.take(T, [0], 0, np.zeros(3)), TypeError, "take: out= would lose the gradient"),
    "take strangely": (lambda: np.take(T, [0], mode="foo"), ValueError, "take: clipmode"),
    "index far": (lambda: T[5], IndexError, "getitem: index 5 is out of bounds for axis 0"),
    "index a list": (lambda: T[[V[0]]], TypeError, r"getitem: .*t\.item"),
    "index a mask": (lambda: T[np.ones((3, 3), bool)], IndexError, "getitem: boolean index did not match"),
    "along far": (lambda: np.take_along_axis(T, np.array([[9]]), 1), IndexError, "take_along_axis: index 9"),
    "choose by a Tensor": (lambda: np.choose(V, [V]), TypeError, "choose: an index has no derivative"),
    "choose, method": (lambda: V.choose([V]), TypeError, "choose: an index has no derivative"),
    "choose far": (lambda: np.choose([5, 0, 1], [V, V]), ValueError, "choose: invalid entry"),
    "select": (lambda: np.select([X > 0], [T, T]), ValueError, "select: 1 conditions do not fit 2 choices"),
    "select by numbers": (lambda: np.select([np.ones(3)], [V]), TypeError, "select: conditions .* of bool"),
    "compress": (lambda: np.compress(X > 0, T), ValueError, r"compress: .*one axis, not the shape \(2, 3\)"),
    "extract": (lambda: np.extract(T, T), TypeError, "extract: a condition has no derivative"),
    "piecewise": (lambda: np.piecewise(V, [X[0] > 0], [1, 2, 3]), ValueError, "piecewise: 1 conditions"),
    "diag": (lambda: np.diag(T[None]), ValueError, r"diag: takes one axis or two.*np\.diagonal"),
    "trace": (lambda: T.trace(0, 0, 1, None, np.zeros(())), TypeError, "trace: out= would lose"),
    "tril": (lambda: np.tril(T[0, 0]), ValueError, "tril, triu: a single number"),
    "vander": (lambda: np.vander(T), ValueError, "vander: takes one axis"),
    "update far": (lambda: ad.index_update(T, 9, 1.0), IndexError, "index_update: index 9 is out of bounds"),
    "update by half": (lambda: ad.index_update(T, 0.5, 1.0), IndexError, "index_update: only integers"),
    "update shape": (
        lambda: ad.index_update(T, 0, [1.0, 2.0]),
        ValueError,
        r"index_update: .*\(2,\) .*\(3,\)",
    ),
    "update by a Tensor": (lambda: ad.index_update(T, V, 1.0), TypeError, "index_update: an index has no"),
    "add far": (lambda: ad.index_add(T, (0, 7), 1.0), IndexError, "index_add: index 7 is out of bounds"),
    "put": (lambda: np.put(T, [0], 1.0), TypeError, r"np\.put: .*ad\.index_update.*t\.data"),
    "put, method": (lambda: T.put([0], 1.0), TypeError, r"np\.put: .*ad\.index_update"),
    "place": (lambda: np.place(T, X > 0, 1.0), TypeError, r"np\.place: .*ad\.index_update\(x, mask, v\)"),
    "putmask": (lambda: np.putmask(T, X > 0, 1.0), TypeError, r"np\.putmask: .*np\.where"),
    "copyto": (lambda: np.copyto(np.zeros((2, 3)), T), TypeError, r"np\.copyto: .*np\.where"),
    "along": (
        lambda: np.put_along_axis(T, X.astype(int), 1.0, 1),
        TypeError,
        r"np\.put_along_axis: .*np\.ogrid",
    ),
    "fill": (lambda: np.fill_diagonal(T, 0.0), TypeError, r"np\.fill_diagonal: .*np\.diag_indices"),
    "assign": (
        lambda: T.__setitem__(0, 1.0),
        TypeError,
        r"ad\.index_update\(t, index, value\) and ad\.index_add",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_taken_or_written_is_refused_by_name(case):
    call, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("refused", "way_out"),
    [
        (lambda x: np.fill_diagonal(x, 9.0), lambda x: ad.index_update(x, np.diag_indices(len(x)), 9.0)),
        (
            lambda x: np.put(x, [0, 5], 9.0),
            lambda x: ad.index_update(np.ravel(x), [0, 5], 9.0).reshape(x.shape),
        ),
        (lambda x: np.place(x, X > 2, 9.0), lambda x: ad.index_update(x, X > 2, 9.0)),
        (lambda x: np.putmask(x, X > 2, 9.0), lambda x: np.where(X > 2, 9.0, x)),
    ],
)
def test_the_ways_out_do_what_was_refused(refused, way_out):
    expected = X.copy()
    refused(expected)
    np.testing.assert_array_equal(way_out(Tensor(X)).data, expected)
