"""Products, sequences and polynomials beyond the laws: forms of the same call, edges, refusals."""

import numpy as np
import pytest

from autodiff import Tensor, grad, hessian, jacobian


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        ([[0, 1], [1, 2]], "ij,jk"),
        ([[3, 1], [1, 0]], "dj,ja"),  # the result's axes are sorted by their labels
        ([[0, 1], [1, 2], [2, 0]], "ij,jk->ki"),
        ([[0, 1], [1, 51], [51, 0]], "ij,jk->ki"),
        ([[..., 1], [1, 2], [..., 2]], "...j,jk->...k"),
    ],
)
def test_einsums_list_form_is_its_text_form(listed, text, rng):
    a, b = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    by_list = lambda a, b: np.einsum(a, listed[0], b, listed[1], *listed[2:])
    by_text = lambda a, b: np.einsum(text, a, b)
    np.testing.assert_array_equal(by_list(Tensor(a), Tensor(b)).data, by_list(a, b))
    both = (0, 1)
    for ours, same in zip(jacobian(by_list, both)(a, b), jacobian(by_text, both)(a, b), strict=True):
        np.testing.assert_array_equal(ours, same)


@pytest.mark.parametrize("optimize", [True, "greedy", "optimal", ["einsum_path", (0, 1), (0, 1)]])
def test_einsum_in_a_better_order_has_the_same_gradients(optimize, rng):
    arrays = [rng.normal(size=shape) for shape in [(2, 3), (3, 4), (4, 2)]]
    total = lambda *xs, **options: np.einsum("ij,jk,kl->il", *xs, **options)[0].sum()
    places = (0, 1, 2)
    for one, other in zip(
        grad(total, places)(*arrays, optimize=optimize), grad(total, places)(*arrays), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-14)


def test_the_order_of_an_einsum_is_no_tensor():
    path, _ = np.einsum_path("ij,jk,kl", *[Tensor(np.ones((2, 2)))] * 3)
    assert path[0] == "einsum_path"


def test_multi_dot_multiplies_in_the_cheap_order():
    a, b, c = (Tensor(np.ones(shape)) for shape in [(10, 100), (100, 5), (5, 50)])
    assert np.linalg.multi_dot([a, b, c]).parents[0].shape == (10, 5)
    assert np.linalg.multi_dot([c.T, b.T, a.T]).parents[1].shape == (5, 10)


def test_a_vector_crossed_with_itself_has_no_slope():
    x = np.array([1.0, 2.0, 3.0])
    assert jacobian(lambda x: np.cross(x, x))(x).tolist() == np.zeros((3, 3)).tolist()


def test_vectors_of_length_two_are_crossed_with_numpys_warning():
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 5.0])
    with pytest.warns(DeprecationWarning, match="2-dimensional vectors"):
        y = np.cross(a, b)
    y.backward()
    assert (y.item(), a.grad.tolist(), b.grad.tolist()) == (-1.0, [5.0, -3.0], [-2.0, 1.0])


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("m", [1, 2, 3, 4, 5])
def test_convolutions_of_any_lengths_are_numpys(mode, n, m, rng):
    a, v = rng.normal(size=n), rng.normal(size=m)
    for function in (np.convolve, np.correlate):
        y = function(Tensor(a), Tensor(v), mode)
        np.testing.assert_allclose(y.data, function(a, v, mode), atol=1e-14)


def test_a_lines_slope_is_that_of_its_piece():
    knots, heights = np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0, 1.0])
    slope = grad(lambda x: np.interp(x, knots, heights).sum())
    assert slope(np.array([-1.0, 0.5, 2.0, 4.0])).tolist() == [0.0, 2.0, -0.5, 0.0]
    assert slope(np.array([0.0, 1.0, 3.0])).tolist() == [2.0, -0.5, -0.5]  # to the right, at last to the left


def test_heights_get_the_weights_of_the_points_between_them():
    x, knots = np.array([-1.0, 0.25, 3.0]), np.array([0.0, 1.0, 2.0])
    total = lambda heights, **options: np.interp(x, knots, heights, **options).sum()
    assert grad(total)(np.zeros(3)).tolist() == [1.75, 0.25, 1.0]
    assert grad(total)(np.zeros(3), left=5.0, right=6.0).tolist() == [0.75, 0.25, 0.0]
    ends = lambda left, right: np.interp(x, knots, Tensor(np.zeros(3)), left, right).sum()
    assert grad(ends, (0, 1))(5.0, 6.0) == (1.0, 1.0)


def test_interpolation_of_a_nan_and_of_one_knot_are_numpys():
    knots, heights = np.array([0.0, 1.0]), Tensor([1.0, 3.0])
    assert np.isnan(np.interp(np.array([np.nan]), knots, heights).data).all()
    one = np.interp(np.array([-1.0, 0.0, 2.0]), knots[:1], heights[:1])
    assert one.tolist() == [1.0, 1.0, 1.0]


def test_a_polynomial_has_its_derivatives():
    coefficients = np.array([2.0, -1.0, 3.0, 5.0])
    value = lambda x: np.polyval(coefficients, x)
    assert grad(value)(1.5) == np.polyval(np.polyder(coefficients), 1.5)
    assert hessian(value)(1.5) == np.polyval(np.polyder(coefficients, 2), 1.5)
    assert grad(lambda p: np.polyval(p, 2.0))(coefficients).tolist() == [8.0, 4.0, 2.0, 1.0]


T = Tensor(np.arange(1.0, 13).reshape(3, 4))


def test_the_constants_of_an_integral_are_handed_their_gradients():
    k = Tensor([2.0, 5.0])
    y = np.polyint(Tensor([6.0]), 2, k)
    y.backward(seed=np.array([1.0, 10.0, 100.0]))
    assert (y.tolist(), k.grad.tolist()) == ([3.0, 2.0, 5.0], [10.0, 100.0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.longdouble])
@pytest.mark.parametrize(
    "f",
    [
        np.polyder,
        np.polyint,
        np.vander,
        lambda x: np.polyval([1.5, 2.0], x),
        lambda x: np.polyval(x, [1.5, 2.0]),
        lambda x: np.polyfit(x, np.array([1.0, 0.5, 2.0]), 1) if x.dtype != np.longdouble else x,
    ],
)
def test_polynomials_promote_as_numpys(f, dtype):
    x = np.array([0.5, 1.5, 2.0], dtype)
    np.testing.assert_allclose(f(Tensor(x)).data, f(x), rtol=1e-14, strict=True)


@pytest.mark.parametrize("product", [np.dot, np.inner, np.add.outer, np.multiply.outer])
def test_a_python_number_is_no_weaker_in_a_product_than_numpys(product):
    x = np.ones(2, np.float32)
    assert product(Tensor(x), 2.5).dtype == product(x, 2.5).dtype == np.float64
    assert product(2.5, Tensor(x)).dtype == product(2.5, x).dtype == np.float64


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: np.einsum("ij,j", T), ValueError, "einsum: .*2 operands, not 1"),
        (lambda: np.einsum("ijk", T), ValueError, "einsum: .*too many subscripts"),
        (lambda: np.einsum("ij", T, dtype=float), TypeError, "einsum: .*option dtype="),
        (lambda: np.einsum(T), TypeError, "einsum: takes subscripts and arrays"),
        (lambda: np.tensordot(T, T, 1), ValueError, r"tensordot: .*\(3, 4\)"),
        (lambda: np.inner(T, T[:, :2]), ValueError, r"inner: .*\(3, 4\).*\(3, 2\)"),
        (lambda: np.vecdot(T, T[:, :1]), ValueError, r"vecdot: .*\(3, 4\), \(3, 1\)"),
        (lambda: np.vecdot(T, T, axis=0), TypeError, "vecdot: the option axis="),
        (lambda: np.cross(T, T), ValueError, "cross: vectors have length 3"),
        (lambda: np.linalg.cross(T, T), ValueError, "linalg.cross: vectors have length 3"),
        (lambda: np.linalg.outer(T, T), ValueError, "linalg.outer: takes vectors"),
        (lambda: np.linalg.multi_dot([T]), ValueError, "multi_dot: takes at least two"),
        (lambda: np.linalg.multi_dot([T, T[0], T]), np.linalg.LinAlgError, r"multi_dot: .*\(4,\)"),
        (lambda: np.linalg.multi_dot([T[0, 0], T]), np.linalg.LinAlgError, r"multi_dot: .*\(\)"),
        (lambda: np.linalg.cross(T[0, 0], T[0, 0]), ValueError, "linalg.cross: axis -1"),
        (lambda: np.tensordot(T, T, ([5], [0])), ValueError, "tensordot: axis 5"),
        (lambda: np.linalg.pinv(T[0]), np.linalg.LinAlgError, "pinv: 1-dimensional"),
        (lambda: np.convolve(T, T), ValueError, "convolve: object too deep"),
        (lambda: np.convolve(T[0], T[0][:0]), ValueError, "convolve: .*empty"),
        (lambda: np.convolve(T[0], T[0], "most"), ValueError, "convolve: mode is one of"),
        (lambda: np.interp(1.0, T[0], T[0]), TypeError, r"interp: xp .* xp\.data"),
        (lambda: np.interp(T, [1.0, 2.0], [1.0]), ValueError, r"interp: .*\(2,\) and \(1,\)"),
        (lambda: np.polyder(T[0], -1), ValueError, "polyder: .*polyint"),
        (lambda: np.polyint(T[0], -1), ValueError, "polyint: .*polyder"),
    ],
)
def test_what_cannot_be_multiplied_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()
