"""Laws that hold of every declared op, over the samples of samples.py."""

import gc
import itertools
import types
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.lib import NumpyVersion

from autodiff import Tensor, grad, gradients, hvp, jvp, no_grad
from autodiff.graph import topological_order
from autodiff.primitive import registry
from autodiff.tensor import implementations, numpy_name

from .oracles import along, broadcastable, fold, partials
from .samples import DECLARED, SAMPLES, apart, every_sample

FLOATS = ["float16", "float32", "float64", "longdouble"]
BINARY = [
    *("add", "subtract", "multiply", "divide", "power", "maximum", "minimum"),
    *("hypot", "arctan2", "logaddexp", "logaddexp2", "fmax", "fmin", "remainder", "fmod"),
]
SMALL_SHAPES = [
    (),
    (0,),
    (1,),
    (2,),
    (1, 1),
    (1, 2),
    (2, 1),
    (0, 1),
    (1, 0),
    (2, 0),
    (2, 2),
    (1, 2, 1),
    (2, 1, 2),
]


def exact(sample):
    """The sample in the widest dtype that its op takes."""
    return sample if "longdouble" in sample.refuses else sample.cast(np.longdouble)


def weights_for(value, seed=0):
    """Numbers to weigh the elements of `value` with, none of them special."""
    return apart(*np.shape(value), seed=seed).astype(np.asarray(value).dtype) + np.asarray(
        2, np.asarray(value).dtype
    )


def sum_of(values):
    return np.sum(values) if np.size(values) else np.longdouble(0)


def test_every_declared_op_has_a_sample():
    assert set(DECLARED) <= set(SAMPLES)


def test_every_composed_function_has_a_sample():
    composed = {
        numpy_name(function)
        for function, op in implementations.items()
        if op not in DECLARED.values() and getattr(op, "differentiable", True)
    }
    assert composed <= set(SAMPLES)


def assert_the_same(found, expected, sample):
    """Equal to the bit; of composed functions, which may sum in another order, up to rounding."""
    if sample.composed:
        eps = np.finfo(found.dtype).eps
        np.testing.assert_allclose(found, expected, rtol=20 * eps, atol=20 * eps, strict=True)
    else:
        np.testing.assert_array_equal(found, expected, strict=True)


# -- values and derivatives ------------------------------------------------------------------------


@every_sample
def test_the_value_is_the_same_with_and_without_a_graph(sample):
    on_arrays, on_tensors = sample(*sample.inputs), sample.of(*sample.leaves())
    assert isinstance(on_arrays, np.ndarray | np.generic)
    assert isinstance(on_tensors, Tensor)
    assert_the_same(on_tensors.data, on_arrays, sample)


# NumPy's functions that take their arguments in another form than the op does.
SPELLED = {
    np.astype: lambda x, dtype: np.astype(x, dtype),
    np.choose: lambda *choices, index: np.choose(index, choices),
    np.concatenate: lambda *arrays, axis: np.concatenate(arrays, axis=axis),
    np.stack: lambda *arrays, axis: np.stack(arrays, axis=axis),
    np.einsum: lambda *operands, subscripts: np.einsum(subscripts, *operands),
}
if NumpyVersion(np.__version__) < "2.3.0":  # by then their arguments have the op's names and defaults
    SPELLED[np.reshape] = lambda x, shape, order="C": np.reshape(x, shape, order=order)
    SPELLED[np.take_along_axis] = lambda x, indices, axis=-1: np.take_along_axis(x, indices, axis)


@pytest.mark.parametrize(
    "function", [f for f, op in implementations.items() if op.__name__.lstrip("_") in DECLARED]
)
def test_the_value_is_numpys(function):
    called = SPELLED.get(function, function)
    for sample in SAMPLES[implementations[function].__name__]:
        handed = list(sample.inputs)
        for place in sample.tracked:
            handed[place] = Tensor(handed[place])
        expected = called(*sample.inputs, **sample.options)
        np.testing.assert_array_equal(called(*handed, **sample.options).data, expected, strict=True)


@every_sample
def test_the_gradient_is_the_limit_of_differences(sample):
    sample = exact(sample)
    leaves = sample.leaves()
    y = sample.of(*leaves)
    w = weights_for(y.data)
    y.backward(seed=w)
    expected = partials(lambda *xs: sum_of(w * sample.of(*xs)), sample.values())
    for leaf, gradient in zip(leaves, expected, strict=True):
        np.testing.assert_allclose(leaf.grad, gradient, rtol=1e-9, atol=1e-10)


@every_sample
def test_the_gradients_gradient_is_the_limit_of_differences(sample):
    sample = exact(sample)
    values = sample.values()
    w = weights_for(sample(*sample.inputs))
    v = [weights_for(x, seed=7) for x in values]

    def first(*xs, create_graph=False):
        leaves = [Tensor(x) for x in xs]
        return leaves, gradients(sample.of(*leaves), leaves, seed=w, create_graph=create_graph)

    def total(*xs):
        return sum(sum_of(d * g) for d, g in zip(v, first(*xs)[1], strict=True))

    leaves, slopes = first(*values, create_graph=True)
    tracked = [(slope, d) for slope, d in zip(slopes, v, strict=True) if isinstance(slope, Tensor)]
    parts = [gradients(slope, leaves, seed=d) for slope, d in tracked]
    directions = [weights_for(x, seed=5) for x in values]
    found = sum(sum_of(d * g) for part in parts for d, g in zip(directions, part, strict=True))
    np.testing.assert_allclose(found, along(total, values, directions), rtol=1e-8, atol=1e-9)


def as_tensor(x):
    return x if isinstance(x, Tensor) else Tensor(x)


@every_sample
def test_jvp_is_the_limit_of_differences(sample):
    sample = exact(sample)
    values = sample.values()
    directions = [weights_for(x, seed=3) for x in values]
    y, dy = jvp(sample.of, values, directions)
    assert_the_same(y, sample(*sample.inputs), sample)
    np.testing.assert_allclose(dy, along(sample.of, values, directions), rtol=1e-9, atol=1e-10)
    assert np.shape(dy) == np.shape(y)


@every_sample
def test_the_hessian_is_the_same_forward_and_backward(sample):
    sample = exact(sample)
    values = sample.values()
    w = weights_for(sample(*sample.inputs))
    directions = [weights_for(x, seed=4) for x in values]

    def slopes(*xs):
        leaves = [x if isinstance(x, Tensor) else Tensor(x) for x in xs]
        return gradients(sample.of(*leaves), leaves, seed=w, create_graph=True)

    forward = jvp(slopes, values, directions)[1]
    backward = hvp(lambda xs: (w * sample.of(*xs)).sum(), values, directions)
    for f, b in zip(forward, backward, strict=True):
        np.testing.assert_allclose(f, b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("op", SAMPLES)
def test_the_third_derivative_is_the_limit_of_differences(op):
    sample = exact(SAMPLES[op][-1])
    values = sample.values()
    w = weights_for(sample(*sample.inputs))
    d = [weights_for(x, seed=2) - 2 for x in values]
    curved = lambda xs: hvp(lambda xs: (w * sample.of(*xs)).sum(), xs, d)
    dotted = lambda xs: sum((b * direction).sum() for b, direction in zip(curved(xs), d, strict=True))
    third = sum(np.sum(t * direction) for t, direction in zip(grad(dotted)(values), d, strict=True))
    expected = along(lambda *xs: dotted(list(xs)), values, d)
    np.testing.assert_allclose(third, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    "function", [np.exp, np.expm1, np.log, np.log1p, np.sqrt, np.square, np.sin, np.cos, np.tanh, np.negative]
)
@given(x=st.floats(0.01, 30))
def test_the_slope_is_that_of_a_complex_step(function, x):
    leaf = Tensor(x)
    function(leaf).backward()
    expected = function(x + 1e-30j).imag / 1e-30
    np.testing.assert_allclose(leaf.grad, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("op", BINARY)
def test_an_op_of_one_tensor_twice_adds_both_slopes(op):
    x = apart(2, 3, low=0.3, high=2.0)
    leaf = Tensor(x)
    DECLARED[op](leaf, leaf).sum().backward()
    left, right = Tensor(x), Tensor(x)
    DECLARED[op](left, right).sum().backward()
    np.testing.assert_allclose(leaf.grad, left.grad + right.grad, rtol=1e-15)


# -- shapes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", [*BINARY, "where", "clip"])
def test_a_gradient_has_its_inputs_shape_whatever_was_broadcast(op):
    rng = np.random.default_rng(3)
    lists = [SMALL_SHAPES] * 2 if op in BINARY else [[(), (1,), (2, 1), (0,), (2, 2), (1, 2)]] * 3
    for shapes in broadcastable(*lists):
        full = np.broadcast_shapes(*shapes)
        inputs = [rng.uniform(0.5, 2.0, shape) for shape in shapes]
        if op == "where":
            inputs[0] = inputs[0] > 1.2
        leaves = [x if x.dtype == bool else Tensor(x) for x in inputs]
        whole = [x if x.dtype == bool else Tensor(np.broadcast_to(x, full)) for x in inputs]
        w = rng.uniform(1, 2, full)
        y, y_whole = DECLARED[op](*leaves), DECLARED[op](*whole)
        np.testing.assert_array_equal(y.data, y_whole.data, strict=True)
        tracked = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        slopes = gradients(y, tracked, seed=w, create_graph=True)
        bends = [
            gradients(slope, tracked)
            if slope.size == 1
            else gradients(slope, tracked, seed=np.ones(slope.shape))
            for slope in slopes
            if isinstance(slope, Tensor)
        ]
        y_whole.backward(seed=w)
        for place, (leaf, same) in enumerate(zip(leaves, whole, strict=True)):
            if isinstance(leaf, Tensor):
                slope = slopes[[id(x) for x in tracked].index(id(leaf))]
                assert np.shape(slope.data if isinstance(slope, Tensor) else slope) == leaf.shape, (
                    shapes,
                    place,
                )
                np.testing.assert_allclose(as_tensor(slope).data, fold(same.grad, leaf.shape), rtol=1e-12)
        for bend in bends:
            assert [b.shape for b in bend] == [leaf.shape for leaf in tracked], shapes


@pytest.mark.parametrize("op", [*BINARY, "where", "clip"])
def test_shapes_that_do_not_broadcast_are_refused_by_name(op):
    arity = 2 if op in BINARY else 3
    for shapes in itertools.permutations([(2,), (3,), ()][:arity] if arity == 3 else [(2, 2), (3,)]):
        with pytest.raises(ValueError, match=rf"{op}: .*\(3,\).*(reshape|expand_dims)"):
            DECLARED[op](*(Tensor(np.ones(shape)) for shape in shapes))


@pytest.mark.parametrize(
    "op",
    [
        name
        for name, calls in SAMPLES.items()
        if name in DECLARED
        and DECLARED[name].operation.structure == "elementwise"
        and all(len(s.inputs) == 1 and not s.options for s in calls)
    ],
)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0, 2), (2, 1, 3)])
def test_an_elementwise_op_keeps_any_shape_at_both_orders(op, shape):
    x = Tensor(np.resize(SAMPLES[op][-1].inputs[0], shape))
    y = DECLARED[op](x)
    slope = gradients(y, x, seed=np.ones(shape), create_graph=True)
    assert y.shape == np.shape(slope.data if isinstance(slope, Tensor) else slope) == shape
    if isinstance(slope, Tensor):
        assert np.shape(gradients(slope, x, seed=np.ones(shape))) == shape


@given(data=st.data())
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("op", ["add", "multiply", "divide", "maximum"])
def test_any_shapes_that_broadcast_get_gradients_of_their_own(op, data):
    shapes = data.draw(arrays.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3, max_dims=4))
    a, b = (
        data.draw(arrays.arrays(float, shape, elements=st.floats(0.5, 2))) for shape in shapes.input_shapes
    )
    x, y = Tensor(a), Tensor(b)
    z = DECLARED[op](x, y)
    assert z.shape == shapes.result_shape
    z.backward(seed=np.ones(z.shape))
    assert (x.grad.shape, y.grad.shape) == (a.shape, b.shape)
    full = [Tensor(np.broadcast_to(v, z.shape)) for v in (a, b)]
    DECLARED[op](*full).backward(seed=np.ones(z.shape))
    np.testing.assert_allclose(x.grad, fold(np.asarray(full[0].grad), a.shape))
    np.testing.assert_allclose(y.grad, fold(np.asarray(full[1].grad), b.shape))


# -- dtypes ----------------------------------------------------------------------------------------


@every_sample
def test_values_and_gradients_keep_the_inputs_dtype(sample):
    for dtype in (dtype for dtype in FLOATS if dtype not in sample.refuses):
        cast = sample.cast(dtype)
        leaves = cast.leaves()
        y = cast.of(*leaves)
        assert y.dtype == cast.options.get("dtype", dtype)
        slopes = gradients(y, leaves, seed=np.ones(y.shape), create_graph=True)
        assert [slope.dtype for slope in slopes] == [dtype] * len(leaves)
        for slope in slopes:
            if isinstance(slope, Tensor):
                bends = gradients(slope, leaves, seed=np.ones(slope.shape))
                assert [bend.dtype for bend in bends] == [dtype] * len(leaves)


@pytest.mark.parametrize("dtype", ["float16", "float32", "longdouble"])
@pytest.mark.parametrize(
    "op", [op for op in DECLARED if op != "astype"]
)  # whose rule leaves the cast to the walk
def test_a_rule_computes_in_its_inputs_dtype(op, dtype):
    """The walk would cast what drifts, but at the price of a copy, and of digits where it drifts down."""
    for sample in SAMPLES[op]:
        if dtype in sample.refuses:
            continue
        node = own_node(sample.cast(dtype))
        g = weights_for(node.value)
        for parent, vjp in zip(node.inputs, node.vjps, strict=True):
            if parent is not None:
                assert vjp(g, node.value, *node.arguments).dtype == dtype, sample.options


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("number", [2, 2.0])
def test_python_numbers_are_weak(op, dtype, number):
    for shape in [(), (3,)]:
        x = Tensor(np.full(shape, 1.5, dtype))
        for y in (DECLARED[op](x, number), DECLARED[op](number, x)):
            assert y.dtype == dtype
            slope = gradients(y, x, seed=np.ones(shape), create_graph=True)
            assert slope.dtype == dtype
            if isinstance(slope, Tensor):
                assert gradients(slope, x, seed=np.ones(shape)).dtype == dtype


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize(("left", "right"), list(itertools.product(FLOATS, FLOATS)))
def test_mixed_dtypes_promote_as_numpys_and_each_gradient_keeps_its_own(op, left, right):
    a, b = Tensor(np.full(2, 1.5, left)), Tensor(np.full((2, 2), 2.5, right))
    y = DECLARED[op](a, b)
    assert y.dtype == np.result_type(left, right)
    y.sum().backward()
    assert (a.grad.dtype, b.grad.dtype) == (left, right)


# -- memory ----------------------------------------------------------------------------------------


def strange(x):
    """The same numbers in other layouts, none of them writable."""
    x = np.asarray(x)
    spread = np.zeros([2 * n for n in x.shape], x.dtype)
    spread[(slice(None, None, 2),) * x.ndim] = x
    layouts = [
        x.copy(),
        np.array(x, order="F"),
        np.flip(np.flip(x).copy()),
        spread[(slice(None, None, 2),) * x.ndim],
    ]
    for layout in layouts:
        layout = np.asarray(layout).view()
        layout.flags.writeable = False
        yield layout


@every_sample
def test_no_rule_writes_into_what_it_is_handed_whatever_its_layout(sample):
    y = sample.of(*sample.leaves())
    w = weights_for(y.data)
    expected = gradients_at_constants(sample, sample.inputs, w)
    first, *others = strange(w)
    seeds = [*others, first]  # in another layout than the inputs each time
    for *inputs, g in zip(*map(strange, sample.inputs), seeds, strict=True):
        found = gradients_at_constants(sample, inputs, g)
        for one, other in zip(found, expected, strict=True):
            # In another layout LAPACK adds in another order: a unit in the last place of 1.
            np.testing.assert_allclose(one, other, rtol=1e-13, atol=3e-16)


def gradients_at_constants(sample, inputs, g):
    """Each input's gradient through the op's own vjps, with these very arrays as arguments."""
    found = []
    for place in sample.tracked:
        # A node of the op where one input is a Tensor and the others are the arrays themselves.
        handed = [node_of(x) if i == place else x for i, x in enumerate(inputs)]
        y = sample(*handed)
        found.append(gradients(y, handed[place], seed=g))
    return found


def node_of(x):
    """A Tensor that holds this very array, as the result of an op would."""
    node = Tensor(x)
    node.value = x[()] if x.ndim == 0 else x
    return node


@every_sample
def test_a_gradient_is_the_readers_own_to_write(sample):
    leaves = sample.leaves()
    y = sample.of(*leaves)
    w = weights_for(y.data)
    y.backward(seed=w)
    kept = [np.array(leaf.grad) for leaf in leaves]
    for leaf in leaves:
        if leaf.shape:
            assert leaf.grad.flags.writeable
            assert not np.shares_memory(leaf.grad, leaf.data)
            assert not np.shares_memory(leaf.grad, w)
            leaf.grad[...] = -99
    for leaf in leaves:
        leaf.grad = None
    y.backward(seed=w)
    for leaf, before in zip(leaves, kept, strict=True):
        np.testing.assert_array_equal(leaf.grad, before)
    for one, other in itertools.combinations(leaves, 2):
        assert not np.shares_memory(one.grad, other.grad)


@every_sample
def test_the_seed_is_left_as_it_was(sample):
    y = sample.of(*sample.leaves())
    w = np.array(weights_for(y.data))
    before = w.copy()
    y.backward(seed=w)
    np.testing.assert_array_equal(w, before)


def cells_of(function, seen=None):
    """Everything that a function keeps alive by its closure and its defaults."""
    seen = {} if seen is None else seen
    contents = [cell.cell_contents for cell in function.__closure__ or ()]
    contents += list(function.__defaults__ or ()) + list((function.__kwdefaults__ or {}).values())
    while contents:
        content = contents.pop()
        if id(content) in seen:
            continue
        seen[id(content)] = content
        if isinstance(content, types.FunctionType) and content.__closure__:
            contents += [cell.cell_contents for cell in content.__closure__]
        elif isinstance(content, tuple | list):
            contents += content
        elif isinstance(content, dict):
            contents += content.values()
    return list(seen.values())


def own_node(sample):
    """The node of the sample's op, and the Tensors it was made from."""
    leaves = sample.leaves()
    y = sample.of(*leaves)
    return next(node for node in reversed(topological_order([y])) if node.op == sample.op)


# A checkpoint's second half is handed the function and its arguments: that is what it is for.
@pytest.mark.parametrize("op", [op for op in DECLARED if op != "recompute"])
def test_no_vjp_closes_over_an_input_the_output_or_a_node(op):
    for sample in SAMPLES[op]:
        node = own_node(sample)
        for vjp in node.vjps:
            for content in cells_of(vjp) if vjp is not None else ():
                assert not isinstance(content, Tensor), sample.options
                if isinstance(content, np.ndarray) and content.size:
                    for held in (node.value, *node.arguments):
                        assert not np.shares_memory(content, held), sample.options


# -- lifetime --------------------------------------------------------------------------------------


def watched(roots):
    """Weak references to every interior node that leads to the roots."""
    return [
        weakref.ref(node)
        for node in topological_order([r for r in roots if isinstance(r, Tensor)])
        if node.inputs
    ]


@pytest.mark.usefixtures("no_collector")
@every_sample
def test_a_graph_dies_with_its_root(sample):
    leaves = sample.leaves()
    y = sample.of(*leaves)
    w = weights_for(y.data)
    interior = watched([y])
    y.backward(seed=w)
    slopes = gradients(y, leaves, seed=w, create_graph=True)
    interior += watched(slopes)
    bends = [
        gradients(slope, leaves, seed=np.ones(slope.shape), create_graph=True)
        for slope in slopes
        if isinstance(slope, Tensor)
    ]
    interior += [ref for bend in bends for ref in watched(bend)]
    assert interior
    assert all(ref() is not None for ref in interior)
    del y, slopes, bends
    alive = {ref().op for ref in interior if ref() is not None}
    assert not alive


@pytest.mark.usefixtures("no_collector")
@every_sample
def test_nothing_is_left_for_the_garbage_collector(sample):
    leaves = sample.leaves()
    w = weights_for(sample(*sample.inputs))
    gradients(sample.of(*leaves), leaves, seed=w, create_graph=True)  # caches fill at the first call
    gc.collect()
    for _ in range(3):
        sample.of(*leaves).backward(seed=w)
        slopes = gradients(sample.of(*leaves), leaves, seed=w, create_graph=True)
        del slopes
    assert gc.collect() == 0


@every_sample
def test_inside_no_grad_an_op_returns_an_array(sample):
    with no_grad():
        y = sample.of(*sample.leaves())
    assert isinstance(y, np.ndarray | np.generic)


def test_the_registry_and_numpys_functions_agree():
    for function, op in implementations.items():
        if op in registry.values():
            assert registry[op.operation.name] is op, function
