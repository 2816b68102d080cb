"""Linear algebra beyond the laws: identities, matrices without an inverse, equal eigenvalues, refusals."""

from itertools import permutations

import numpy as np
import pytest

from autodiff import Tensor, check_grads, grad, hessian, hvp, jacobian

linalg = np.linalg


def turned(m):
    return np.swapaxes(m, -1, -2)


def symmetrised(m):
    return (m + turned(m)) / 2


@pytest.fixture
def square(rng):
    return rng.normal(size=(2, 4, 4))


# -- what is put together again has the slope of what was taken apart ---------------------------------


def from_svd(a):
    u, s, vh = linalg.svd(a, full_matrices=False)
    return (u * np.expand_dims(s, -2)) @ vh


def from_eig(a):
    w, v = linalg.eig(a)
    return (v * np.expand_dims(w, -2)) @ linalg.inv(v)


def from_eigh(a):
    w, v = linalg.eigh(a)
    return (v * np.expand_dims(w, -2)) @ turned(v)


def from_qr(a):
    q, r = linalg.qr(a)
    return q @ r


@pytest.mark.parametrize("rebuilt", [from_svd, from_qr, lambda a: linalg.pinv(linalg.pinv(a))])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 1), (1, 1), (2, 3, 3)])
def test_factors_of_any_matrix_multiply_to_the_identitys_slope(rebuilt, shape, rng):
    a, weights, direction = rng.normal(size=(3, *shape))
    total = lambda a: (weights * rebuilt(a)).sum()
    np.testing.assert_allclose(grad(total)(a), weights, atol=1e-9)
    np.testing.assert_allclose(hvp(total, a, direction), 0, atol=1e-7)


@pytest.mark.parametrize(
    "rebuilt",
    [
        lambda a: linalg.inv(linalg.inv(a)),
        lambda a: linalg.solve(linalg.inv(a), np.eye(3)),
        lambda a: linalg.matrix_power(linalg.matrix_power(a, -1), -1),
        lambda a: linalg.lstsq(linalg.inv(a), np.eye(3))[0],
    ],
)
def test_inverses_of_inverses_have_the_identitys_slope(rebuilt, rng):
    a, weights = rng.normal(size=(2, 3, 3))
    np.testing.assert_allclose(grad(lambda a: (weights * rebuilt(a)).sum())(a), weights, atol=1e-10)


@pytest.mark.parametrize(
    "rebuilt",
    [
        from_eigh,
        lambda a: linalg.cholesky(a) @ turned(linalg.cholesky(a)),
        lambda a: turned(linalg.cholesky(a, upper=True)) @ linalg.cholesky(a, upper=True),
        lambda a: from_svd(linalg.pinv(linalg.pinv(a, hermitian=True))),
    ],
)
def test_factors_of_a_symmetric_matrix_have_the_symmetric_slope(rebuilt, rng):
    m, weights = rng.normal(size=(2, 3, 3))
    slope = grad(lambda a: (weights * rebuilt(a)).sum())(m @ m.T + np.eye(3))
    np.testing.assert_allclose(slope, symmetrised(weights), atol=1e-10)


def test_a_real_eigenvalue_decomposition_has_the_identitys_slope(rng):
    a = np.diag([1.0, 2.0, 4.0]) + 0.1 * rng.normal(size=(2, 3, 3))
    weights = rng.normal(size=(2, 3, 3))
    np.testing.assert_allclose(grad(lambda a: (weights * from_eig(a)).sum())(a), weights, atol=1e-10)


def test_a_matrix_divided_by_itself_has_no_slope(square):
    weights = np.arange(16.0).reshape(4, 4)
    slope = grad(lambda a: (weights * linalg.solve(a, a)).sum())(square + 4 * np.eye(4))
    np.testing.assert_allclose(slope, 0, atol=1e-13)


def test_the_determinants_of_a_matrix_and_its_inverse_cancel(square):
    slope = grad(lambda a: (linalg.det(a) * linalg.det(linalg.inv(a))).sum())(square)
    np.testing.assert_allclose(slope, 0, atol=1e-11)


def test_eigvals_come_in_numpys_order(square):
    a = square @ turned(square)
    np.testing.assert_allclose(linalg.eigvals(Tensor(a)).data, linalg.eigvals(a), rtol=1e-12)
    slope = grad(lambda a: linalg.eigvals(a)[..., 0].sum())(a)
    largest = [i for i in range(2) if linalg.eigvals(a)[i, 0] == linalg.eigvals(a)[i].max()]
    by_order = grad(lambda a: linalg.eigvalsh(a)[..., -1].sum())(a)
    assert largest
    np.testing.assert_allclose(slope[largest], by_order[largest], atol=1e-10)


# -- PyTorch's numbers -----------------------------------------------------------------------------------

A = np.array([[2.0, 1.0, 0.0], [1.0, 4.0, 1.0], [0.5, 1.0, 7.0]])
TALL = np.array([[2.0, 1.0], [1.0, 3.0], [0.0, 1.0]])


@pytest.mark.parametrize(
    ("f", "a", "first", "second"),
    [
        (linalg.inv, A, -4.960221606648201, 10.057580405306897),
        (lambda a: linalg.slogdet(a)[1], A, 4.463157894736841, -1.7494182825484765),
        (lambda a: linalg.cholesky(symmetrised(a)), A, 39.25898387924343, -39.18451229982101),
        (lambda a: np.abs(linalg.qr(a)[1]), TALL, 19.09469345128699, -6.843931731021266),
        (lambda a: linalg.eigvalsh(symmetrised(a)), A, 31.122011867515894, 8.12328242407365),
        (lambda a: np.abs(linalg.eigh(symmetrised(a))[1]), A, 24.10942086743313, -29.626381959520256),
        (lambda a: np.abs(linalg.eig(a)[1]).sum(axis=-1), A, 9.424306843247084, -14.19993620660483),
        (linalg.svdvals, TALL, 10.087513795310757, 1.4907795603617011),
        (lambda a: np.abs(linalg.svd(a, False)[0]), TALL, 1.7507413453904919, 3.6484281304613453),
        (lambda a: np.abs(linalg.svd(a, False)[2]), TALL, 2.8867730547108925, -1.739652429929407),
        (linalg.pinv, TALL, -2.4533333333333367, 0.5077777777777828),
    ],
)
def test_both_orders_are_those_of_pytorch_2_13(f, a, first, second):
    """Of the sum of f weighed by 1, 2, ...: slope and bend by n / 4 for the n-th element, weighed by ..., 2, 1."""
    size = a.size
    down = np.arange(size, 0, -1.0).reshape(a.shape)
    total = lambda a: (f(a).reshape(-1) * np.arange(1, f(a).size + 1)).sum()
    up = np.arange(1.0, size + 1).reshape(a.shape) / 4
    np.testing.assert_allclose((grad(total)(a) * down).sum(), first, rtol=1e-11)
    np.testing.assert_allclose((hvp(total, a, up) * down).sum(), second, rtol=1e-10)


# -- determinants without an inverse -------------------------------------------------------------------


def sign(order):
    return (-1) ** sum(order[i] > order[j] for j in range(len(order)) for i in range(j))


def bends_of_det(a):
    """The second derivatives of the determinant of integers, by Leibniz' formula."""
    n = len(a)
    bends = np.zeros((n, n, n, n), int)
    for order in permutations(range(n)):
        for i in range(n):
            for k in range(n):
                if i != k:
                    rest = np.prod([a[m][order[m]] for m in range(n) if m not in (i, k)], dtype=int)
                    bends[i, order[i], k, order[k]] += sign(order) * rest
    return bends


def test_a_singular_determinant_has_its_cofactors_for_a_slope():
    a = np.array([[1.0, 2.0], [3.0, 6.0]])
    np.testing.assert_allclose(grad(linalg.det)(a), [[6, -3], [-2, 1]], atol=1e-14)
    a = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    np.testing.assert_allclose(grad(linalg.det)(a), [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]], atol=1e-13)


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_a_determinant_of_any_rank_has_leibniz_second_derivatives(rank, rng):
    a = rng.integers(-3, 4, (4, rank)) @ rng.integers(-3, 4, (rank, 4))
    assert linalg.matrix_rank(a) == rank
    size = max(1, abs(a).max()) ** 2
    np.testing.assert_allclose(hessian(linalg.det)(a.astype(float)), bends_of_det(a), atol=1e-13 * size)
    if rank < 3:
        np.testing.assert_allclose(grad(linalg.det)(a.astype(float)), 0, atol=1e-12 * size)


def test_the_third_derivative_of_a_determinant_at_zero_is_the_sign_of_the_order():
    third = jacobian(hessian(linalg.det))(np.zeros((3, 3)))
    for rows in permutations(range(3)):
        for columns in permutations(range(3)):
            place = tuple(np.stack([rows, columns], axis=1).ravel())
            assert third[place] == pytest.approx(sign(rows) * sign(columns))
    assert abs(third).sum() == pytest.approx(36)


def test_a_regular_determinant_beside_a_singular_one_keeps_its_slope(square):
    both = np.stack([square[0], np.ones((4, 4))])
    slope = grad(lambda a: linalg.det(a).sum())(both)
    np.testing.assert_allclose(slope[0], grad(linalg.det)(square[0]), rtol=1e-11)
    np.testing.assert_allclose(slope[1], 0, atol=1e-13)


def test_a_determinant_near_zero_keeps_the_digits_of_its_slope():
    a = np.array([[1.0, 2.0], [3.0, 6.0 + 2**-40]])
    np.testing.assert_allclose(grad(linalg.det)(a), [[6 + 2**-40, -3], [-2, 1]], rtol=1e-14)


def test_the_determinant_of_a_nan_has_no_slope_and_does_not_raise():
    with np.errstate(invalid="ignore"):
        assert np.isnan(grad(linalg.det)(np.array([[np.nan, 1.0], [1.0, 2.0]]))).any()


# -- matrices whose rank stays below --------------------------------------------------------------------


def test_of_constant_rank_a_pseudo_inverse_has_its_true_slope(rng):
    u, v = rng.normal(size=(3, 2)), rng.normal(size=(2, 4))
    check_grads(lambda u, v: linalg.pinv(u @ v), u, v)
    check_grads(lambda u, v, b: linalg.lstsq(u @ v, b)[0], u, v, rng.normal(size=3))


def test_a_cut_off_singular_value_gives_the_slope_of_what_is_left(rng):
    u, _, vh = linalg.svd(rng.normal(size=(3, 3)))
    a = u * [3.0, 2.0, 0.5] @ vh
    check_grads(lambda a: linalg.pinv(a, 0.3), a)
    np.testing.assert_allclose(linalg.pinv(Tensor(a), 0.3).data, linalg.pinv(a, 0.3), atol=1e-14)


def test_a_zero_matrix_has_singular_values_with_a_slope():
    slope = grad(lambda a: linalg.svdvals(a).sum())(np.zeros((3, 2)))
    assert linalg.norm(slope, 2) == pytest.approx(1)


def test_left_vectors_of_a_wide_matrix_do_not_ask_for_its_other_zero():
    a = np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]])
    slope = grad(lambda a: np.abs(linalg.svd(a, full_matrices=False)[0]).sum())(a)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("scale", [1e-200, 1e200])
@pytest.mark.parametrize("place", [0, 2])
def test_singular_vectors_of_a_huge_or_tiny_matrix_have_their_slope(scale, place, rng):
    a = rng.normal(size=(3, 2))
    slope = grad(lambda a: np.abs(linalg.svd(a, full_matrices=False)[place]).sum())
    np.testing.assert_allclose(slope(scale * a) * scale, slope(a), rtol=1e-9, atol=1e-12)


# -- equal eigenvalues --------------------------------------------------------------------------------


def test_equal_eigenvalues_have_a_slope():
    np.testing.assert_array_equal(grad(lambda a: linalg.eigvalsh(a).sum())(np.eye(3)), np.eye(3))
    np.testing.assert_array_equal(
        grad(lambda a: (linalg.eigh(a)[0] ** 2).sum())(3 * np.eye(2)), 6 * np.eye(2)
    )
    np.testing.assert_allclose(grad(lambda a: linalg.svdvals(a).sum())(np.eye(3)), np.eye(3), atol=1e-15)
    np.testing.assert_allclose(grad(lambda a: linalg.svd(a)[1].sum())(np.eye(3)), np.eye(3), atol=1e-15)


def test_vectors_of_equal_eigenvalues_have_no_slope_and_say_so():
    with pytest.warns(RuntimeWarning, match="divide"):
        slope = grad(lambda a: linalg.eigh(a).eigenvectors.sum())(np.diag([1.0, 1.0, 2.0]))
    assert not np.isfinite(slope).all()
    with pytest.warns(RuntimeWarning, match="divide"):
        slope = grad(lambda a: (linalg.svd(a).U ** 3).sum())(np.eye(2))
    assert not np.isfinite(slope).all()


def test_one_triangle_is_read_and_the_gradient_is_shared_by_both():
    # PyTorch 2.13: linalg.eigvalsh(tensor([[2., 7.], [1., 3.]])).max() has this gradient.
    half = 0.5 - 0.5 / 5**0.5
    slope = grad(lambda a: linalg.eigvalsh(a)[-1])(np.array([[2.0, 7.0], [1.0, 3.0]]))
    np.testing.assert_allclose(slope, [[half, 5**-0.5], [5**-0.5, 1 - half]], rtol=1e-14)


# -- empty ones, and what NumPy returns -----------------------------------------------------------------


@pytest.mark.parametrize("shape", [(0, 0), (0, 3, 3), (2, 0, 0)])
@pytest.mark.parametrize(
    "f",
    [
        linalg.inv,
        linalg.det,
        lambda a: linalg.slogdet(a)[1],
        linalg.cholesky,
        linalg.eigvalsh,
        lambda a: linalg.eigh(a)[1],
        linalg.eigvals,
        lambda a: linalg.eig(a)[1],
        linalg.svdvals,
        lambda a: linalg.svd(a)[0],
        lambda a: linalg.svd(a)[2],
        lambda a: linalg.qr(a)[0],
        linalg.pinv,
        lambda a: linalg.solve(a, a),
        lambda a: linalg.matrix_power(a, 3),
        lambda a: linalg.trace(a),
    ],
)
def test_empty_matrices_have_empty_gradients(f, shape):
    a = np.zeros(shape)
    y = f(Tensor(a))
    np.testing.assert_array_equal(y.data, np.real(f(a)), strict=True)
    total = lambda a: f(a).sum()
    assert grad(total)(a).shape == shape
    assert hvp(total, a, a).shape == shape


@pytest.mark.parametrize(
    "f", [linalg.slogdet, linalg.eigh, linalg.eig, linalg.qr, lambda a: linalg.svd(a, full_matrices=False)]
)
def test_results_have_numpys_names(f):
    a = np.diag([1.0, 2.0])
    ours, numpys = f(Tensor(a)), f(a)
    assert type(ours) is type(numpys)
    for name in numpys._fields:
        np.testing.assert_allclose(getattr(getattr(ours, name), "data", 0), getattr(numpys, name), rtol=1e-15)


def test_what_has_no_derivative_is_an_array(square):
    t = Tensor(square)
    assert linalg.slogdet(t).sign.tolist() == linalg.slogdet(square).sign.tolist()
    assert linalg.matrix_rank(t).tolist() == [4, 4]
    assert linalg.lstsq(t[0], np.ones(4))[2] == 4


def test_no_residuals_where_numpy_gives_none():
    a, b = Tensor(np.ones((3, 2))), np.array([1.0, 2.0, 3.0])
    assert linalg.lstsq(a, b)[1].shape == (0,)
    assert linalg.lstsq(Tensor(np.eye(2)), b[:2])[1].shape == (0,)


def test_power_zero_is_constant_even_of_a_nan():
    assert grad(lambda a: linalg.matrix_power(a, 0).sum())(np.array([[np.nan]])).tolist() == [[0.0]]


# -- refusals -----------------------------------------------------------------------------------------

T = Tensor(np.arange(1.0, 13).reshape(3, 4))
SINGULAR = Tensor(np.ones((2, 2)))
TURN = Tensor([[0.0, -1.0], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: linalg.inv(T), linalg.LinAlgError, r"inv: .*square.*\(3, 4\)"),
        (lambda: linalg.det(T), linalg.LinAlgError, r"det: .*square.*\(3, 4\)"),
        (lambda: linalg.slogdet(T), linalg.LinAlgError, r"slogdet: .*square.*\(3, 4\)"),
        (lambda: linalg.cholesky(T), linalg.LinAlgError, r"cholesky: .*square.*\(3, 4\)"),
        (lambda: linalg.eigh(T), linalg.LinAlgError, r"eigh: .*square.*\(3, 4\)"),
        (lambda: linalg.eigvals(T), linalg.LinAlgError, r"eigenvalues: .*square.*\(3, 4\)"),
        (lambda: linalg.matrix_power(T, 2), linalg.LinAlgError, r"matrix_power: .*square.*\(3, 4\)"),
        (lambda: linalg.tensorsolve(T, T), linalg.LinAlgError, r"tensorsolve: .*\(3, 4\)"),
        (lambda: linalg.tensorinv(T, 0), ValueError, "tensorinv: ind"),
        (lambda: linalg.lstsq(T, np.ones(2)), linalg.LinAlgError, r"lstsq: .*\(3, 4\), \(2,\)"),
        (lambda: linalg.inv(SINGULAR), linalg.LinAlgError, "inv: Singular"),
        (lambda: linalg.solve(SINGULAR, np.ones(2)), linalg.LinAlgError, "solve: Singular"),
        (lambda: linalg.solve(TURN, np.ones(3)), ValueError, r"solve: .*\(2, 2\), \(3,\)"),
        (lambda: linalg.cholesky(-SINGULAR), linalg.LinAlgError, "cholesky: .*not positive definite"),
        (lambda: linalg.eigvals(TURN), TypeError, r"complex.*t\.data"),
        (lambda: linalg.eig(TURN), TypeError, r"complex.*t\.data"),
        (lambda: linalg.svd(T), ValueError, r"svd: .*full_matrices=False"),
        (lambda: linalg.svd(T[0]), linalg.LinAlgError, r"svd: .*\(4,\)"),
        (lambda: linalg.qr(T.T, "complete"), ValueError, "qr: .*reduced"),
        (lambda: linalg.qr(T, "raw"), ValueError, "qr: mode"),
        (lambda: linalg.pinv(T, 0.1, rtol=0.1), ValueError, "pinv: .*not both"),
        (lambda: linalg.inv(T.astype(np.float16)[:, :3]), TypeError, "inv: .*float16"),
        (lambda: linalg.eigh(T[:, :3], "X"), ValueError, "UPLO"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_logarithm_of_a_singular_determinant_raises_on_the_way_back():
    with pytest.raises(linalg.LinAlgError, match="Singular"):
        linalg.slogdet(SINGULAR)[1].backward()


def test_singular_vectors_of_an_infinite_matrix_are_refused_where_numpys_svd_never_returns():
    a = Tensor([[-np.inf, 1.0, 2.0], [3.0, np.inf, 4.0]])
    with pytest.raises(np.linalg.LinAlgError, match=r"^svd: .*infinity.*\(2, 3\)"):
        np.linalg.svd(a, full_matrices=False)
    # The values alone are NaN, or since NumPy 2.5 refused.
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(np.linalg.LinAlgError, match=r"infinity or NaN|svdvals: "),
    ):
        np.linalg.svdvals(a).sum().backward()
    assert a.grad is None
