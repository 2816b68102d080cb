"""The ops of `autodiff.ops`, in every form that NumPy gives them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import autodiff as ad
from autodiff import Tensor, gradients, hessian, hvp, jvp
from autodiff.graph import topological_order
from autodiff.ops.einsum import spell_out
from autodiff.ops.reductions import product_of_others

from .oracles import along, slope


def agrees(f, *values):
    """f's value on Tensors is its value on arrays, and its derivatives to order two are those of differences.

    In one random direction: what is wrong shows there, with probability 1.
    """
    rng = np.random.default_rng(11)
    values = [np.asarray(x, np.longdouble) for x in values]
    leaves = [Tensor(x) for x in values]
    y, expected = f(*leaves), f(*values)
    np.testing.assert_allclose(y.data, expected, rtol=1e-15)
    w = rng.uniform(0.5, 1.5, np.shape(expected)).astype(np.longdouble)
    d = [rng.uniform(-1, 1, x.shape).astype(np.longdouble) for x in values]
    total = lambda *xs: np.sum(w * f(*xs))
    found = gradients(y, leaves, seed=w)
    assert [np.shape(g) for g in found] == [x.shape for x in values]
    inner = sum(np.sum(g * direction) for g, direction in zip(found, d, strict=True))
    np.testing.assert_allclose(inner, along(total, values, d), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(jvp(f, values, d)[1], along(f, values, d), rtol=1e-9, atol=1e-9)

    def first(t):
        moved = [Tensor(x + t * direction) for x, direction in zip(values, d, strict=True)]
        slopes = gradients(f(*moved), moved, seed=w)
        return sum(np.sum(g * direction) for g, direction in zip(slopes, d, strict=True))

    bends = hvp(lambda xs: (w * f(*xs)).sum(), values, d)
    second = sum(np.sum(b * direction) for b, direction in zip(bends, d, strict=True))
    np.testing.assert_allclose(second, slope(first), rtol=1e-8, atol=1e-8)


def some(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0.3, 1.7, shape)


# -- products ----------------------------------------------------------------------------------------

LEFT = [(3,), (2, 3), (1, 3), (2, 2, 3), (1, 2, 3), (0, 2, 3), (2, 1, 2, 3), (1, 2, 1, 3)]
RIGHT = [(3,), (3, 2), (3, 1), (2, 3, 2), (1, 3, 2), (2, 2, 3, 1), (1, 1, 3, 2), (0, 3, 2)]


@pytest.mark.parametrize(("a", "b"), list(itertools.product(LEFT, RIGHT)))
def test_matmul_of_any_ranks(a, b):
    try:
        np.broadcast_shapes(a[:-2], b[:-2])
    except ValueError:
        with pytest.raises(ValueError, match="matmul"):
            Tensor(some(*a)) @ some(*b)
        return
    agrees(lambda x, y: x @ y, some(*a), some(*b, seed=1))
    constant = some(*b, seed=1)
    x = Tensor(some(*a))
    y = x @ constant
    y.backward(seed=np.ones(y.shape))
    assert x.grad.shape == a


@pytest.mark.parametrize(
    "shapes",
    [
        ((0,), (0,)),
        ((2, 0), (0, 3)),
        ((0, 3), (3, 2)),
        ((2, 3), (3, 0)),
        ((2, 0), (0,)),
        ((2, 2, 0), (0, 4)),
        ((2, 2, 3), (3, 0)),
        ((0, 2, 3), (3, 4)),
    ],
)
def test_matmul_of_empty_matrices(shapes):
    a, b = (Tensor(np.ones(shape)) for shape in shapes)
    y = a @ b
    y.backward(seed=np.ones(y.shape))
    assert (a.grad.shape, b.grad.shape) == shapes


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((), ()),
        ((), (2,)),
        ((2, 3), ()),
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((2, 3), (3, 2)),
        ((2, 3), (4, 3, 2)),
        ((3,), (2, 3, 2)),
        ((2, 2, 3), (2, 2, 3, 1)),
    ],
)
def test_dot_of_any_ranks(a, b):
    agrees(np.dot, some(*a), some(*b, seed=1))
    np.testing.assert_allclose(np.dot(Tensor(some(*a)), some(*b)).data, np.dot(some(*a), some(*b)))


@pytest.mark.parametrize("shapes", [((2, 0), (3, 0, 2)), ((2, 3), (0, 3, 2)), ((2, 3), (2, 3, 0))])
def test_dot_of_empty_arrays(shapes):
    a, b = (Tensor(np.ones(shape)) for shape in shapes)
    y = np.dot(a, b)
    assert y.shape == np.dot(a.data, b.data).shape
    y.backward(seed=np.ones(y.shape))
    assert (a.grad.shape, b.grad.shape) == shapes


@pytest.mark.parametrize(("a", "b"), [((), ()), ((2,), (3,)), ((2, 2), (3,)), ((0,), (3,))])
def test_outer_flattens_its_inputs(a, b):
    agrees(np.outer, some(*a), some(*b, seed=1))
    assert np.outer(Tensor(some(*a)), some(*b)).shape == np.outer(some(*a), some(*b)).shape


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ii->", [(3, 3)]),
        ("iii->i", [(2, 2, 2)]),
        ("iijj->ij", [(2, 2, 3, 3)]),
        ("ijij->ji", [(2, 3, 2, 3)]),
        ("...ii->...i", [(2, 3, 3)]),
        ("...ii", [(2, 3, 3)]),
        ("i...->...", [(2, 3)]),
        ("...", [(2, 3)]),
        ("...,...", [(2, 3), (3,)]),
        ("...,...->...", [(2, 1), (1, 3)]),
        ("...a,...b->...ab", [(2, 1, 2), (3, 2)]),
        ("a...,a...->a...", [(2, 3), (2, 1)]),
        ("ijk,ijk->k", [(2, 3, 1), (1, 1, 2)]),
        ("ij,j", [(2, 3), (3,)]),
        ("ij,ij", [(2, 3), (1, 3)]),
        ("ij,jk,ki->", [(2, 3), (3, 2), (2, 2)]),
        ("i,i,i->i", [(3,), (1,), (3,)]),
        ("i,i,i->", [(1,), (3,), (1,)]),
        (",i->i", [(), (3,)]),
        ("->", [()]),
        ("", [()]),
        ("i->", [(0,)]),
        ("ij,jk", [(2, 0), (0, 3)]),
        ("Zz,zA->AZ", [(2, 3), (3, 2)]),
        (" i j , j k -> i k ", [(2, 3), (3, 2)]),
        ("ab,cd->", [(2, 3), (3, 2)]),
        ("ii,ii->i", [(2, 2), (2, 2)]),
        ("ii,ij->j", [(2, 2), (2, 3)]),
        ("b...ij,bjk...->b...ik", [(2, 2, 3), (2, 3, 2)]),
    ],
)
@pytest.mark.parametrize("optimize", [False, True])
def test_einsum_in_every_form(subscripts, shapes, optimize):
    agrees(
        lambda *operands: np.einsum(subscripts, *operands, optimize=optimize),
        *(some(*shape, seed=i) for i, shape in enumerate(shapes)),
    )


def test_einsum_of_one_tensor_twice():
    agrees(lambda x: np.einsum("ij,kj->ik", x, x), some(2, 3))
    agrees(lambda x: np.einsum("ij,ji->", x, x), some(3, 3))


def test_einsums_spelled_out_labels():
    assert spell_out("...i,i", (2, 1)) == (["Ai", "i"], "A")
    assert spell_out("...,...", (2, 1)) == (["AB", "B"], "AB")


# -- taking out and joining -----------------------------------------------------------------------------

X = some(3, 4, 2)
INDICES = [
    0, -1, np.int64(1), (1, -1), (0, 1, 1), slice(None), slice(1, None), slice(None, None, -1), slice(-1, 0, -2),
    slice(3, 3), ..., (..., 0), (0, ..., 1), None, (None, 0, None), (slice(None), None, 1), ([0, 2],), [0, 0, 2],
    [-1, 2], np.array([[0, 1], [1, 1]]), np.zeros((0,), int), ([0, 1, 1], [2, 3, 3]), ([[0], [1]], [1, 2]),
    (slice(None), [1, 1]), ([1, 1], slice(None), 0), (0, slice(None), [0, 1]), ([0], slice(None), [0]),
    (None, [0, 1, 1]), (..., [0, 0]), X > 1, X[..., 0] > 1, np.array([True, False, True]), [True, False, True],
    (slice(None), np.array([True, False, True, True])), (np.array([True, False, True]), 0), np.zeros((3, 4), bool),
    np.ix_([0, 2], [1, 1], [0]), np.ix_([True, False, True], [0, 3]), True, False, np.bool_(True), (0, True),
    np.array(1), (np.array(1), slice(None)), np.array(True), (np.uint8(2), np.int32(-1)), (), range(2),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_getitem_by_anything(index):
    agrees(lambda x: x[index], X)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_getitem_by_any_basic_index(data):
    x = np.arange(24.0).reshape(2, 3, 4)
    index = data.draw(arrays.basic_indices(x.shape, allow_newaxis=True))
    leaf = Tensor(x)
    y = leaf[index]
    np.testing.assert_array_equal(y.data, x[index])
    weights = np.arange(1.0, 1 + y.size).reshape(y.shape)
    y.backward(seed=weights)
    expected = np.zeros_like(x)
    expected[index] = weights
    np.testing.assert_array_equal(leaf.grad, expected)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_getitem_by_any_arrays_of_integers(data):
    x = np.arange(12.0).reshape(3, 4)
    index = data.draw(arrays.integer_array_indices(x.shape))
    leaf = Tensor(x)
    y = leaf[index]
    weights = np.arange(1.0, 1 + y.size).reshape(y.shape)
    y.backward(seed=weights)
    expected = np.zeros_like(x)
    np.add.at(expected, index, weights)
    np.testing.assert_array_equal(leaf.grad, expected)


@pytest.mark.parametrize("axis", [0, 1, -1, None])
def test_concatenate_along_any_axis(axis):
    agrees(lambda a, b: np.concatenate([a, b, a], axis=axis), some(2, 3), some(2, 3, seed=1))
    agrees(lambda a: np.concatenate((np.ones((2, 3)), a), axis=axis), some(2, 3))


@pytest.mark.parametrize("join", [np.stack, np.concatenate])
@pytest.mark.parametrize("axis", [0, -1])
def test_very_many_parts_are_joined_by_groups(join, axis):
    """Each rule of a node is handed all its inputs: 30,000 parts of one node took 28 s."""
    parts = [Tensor([[float(n)]]) if n % 3 else np.array([[n]]) for n in range(2_000)]
    y = join(parts, axis)
    assert max(len(node.inputs) for node in topological_order([y])) <= 512
    np.testing.assert_array_equal(y.data, np.arange(2_000.0).reshape(y.shape), strict=True)
    y.backward(np.arange(2_000).reshape(y.shape))
    assert [part.grad.item() for n, part in enumerate(parts) if n % 3] == [n for n in range(2_000) if n % 3]


def test_very_many_parts_have_numpys_dtype_and_messages():
    parts = [Tensor(np.float32([n])) for n in range(600)]
    assert np.concatenate(parts).dtype == np.float32
    assert np.concatenate([*parts, np.array([1])]).dtype == np.float64
    with pytest.raises(ValueError, match=r"concatenate: .*array at index 600 has 2 dim"):
        np.concatenate([*parts, np.ones((1, 1))])
    with pytest.raises(ValueError, match="concatenate: axis 1 is out of bounds"):
        np.concatenate(parts, axis=1)
    with pytest.raises(ValueError, match="stack: axis 2 is out of bounds"):
        np.stack(parts, axis=2)


def test_concatenate_with_empty_parts_and_other_dtypes():
    a, b, c = (
        Tensor(np.ones((0, 2), np.float32)),
        Tensor(np.ones((1, 2), np.float32)),
        Tensor(np.ones((2, 2))),
    )
    y = np.concatenate([a, b, c])
    assert y.dtype == np.float64
    y.backward(seed=np.arange(6.0).reshape(3, 2))
    assert (a.grad.shape, a.grad.dtype) == ((0, 2), np.float32)
    assert (b.grad.tolist(), b.grad.dtype) == ([[0.0, 1.0]], np.float32)
    assert c.grad.tolist() == [[2.0, 3.0], [4.0, 5.0]]


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_stack_along_any_axis(axis):
    agrees(lambda a, b: np.stack([a, b, np.ones(3)], axis=axis), some(3), some(3, seed=1))
    agrees(lambda x: np.stack(list(x), axis=axis), some(2, 3))


def test_stack_of_scalars_is_the_way_to_build_an_array():
    agrees(lambda a, b: np.stack([a, b, a]), some(), some(seed=1))


def test_shapes_may_be_spelled_as_ndarrays_methods_do():
    x = Tensor(some(2, 3, 4))
    for y in (
        x.reshape(6, 4),
        x.reshape((6, 4)),
        x.reshape(-1, 4),
        x.reshape([6, 4]),
        np.reshape(x, (6, -1)),
    ):
        assert y.shape == (6, 4)
    for y in (x.transpose(2, 0, 1), x.transpose((2, 0, 1)), np.transpose(x, (2, 0, 1))):
        assert y.shape == (4, 2, 3)
    assert x.transpose().shape == x.T.shape == (4, 3, 2)
    assert x.flatten().shape == x.ravel().shape == (24,)
    assert x.reshape(2, 12, order="F").data.tolist() == x.data.reshape(2, 12, order="F").tolist()
    agrees(lambda x: x.reshape(3, 2, order="F") * np.arange(6.0).reshape(3, 2), some(2, 3))
    agrees(lambda x: np.ravel(x, "F") * np.arange(6.0), some(2, 3))
    agrees(lambda x: np.reshape(x, 6, order="F") * np.arange(6.0), some(2, 3))


def test_an_order_that_depends_on_the_memory_is_undone_as_it_was_done():
    """Order "A" reads a transpose along its columns, whatever the memory of the gradient."""
    x = Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    y = np.ravel(x.T, "A")
    assert y.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    y.backward(seed=np.arange(6.0))
    assert x.grad.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


def test_an_order_in_memory_is_kept_whatever_the_axes():
    """Order "K" reads the axes as they lie in memory, each from its first place on."""
    x = Tensor(np.arange(24.0).reshape(2, 3, 4))
    for turned in [x, np.moveaxis(x, 0, 1), x.T, np.swapaxes(x, 0, 1)[:, ::-1], x[:, ::2]]:
        y = np.ravel(turned, "K")
        assert y.tolist() == np.ravel(turned.data, "K").tolist()
        w = np.arange(float(y.size))
        places = np.ravel(np.ravel(turned.data, "K")).astype(int)
        expected = np.zeros(24)
        expected[places] = w
        assert gradients(y, x, seed=w).ravel().tolist() == expected.tolist()


# -- reductions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduce", [np.sum, np.mean, np.max, np.min, np.prod, np.var, np.std])
@pytest.mark.parametrize(
    "axis", [None, 0, 1, -1, (0, 1), (0, 2), (2, 0), (-1, 0), [0, 1], np.int64(1)], ids=str
)
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions_along_any_axes(reduce, axis, keepdims):
    if isinstance(axis, list):
        with pytest.raises(TypeError, match=reduce.__name__):
            reduce(Tensor(X), axis=axis)
        return
    f = lambda x: reduce(x, axis=axis, keepdims=keepdims)
    distinct = np.random.default_rng(5).permutation(24).reshape(3, 4, 2) / 12 + 0.1
    agrees(f, distinct)
    assert f(Tensor(X)).shape == f(X).shape


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "var", "std"])
def test_reductions_take_their_axis_by_position_too(name):
    x = Tensor(X)
    np.testing.assert_array_equal(getattr(x, name)(1).data, getattr(np, name)(X, 1))
    np.testing.assert_array_equal(getattr(np, name)(x, 1).data, getattr(np, name)(X, 1))
    assert getattr(x, name)(axis=1, keepdims=True).shape == (3, 1, 2)


@pytest.mark.parametrize("ddof", [0, 1, 0.5, 2])
def test_the_spread_with_any_degrees_of_freedom(ddof):
    for f in (np.var, np.std):
        agrees(lambda x, f=f: f(x, axis=0, ddof=ddof), some(4, 2))
        agrees(lambda x, f=f: f(x, ddof=ddof), some(5))


@given(x=arrays.arrays(float, st.integers(0, 9), elements=st.sampled_from([0.0, 0.0, 1.0, -2.0, 3.0])))
def test_the_product_of_the_others_is_each_elements_slope(x):
    expected = np.array([np.prod(np.delete(x, i)) for i in range(x.size)])
    np.testing.assert_array_equal(product_of_others(x, None), expected)
    leaf = Tensor(x)
    np.prod(leaf).backward()
    np.testing.assert_array_equal(leaf.grad, expected)


@pytest.mark.parametrize("reduce", [np.mean, np.max])
def test_more_elements_than_half_precision_can_count_do_not_overflow(reduce):
    values = np.tile(np.array([1.0, -1.0], np.float16), 40_000)
    x = Tensor(values)
    reduce(x).backward()
    assert x.grad.dtype == np.float16
    expected = {np.mean: np.full(80_000, 1 / 80_000), np.max: (values > 0) / 40_000}
    np.testing.assert_allclose(x.grad, expected[reduce], rtol=0.01)


@pytest.mark.filterwarnings("ignore:Degrees of freedom:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_a_variance_without_degrees_of_freedom_has_no_slope():
    x = Tensor([1.0])
    np.var(x, ddof=1).backward()
    assert np.isnan(x.grad).all()


def test_products_and_sums_of_nothing_have_empty_gradients():
    for f in (np.prod, np.sum):
        for shape, axis in [((0,), None), ((2, 0), 1), ((0, 3), 0), ((0, 3), 1)]:
            x = Tensor(np.ones(shape))
            y = f(x, axis=axis)
            y.backward(seed=np.ones(y.shape))
            assert x.grad.shape == shape


# -- elementwise ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bounds",
    [
        {"a_min": 0.5, "a_max": 1.2}, {"a_min": 0.5}, {"a_max": 1.2}, {"min": 0.5, "max": 1.2}, {"min": 0.5},
        {"max": 1.2}, {"a_min": None, "a_max": 1.2}, {"a_min": np.full(4, 0.6), "a_max": np.full((3, 1), 1.1)}, {},
    ],
)  # fmt: skip
def test_clip_takes_bounds_as_numpys(bounds):
    x = some(3, 4)
    low, high = (bounds.get(f"a_{end}", bounds.get(end)) for end in ("min", "max"))
    expected = x if low is high is None else np.clip(x, low, high)
    np.testing.assert_array_equal(ad.ops.clip(Tensor(x), **bounds).data, expected)
    agrees(lambda x: ad.ops.clip(x, **bounds), x)


def test_clip_refuses_bounds_of_both_spellings():
    for bounds in ({"a_min": 0, "min": 1}, {"a_min": 0, "max": 1}, {"a_max": 1, "min": 0}):
        with pytest.raises(ValueError, match=r"clip: .*a_min and a_max, or min and max"):
            ad.ops.clip(Tensor(1.0), **bounds)


def test_clip_keeps_float32_whatever_its_bounds():
    x = Tensor(np.array([0.0, 2.0], np.float32))
    for y in (np.clip(x, 0.5, 1.5), np.clip(x, 0.5, None), np.clip(x, None, 1), x.clip(0, 1)):
        assert y.dtype == np.float32


def test_clips_bounds_may_be_tensors():
    agrees(lambda x, low: np.clip(x, low, 1.3), some(3, 4), np.full(4, 0.8))
    agrees(lambda x, low, high: np.clip(x, low, high), some(3, 4), np.full(4, 0.8), np.full((3, 1), 1.3))
    agrees(lambda low: np.clip(np.linspace(0.5, 1.5, 4), low, 2.0), np.array(0.9))


def test_where_alone_gives_indices():
    x = Tensor([0.0, 2.0, 3.0])
    assert np.where(x)[0].tolist() == [1, 2]
    assert np.where(x > 2)[0].tolist() == [2]


def test_where_takes_numbers_arrays_and_tensors():
    c = np.array([True, False, True])
    agrees(lambda a: np.where(c, a, 0), some(3))
    agrees(lambda a: np.where(c, 1.0, a), some(3))
    agrees(lambda a, b: np.where(c, a, b), some(), some(2, 3))
    agrees(lambda a, b: np.where(True, a, b), some(2), some(2, seed=1))
    agrees(lambda a, b: np.where(c.reshape(3, 1), a, b), some(3), some(1, seed=1))
    x = Tensor(np.ones(2, np.float32))
    assert np.where(x > 0, x, 0).dtype == np.float32
    assert np.where(x > 0, x, 0.0).dtype == np.float32


@pytest.mark.parametrize(
    "exponent", [0, 1, 2, 3, -1, -2, 0.5, -0.5, 2.5, np.float64(2), np.array([2.0, 3.0])]
)
def test_powers_with_a_constant_exponent(exponent):
    agrees(lambda x: x**exponent, some(3, 2))
    agrees(lambda x: np.power(x, exponent), some(3, 2))


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, -2, 2.0, 3.0, np.array(3.0)])
def test_whole_powers_of_negative_numbers(exponent):
    agrees(lambda x: x**exponent, -some(3, 2))


def test_the_slope_by_base_and_exponent_is_1_over_the_base_at_exponent_0():
    """d/da d/db of a**b is a**(b - 1) * (1 + b * log a), whichever comes first."""
    bends = hessian(lambda p: p[0] ** p[1])(np.array([2.0, 0.0]))
    np.testing.assert_allclose(bends, [[0.0, 0.5], [0.5, np.log(2.0) ** 2]], rtol=1e-15)
    for base in (0.0, 5e-324):  # no 0 * infinity
        a, b = Tensor(base), Tensor(0.0)
        slope = gradients(a**b, a, create_graph=True)
        assert slope.data == gradients(slope, a) == 0.0


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int8, np.float32])
@pytest.mark.parametrize("extreme", [np.maximum, np.minimum])
def test_the_larger_and_the_smaller_of_a_tensor_and_constants_of_any_dtype(extreme, dtype):
    constants = np.array([0, 1, -128 if dtype is np.int8 else 1]).astype(dtype)
    x = Tensor([-1.0, 1.0, 2.0])
    extreme(x, constants).sum().backward()
    share = [0.0, 0.5, 1.0] if extreme is np.maximum else [1.0, 0.5, 0.0]
    assert x.grad.tolist() == share


def test_powers_with_a_tracked_exponent():
    agrees(lambda x, y: x**y, some(3, 2), some(2, seed=1))
    agrees(lambda y: 2.0**y, some(3))
    agrees(lambda y: 2**y, -some(3))
    agrees(lambda x: x**x, some(3))


def test_whole_powers_stay_right_at_every_order():
    f = lambda x: x**3
    for expected in (12.0, 12.0, 6.0, 0.0, 0.0):
        f = ad.grad(f)
        assert f(2.0) == expected
    f = lambda x: x**2
    for expected in (0.0, 2.0, 0.0, 0.0):
        f = ad.grad(f)
        assert f(0.0) == expected


@pytest.mark.parametrize("f", [ad.sigmoid, ad.softplus, ad.log_sigmoid, ad.silu, ad.gelu, ad.relu, np.tanh])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_activations_are_finite_for_any_finite_input_at_both_orders(f, dtype):
    largest = np.finfo(dtype).max
    x = np.array([-largest, -700, -90, -30, -5, 0, 5, 30, 90, 700, largest], dtype)
    with np.errstate(under="ignore", over="raise", invalid="raise", divide="raise"):
        leaf = Tensor(x)
        y = f(leaf)
        slopes = gradients(y, leaf, seed=np.ones(11, dtype), create_graph=True)
        if isinstance(slopes, Tensor):
            slopes, bends = slopes.data, gradients(slopes, leaf, seed=np.ones(11, dtype))
        else:  # relu's slope is constant
            bends = np.zeros_like(slopes)
    for values in (y.data, slopes, bends):
        assert np.isfinite(values).all()
        assert values.dtype == dtype


def test_activations_at_known_points():
    """SciPy 1.17 and mpmath 1.3, at 1.0."""
    for f, value, derivative in [
        (ad.sigmoid, 0.7310585786300049, 0.19661193324148185),
        (ad.softplus, 1.3132616875182228, 0.7310585786300049),
        (ad.log_sigmoid, -0.3132616875182228, 0.2689414213699951),
        (ad.silu, 0.7310585786300049, 0.9276705118714868),
        (lambda x: ad.gelu(x, approximate=False), 0.8413447460685429, 1.0833154705876864),
    ]:
        x = Tensor(1.0)
        y = f(x)
        y.backward()
        assert y.item() == pytest.approx(value, rel=1e-15)
        assert x.grad == pytest.approx(derivative, rel=1e-15)


def test_gelus_tanh_form_is_the_papers():
    formula = lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    x = np.linspace(-4, 4, 17)
    np.testing.assert_allclose(ad.gelu(x), formula(x), rtol=1e-9, atol=1e-15)
    agrees(ad.gelu, x)


@pytest.mark.parametrize("x", [20.0, 40.0, 300.0])
def test_sigmoids_slope_keeps_its_digits_in_the_tail(x):
    """exp(-x) to first order: 1 - y would be 0 from 37 on."""
    for sign in (1, -1):
        leaf = Tensor(sign * x)
        ad.sigmoid(leaf).backward()
        assert leaf.grad == pytest.approx(np.exp(-x), rel=1e-8)


def test_a_quotient_of_huge_numbers_keeps_its_slope():
    """b * b would overflow in float32 from 2e19 on."""
    b = Tensor(np.float32(1e30))
    (np.float32(1e30) / b).backward()
    assert b.grad == np.float32(-1e-30)


def test_astype_hands_the_gradient_back_in_the_inputs_dtype():
    x = Tensor(np.ones(2, np.float32))
    y = x.astype(np.float64)
    assert y.dtype == np.float64
    (y * 3).sum().backward()
    assert (x.grad.dtype, x.grad.tolist()) == (np.float32, [3.0, 3.0])
    assert np.astype(x, "f8").dtype == x.astype(float).dtype == np.float64


@given(
    x=arrays.arrays(float, arrays.array_shapes(max_dims=3, max_side=4), elements=st.floats(-3, 3)),
    scale=st.floats(0.1, 3),
)
@settings(max_examples=40, deadline=None)
def test_a_gradient_is_linear_in_its_seed(x, scale):
    leaf = Tensor(x)
    y = np.sin(leaf) * np.exp(leaf) + ad.softplus(leaf)
    seed = np.cos(x)
    once, scaled = gradients(y, leaf, seed=seed), gradients(y, leaf, seed=scale * seed)
    np.testing.assert_allclose(scaled, scale * once, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("index", [np.array([0, 0]), [0, 0]], ids=["array", "list"])
def test_an_index_that_changes_later_changes_no_gradient(index):
    x = Tensor([1.0, 2.0, 3.0])
    y = x[index].sum()
    index[0] = 2
    y.backward()
    assert x.grad.tolist() == [2.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("shape", "indices", "axis"),
    [
        ((3, 4), np.array([[1, 1]]), 1),
        ((1, 4), np.array([[1, 1], [2, 1], [3, -4]]), 1),
        ((2, 3, 1), np.array([[[0, 2], [1, 1]]]), -2),
        ((2, 3), np.array([5, 0, 0]), None),
        ((3, 2), np.array([[2, 0], [-1, 0]]), 0),
    ],
)
def test_take_along_axis_broadcasts_its_other_axes(shape, indices, axis):
    agrees(lambda x: np.take_along_axis(x, indices, axis), some(*shape))


def test_indices_along_an_axis_that_change_later_change_no_gradient():
    indices = np.array([0, 0])
    x = Tensor([1.0, 2.0, 3.0])
    y = np.take_along_axis(x, indices, 0).sum()
    indices[:] = 2
    y.backward()
    assert x.grad.tolist() == [2.0, 0.0, 0.0]


def test_an_empty_list_takes_nothing():
    x = Tensor([1.0, 2.0, 3.0])
    y = x[[]]
    assert y.shape == (0,)
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]


def test_matmul_says_which_lengths_differ():
    a = ad.Tensor(np.ones((2, 4)))
    for b, why in (
        (np.ones((5, 3)), r"the last axis of a has length 4, the second last of b 5$"),
        (np.ones(3), r"the last axis of a has length 4, the last of b 3$"),
        (2.0, r"a single number has no axis to sum over; use a \* b$"),
    ):
        for product in (lambda a, b: a @ b, np.matmul):
            with pytest.raises(ValueError, match=rf"^matmul: shapes \(2, 4\) and .* do not fit: {why}"):
                product(a, b)


def test_products_of_huge_and_tiny_numbers_pass_a_gradient_where_the_product_itself_fits():
    gradient = ad.grad(np.prod)(np.array([1e200, 1e-200, 1e-200, 1e200]))
    np.testing.assert_allclose(gradient, [1e-200, 1e200, 1e200, 1e-200], rtol=1e-15)
