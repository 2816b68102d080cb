"""Shaping, joining, splitting, repeating, padding: what the generic laws do not say."""

import numpy as np
import pytest

from autodiff import Tensor, grad, gradients, hvp
from autodiff.tensor import implementations

X = np.arange(6.0).reshape(2, 3)


def traced(f, *inputs):
    """Which element of the inputs each element of the result is, by a gradient of one element at a time."""
    leaves = [Tensor(x) for x in inputs]
    y = f(*leaves)
    found = []
    for place in np.ndindex(y.shape):
        seed = np.zeros(y.shape)
        seed[place] = 1
        found.append(np.concatenate([np.ravel(g) for g in gradients(y, leaves, seed=seed)]))
    return np.array(found).reshape(*y.shape, -1)


# -- NumPy's signatures --------------------------------------------------------------------------------

METHODS = {
    "take": lambda x: x.take([2, 0], 1, None, "clip"),
    "repeat": lambda x: x.repeat([1, 2], 0),
    "diagonal": lambda x: x.diagonal(1, 0, 1),
    "trace": lambda x: x.trace(1, 0, 1),
    "compress": lambda x: x.compress([True, False, True], 1),
    "copy": lambda x: x.copy("F"),
    "mT": lambda x: x.mT,
    "flatten": lambda x: x.flatten("F"),
    "ravel": lambda x: x.ravel("K"),
}


@pytest.mark.parametrize("method", METHODS)
def test_a_method_takes_its_arguments_in_ndarrays_order(method):
    expected = METHODS[method](X)
    found = METHODS[method](Tensor(X))
    np.testing.assert_array_equal(found.data, expected, strict=True)


def test_a_tensor_has_no_method_that_ndarray_has_for_writing_in_place():
    for name in ("resize", "fill", "itemset"):
        assert not hasattr(Tensor(1.0), name), name
    with pytest.raises(
        AttributeError, match=r"no resize; use np\.resize\(t, shape\), or leave .* t\.data\.resize"
    ):
        Tensor([1.0, 2.0]).resize((1, 2))


# Those that raise in NumPy 2.0 are none, nor is tostring, which NumPy 2.3 removed.
NAMES = [name for name in dir(np.ndarray) if name[0] != "_" and name != "tostring" and hasattr(X, name)]


@pytest.mark.parametrize("name", NAMES)
def test_an_attribute_of_ndarray_is_there_or_tells_the_way_out(name):
    t = Tensor([[1.0, 2.0]])
    if not hasattr(t, name):
        with pytest.raises(AttributeError, match=rf"t\.data\.{name}$"):
            getattr(t, name)


def test_one_axis_is_turned_by_its_number_too():
    x = Tensor([1.0, 2.0])
    assert gradients(x.transpose(0), x, seed=np.array([3.0, 4.0])).tolist() == [3.0, 4.0]


PADDINGS = {
    "a number": (2, {}),
    "a pair": ((1, 2), {}),
    "a pair in a list": ([[1, 2]], {}),
    "one for each axis": ([[1], [2]], {}),
    "pairs": (((1, 0), (0, 3)), {}),
    "a dict": ({-1: (1, 2)}, {}),
    "numbers at the ends": (((1, 2), (3, 4)), {"constant_values": ((1.5, 2.5), (3.5, 4.5))}),
    "edge": (4, {"mode": "edge"}),
    "wrapped twice round": (8, {"mode": "wrap"}),
    "mirrored twice": (9, {"mode": "symmetric"}),
    "reflected thrice": (7, {"mode": "reflect"}),
    "turned over": (9, {"mode": "reflect", "reflect_type": "odd"}),
    "turned over, edge and all": ((11, 5), {"mode": "symmetric", "reflect_type": "odd"}),
    "a ramp": (3, {"mode": "linear_ramp", "end_values": (5.0, -2.0)}),
    "the mean of two": (2, {"mode": "mean", "stat_length": 2}),
    "the largest of one": (2, {"mode": "maximum", "stat_length": ((1, 2),)}),
    "no width": (0, {"mode": "mean"}),
}


@pytest.mark.parametrize("case", PADDINGS)
@pytest.mark.parametrize("shape", [(2, 3), (3, 1), (1, 2)])
def test_padding_is_numpys_however_it_is_written(case, shape):
    width, options = PADDINGS[case]
    x = np.random.default_rng(0).normal(size=shape)
    try:
        expected = np.pad(x, width, **options)
    except TypeError:
        pytest.skip("this NumPy takes no dict of widths")
    found = np.pad(Tensor(x), width, **options)
    np.testing.assert_allclose(found.data, expected, rtol=1e-14, atol=1e-14)


def test_the_numbers_around_may_be_tensors():
    x, ends = Tensor([1.0, 2.0]), Tensor([5.0, 7.0])
    y = np.pad(x, (1, 2), constant_values=ends)
    assert y.tolist() == [5, 1, 2, 7, 7]
    y.backward(seed=np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert (x.grad.tolist(), ends.grad.tolist()) == ([2, 3], [1, 9])
    ramp = np.pad(x, (2, 0), "linear_ramp", end_values=ends)
    assert ramp.tolist() == [5, 3, 1, 2]
    assert gradients(ramp.sum(), ends).tolist() == [1.5, 0]


def test_each_padded_element_hands_its_gradient_to_the_one_it_copies():
    """np.pad of places says which: 0 1 2 reflected is 2 1 0 1 2 1 0."""
    for mode in ("edge", "wrap", "reflect", "symmetric"):
        places = np.pad(np.arange(3), (5, 4), mode)
        np.testing.assert_array_equal(
            traced(lambda x, mode=mode: np.pad(x, (5, 4), mode), np.arange(3.0)), np.eye(3)[places]
        )


# -- joining and splitting -----------------------------------------------------------------------------


def test_joins_mix_tensors_arrays_lists_and_numbers():
    x = Tensor([1.0, 2.0])
    for y in (
        np.concatenate([x, np.array([3.0]), [4, 5], (6.0,)]),
        np.hstack([x, 3.0, [4.0, 5.0, 6.0]]),
        np.append(x, [3, 4, 5, 6]),
        np.block([x, 3.0, np.array([4.0, 5.0, 6.0])]),
    ):
        assert y.tolist() == [1, 2, 3, 4, 5, 6]
        assert gradients(y, x, seed=np.arange(6.0)).tolist() == [0, 1]


def test_joins_promote_as_numpys_and_each_gradient_keeps_its_own_dtype():
    a, b = Tensor(np.ones(2, np.float16)), Tensor(np.ones(2, np.float32))
    for y in (np.concatenate([a, b]), np.stack([a, b]), np.vstack([a, b]), np.block([a, b]), np.append(a, b)):
        assert y.dtype == np.float32
        assert [g.dtype for g in gradients(y.sum(), [a, b])] == [np.float16, np.float32]
    assert np.concatenate([a, np.array([1, 2])]).dtype == np.float64  # as np.concatenate of arrays
    assert np.concatenate([a, b], dtype=np.float64).dtype == np.float64
    with pytest.raises(TypeError, match="concatenate: float32 is not made float16 with casting='safe'"):
        np.concatenate([a, b], dtype=np.float16, casting="safe")


def test_one_tensor_joined_with_itself_adds_both_gradients():
    x = Tensor([1.0, 2.0])
    for join in (np.concatenate, np.stack, np.vstack, np.hstack, np.column_stack, np.block):
        y = join([x, x])
        assert gradients((y * y).sum(), x).tolist() == [4, 8]
        assert hvp(lambda x, join=join: (join([x, x]) ** 3).sum(), x.data, np.ones(2)).tolist() == [12, 24]


def test_a_tensor_is_a_sequence_of_its_rows():
    x = Tensor(X)
    assert np.concatenate(x).tolist() == np.hstack(x).tolist() == [0, 1, 2, 3, 4, 5]
    assert np.stack(x, axis=1).tolist() == X.T.tolist()


def test_each_part_of_a_long_join_gets_its_own_gradient():
    rows = [Tensor(np.ones(1)) for _ in range(4_000)]
    y = np.concatenate(rows)
    y.backward(seed=np.arange(4_000.0))
    assert [row.grad[0] for row in rows[::1000]] == [0, 1000, 2000, 3000]


def test_parts_joined_again_are_the_whole():
    x = Tensor(np.arange(24.0).reshape(2, 3, 4))
    for parts, axis in [
        (np.split(x, [1, 3], axis=-1), 2),
        (np.array_split(x, 3, axis=2), 2),
        (np.split(x, 2), 0),
        (np.hsplit(x, 3), 1),
        (np.vsplit(x, 2), 0),
        (np.dsplit(x, [2]), 2),
    ]:
        whole = np.concatenate(parts, axis)
        assert whole.tolist() == x.tolist()
        seed = np.random.default_rng(0).normal(size=x.shape)
        assert gradients(whole, x, seed=seed).tolist() == seed.tolist()


@pytest.mark.parametrize("where", [[-1], [2, 2], [3, 1], [0, 9], [], np.array([1, 2])], ids=str)
def test_places_to_split_at_may_repeat_fall_back_or_lie_outside(where):
    found = np.split(Tensor(np.arange(4.0)), where)
    assert [part.tolist() for part in found] == [part.tolist() for part in np.split(np.arange(4.0), where)]


INSERTIONS = {
    "a number": (1, 9.0, None),
    "several at one place": (1, [8.0, 9.0], None),
    "at the end": (6, 9.0, None),
    "from behind": (-1, 9.0, None),
    "two places": ([4, 1], [8.0, 9.0], None),
    "one place twice": ([1, 1], [8.0, 9.0], None),
    "a list of one": ([1], [8.0, 9.0], None),
    "a slice": (slice(0, 4, 2), [8.0, 9.0], None),
    "a mask": (np.array([True, False, True, False, False, False]), 9.0, None),
    "a row": (1, [7.0, 8.0, 9.0], 0),
    "a column": (1, [8.0, 9.0], 1),
    "columns": ([2, 0], [[7.0, 8.0]], 1),
    "a column of one number": (-1, 9.0, -1),
    "none": ([], [], None),
}


@pytest.mark.filterwarnings("ignore:in the future insert:FutureWarning")  # of NumPy 2.0, about the mask
@pytest.mark.parametrize("case", INSERTIONS)
def test_insertions_are_numpys_and_each_element_keeps_its_gradient(case):
    place, values, axis = INSERTIONS[case]
    y = np.insert(Tensor(X), place, np.array(values), axis)
    np.testing.assert_array_equal(y.data, np.insert(X, place, np.array(values), axis), strict=True)
    x, v = Tensor(X), Tensor(np.array(values, float))
    y = np.insert(x, place, v, axis)
    y.backward(seed=np.asarray(y.data))
    np.testing.assert_array_equal(x.grad, X)
    repeats = (y.size - X.size) // max(v.size, 1)
    np.testing.assert_array_equal(v.grad, np.multiply(values, repeats))


def test_insertions_of_a_tensor_into_integers_are_not_cut_to_integers():
    v = Tensor(0.5)
    y = np.insert(np.arange(3), 1, v)
    assert y.tolist() == [0, 0.5, 1, 2]
    assert gradients(y.sum(), v) == 1


@pytest.mark.parametrize("values", [1.5, 2, np.float64(0.5), Tensor(0.25)])
def test_an_insertion_keeps_the_dtype_of_the_floats_it_goes_into(values):
    assert np.insert(Tensor(np.ones(2, np.float32)), 1, values).dtype == np.float32


# -- repeating ---------------------------------------------------------------------------------------------


def test_repeats_and_tiles_add_up_exactly_in_half_precision():
    """2048 + 1 is 2048 in float16: what was repeated sums its gradients in float32."""
    x = Tensor(np.ones(2, np.float16))
    for y in (
        np.repeat(x, 3000),
        np.repeat(x, [3000, 3000]),
        np.tile(x, 3000),
        np.resize(x, 6000),
        np.broadcast_to(x, (3000, 2)),
        x[[0, 1] * 3000],
        np.take(x, [0, 1] * 3000),
        np.pad(x, (2999, 2999), "edge"),
    ):
        assert gradients(y, x, seed=np.ones(y.shape, np.float16)).tolist() == [3000, 3000]


@pytest.mark.parametrize("shape", [(4,), (7,), (2, 4), (0, 3), (6, 2), ()], ids=str)
def test_resize_takes_and_repeats_as_numpys(shape):
    np.testing.assert_array_equal(np.resize(Tensor(X), shape).data, np.resize(X, shape), strict=True)


def test_more_axes_make_arrays_of_lists_and_numbers_too():
    found = np.atleast_1d(Tensor(1.0), [1, 2, 3], 2.0)
    assert [type(x) for x in found] == [Tensor, np.ndarray, np.ndarray]
    assert [x.shape for x in found] == [(1,), (3,), (1,)]


@pytest.mark.parametrize("shape", [(0,), (0, 3), (1,), (1, 1), ()], ids=str)
def test_small_and_empty_arrays_keep_their_shapes_both_ways(shape):
    x = Tensor(np.ones(shape))
    for f in (
        lambda x: np.tile(x, (2, 3)),
        lambda x: np.repeat(x, 3),
        lambda x: np.repeat(x, [1] * x.size),
        lambda x: np.roll(x, 2),
        lambda x: np.flip(x),
        lambda x: np.atleast_3d(x),
        lambda x: np.stack([x, x], -1),
        lambda x: np.append(x, x),
        lambda x: np.pad(x, 1),
        lambda x: np.meshgrid(x, x)[0],
        lambda x: np.concatenate(np.broadcast_arrays(np.ravel(x), np.ones((2, 1)))),
    ):
        y = f(x)
        np.testing.assert_array_equal(y.data, f(x.data), strict=True)
        assert gradients(y, x, seed=np.ones(y.shape)).shape == shape


# -- windows and functions along axes ------------------------------------------------------------------


@pytest.mark.parametrize("window", [1, 2, 7, 8])
def test_overlapping_windows_add_their_gradients_whether_short_or_long(window):
    x = np.arange(8.0)
    count = 9 - window
    slopes = grad(lambda x: np.lib.stride_tricks.sliding_window_view(x, window).sum())(x)
    assert slopes.tolist() == [min(i + 1, 8 - i, window, count) for i in range(8)]


def test_a_function_along_an_axis_is_handed_tensors():
    x = Tensor(np.arange(1.0, 25.0).reshape(2, 3, 4))
    y = np.apply_along_axis(lambda row, power: row[:2] ** power, 1, x, power=2)
    assert y.tolist() == np.apply_along_axis(lambda row: row[:2] ** 2, 1, x.data).tolist()
    y.sum().backward()
    expected = 2 * x.data
    expected[:, 2] = 0
    np.testing.assert_array_equal(x.grad, expected)


# -- refusals ----------------------------------------------------------------------------------------------

T = Tensor(X)
V = Tensor([1.0, 2.0, 3.0])
REFUSED = {
    "repeats": (lambda: np.repeat(T, V), TypeError, r"repeat: .*no derivative.*t\.data"),
    "repeat axis": (lambda: np.repeat(T, 2, axis=5), ValueError, "repeat: axis 5 is out of bounds"),
    "tile": (lambda: np.tile(T, -1), ValueError, "tile: repeats are integers from 0 on"),
    "resize": (lambda: np.resize(T, -3), ValueError, "resize: .*not negative.*reshape"),
    "shift": (lambda: np.roll(T, V), TypeError, "roll: the option shift= has no derivative"),
    "rot90": (lambda: np.rot90(V), ValueError, "rot90: Axes must be different"),
    "fliplr": (lambda: np.fliplr(V), ValueError, "fliplr: takes two axes"),
    "mT": (lambda: V.mT, ValueError, "matrix_transpose: takes two axes"),
    "rollaxis": (lambda: np.rollaxis(T, 5), ValueError, "rollaxis: axis 5"),
    "grids": (lambda: np.meshgrid(V, indexing="zz"), ValueError, 'meshgrid: indexing is "xy" or "ij"'),
    "arrays": (lambda: np.broadcast_arrays(T, np.ones(2)), ValueError, "broadcast_arrays: .*mismatch"),
    "out": (lambda: np.concatenate([V], 0, np.ones(3)), TypeError, "concatenate: out= would lose"),
    "nested": (lambda: np.concatenate([[V, V], V]), TypeError, r"np\.stack"),
    "tuple of blocks": (lambda: np.block([[(V,)]]), TypeError, "tuple"),
    "depth of blocks": (lambda: np.block([[T], T]), ValueError, "block: .*unequal depth"),
    "no blocks": (lambda: np.block([[], [T]]), ValueError, "block: an empty list"),
    "insert": (lambda: np.insert(T, 9, 1.0), IndexError, "insert: index 9 is out of bounds"),
    "insert at": (lambda: np.insert(T, V, 1.0), TypeError, "insert: a place has no derivative"),
    "delete": (lambda: np.delete(T, 9), IndexError, "delete: index 9 is out of bounds"),
    "uneven": (
        lambda: np.split(V, 2),
        ValueError,
        r"split: .*length 3 has no 2 equal parts; np\.array_split",
    ),
    "no parts": (lambda: np.array_split(V, 0), ValueError, "array_split: .*no 0 equal parts"),
    "rows": (lambda: np.vsplit(V, 1), ValueError, "vsplit: takes two axes"),
    "depths": (lambda: np.dsplit(T, 1), ValueError, "dsplit: takes three axes"),
    "a number": (lambda: np.split(T[0, 0], 1), ValueError, "split: a single number"),
    "places": (lambda: np.split(V, V), TypeError, "split: a place to split at has no derivative"),
    "pad empty": (lambda: np.pad(V, 1, "empty"), TypeError, 'pad: mode="empty" has no values'),
    "pad function": (lambda: np.pad(V, 1, print), TypeError, "pad: a function .* writes into an array"),
    "pad mode": (lambda: np.pad(V, 1, "foo"), ValueError, "pad: there is no mode 'foo'.*reflect"),
    "pad less": (lambda: np.pad(V, -1), ValueError, r"pad: widths are not negative.*x\[1:-1\]"),
    "pad half": (lambda: np.pad(V, 1.5), TypeError, "pad: widths are integers, not 1.5"),
    "pad option": (
        lambda: np.pad(V, 1, "edge", constant_values=3),
        ValueError,
        "has no option constant_values=",
    ),
    "pad nothing": (lambda: np.pad(T[:0], 1, "mean"), ValueError, "pad: an empty axis cannot grow"),
    "pad type": (
        lambda: np.pad(V, 1, "reflect", reflect_type="x"),
        ValueError,
        'reflect_type is "even" or "odd"',
    ),
    "windows": (lambda: np.lib.stride_tricks.sliding_window_view(V, 9), ValueError, "sliding_window_view: "),
    "strides": (lambda: np.lib.stride_tricks.as_strided(V, (2,), (8,)), TypeError, "would lose the gradient"),
    "vectorize": (lambda: np.vectorize(abs)(V), TypeError, "would lose the gradient"),
    "no slices": (lambda: np.apply_along_axis(sum, 0, T[:, :0]), ValueError, "apply_along_axis: .*no slices"),
    "trim": (lambda: np.trim_zeros(V, "q"), ValueError, 'trim_zeros: trim is "f", "b"'),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_shaped_is_refused_by_name(case):
    call, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        call()


def test_aliases_of_numpys_functions_are_covered_too():
    for function in (np.permute_dims, np.concat, np.linalg.matrix_transpose):
        assert function in implementations


# -- spaced numbers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("space", [np.linspace, np.geomspace, np.logspace])
@pytest.mark.parametrize(
    "options", [{}, {"num": 1}, {"num": 0}, {"num": 5, "endpoint": False}, {"axis": -1}], ids=str
)
def test_numbers_between_tensors_are_spaced_as_numpys(space, options):
    start, stop = np.array([1.0, -4.0]), np.array([3.0, -1.0])
    found = space(Tensor(start), stop, **options)
    np.testing.assert_allclose(found.data, space(start, stop, **options), rtol=1e-14, strict=True)
    assert space(Tensor(1.0), 2, 3, dtype=np.float32).dtype == np.float32
    assert space(Tensor(np.float32(1)), np.float32(2), 3).dtype == np.float32


def test_each_spaced_number_moves_with_the_end_it_is_near_to():
    a, b = Tensor(2.0), Tensor(10.0)
    y, step = np.linspace(a, b, 5, retstep=True)
    assert (y.tolist(), step.item()) == ([2, 4, 6, 8, 10], 2)
    assert gradients(y, [a, b], seed=np.eye(5)[1]) == [0.75, 0.25]
    assert gradients(step, [a, b]) == [-0.25, 0.25]


def test_wrong_spaces_are_refused_by_name():
    with pytest.raises(ValueError, match="geomspace: both ends are positive"):
        np.geomspace(Tensor(-1.0), 2.0)
    with pytest.raises(ValueError, match="linspace: num is the number of elements, not -1"):
        np.linspace(Tensor(-1.0), 2.0, -1)
    with pytest.raises(TypeError, match="logspace: a result of int64 has no derivative"):
        np.logspace(Tensor(0.0), 1.0, dtype=int)
