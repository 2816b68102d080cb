"""Tensor: Python's operators and protocols, NumPy's protocols, and everything it refuses."""

import copy
import datetime
import decimal
import fractions
import math
import operator
import pickle
import re

import numpy as np
import pytest

from autodiff import Tensor, grad, no_grad, softmax

X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])


@pytest.fixture
def leaf():
    """A leaf with a gradient, and with a graph on it; what it was must be so after every refusal."""
    x = Tensor(X, name="x")
    x.grad = np.full((2, 3), 7.0)
    return x


def refused(call, x, error, words):
    """`call` raises `error` with these words, and leaves x and its graph as they were."""
    y = (x * x).sum()
    data, gradient, age = x.data.copy(), x.grad.copy(), x.age
    with pytest.raises(error) as caught:
        call()
    # NumPy wraps what __float__ raises into an error of its own.
    cause = caught.value.__cause__
    assert re.search(words, str(caught.value)) or re.search(words, str(cause)), caught.value
    np.testing.assert_array_equal(x.data, data)
    np.testing.assert_array_equal(x.grad, gradient)
    assert x.age == age
    x.grad = None
    y.backward()
    np.testing.assert_array_equal(x.grad, 2 * data)


# -- what a leaf holds ------------------------------------------------------------------------------


def test_a_leaf_copies_what_it_is_given():
    array = np.ones(3)
    x = Tensor(array)
    array[0] = 5
    assert x.data.tolist() == [1.0, 1.0, 1.0]
    x.data[1] = 6
    assert array.tolist() == [5.0, 1.0, 1.0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_a_leaf_keeps_a_floating_point_dtype(dtype):
    assert Tensor(np.ones(2, dtype)).dtype == dtype
    assert Tensor(dtype(1.5)).dtype == dtype


def test_a_leaf_is_in_the_machines_byte_order_whatever_its_file_was_in():
    for dtype in (">f4", "<f4", ">f8", ">i4"):
        x = Tensor(np.array([1.0, 2.0], dtype))
        (x * x[::-1] + x).sum().backward()
        assert x.dtype.isnative
        assert x.dtype == x.grad.dtype
        assert x.grad.tolist() == [5.0, 3.0]


def test_a_leaf_of_another_byte_order_computes():
    x = Tensor(np.array([1.0, 2.0], ">f8"))
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


@pytest.mark.parametrize(
    "data",
    [
        np.asfortranarray(X),
        X[::-1, ::-1],
        X[:, ::2],
        np.broadcast_to(1.0, (2, 3)),
        np.ma.masked_array(X, mask=False).data,
    ],
)
def test_any_layout_makes_a_leaf_of_its_own(data):
    x = Tensor(data)
    assert x.data.flags.c_contiguous
    assert x.data.flags.writeable
    np.testing.assert_array_equal(x.data, data)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (True, TypeError, r"Tensor: .*bool.*astype\(float\)"),
        (np.zeros(2, bool), TypeError, r"Tensor: .*bool.*astype\(float\)"),
        (1j, TypeError, "Tensor: .*complex.*z.real and z.imag"),
        (np.zeros(2, complex), TypeError, "Tensor: .*complex.*z.real and z.imag"),
        (np.array([1, None], object), TypeError, "Tensor: .*object.*not real numbers"),
        ([object()], TypeError, "Tensor: .*object.*not real numbers"),
        ("1.0", TypeError, "Tensor: .*not real numbers"),
        (b"1", TypeError, "Tensor: .*not real numbers"),
        (["1", "2"], TypeError, "Tensor: .*not real numbers"),
        (None, TypeError, "Tensor: the data is None; a Tensor holds real numbers"),
        ([None, 1.0], TypeError, "Tensor: .*object.*not real numbers"),
        ({1.0, 2.0}, TypeError, "Tensor: .*not real numbers"),
        ({"a": 1.0}, TypeError, "Tensor: .*not real numbers"),
        ((i for i in range(3)), TypeError, "Tensor: .*not real numbers"),
        (2**80, TypeError, "Tensor: .*not real numbers"),
        (decimal.Decimal("1.5"), TypeError, "Tensor: .*object.*not real numbers"),
        (fractions.Fraction(1, 2), TypeError, "Tensor: .*object.*not real numbers"),
        (np.datetime64("2020-01-01"), TypeError, "Tensor: .*datetime64.*not real numbers"),
        (np.timedelta64(3, "s"), TypeError, "Tensor: .*timedelta64.*not real numbers"),
        (datetime.date(2020, 1, 1), TypeError, "Tensor: .*object.*not real numbers"),
        (np.zeros(2, [("a", float), ("b", int)]), TypeError, "Tensor: .*not real numbers"),
        (lambda: 1.0, TypeError, "Tensor: .*not real numbers"),
        ([[1.0], [1.0, 2.0]], ValueError, "Tensor: .*(inhomogeneous|ragged|length)"),
        (Tensor(1.0), TypeError, r"Tensor: .*Tensor already.*t\.data"),
        ([Tensor(1.0), 2.0], TypeError, r"(np\.stack)"),
        ([[Tensor(1.0)], [Tensor(2.0)]], TypeError, r"(np\.stack)"),
        ([Tensor([1.0, 2.0])], TypeError, r"(np\.stack)"),
        (np.ma.masked_array([1.0, 2.0], mask=[True, False]), TypeError, "Tensor: .*masked.*filled"),
    ],
)
def test_what_is_no_array_of_real_numbers_is_refused(data, error, words):
    with pytest.raises(error, match=words):
        Tensor(data)


def test_subclasses_of_arrays_become_plain_arrays():
    class Mine(np.ndarray):
        pass

    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix([[1.0, 2.0]])
    for data in (X.view(Mine), matrix):
        x = Tensor(data)
        assert type(x.data) is np.ndarray
        assert type((x * 2).data) is np.ndarray


def test_a_subclass_of_tensor_is_refused():
    with pytest.raises(TypeError, match="ops return plain Tensors"):
        type("Mine", (Tensor,), {})


# -- data and grad ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_everybodys_update_works_as_it_stands(dtype, shape):
    p = Tensor(np.full(shape, 2.0, dtype))
    for expected in (1.0, 0.5):
        (p * p).sum().backward()
        p.data -= 0.25 * p.grad
        p.grad = None
        assert p.dtype == dtype
        assert p.shape == shape
        assert np.all(p.data == expected)


def test_an_update_of_another_dtype_keeps_the_leafs():
    p = Tensor(np.ones(2, np.float32))
    p.data = np.array([1.5, 2.5])
    assert p.dtype == np.float32
    p.data = p.data - np.float64(0.5)
    assert p.dtype == np.float32
    assert p.data.tolist() == [1.0, 2.0]
    p.data = [3, 4]
    assert p.data.tolist() == [3.0, 4.0]


def test_assigned_data_is_a_copy():
    p, new = Tensor([1.0, 2.0]), np.array([3.0, 4.0])
    p.data = new
    new[0] = 9
    assert p.data.tolist() == [3.0, 4.0]


def test_data_of_another_shape_or_type_is_refused(leaf):
    def assign(new):
        leaf.data = new

    refused(lambda: assign(np.ones(3)), leaf, ValueError, r"'x'.*shape \(3,\) does not fit.*new Tensor")
    refused(lambda: assign(None), leaf, TypeError, "None")
    refused(lambda: assign("text"), leaf, TypeError, "not real numbers")
    refused(lambda: assign(np.ones((2, 3), complex)), leaf, TypeError, "complex")
    refused(lambda: assign(leaf * 2), leaf, TypeError, r"t\.data")


def test_interior_data_is_read_only_and_cannot_be_assigned(leaf):
    y = leaf * 2

    def assign():
        y.data = np.ones((2, 3))

    refused(assign, leaf, TypeError, r"multiply.*only a leaf's data.*Tensor\(t\.data\)")
    with pytest.raises(ValueError, match="read-only"):
        y.data[0, 0] = 5
    with pytest.raises((ValueError, TypeError), match=r"read-only|only a leaf"):
        y.data += 1


def test_a_view_of_interior_data_cannot_be_written_either(leaf):
    for y in (leaf.reshape(3, 2), leaf.T, leaf[0], np.broadcast_to(leaf, (2, 2, 3))):
        with pytest.raises(ValueError, match="read-only"):
            y.data[0] = 5
    assert leaf.data.tolist() == X.tolist()


def test_grad_may_be_assigned_none_zero_or_an_array():
    x = Tensor(np.ones((2, 2), np.float32))
    assert x.grad is None
    x.grad = 0
    assert x.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert x.grad.dtype == np.float32
    x.grad = 0.0
    mine = np.arange(4.0).reshape(2, 2)
    x.grad = mine
    assert x.grad.dtype == np.float32
    mine[0, 0] = 9
    assert x.grad[0, 0] == 0
    x.grad += 1
    assert x.grad.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    x.grad[0, 0] = 5
    (x * 1).sum().backward()
    assert x.grad.tolist() == [[6.0, 3.0], [4.0, 5.0]]
    x.grad = None
    assert x.grad is None


@pytest.mark.parametrize(
    ("new", "error", "words"),
    [
        (np.ones(3), ValueError, r"'x'.*gradient of shape \(3,\) does not fit.*None, 0 or an array"),
        (1.0, ValueError, r"gradient of shape \(\) does not fit.*None, 0 or an array"),
        (np.ones((2, 3), complex), TypeError, "complex"),
        (np.ones((2, 3), bool), TypeError, "bool"),
        ("text", TypeError, "not real numbers"),
        (Tensor(X), TypeError, r"t\.data|\.data"),
    ],
)
def test_any_other_gradient_is_refused(leaf, new, error, words):
    def assign():
        leaf.grad = new

    refused(assign, leaf, error, words)


def test_a_gradient_of_a_scalar_may_be_any_number():
    x = Tensor(2.0)
    x.grad = 0
    assert x.grad == 0
    x.grad = 3
    assert x.grad == 3
    (x * x).backward()
    assert x.grad == 7


# -- Python's protocols -----------------------------------------------------------------------------


def test_a_repr_is_one_line():
    assert repr(Tensor(2.0)) == "Tensor(2.0)"
    assert repr(Tensor([1.0, 2.0], name="w")) == "Tensor([1., 2.], name='w')"
    assert repr(Tensor(np.float32(0.1)) * 2) == "Tensor(0.2, dtype=float32, op=multiply)"
    for shape in [(), (0,), (3,), (3, 4), (2, 3, 4), (40, 40), (1, 1, 1), (2, 0, 3)]:
        for dtype in (np.float16, np.float64, np.longdouble):
            assert "\n" not in repr(Tensor(np.ones(shape, dtype), name="a\nb"))
    assert repr(Tensor(np.ones((40, 40)))) == "Tensor(shape=(40, 40))"
    assert "nan" in repr(Tensor([np.nan, np.inf]))
    assert str(Tensor(2.0)) == repr(Tensor(2.0))


def test_formatting_prints_the_number():
    loss = Tensor(0.123456)
    assert f"{loss:.3f}" == "0.123"
    assert f"{Tensor([0.123456]):.3f}" == "0.123"
    assert f"{loss:10.2e}|" == "  1.23e-01|"
    assert f"{loss}" == repr(loss)
    assert f"{Tensor([1.0, 2.0]):.1f}" == "[1.0 2.0]"
    assert f"{loss.item():.2f} %s" % loss.item() == "0.12 0.123456"


def test_truth_len_and_membership_are_numpys():
    assert bool(Tensor(1.0))
    assert not Tensor(0.0)
    assert len(Tensor(X)) == 2
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match=r"unsized|len"):
        len(Tensor(1.0))
    assert 3.0 in Tensor(X)
    assert 99.0 not in Tensor(X)


def test_iteration_gives_rows_with_gradients():
    x = Tensor(X)
    first, second = x
    assert first.data.tolist() == X[0].tolist()
    (first * second).sum().backward()
    assert x.grad.tolist() == [X[1].tolist(), X[0].tolist()]
    assert [row.shape for row in x] == [(3,), (3,)]
    assert sum(Tensor([1.0, 2.0])).item() == 3.0
    assert [y.item() for y in reversed(Tensor([1.0, 2.0]))] == [2.0, 1.0]
    with pytest.raises(TypeError, match=r"0-d.*\.item\(\)"):
        iter(Tensor(1.0))


def test_comparisons_return_arrays_elementwise():
    x = Tensor([1.0, 2.0, 3.0])
    for compare in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        expected = compare(x.data, 2.0)
        for result in (compare(x, 2.0), compare(x, Tensor([2.0])), compare(x, np.full(3, 2.0))):
            assert type(result) is np.ndarray
            assert result.tolist() == expected.tolist()
    assert (2.0 < x).tolist() == [False, False, True]  # noqa: SIM300  # the reflected operator is the point
    assert (np.full(3, 2.0) < x).tolist() == [False, False, True]
    assert Tensor(1.0) < 2
    assert max(Tensor(1.0), Tensor(3.0), key=lambda t: t.item()).item() == 3.0


def test_tensors_hash_by_identity():
    x, y = Tensor(1.0), Tensor(1.0)
    assert {x: "x", y: "y"}[x] == "x"
    assert len({x, y, x}) == 2
    a, b = Tensor([1.0, 2.0]), Tensor([1.0, 2.0])
    assert {a: 1, b: 2}[b] == 2
    assert len({a, b, a}) == 2


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
@pytest.mark.parametrize("data", [2.5, X, np.float16(1.5), np.ones((0, 3), np.float32)])
def test_a_leaf_can_be_copied_and_pickled(duplicate, data):
    x = Tensor(data, name="x")
    x.grad = np.ones_like(x.data)
    twin = duplicate(x)
    assert twin is not x
    assert (twin.name, twin.dtype, twin.shape) == ("x", x.dtype, x.shape)
    np.testing.assert_array_equal(twin.data, x.data, strict=True)
    np.testing.assert_array_equal(twin.grad, x.grad, strict=True)
    if x.size and x.shape:
        twin.data[0] = 99
        twin.grad[0] = 99
        assert (x.data[0] != 99).all()
        assert (x.grad[0] != 99).all()


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_graph_can_not_be_copied(duplicate):
    with pytest.raises(TypeError, match=r"multiply.*only leaves can be copied and pickled.*t\.data"):
        duplicate(Tensor([1.0]) * 2)


def test_a_model_in_a_dict_can_be_copied():
    model = {"w": Tensor([1.0]), "layers": [Tensor(2.0), Tensor(3.0)]}
    twin = copy.deepcopy(model)
    assert twin["layers"][1].item() == 3.0
    assert twin["w"] is not model["w"]


def test_names_stay_with_their_tensor():
    x = Tensor(1.0)
    assert x.name is None
    assert x.named("loss") is x
    assert x.name == "loss"
    assert (x * 2).name is None


def test_facts_are_numpys():
    x = Tensor(X)
    assert (x.shape, x.ndim, x.size, x.dtype) == ((2, 3), 2, 6, np.float64)
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 3), 2, 6)
    assert x.T.shape == (3, 2)
    assert (x.op, x.T.op) == ("leaf", "transpose")
    assert x.parents == ()
    assert x.tolist() == X.tolist()


def test_leaving_the_graph_on_purpose_gives_arrays():
    x = Tensor(X)
    y = x * 2
    for out in (y.data, y.detach(), y.numpy()):
        assert type(out) is np.ndarray
        np.testing.assert_array_equal(out, 2 * X)
    y.numpy()[0, 0] = 99
    assert y.data[0, 0] == 2.0
    assert type(Tensor(2.0).item()) is float
    with pytest.raises(ValueError, match=r"size 1|one element|only.*convert"):
        x.item()


# -- what would lose a gradient -------------------------------------------------------------------------


def into_array(x):
    np.zeros(3)[0] = x


def in_place(ufunc):
    def call(x):
        array = np.ones((2, 3))
        ufunc(array, x)

    return call


LOSSES = {
    "float": (lambda x: float(x[0, 0]), r"float\(t\).*t\.item\(\)"),
    "int": (lambda x: int(x[0, 0]), r"int\(t\).*t\.item\(\)"),
    "complex": (lambda x: complex(x[0, 0]), r"complex\(t\).*t\.item\(\)"),
    "index": (lambda x: [1, 2][x[0, 0]], r"index.*t\.data"),
    "range": (lambda x: range(x[0, 0]), r"index.*t\.data"),
    "math.exp": (lambda x: math.exp(x[0, 0]), r"math\.exp.*np\.exp\(t\)"),
    "round to int": (lambda x: math.floor(x[0, 0]), r"t\.item\(\)|t\.data"),
    "array item": (lambda x: into_array(x[0, 0]), r"array\[0\] = t.*t\.data"),
    "np.array": (lambda x: np.array(x), r"np\.asarray\(t\).*np\.stack"),
    "np.array of two": (lambda x: np.array([x, x]), r"np\.array\(\[t, u\]\).*np\.stack"),
    "np.array of scalars": (
        lambda x: np.array([x[0, 0], x[0, 1]]),
        r"np\.array\(\[t, u\]\)|float\(t\).*np\.stack",
    ),
    "np.asarray": (lambda x: np.asarray(x), r"np\.asarray\(t\).*np\.stack"),
    "np.asarray float32": (lambda x: np.asarray(x, np.float32), r"np\.asarray\(t\).*np\.stack"),
    "setitem": (lambda x: operator.setitem(x, 0, 1.0), r"cannot be assigned.*np\.where.*t\.data"),
    "setitem of interior": (lambda x: operator.setitem(x * 2, 0, x[0]), r"cannot be assigned.*np\.where"),
    "out": (lambda x: np.exp(x, out=np.zeros((2, 3))), r"np\.exp: out=.*assign the result.*t\.data"),
    "out tensor": (lambda x: np.add(X, X, out=x), r"np\.add: out=.*t\.data"),
    "out of a function": (lambda x: np.sum(x, out=np.zeros(())), r"np\.sum: out=.*t\.data"),
    "positional out": (lambda x: np.exp(x, np.zeros((2, 3))), r"np\.exp: out=.*t\.data"),
    "array += t": (in_place(operator.iadd), r"np\.add: out=.*array \+= t.*t\.data"),
    "array *= t": (in_place(operator.imul), r"np\.multiply: out=.*t\.data"),
    "array @= t": (lambda x: operator.imatmul(np.eye(2), x[:, :2]), r"np\.matmul: out=.*t\.data"),
    "where": (lambda x: np.exp(x, where=X > 0), r"np\.exp: .*where=.*np\.where"),
    "ufunc dtype": (lambda x: np.add(x, x, dtype=np.float32), r"np\.add: .*dtype=.*astype"),
    "casting": (lambda x: np.add(x, x, casting="unsafe"), r"np\.add: .*casting="),
    "sum where": (lambda x: np.sum(x, where=x), r"sum: where= has no derivative.*t\.data"),
    "sum dtype": (lambda x: np.sum(x, dtype=int), r"sum: .*int64 has no derivative.*t\.data"),
    "sum initial": (lambda x: np.sum(x, initial=x[0, 0]), r"sum: .*initial= has no derivative.*t\.data"),
    "reduce": (lambda x: np.hypot.reduce(x), r"np\.hypot\.reduce .*t\.data"),
    "reduce with out": (lambda x: np.add.reduce(x, out=np.zeros(3)), r"np\.add\.reduce: out=.*t\.data"),
    "accumulate": (lambda x: np.maximum.accumulate(x), r"np\.maximum\.accumulate .*t\.data"),
    "ufunc outer": (lambda x: np.nextafter.outer(x, x), r"np\.nextafter\.outer .*t\.data"),
    "at": (lambda x: np.add.at(np.zeros(6), [0], x), r"np\.add\.at .*t\.data"),
    "reduceat": (lambda x: np.add.reduceat(x, [0]), r"np\.add\.reduceat .*t\.data"),
    "no rule": (
        lambda x: np.nextafter(x, 0),
        r"np\.nextafter has no derivative.*@primitive\(np\.nextafter\).*t\.data",
    ),
    "no rule, function": (
        lambda x: np.union1d(x, X),
        r"np\.union1d has no derivative.*@primitive\(np\.union1d\)",
    ),
    "angle": (lambda x: np.angle(x), r"np\.angle: .*np\.arctan2"),
    "no rule, polynomial": (lambda x: np.poly(x[0]), r"np\.poly has no derivative.*t\.data"),
    "fft": (lambda x: np.fft.fft(x), r"np\.fft\.fft: complex numbers have no derivatives.*ad\.rfft.*t\.data"),
    "weights": (lambda x: np.histogram(X, weights=x), r"histogram: weights=.*np\.bincount.*t\.data"),
    "integers": (lambda x: np.bitwise_and(x, 1), r"np\.bitwise_and has no derivative"),
    "copyto": (
        lambda x: np.copyto(np.zeros((2, 3)), x),
        r"np\.copyto: .*np\.where\(mask, source, x\).*t\.data",
    ),
    "put": (lambda x: np.put(np.zeros(6), [0], x[0, 0]), r"np\.put|float\(t\)|np\.asarray"),
    "full": (lambda x: np.full(3, x[0, 0]), r"np\.full|float\(t\)|np\.asarray"),
    "fill": (lambda x: np.zeros(3).fill(x[0, 0]), r"float\(t\)|np\.asarray"),
    "index by tensor": (lambda x: X[x[0, 0]], r"np\.asarray\(t\).*t\.data"),
    "tensor index": (lambda x: x[Tensor([0, 1])], r"getitem: .*index.*t\.data"),
    "tensor in an index": (lambda x: x[Tensor(0), 1], r"getitem: .*index.*i\.data"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_whatever_would_lose_a_gradient_is_refused_with_the_way_out(leaf, loss):
    call, words = LOSSES[loss]
    refused(lambda: call(leaf), leaf, (TypeError, ValueError), words)


def test_t_plus_equals_1_makes_a_new_tensor():
    x = t = Tensor([1.0, 2.0])
    t += 1
    t *= np.array([3.0, 4.0])
    assert t is not x
    t.sum().backward()
    assert x.data.tolist() == [1.0, 2.0]
    assert x.grad.tolist() == [3.0, 4.0]


# -- constants -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "constant", [True, 2, 2.5, np.float32(2), np.int8(3), [1.0, 2.0], (1, 0), np.array([True, False])]
)
def test_real_constants_of_any_kind_take_part(constant):
    x = Tensor([3.0, 4.0])
    for f in (lambda x: x * constant, lambda x: constant * x, lambda x: np.multiply(constant, x)):
        x.grad = None
        y = f(x)
        assert isinstance(y, Tensor)
        assert y.dtype == np.float64
        y.sum().backward()
        assert x.grad.tolist() == (np.ones(2) * np.asarray(constant, float)).tolist()


@pytest.mark.parametrize(
    ("constant", "words"),
    [
        (1j, "complex"),
        (np.array([1j, 2.0]), "complex"),
        (None, "None"),
        ("2", "<U1|str"),
        (decimal.Decimal(2), "object"),
        (fractions.Fraction(1, 2), "object"),
        (np.array([object(), 1]), "object"),
        (np.timedelta64(3, "s"), "timedelta"),
        (np.zeros(2, [("a", float)]), r"\[\('a'"),
        ({1.0}, "object"),
        ([[1.0], [1.0, 2.0]], "inhomogeneous|object"),
        ([Tensor(1.0), 2.0], "np.stack"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_constants_that_are_no_real_numbers_are_refused(leaf, constant, words, turned):
    call = (lambda: constant * leaf) if turned else (lambda: leaf * constant)
    refused(call, leaf, (TypeError, ValueError), f"multiply: .*({words})|{words}")


def test_a_subclass_of_arrays_takes_part_as_an_array():
    class Mine(np.ndarray):
        pass

    x = Tensor([1.0, 2.0])
    for y in (x * np.ones(2).view(Mine), np.ones(2).view(Mine) * x):
        assert isinstance(y, Tensor)
        assert type(y.data) is np.ndarray
        y.sum().backward()
    assert type(x.grad) is np.ndarray


def test_a_masked_array_is_refused_because_its_mask_would_be_lost():
    x, masked = Tensor([1.0, 2.0]), np.ma.masked_array([1.0, 2.0], mask=[True, False])
    with pytest.raises(TypeError, match=r"multiply: .*mask.*filled"):
        x * masked
    with pytest.raises(TypeError, match=r"mask.*filled|would lose the gradient"):
        masked * x


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: x + np.ones(4), ValueError, r"add: .*\(2, 3\), \(4,\).*(expand_dims|reshape)"),
        (lambda x: np.ones(4) * x, ValueError, r"multiply: .*\(4,\), \(2, 3\)"),
        (lambda x: x @ x, ValueError, r"matmul: shapes \(2, 3\) and \(2, 3\)"),
        (lambda x: x @ 2.0, ValueError, r"matmul: "),
        (lambda x: x.sum(axis=2), ValueError, r"sum: axis 2 is out of bounds.*\(2, 3\)"),
        (lambda x: np.mean(x, axis=(0, -3)), ValueError, r"mean: .*axis.*\(2, 3\)"),
        (lambda x: np.max(x, axis=5), ValueError, r"max: axis 5 is out of bounds"),
        (lambda x: np.prod(x, axis=5), ValueError, r"prod: axis 5 is out of bounds"),
        (lambda x: np.var(x, axis=5), ValueError, r"var: axis 5 is out of bounds"),
        (lambda x: np.std(x, axis=(0, 0)), ValueError, r"std: duplicate.*axis"),
        (lambda x: x.sum(axis="rows"), TypeError, r"sum: .*str"),
        (lambda x: x.sum(axis=0.5), TypeError, r"sum: .*float"),
        (lambda x: softmax(x, axis=4), ValueError, r"softmax: axis.* 4 is out of bounds"),
        (lambda x: x.reshape(4, 2), ValueError, r"reshape: cannot reshape.*\(2, 3\)"),
        (lambda x: x.transpose(0, 0), ValueError, r"transpose: repeated axis"),
        (lambda x: np.swapaxes(x, 0, 4), ValueError, r"swapaxes: .*out of bounds"),
        (lambda x: np.squeeze(x, 0), ValueError, r"squeeze: .*size not equal to one"),
        (lambda x: np.expand_dims(x, 7), ValueError, r"expand_dims: .*out of bounds"),
        (lambda x: np.broadcast_to(x, (2, 4)), ValueError, r"broadcast_to: .*\(2,4\).*\(2, 3\)"),
        (lambda x: np.concatenate([x, np.ones((3, 2))]), ValueError, r"concatenate: .*\(2, 3\), \(3, 2\)"),
        (lambda x: np.concatenate([x, x], axis=2), ValueError, r"concatenate: axis 2 is out of bounds"),
        (lambda x: np.stack([x, x[0]]), ValueError, r"stack: the shapes differ.*np\.concatenate"),
        (lambda x: np.stack([x, x], axis=5), ValueError, r"(stack|expand_dims): .*out of bounds"),
        (lambda x: x[5], IndexError, r"getitem: index 5 is out of bounds.*\(2, 3\)"),
        (lambda x: x[0, 0, 0], IndexError, r"getitem: too many indices.*\(2, 3\)"),
        (lambda x: x[[True, False, True]], IndexError, r"getitem: boolean index did not match.*\(2, 3\)"),
        (lambda x: x["a"], IndexError, r"getitem: only integers, slices"),
        (lambda x: x[1.0], IndexError, r"getitem: only integers, slices"),
        (
            lambda x: np.take_along_axis(x, np.array([[9]]), 1),
            IndexError,
            r"take_along_axis: index 9 is out of bounds",
        ),
        (lambda x: np.einsum("ij,jk", x, x), ValueError, r"einsum: .*\(2, 3\), \(2, 3\)"),
        (lambda x: np.einsum("ij,jk", x), ValueError, r"einsum: .*2 operands, not 1"),
        (lambda x: np.einsum("i->i", x), ValueError, r"einsum: .*\(2, 3\)"),
        (lambda x: np.einsum("ij->k", x), ValueError, r"einsum: "),
        (lambda x: np.einsum("ij->iij", x), ValueError, r"einsum: "),
        (lambda x: np.einsum("i!->i", x), ValueError, r"einsum: "),
        (lambda x: np.einsum(x, [0, 1, 2]), ValueError, r"einsum: "),
        (lambda x: np.dot(x, x), ValueError, r"(dot|matmul): .*\(2, 3\) and \(2, 3\)"),
        (lambda x: np.where(X > 0, x), (TypeError, ValueError), r"where: "),
        (lambda x: np.where(np.ones((3, 2)) > 0, x, 0), ValueError, r"where: .*\(3, 2\), \(2, 3\)"),
        (lambda x: np.clip(x, np.ones(4), None), ValueError, r"clip: .*\(2, 3\), \(4,\)"),
        (lambda x: x.astype(int), TypeError, r"astype: int64 has no derivatives.*t\.data\.astype"),
        (lambda x: x.astype(bool), TypeError, r"astype: bool has no derivatives"),
        (lambda x: x.astype(complex), TypeError, r"astype: complex128 has no derivatives"),
        (lambda x: x.max(0, None, False, 0, True, 3), TypeError, r"max: takes 1 inputs? and the options"),
        (lambda x: np.sum(x, axis=Tensor(0)), TypeError, r"sum: the option axis= has no derivative"),
        (lambda x: x ** "2", TypeError, r"power: .*not <U1"),
        (lambda x: x * x.backward, TypeError, r"multiply: .*not object"),
        (lambda x: x < "a", TypeError, "."),
        (lambda x: x.foo, AttributeError, "foo"),
    ],
)
def test_what_an_op_can_not_compute_it_refuses_by_its_name(leaf, call, error, words):
    refused(lambda: call(leaf), leaf, error, words)


def test_every_operator_works_from_both_sides():
    a, b = 2.0, 3.0
    for op in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow):
        for x, y in (
            (Tensor(a), Tensor(b)),
            (Tensor(a), b),
            (a, Tensor(b)),
            (np.array([a]), Tensor(b)),
            (Tensor(a), np.array([b])),
            (np.float64(a), Tensor(b)),
        ):
            z = op(x, y)
            assert isinstance(z, Tensor)
            assert z.item() == op(a, b)
    m = np.arange(4.0).reshape(2, 2)
    for x, y in ((Tensor(m), m), (m, Tensor(m)), (Tensor(m), m.tolist()), (m.tolist(), Tensor(m))):
        np.testing.assert_array_equal((x @ y).data, m @ m)
    x = Tensor([-1.0, 2.0])
    assert (-x).tolist() == [1.0, -2.0]
    assert (+x).tolist() == [-1.0, 2.0]
    assert abs(x).tolist() == [1.0, 2.0]


def test_methods_mirror_ndarrays():
    x = Tensor(np.abs(X))
    for name, arguments in {
        "sum": (0,), "mean": (1,), "max": (), "min": (1,), "prod": (0,), "var": (1,), "std": (), "reshape": (3, 2),
        "ravel": (), "flatten": (), "transpose": (1, 0), "swapaxes": (0, 1), "squeeze": (), "dot": (np.ones(3),),
        "clip": (0.5, 2.0), "astype": (np.float32,), "argmax": (1,), "argmin": (), "argsort": (1,), "any": (), "all": (),
    }.items():  # fmt: skip
        expected = getattr(x.data, name)(*arguments)
        found = getattr(x, name)(*arguments)
        np.testing.assert_array_equal(
            getattr(found, "data", found) if isinstance(found, Tensor) else found, expected
        )
    for name in ("exp", "log", "sqrt", "tanh"):
        np.testing.assert_array_equal(getattr(x, name)().data, getattr(np, name)(x.data))
    assert x.relu().shape == x.sigmoid().shape == (2, 3)


def test_methods_of_ndarray_without_a_derivative_are_methods_here():
    x = Tensor(X)
    for name in ("any", "all", "argmax", "argmin", "argsort", "nonzero", "round"):
        np.testing.assert_array_equal(getattr(x, name)(), getattr(X, name)())
    assert x[0].searchsorted(1.0) == X[0].searchsorted(1.0)
    np.testing.assert_array_equal(x.argpartition(1), X.argpartition(1))
    np.testing.assert_array_equal(x.imag, np.zeros((2, 3)))
    for y in (x.real, x.conj(), x.conjugate()):
        assert y.parents == (x,)


def test_on_arrays_alone_ops_return_arrays():
    assert type(softmax(X)) is np.ndarray
    assert type(grad(lambda x: (x * x).sum())(X)) is np.ndarray


def test_inside_no_grad_nothing_is_recorded_and_data_may_be_updated():
    x = Tensor(X)
    with no_grad():
        y = x * 2
        x.data -= 1
    assert type(y) is np.ndarray
    np.testing.assert_array_equal(x.data, X - 1)


def test_a_detached_leaf_is_the_constant_that_it_was():
    w, p = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    y = (w * p.detach()).sum()
    p.data -= 1
    y.backward()
    assert w.grad.tolist() == [3.0, 4.0]
    with pytest.raises(ValueError, match="read-only"):
        p.detach()[0] = 5.0


# -- the first things that go wrong ----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.dtype("float32"), float])
def test_a_dtype_in_the_place_of_the_name_is_refused(dtype):
    with pytest.raises(TypeError, match=r"name is text, not a dtype; give the data that dtype: np\.array"):
        Tensor([1.0, 2.0], dtype)


def test_a_name_is_text():
    with pytest.raises(TypeError, match="name is text, not 3"):
        Tensor(1.0, name=3)
    with pytest.raises(TypeError, match="name is text, not 3"):
        Tensor(1.0).named(3)


def test_an_update_of_a_leaf_that_makes_it_a_computed_tensor_warns_where_its_gradient_is_read():
    W = Tensor(np.ones((4, 3)), name="W")
    (W * W).sum().backward()
    W -= 0.1 * W.grad
    with pytest.warns(
        UserWarning, match=r"the subtract of shape \(4, 3\): computed.*W\.data -= .*retain_grad"
    ):
        assert W.grad is None


def test_a_computed_tensor_that_retains_its_gradient_does_not_warn():
    y = (Tensor(2.0) * 3).retain_grad()
    assert y.grad is None  # a warning would be an error here
    y.backward()
    assert y.grad == 1.0


def test_a_list_of_tensors_is_no_data_and_the_error_says_how_to_join_them():
    s = Tensor(1.0)
    for data in ([s, s], [[1.0, s]], (Tensor([1.0, 2.0]), [3.0, 4.0])):
        with pytest.raises(TypeError, match=r"the data holds Tensors; join them with np\.stack\(\[t, u\]\)"):
            Tensor(data)


def test_rounding_makes_numbers_and_arrays_as_it_does_of_the_data():
    t = Tensor(1.26)
    assert (round(t), round(t, 1), np.round(t, 1)) == (1, 1.3, 1.3)
    assert type(round(t)) is int
    np.testing.assert_array_equal(round(Tensor(X), 1), np.round(X, 1))  # ndarray itself refuses


def test_an_error_about_a_gradient_does_not_speak_of_the_data():
    x = Tensor(1.0)
    with pytest.raises(TypeError, match=r"^\.grad: the gradient is <U1, not real numbers"):
        x.grad = "a"


def test_an_error_about_an_element_says_when_the_data_may_be_written():
    x = Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"t\.data before the forward pass"):
        x[0] = 3.0


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.max(a=x, axis=0),
        lambda x: np.sum(a=x, axis=1),
        lambda x: np.clip(a=x, a_min=0.0, a_max=1.0),
        lambda x: np.append(values=x, arr=x),
        lambda x: np.linalg.solve(b=x, a=x),
        lambda x: np.linalg.solve(x, b=x),
        lambda x: np.take_along_axis(arr=x, indices=np.array([[0], [1]]), axis=1),
    ],
)
def test_all_of_numpys_arguments_may_be_given_by_name(call):
    x = np.array([[0.5, -1.0], [2.0, 0.25]])
    np.testing.assert_array_equal(call(Tensor(x)).data, call(x), strict=True)
