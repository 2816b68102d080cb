"""Every formula and code fragment of five public texts on the derivative of softmax, right or wrong.

Texts 0 and 1 are one blog post, as a page and as its source: the linear layer, and softmax with beta by
the quotient rule. Text 2 asks for the Jacobian of three softmax units, with answers. Text 3 is a post on a
network of 4, 10 and 3 units. Text 4 asks about softmax and cross-entropy as separate nodes, with an answer.

A table holds formulas as pairs that must be equal; a wrong one stands beside what it computes instead. Then
come tests of where it is right all the same; the last section lets `check_grads` loose on all the wrong rules.
In the names g is the gradient that arrives at the probabilities y or p, and t are the targets.
"""

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, check_grads, primitive
from autodiff.checks import GradientError

from .oracles import partials

pytestmark = pytest.mark.usefixtures("fresh_registry")
every_form = pytest.mark.parametrize("form", ["naive", "composed", "fused"])

# Three units whose exponentials are 1, 2 and 3: their probabilities are sixths, their Jacobian 36ths.
LOGITS = np.log([1.0, 2.0, 3.0])
P = np.array([1, 2, 3]) / 6
JACOBIAN = np.array([[5, -2, -3], [-2, 8, -6], [-3, -6, 9]]) / 36
BESIDE = ~np.eye(3, dtype=bool)
G = np.array([2.0, -1.0, 0.5])
T = np.array([1.0, 0.0, 0.0])  # the target is class 0
ROWS = np.array([[0.3, -1.2, 2.0], [1.5, 0.25, -0.5], [-0.75, 1.0, 0.0]])  # the logits of a batch
TARGETS = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def close(found, expected, rtol=1e-10):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-14)


def differs(found, expected):
    return not np.allclose(found, expected, rtol=1e-6, atol=1e-12)


def claims(table):
    return pytest.mark.parametrize("claim", [pytest.param(table[name], id=name) for name in table])


def pulled(f, x, g):
    """The gradient that f's vjp hands to x."""
    return ad.vjp(f, x)[1](g)[0]


def softmax(x):
    """The texts' softmax of the last axis, in NumPy alone."""
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def softmax_with(rule, name="softmax_node", beta=1.0):
    """The op `name`: a softmax with this rule for its backward pass."""

    def op(x, /):
        return softmax(beta * x), rule

    op.__name__ = name
    return primitive()(op)


def caught(f, *args, **options):
    """The error by which check_grads refuses f."""
    with pytest.raises(GradientError) as caught:
        check_grads(f, *args, **options)
    return caught.value


# -- texts 0 and 1: the linear layer y = Wx + b, W in R^(m x n) -----------------------------------------

W, X = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]), np.array([1.0, -2.0, 0.5])
B, DY = np.array([0.25, -1.0]), np.array([3.0, 4.0])  # DY is dL/dy


def layer_loss(W, x, b):
    return np.sum(DY * (W @ x + b))


def by_square_W():
    """dL/dW where m = n, and x is B."""
    return ad.grad(lambda W: np.sum(DY * (W @ B)))(np.eye(2))


LAYER = {
    "dL/dW is the outer product of dL/dy and x": lambda: (
        ad.grad(layer_loss)(W, X, B),
        [[3.0, -6.0, 1.5], [4.0, -8.0, 2.0]],
    ),
    "dL/dW is dL/dy contracted with dy/dW of m x m x n": lambda: (
        np.einsum("i,ikl->kl", DY, ad.jacobian(lambda W: W @ X + B)(W)),
        np.outer(DY, X),
    ),
    "dy/dW is x in the row of its own output": lambda: (
        ad.jacobian(lambda W: W @ X + B)(W),
        np.eye(2)[:, :, None] * X,
    ),
    "dL/dW agrees with differences": lambda: (partials(layer_loss, [W, X, B])[0], np.outer(DY, X)),
    "dL/dy times x as a row times a column is a number, the trace": lambda: (DY @ B, np.trace(by_square_W())),
    "x times dL/dy as a column times a row is the transpose": lambda: (
        B[:, None] @ DY[None],
        by_square_W().T,
    ),
    "dL/dy times x elementwise is the diagonal alone": lambda: (DY * B, np.diag(by_square_W())),
    "dL/db is dL/dy times dy/db": lambda: (
        DY @ ad.jacobian(lambda b: W @ X + b)(B),
        ad.grad(layer_loss, argnums=2)(W, X, B),
    ),
    "dL/db is dL/dy times 1, an identity": lambda: (ad.grad(layer_loss, argnums=2)(W, X, B), DY @ np.eye(2)),
    "dL/db is a sum with ones over the rows of a batch": lambda: (
        ad.grad(lambda b: np.sum(np.array([DY, DY - 2]) * (np.array([X, X + 1]) @ W.T + b)))(B),
        np.ones(2) @ [DY, DY - 2],
    ),
}


@claims(LAYER)
def test_linear_layer(claim):
    close(*claim())


def test_x_has_n_elements_and_b_and_y_have_m():
    assert (W @ X + B).shape == B.shape == (2,)
    shapes = [gradient.shape for gradient in ad.grad(layer_loss, argnums=(0, 1, 2))(W, X, B)]
    assert shapes == [(2, 3), (3,), (2,)]


def test_b_of_xs_length_is_refused_but_for_m_equal_to_n_or_by_broadcasting():
    with pytest.raises(ValueError, match="broadcast"):
        W @ X + np.ones(3)
    assert (np.ones((3, 3)) @ X + np.ones(3)).shape == (3,)
    assert (np.ones((1, 3)) @ X + np.ones(3)).shape == (3,)  # m = 1: y has n elements
    shared = ad.grad(lambda b: np.sum(DY * (np.ones((2, 1)) @ [5.0] + b)))(np.zeros(1))
    close(shared, [7.0])  # n = 1: one bias for both outputs


def test_dL_dy_times_x_elementwise_is_refused_by_the_walk_which_names_the_layer():
    def layer_with(rule):
        def layer(W, x, /):
            return W @ x, rule, lambda g, y, W, x: W.T @ g

        return primitive()(layer)

    with pytest.raises(
        ValueError, match=r"layer: its vjp returned shape \(2,\) for an input of shape \(2, 2\)"
    ):
        check_grads(layer_with(lambda g, y, W, x: g * x), np.eye(2), B)
    check_grads(layer_with(lambda g, y, W, x: g[:, None] * x), W, X)


# -- texts 0 and 1: softmax with beta, by the quotient rule ---------------------------------------------

HALVED = 2 * LOGITS  # with beta = 1/2 the exponentials are 1, 2 and 3
every_beta = pytest.mark.parametrize("beta", [-1.0, 0.0, 0.5, 1.0, 2.0])


def exponentials(x, beta):
    """exp(beta x), its sum, and their ratio, the probabilities."""
    e = np.exp(beta * x)
    return e, e.sum(), e / e.sum()


def jacobian_with(beta, x=HALVED, form="fused"):
    return ad.jacobian(lambda x: ad.softmax(x, beta=beta, form=form))(x)


# Lines of the derivation of dy_j/dx_i. `b` is beta, e_j and e_i are exponentials, s is their sum, and `inner` is
# the exponential that the quotient rule subtracts: exp(beta x_i), which four lines write as exp(x_i).
SUBTRACTING = {
    "over one denominator": lambda b, e_j, inner, s: (b * e_j * s - e_j * b * inner) / s**2,
    "split": lambda b, e_j, inner, s: b * e_j * s / s**2 - e_j * b * inner / s**2,
    "with the denominator expanded": lambda b, e_j, inner, s: (
        b * e_j * s / (s * s) - e_j * b * inner / (s * s)
    ),
    "reduced": lambda b, e_j, inner, s: b * e_j / s - e_j * b * inner / (s * s),
}
BY_NAMES = {
    "beta y_j - y_j beta y_i": lambda b, e_j, e_i, s: b * (e_j / s) - (e_j / s) * b * (e_i / s),
    "beta y_j (1 - y_i)": lambda b, e_j, e_i, s: b * (e_j / s) * (1 - e_i / s),
    "beta y_i (1 - y_i)": lambda b, e_j, e_i, s: b * (e_i / s) * (1 - e_i / s),
}
UNEQUAL = {
    "0 minus, over the square of h, which is g": lambda b, e_j, e_i, s: (0 - e_j * b * e_i) / s**2,
    "with the denominator expanded": lambda b, e_j, e_i, s: -b * e_j * e_i / (s * s),
    "-beta y_j y_i": lambda b, e_j, e_i, s: -b * (e_j / s) * (e_i / s),
}


@every_beta
@every_form
def test_softmax_is_exp_of_beta_x_over_its_sum(form, beta):
    close(ad.softmax(HALVED, beta=beta, form=form), exponentials(HALVED, beta)[2])


@every_form
def test_softmax_makes_any_numbers_positive_with_the_sum_1(form):
    y = ad.softmax(np.array([-300.0, 0.0, 12.5, 300.0]), form=form)
    assert (y > 0).all()
    assert y.sum() == pytest.approx(1, rel=1e-15)


def test_the_quotient_rule():
    by_rule = lambda x: (3 * np.exp(3 * x) * (1 + x * x) - np.exp(3 * x) * 2 * x) / (1 + x * x) ** 2
    close(ad.grad(lambda x: np.exp(3 * x) / (1 + x * x))(0.7), by_rule(0.7))


@every_beta
def test_the_numerator_has_the_slope_beta_exp_beta_x_j_by_x_j_and_else_0(beta):
    close(ad.jacobian(lambda x: np.exp(beta * x))(HALVED), np.diag(beta * np.exp(beta * HALVED)))


@every_beta
def test_the_denominator_has_the_slope_beta_exp_beta_x_i_by_x_i(beta):
    close(ad.grad(lambda x: np.sum(np.exp(beta * x)))(HALVED), beta * np.exp(beta * HALVED))


@every_beta
@claims(SUBTRACTING | BY_NAMES)
def test_equal_indices(claim, beta):
    e, s, _ = exponentials(HALVED, beta)
    close(claim(beta, e, e, s), np.diag(jacobian_with(beta)))


@every_beta
@claims(UNEQUAL)
def test_unequal_indices(claim, beta):
    e, s, _ = exponentials(HALVED, beta)
    close(claim(beta, e[:, None], e, s)[BESIDE], jacobian_with(beta)[BESIDE])


@every_beta
@every_form
def test_the_two_final_cases_are_the_whole_jacobian(form, beta):
    _, _, y = exponentials(HALVED, beta)
    cases = [
        [beta * y[i] * (1 - y[i]) if i == j else -beta * y[j] * y[i] for i in range(3)] for j in range(3)
    ]
    close(jacobian_with(beta, form=form), cases)
    close(ad.softmax_jacobian(HALVED, beta=beta), cases)
    close([partials(lambda x, j=j: softmax(beta * x)[j], [HALVED])[0] for j in range(3)], cases, rtol=1e-7)


@claims(SUBTRACTING)
def test_exp_of_x_i_without_beta_gives_wrong_slopes_even_of_the_wrong_sign(claim):
    e, s, _ = exponentials(HALVED, 0.5)
    close(np.diag(jacobian_with(0.5)), np.array([5, 8, 9]) / 72)
    close(claim(0.5, e, np.exp(HALVED), s), np.array([5, 4, -9]) / 72)


@every_beta
@claims(SUBTRACTING)
def test_exp_of_x_i_without_beta_is_right_only_for_beta_0_or_1_or_x_i_0(claim, beta):
    e, s, _ = exponentials(HALVED, beta)
    right = np.isclose(claim(beta, e, np.exp(HALVED), s), np.diag(jacobian_with(beta)))
    assert right.tolist() == [beta in (0, 1) or x == 0 for x in HALVED]


@every_beta
def test_beta_y_j_times_1_minus_y_i_is_too_large_by_beta_y_j_at_unequal_indices(beta):
    _, _, y = exponentials(HALVED, beta)
    excess = beta * y[:, None] * (1 - y) - jacobian_with(beta)
    close(excess, np.where(BESIDE, beta * y[:, None], 0))


def test_a_sum_from_i_equal_to_k_of_terms_of_k_is_the_denominator_only_by_accident():
    as_printed = lambda x, k: sum(np.exp(0.5 * x[k]) for _ in range(k, 3))
    assert exponentials(HALVED, 0.5)[1] == pytest.approx(6)
    close([as_printed(HALVED, k) for k in range(3)], [3 * 1, 2 * 2, 1 * 3])
    close(as_printed(np.ones(3), 0), exponentials(np.ones(3), 0.5)[1])  # equal logits, from the first on


def test_betas_in_the_place_of_partials_cancel_and_leave_a_ratio_that_is_no_derivative():
    x = np.array([1.0, 2.0, 3.0])
    ratio = (0.5 * softmax(0.5 * x))[:, None] / (0.5 * x)
    close(ratio, softmax(0.5 * x)[:, None] / x)
    assert not np.isclose(ratio, jacobian_with(0.5, x)).any()


def test_the_ratio_of_y_and_x_meets_the_diagonal_by_accident_at_two_logits_of_2():
    x = np.array([2.0, 2.0])  # there x_i (1 - y_i) = 1
    ratio = softmax(x)[:, None] / x
    close(ratio, [[0.25, 0.25], [0.25, 0.25]])
    close(jacobian_with(1.0, x), [[0.25, -0.25], [-0.25, 0.25]])


def test_beta_is_no_weight_but_one_temperature_with_one_slope():
    _, _, y = exponentials(HALVED, 0.5)
    by_beta = ad.jacobian(lambda beta: np.exp(beta * HALVED) / np.sum(np.exp(beta * HALVED)))(0.5)
    close(by_beta, y * (HALVED - y @ HALVED))
    with pytest.raises(TypeError, match="beta is a number"):
        ad.softmax(HALVED, beta=Tensor(0.5))


@pytest.mark.parametrize(("betas", "as_one"), [([0.5, 1.0, 2.0], False), ([0.5, 0.5, 0.5], True)])
def test_a_weight_for_each_class_gives_the_formula_its_own_beta_i_and_one_beta_only_if_all_are_equal(
    betas, as_one
):
    y = softmax(betas * HALVED)
    found = ad.jacobian(lambda x: ad.softmax(betas * x))(HALVED)
    close(found, betas * y[:, None] * (np.eye(3) - y))
    assert differs(found, betas[0] * y[:, None] * (np.eye(3) - y)) != as_one


def test_the_weights_of_a_logistic_regression_are_a_matrix_with_slopes_of_their_own():
    weights, inputs = np.array([[1.0, 0.5], [-1.0, 2.0], [0.0, 0.25]]), np.array([0.3, -0.7])
    y = softmax(weights @ inputs)
    found = ad.jacobian(lambda W: ad.softmax(W @ inputs))(weights)
    close(found, (np.diag(y) - np.outer(y, y))[:, :, None] * inputs)


# -- text 2: the Jacobian of three units -----------------------------------------------------------------

MATRIX_A = np.diag([P[0] * (1 - P[0]), P[1] * (1 - P[1]), P[2] * (1 - P[2])])
MATRIX_B = -np.array(
    [[0, P[0] * P[1], P[0] * P[2]], [P[0] * P[1], 0, P[1] * P[2]], [P[0] * P[2], P[1] * P[2], 0]]
)
ROW = (P - T)[None]  # dL/dy of half the squared error, 1 x n


def squared_error(z):
    return 0.5 * np.sum((ad.softmax(z) - T) ** 2)


UNITS = {
    "y_i times delta minus y_j is the Jacobian": lambda: (
        P[:, None] * (np.eye(3) - P),
        jacobian_with(1.0, LOGITS),
    ),
    "without indices it has -y_j squared beside the diagonal": lambda: (
        P * (np.eye(3) - P),
        np.where(BESIDE, -P * P, JACOBIAN),
    ),
    "without indices it is right where all y are equal": lambda: (
        np.full(3, 1 / 3) * (np.eye(3) - np.full(3, 1 / 3)),
        ad.softmax_jacobian(np.zeros(3)),
    ),
    "matrix_a is the Jacobian's diagonal": lambda: (MATRIX_A, np.where(BESIDE, 0, JACOBIAN)),
    "matrix_b is the rest": lambda: (MATRIX_B, np.where(BESIDE, JACOBIAN, 0)),
    "matrix_c, their sum, is the Jacobian": lambda: (MATRIX_A + MATRIX_B, ad.softmax_jacobian(LOGITS)),
    "y1 (1 - y) with the sum of y is 0": lambda: (P[0] * (1 - P.sum()), 0),
    "the sums of the rows are 0": lambda: (ad.softmax_jacobian(ROWS).sum(axis=-1), 0 * ROWS),
    "they are the slope along a uniform shift": lambda: (
        ad.jvp(ad.softmax, (LOGITS,), (np.ones(3),))[1],
        JACOBIAN.sum(axis=1),
    ),
    "the sums of the columns are the vjp of ones": lambda: (
        pulled(ad.softmax, LOGITS, np.ones(3)),
        JACOBIAN.sum(axis=0),
    ),
    "that is the gradient of the sum of y, a constant": lambda: (
        ad.grad(lambda z: ad.softmax(z).sum())(LOGITS),
        0 * P,
    ),
    "element i, j is the slope of y_i by z_j": lambda: (
        [partials(lambda z, i=i: softmax(z)[i], [LOGITS])[0] for i in range(3)],
        JACOBIAN,
    ),
    "row i is the gradient of y_i": lambda: (
        [ad.grad(lambda z, i=i: ad.softmax(z)[i])(LOGITS) for i in range(3)],
        JACOBIAN,
    ),
    "dL/dz is the row dL/dy times the matrix": lambda: (G @ JACOBIAN, pulled(ad.softmax, LOGITS, G)),
    "dL/dz_j is the sum over i": lambda: (
        [sum(G * JACOBIAN[:, j]) for j in range(3)],
        pulled(ad.softmax, LOGITS, G),
    ),
    "the matrix times the column is the same, by symmetry": lambda: (
        JACOBIAN @ G,
        pulled(ad.softmax, LOGITS, G),
    ),
    "squared error: 1 x n times n x n is the gradient": lambda: (
        ROW @ JACOBIAN,
        [ad.grad(squared_error)(LOGITS)],
    ),
    "squared error in numbers": lambda: (ad.grad(squared_error)(LOGITS), np.array([-19, 4, 15]) / 108),
    "an asterisk for the product: its rows sum to the gradient, by symmetry": lambda: (
        (ROW * JACOBIAN).sum(axis=1),
        ad.grad(squared_error)(LOGITS),
    ),
    "an asterisk for the product: its columns sum to 0": lambda: ((ROW * JACOBIAN).sum(axis=0), 0 * P),
    "cross-entropy: -t / y times the matrix is y - t": lambda: (-T / P @ JACOBIAN, P - T),
    "cross-entropy agrees with the engine": lambda: (
        P - T,
        ad.grad(lambda z: ad.cross_entropy(z, T))(LOGITS),
    ),
    "cross-entropy of targets that sum to 2 is 2 y - t": lambda: (
        ad.grad(lambda z: -np.sum([1.0, 1.0, 0.0] * np.log(ad.softmax(z))))(LOGITS),
        2 * P - [1.0, 1.0, 0.0],
    ),
}


@claims(UNITS)
def test_three_units(claim):
    found, expected = claim()
    close(found, expected, rtol=1e-8)


def test_the_jacobian_and_the_sums_of_its_rows_in_exact_fractions():
    y1, y2, y3 = y = [Fraction(k, 6) for k in (1, 2, 3)]
    exact = [[y[i] * ((i == j) - y[j]) for j in range(3)] for i in range(3)]
    assert exact == [[Fraction(n, 36) for n in row] for row in ([5, -2, -3], [-2, 8, -6], [-3, -6, 9])]
    assert y1 * (1 - y1) - y1 * y2 - y1 * y3 == 0
    assert -y1 * y2 + y2 * (1 - y2) - y2 * y3 == 0
    assert -y1 * y3 - y2 * y3 + y3 * (1 - y3) == 0


def test_delta_minus_y_without_indices_is_wrong_where_the_probabilities_differ():
    assert differs(P * (np.eye(3) - P), JACOBIAN)


def test_y1_times_1_minus_the_whole_y_is_three_numbers_and_fits_no_matrix():
    cell = P[0] * (1 - P)
    assert np.isclose(cell, JACOBIAN[0, 0]).tolist() == [True, False, False]  # the first is the one meant
    with pytest.raises(ValueError, match="inhomogeneous"):
        np.array([[cell, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_the_sums_of_the_rows_are_a_losss_gradient_only_where_g_is_uniform():
    close(pulled(ad.softmax, LOGITS, np.full(3, 7.0)), JACOBIAN.sum(axis=1))
    assert differs(pulled(ad.softmax, LOGITS, G), JACOBIAN.sum(axis=1))


def test_only_a_number_has_a_gradient():
    with pytest.raises(ValueError, match="no single gradient"):
        ad.grad(ad.softmax)(LOGITS)


def test_the_side_of_dL_dy_matters_where_a_jacobian_is_not_symmetric_as_log_softmaxs():
    J = ad.jacobian(ad.log_softmax)(LOGITS)
    close(pulled(ad.log_softmax, LOGITS, G), G @ J)
    close(ad.jvp(ad.log_softmax, (LOGITS,), (G,))[1], J @ G)
    assert differs(G @ J, J @ G)


# -- text 3: the network of 4, 10 and 3 units, five examples ------------------------------------------------

LABELS = np.array([0, 2, 1, 1, 0])
FIVE = np.arange(5)


@pytest.fixture
def toy():
    """The inputs and the weights of the post, by its names, and what the forward pass makes of them."""
    X = np.array([[5, 3, 1, 0], [7, 3, 5, 1], [6, 3, 6, 3], [5, 2, 4, 1], [5, 4, 2, 0]]) / 4.0
    W1, b1 = np.sin(np.arange(40.0)).reshape(4, 10), np.cos(np.arange(10.0))
    W2, b2 = np.cos(np.arange(30.0)).reshape(10, 3), np.array([0.5, -0.25, 0.0])
    Z1 = X @ W1 + b1
    O1 = np.tanh(Z1)
    S = O1 @ W2 + b2
    U = np.exp(S)
    O2 = U / U.sum(axis=1, keepdims=True)
    return SimpleNamespace(**locals())


def losses(S):
    """The five losses, by the scores."""
    return ad.cross_entropy(S, LABELS, reduction="none")


def by_S(toy):
    return ad.grad(lambda S: losses(S).sum())(toy.S)


def by_W2(toy):
    return ad.grad(lambda W2: losses(toy.O1 @ W2 + toy.b2).sum())(toy.W2)


def S_by_W2(toy):
    return ad.jacobian(lambda W2: toy.O1 @ W2 + toy.b2)(toy.W2)


def elements(shape, element):
    """The array whose elements are `element(*index)`."""
    return np.array([element(*index) for index in np.ndindex(shape)]).reshape(shape)


def labels_row(toy):
    """The slopes of each label's probability by the scores of its row."""
    return ad.softmax_jacobian(toy.S)[FIVE, LABELS]


def beside_labels(toy, of):
    """`of(i, k)` for the scores that are not the label's, and 0 at the label."""
    return elements((5, 3), lambda i, k: 0.0 if k == LABELS[i] else of(i, k))


def fragment(toy):
    """The post's vectorised gradient; it overwrites toy.O2."""
    dL_by_dS = toy.O2
    dL_by_dS[np.arange(5), LABELS] -= 1
    return (-1.0 / 5) * np.matmul(toy.O1.T, dL_by_dS)


TOY = {
    "Z1[i, j] is a sum of 4 weighted inputs and a bias": lambda t: (
        elements((5, 10), lambda i, j: sum(t.X[i, p] * t.W1[p, j] for p in range(4)) + t.b1[j]),
        t.X @ t.W1 + t.b1,
    ),
    "S[i, k] is a sum of 10 weighted outputs and a bias": lambda t: (
        elements((5, 3), lambda i, k: sum(t.O1[i, p] * t.W2[p, k] for p in range(10)) + t.b2[k]),
        t.O1 @ t.W2 + t.b2,
    ),
    "O2 is U = exp(S) over its sum, softmax": lambda t: (
        elements((5, 3), lambda i, k: np.exp(t.S[i, k]) / sum(t.U[i, p] for p in range(3))),
        ad.softmax(t.S),
    ),
    "L_i is minus the log of the label's probability": lambda t: (
        elements((5,), lambda i: -np.log(t.O2[i, LABELS[i]])),
        losses(t.S),
    ),
    "dL/dW2 is the sum of the five dL_i/dW2": lambda t: (
        ad.jacobian(lambda W2: losses(t.O1 @ W2 + t.b2))(t.W2).sum(axis=0),
        by_W2(t),
    ),
    "the gradient equation sums expression 1 times expression 2 over k": lambda t: (
        np.einsum("ik,ikmn->mn", by_S(t), S_by_W2(t)),
        by_W2(t),
    ),
    "of its sum over k only k = n is left": lambda t: (
        np.einsum("ik,ikmn->imn", by_S(t), S_by_W2(t)),
        by_S(t)[:, None, :] * t.O1[:, :, None],
    ),
    "eq. 1 chains through the label's probability alone": lambda t: (
        (-1 / t.O2[FIVE, LABELS])[:, None] * labels_row(t),
        by_S(t),
    ),
    "eq. 1.1 is minus 1 over the probability": lambda t: (
        ad.grad(lambda p: -np.sum(np.log(p)))(t.O2[FIVE, LABELS]),
        -1 / t.O2[FIVE, LABELS],
    ),
    "eq. 1.2.1 by U and the square of its sum": lambda t: (
        elements((5,), lambda i: (u := t.U[i])[LABELS[i]] / u.sum() - u[LABELS[i]] ** 2 / u.sum() ** 2),
        labels_row(t)[FIVE, LABELS],
    ),
    "eq. 1.2.1 is O2 (1 - O2)": lambda t: (
        elements((5,), lambda i: t.O2[i, LABELS[i]] * (1 - t.O2[i, LABELS[i]])),
        labels_row(t)[FIVE, LABELS],
    ),
    "eq. 1.2.2 by U with the square of the sum": lambda t: (
        beside_labels(t, lambda i, k: t.U[i, LABELS[i]] * -1 / t.U[i].sum() ** 2 * t.U[i, k]),
        beside_labels(t, lambda i, k: labels_row(t)[i, k]),
    ),
    "eq. 1.2.2 as printed, with a sum of squares, is too large by 1 over the sum of O2 squared": lambda t: (
        beside_labels(t, lambda i, k: t.U[i, LABELS[i]] * -1 / (t.U[i] ** 2).sum() * t.U[i, k]),
        beside_labels(t, lambda i, k: labels_row(t)[i, k] / (t.O2[i] ** 2).sum()),
    ),
    "eq. 1.2.2 is -O2 O2": lambda t: (
        beside_labels(t, lambda i, k: -t.O2[i, LABELS[i]] * t.O2[i, k]),
        beside_labels(t, lambda i, k: labels_row(t)[i, k]),
    ),
    "eq. 1.3 is O2 - 1 at the label, else O2": lambda t: (
        elements((5, 3), lambda i, k: t.O2[i, k] - 1 if k == LABELS[i] else t.O2[i, k]),
        by_S(t),
    ),
    "eq. 1.3 agrees with differences": lambda t: (
        partials(lambda S: -np.sum(np.log(softmax(S)[FIVE, LABELS])), [t.S])[0],
        t.O2 - np.eye(3)[LABELS],
    ),
    "expression 2 is O1[i, m] in its own column, else 0": lambda t: (
        elements((5, 3, 10, 3), lambda i, k, m, n: t.O1[i, m] if k == n else 0.0),
        S_by_W2(t),
    ),
    "dL_i/dW2 is (O2 - 1) O1 in the label's column, else O2 O1": lambda t: (
        elements((5, 10, 3), lambda i, m, n: (t.O2[i, n] - 1 if LABELS[i] == n else t.O2[i, n]) * t.O1[i, m]),
        ad.jacobian(lambda W2: losses(t.O1 @ W2 + t.b2))(t.W2),
    ),
    "dL/db2, announced and not derived, is the sum of the errors": lambda t: (
        ad.grad(lambda b2: losses(t.O1 @ t.W2 + b2).sum())(t.b2),
        (t.O2 - np.eye(3)[LABELS]).sum(axis=0),
    ),
    "the fragment is -1/5 of the derived gradient": lambda t: (fragment(t), -by_W2(t) / 5),
    "so it is minus the gradient of the mean": lambda t: (
        fragment(t),
        -ad.grad(lambda W2: ad.cross_entropy(t.O1 @ W2 + t.b2, LABELS))(t.W2),
    ),
}


@claims(TOY)
def test_toy_network(claim, toy):
    found, expected = claim(toy)
    close(found, expected, rtol=1e-7)


def test_a_sum_over_i_from_0_to_5_has_six_terms_for_five_examples(toy):
    L = losses(toy.S)
    with pytest.raises(IndexError, match="out of bounds"):  # counted from 0 there is no example 5
        sum(L[i] for i in range(6))
    close(
        sum(L[i - 1] for i in range(6)), L.sum() + L[-1]
    )  # counted from 1 NumPy takes the last for example 0


def test_eq_1_1_is_a_large_negative_number_at_a_small_probability_but_the_scores_gradient_is_not():
    scores = np.array([-13.8, 0.0])
    p = softmax(scores)[0]
    by_p = ad.grad(lambda p: -np.log(p))(p)
    assert by_p < -9e5
    assert np.log(p) - np.log(p + 1e-9) == pytest.approx(1e-9 * by_p, rel=1e-3)  # a large decline
    close(by_p * p * (1 - p), p - 1)  # eq. 1.2.1 takes it back
    close(ad.grad(lambda S: ad.cross_entropy(S, 0))(scores), [p - 1, 1 - p])


@pytest.mark.parametrize(("u", "factor"), [([1, 2, 3], 18 / 7), ([1, 1, 1], 3), ([1e-9, 1, 0], 1 + 2e-9)])
def test_a_sum_of_squares_for_the_square_of_the_sum_errs_by_1_to_3_for_three_units(u, factor):
    u, p = np.array(u), np.array(u) / sum(u)
    close(sum(u) ** 2 / sum(u**2), factor)
    close(1 / sum(p**2), factor)


def test_a_step_against_the_fragment_climbs_and_a_step_along_it_descends(toy):
    step = 0.1 * fragment(toy)
    loss = lambda W2: ad.cross_entropy(toy.O1 @ W2 + toy.b2, LABELS)
    assert loss(toy.W2 - step) > loss(toy.W2) > loss(toy.W2 + step)


def test_the_fragment_makes_no_copy_so_the_probabilities_are_gone_and_a_second_run_subtracts_again(toy):
    before, hot = toy.O2.copy(), np.eye(3)[LABELS]
    fragment(toy)
    close(toy.O2, before - hot)
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.log(toy.O2[FIVE, LABELS])).all()  # a loss computed afterwards
    fragment(toy)
    close(toy.O2, before - 2 * hot)


def test_the_engine_refuses_to_overwrite_probabilities(toy):
    O2 = ad.softmax(Tensor(toy.S))
    with pytest.raises(TypeError, match=r"ad\.index_add"):
        O2[FIVE, LABELS] -= 1
    with pytest.raises(ValueError, match="read-only"):
        O2.data[FIVE, LABELS] -= 1


def test_check_grads_names_a_loss_with_the_fragment_for_its_rule_and_shows_the_factor(toy):
    @primitive()
    def toy_loss(W2, /):
        def rule(g, y, W2):
            return (-1.0 / 5) * g * (toy.O1.T @ (ad.softmax(toy.O1 @ W2 + toy.b2) - np.eye(3)[LABELS]))

        return losses(toy.O1 @ W2 + toy.b2).sum(), rule

    error = caught(toy_loss, toy.W2)
    assert (error.op, error.order) == ("toy_loss", 1)
    assert error.from_rules / error.numeric == pytest.approx(-0.2)


# -- text 4: softmax and cross-entropy in one node --------------------------------------------------------


def mean_loss(p, t):
    """The text's cross-entropy of probabilities, averaged over the rows."""
    return np.mean(-np.sum(t * np.log(p), axis=1))


def by_logits(t):
    return ad.grad(lambda x: ad.cross_entropy(x, t))(ROWS)


def fused_rule(g, y, x, t):
    return g * (ad.softmax(x) - t) / len(t)


def fused_with(*rules):
    def fused(x, t, /):
        return mean_loss(softmax(x), t), *rules

    return primitive()(fused)


FUSED = {
    "the shifted softmax is softmax at any size": lambda: (softmax(ROWS + 1e4), ad.softmax(ROWS)),
    "the formula of softmax is the same, unshifted": lambda: (
        [[np.exp(xi) / sum(np.exp(xj) for xj in x) for xi in x] for x in ROWS],
        ad.softmax(ROWS, form="naive"),
    ),
    "forward it is the mean cross-entropy": lambda: (
        mean_loss(softmax(ROWS), TARGETS),
        ad.cross_entropy(ROWS, TARGETS),
    ),
    "backward it is the whole gradient": lambda: (fused_rule(1.0, None, ROWS, TARGETS), by_logits(TARGETS)),
    "the softmax's derivative is in it": lambda: (
        np.einsum("bi,bij->bj", -TARGETS / softmax(ROWS) / 3, ad.softmax_jacobian(ROWS)),
        fused_rule(1.0, None, ROWS, TARGETS),
    ),
    "the labels' gradient, missing, is minus log p over the batch": lambda: (
        ad.grad(lambda t: mean_loss(softmax(ROWS), t))(TARGETS),
        -np.log(softmax(ROWS)) / 3,
    ),
}


@claims(FUSED)
def test_one_node(claim):
    found, expected = claim()
    close(found, expected, rtol=1e-8)


def test_one_nodes_rule_passes_check_grads_though_it_was_doubted():
    check_grads(lambda x: fused_with(fused_rule, None)(x, TARGETS), ROWS)


def test_one_node_without_the_labels_rule_is_refused_and_with_it_passes():
    with pytest.raises(ValueError, match="one vjp for each input"):
        fused_with(fused_rule)(Tensor(ROWS), TARGETS)
    whole = fused_with(fused_rule, lambda g, y, x, t: g * -ad.log_softmax(x) / len(t))
    check_grads(whole, ROWS, TARGETS, order=1)
    with pytest.raises(TypeError, match="targets have no derivative"):  # the engine's labels are constants
        ad.cross_entropy(ROWS, Tensor(TARGETS))


def test_one_nodes_rule_needs_labels_that_sum_to_1():
    t = TARGETS / 2
    truth = ad.grad(lambda x: mean_loss(ad.softmax(x), t))(ROWS)
    close(truth, (softmax(ROWS) * t.sum(axis=1, keepdims=True) - t) / 3)
    assert differs(fused_rule(1.0, None, ROWS, t), truth)
    assert caught(lambda x: fused_with(fused_rule, None)(x, t), ROWS).op == "fused"


def test_the_texts_loss_is_nan_where_a_probability_underflows_and_the_engines_is_not():
    with np.errstate(divide="ignore", invalid="ignore"):
        assert np.isnan(mean_loss(softmax(np.array([[0.0, 1000.0]])), np.array([[0.0, 1.0]])))  # 0 * log 0
    assert ad.cross_entropy([[0.0, 1000.0]], np.array([[0.0, 1.0]])) == 0


# -- text 4: softmax and cross-entropy in two nodes -------------------------------------------------------


def true_rule(g, y, x):
    return y * (g - np.sum(g * y, axis=-1, keepdims=True))


def identity(g, y, x):
    return g


def batch_identity(g, y, x):
    return g * (y * (np.eye(y.shape[0]) - y))


def diagonal(g, y, x=None):
    return g * (y * (1.0 - y))


def true_loss_rule(g, y, p, t):
    return g * -t / p / len(t)


def logits_gradient(g, y, p, t):
    return g * (p - t) / len(t)


def loss_with(rule):
    def loss_node(p, t, /):
        return mean_loss(p, t), rule, lambda g, y, p, t: g * -np.log(p) / len(t)

    return primitive()(loss_node)


def nodes(rule, loss_rule, t=TARGETS):
    """The loss of logits by two nodes with these rules."""
    softmax_node, loss_node = softmax_with(rule), loss_with(loss_rule)
    return lambda x: loss_node(softmax_node(x), t)


def learned(rule, loss_rule):
    """The gradient of two nodes for the logits whose probabilities are P."""
    return ad.grad(nodes(rule, loss_rule, T[None]))(LOGITS[None])[0]


SIGMOIDS = np.log(P / (1 - P))  # the logits at which sigmoids have the outputs P

TWO_NODES = {
    "right rules are as valid as one node": lambda: (
        ad.grad(nodes(true_rule, true_loss_rule))(ROWS),
        by_logits(TARGETS),
    ),
    "right rules, in numbers": lambda: (learned(true_rule, true_loss_rule), np.array([-5, 2, 3]) / 6),
    "the loss by the targets is minus log p over the batch": lambda: (
        partials(mean_loss, [softmax(ROWS), TARGETS])[1],
        -np.log(softmax(ROWS)) / 3,
    ),
    "the loss by the probabilities is -t / p over the batch": lambda: (
        ad.grad(lambda p: mean_loss(p, TARGETS))(softmax(ROWS)),
        -TARGETS / softmax(ROWS) / 3,
    ),
    "p - t through the true softmax is the gradient of half the squared error": lambda: (
        ad.grad(nodes(true_rule, logits_gradient))(ROWS),
        ad.grad(lambda x: 0.5 * np.sum((ad.softmax(x) - TARGETS) ** 2) / 3)(ROWS),
    ),
    "p - t through the true softmax, in numbers": lambda: (
        learned(true_rule, logits_gradient),
        np.array([-19, 4, 15]) / 108,
    ),
    "p - t through an identity is right: two wrong rules": lambda: (
        ad.grad(nodes(identity, logits_gradient))(ROWS),
        by_logits(TARGETS),
    ),
    "the diagonal alone after a right loss moves the target's logit alone, and right": lambda: (
        learned(diagonal, true_loss_rule),
        [-5 / 6, 0, 0],
    ),
    "the diagonal alone after p - t, in numbers": lambda: (
        learned(diagonal, logits_gradient),
        np.array([-25, 16, 27]) / 216,
    ),
    "the diagonal alone after p - t is the squared error of sigmoids": lambda: (
        ad.grad(lambda s: 0.5 * np.sum((ad.sigmoid(s) - T) ** 2))(SIGMOIDS),
        learned(diagonal, logits_gradient),
    ),
    "the diagonal alone is the rule of sigmoids": lambda: (diagonal(G, P), pulled(ad.sigmoid, SIGMOIDS, G)),
    "the diagonal alone errs by y times the sum of the others' g y": lambda: (
        diagonal(G, P) - pulled(ad.softmax, LOGITS, G),
        P * (G @ P - G * P),
    ),
    "the diagonal alone of two classes is half the truth for g of sum 0": lambda: (
        2 * diagonal(np.array([3.0, -3.0]), softmax(np.array([0.7, -0.4]))),
        pulled(ad.softmax, np.array([0.7, -0.4]), np.array([3.0, -3.0])),
    ),
    "the truth sums to 0 over the classes": lambda: (pulled(ad.softmax, LOGITS, G).sum(), 0),
    "the diagonal alone does not": lambda: (diagonal(G, P).sum(), (10 - 8 + 4.5) / 36),
    "the individual slopes summed plainly are 0": lambda: (sum(JACOBIAN), 0 * P),
    "the individual slopes weighed by g are the gradient": lambda: (
        sum(g * row for g, row in zip(G, JACOBIAN, strict=True)),
        pulled(ad.softmax, LOGITS, G),
    ),
    "S_i (I - S_j) is the Jacobian with I for an element of the identity": lambda: (
        softmax(ROWS)[:, :, None] * (np.eye(3) - softmax(ROWS)[:, None, :]),
        ad.jacobian(ad.softmax)(ROWS)[np.arange(3), :, np.arange(3)],
    ),
    "the gradient has the inputs' size without a Jacobian": lambda: (
        true_rule(TARGETS, softmax(ROWS), ROWS),
        np.einsum("bi,bij->bj", TARGETS, ad.softmax_jacobian(ROWS)),
    ),
    "batch_identity of three rows takes the row for a class": lambda: (
        batch_identity(1.0, softmax(ROWS), ROWS),
        np.where(BESIDE, -(softmax(ROWS) ** 2), softmax(ROWS) * (1 - softmax(ROWS))),
    ),
    "batch_identity of one row is the diagonal alone": lambda: (
        batch_identity(G, P[None], None)[0],
        diagonal(G, P),
    ),
}


@claims(TWO_NODES)
def test_two_nodes(claim):
    found, expected = claim()
    close(found, expected, rtol=1e-7)


def test_p_minus_t_is_wrong_at_every_element_since_only_a_negative_target_would_make_it_right():
    p = softmax(ROWS)
    assert not np.isclose(logits_gradient(1.0, None, p, TARGETS), true_loss_rule(1.0, None, p, TARGETS)).any()
    t = -(p**2) / (1 - p)  # where -t / p = p - t
    close(logits_gradient(1.0, None, p, t), true_loss_rule(1.0, None, p, t))
    assert (t < 0).all()


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_p_minus_t_through_the_true_softmax_is_at_most_half_as_long_so_right_only_where_it_is_0(scale):
    assert np.linalg.eigvalsh(ad.softmax_jacobian(scale * ROWS)).max() < 0.5


def test_p_minus_t_through_the_true_softmax_stalls_where_the_network_is_surely_wrong():
    x, t = np.array([[0.0, 20.0]]), np.array([[1.0, 0.0]])
    close(ad.grad(lambda x: ad.cross_entropy(x, t))(x), [[-1, 1]], rtol=1e-8)
    p0 = 1 / (1 + np.exp(20))
    close(ad.grad(nodes(true_rule, logits_gradient, t))(x), [[-2 * p0, 2 * p0]], rtol=1e-6)  # 4e-9


def test_two_wrong_rules_that_make_a_right_gradient_are_caught_at_order_2_or_one_by_one():
    both = nodes(identity, logits_gradient)
    check_grads(both, ROWS, order=1)
    error = caught(both, ROWS)
    assert (error.op, error.order) == ("softmax_node", 2)
    assert caught(softmax_with(identity), ROWS).op == "softmax_node"


def test_of_two_wrong_nodes_check_grads_names_the_softmax_and_that_mended_the_loss():
    assert caught(nodes(batch_identity, logits_gradient), ROWS).op == "softmax_node"
    assert caught(nodes(true_rule, logits_gradient), ROWS).op == "loss_node"
    check_grads(nodes(true_rule, true_loss_rule), ROWS)
    check_grads(loss_with(true_loss_rule), softmax(ROWS), TARGETS)


@pytest.mark.parametrize("shape", [(1, 10), (10, 10), (2, 10), (32, 10), (3, 1), (1, 1)])
def test_batch_identity_runs_only_for_one_row_or_as_many_rows_as_classes(shape):
    x, node = np.sin(np.arange(np.prod(shape))).reshape(shape), softmax_with(batch_identity)
    rows, classes = shape
    if rows in (1, classes):
        assert pulled(node, x, x).shape == shape
        return
    with pytest.raises(ValueError, match=r"its vjp returned shape|could not be broadcast") as error:
        pulled(node, x, x)
    assert error.value.__notes__[0].startswith("in the backward pass of the softmax_node")


def test_batch_identity_does_not_turn_with_the_rows_as_a_true_rule_does():
    turned, g = [1, 2, 0], np.array([G, G + 1, G * G])
    for rule, turns in ((true_rule, True), (batch_identity, False)):
        found = pulled(softmax_with(rule), ROWS[turned], g[turned])
        assert differs(found, pulled(softmax_with(rule), ROWS, g)[turned]) != turns


def test_batch_identity_is_right_in_a_row_only_for_g_0_and_at_an_element_alone_on_the_diagonal():
    for row, y in enumerate(softmax(ROWS)):
        wrong = np.diag(y * (np.eye(3)[row] - y))
        assert np.linalg.matrix_rank(ad.softmax_jacobian(ROWS[row]) - wrong) == 3  # no other g is mapped to 0
    right = np.isclose(batch_identity(np.eye(3), softmax(ROWS), None), pulled(ad.softmax, ROWS, np.eye(3)))
    assert right.tolist() == np.eye(3, dtype=bool).tolist()


def test_the_diagonal_alone_is_right_everywhere_only_for_g_0():
    assert np.linalg.det(MATRIX_B) == pytest.approx(
        -2 * P.prod() ** 2
    )  # what it leaves out; no other g goes to 0


@pytest.mark.parametrize(
    ("g", "right"),
    [
        ([4.0, 0.0, 0.0], [True, False, False]),  # a single element: right there alone
        ([0.0, 0.0, 4.0], [False, False, True]),
        ([5.0, 3.0, -2.0], [True, False, False]),  # the others' g y cancel: 3 * 2/6 = 2 * 3/6
        ([1.0, 1.0, 1.0], [False, False, False]),
        ([0.0, 0.0, 0.0], [True, True, True]),
    ],
)
def test_the_diagonal_alone_is_right_at_an_element_where_the_others_g_y_sum_to_0(g, right):
    assert np.isclose(diagonal(np.array(g), P), pulled(ad.softmax, LOGITS, g)).tolist() == right


# -- text 4: the derivative by cases, and the answer's derivation of the diagonal --------------------------


def by_cases(x):
    """x_i (1 - x_j) where i = j, else -x_i x_j."""
    n = len(x)
    return elements((n, n), lambda i, j: x[i] * (1 - x[j]) if i == j else -x[i] * x[j])


def test_the_cases_are_the_jacobian_by_the_probabilities_and_not_by_the_logits():
    close(by_cases(P), JACOBIAN)
    assert differs(by_cases(LOGITS), JACOBIAN)


def test_the_cases_by_the_logits_are_right_where_these_are_their_own_softmax_and_change_with_a_shift():
    thirds = np.full(3, 1 / 3)
    close(by_cases(thirds), ad.softmax_jacobian(thirds))
    close(ad.softmax_jacobian(thirds + 1), ad.softmax_jacobian(thirds))
    assert differs(by_cases(thirds + 1), by_cases(thirds))


ANSWER = {
    "the quotient rule": lambda e, s, slope: (e * s - e * slope) / s**2,
    "the sum's slope is e": lambda e, s, slope: (e * s - e**2) / s**2,
    "split": lambda e, s, slope: e / s * (s / s) - e / s * (e / s),
    "factored": lambda e, s, slope: e / s * (1 - e / s),
}


@claims(ANSWER)
def test_an_output_by_its_own_input(claim):
    e, slope = np.exp(LOGITS), ad.grad(lambda x: np.sum(np.exp(x)))(LOGITS)
    close(claim(e, e.sum(), slope), np.diag(JACOBIAN))


def test_a_vector_from_0_to_the_number_of_inputs_has_an_element_too_many():
    with pytest.raises(IndexError):
        [P[i] * (1 - P[i]) for i in range(len(P) + 1)]


# -- every wrong softmax rule, before check_grads ---------------------------------------------------------


def forgotten_beta(g, y, x):
    e = np.exp(0.5 * x)
    return 0.5 * true_rule(g, y, x) - g * 0.5 * y * (np.exp(x) - e) / np.sum(e)


def summed_rows(g, y, x):
    return g * np.sum(y[:, None] * (np.eye(len(x)) - y), axis=1)


def without_indices(g, y, x):
    return g @ (y * (np.eye(len(x)) - y))


def sum_of_squares(g, y, x):
    u = np.exp(x)
    return diagonal(g, y) - g @ (u[:, None] * u * (1 - np.eye(len(x)))) / np.sum(u**2)


def inputs_for_outputs(g, y, x):
    return true_rule(g, x, x)


THIRDS = np.full(3, 1 / 3)
WRONG = {  # the rule, logits, and other logits at which the rule is right by accident, if there are any
    forgotten_beta: (HALVED, np.zeros(3)),
    summed_rows: (LOGITS, np.ones(1)),
    without_indices: (LOGITS, None),
    sum_of_squares: (LOGITS, np.ones(1)),
    identity: (LOGITS, None),
    batch_identity: (ROWS, np.ones((1, 1))),
    diagonal: (ROWS, np.ones((4, 1))),
    inputs_for_outputs: (LOGITS, THIRDS),
}
every_wrong_rule = pytest.mark.parametrize("rule", WRONG, ids=lambda rule: rule.__name__)


@every_wrong_rule
def test_check_grads_names_the_softmax_with_a_wrong_rule(rule):
    beta = 0.5 if rule is forgotten_beta else 1.0
    error = caught(softmax_with(rule, rule.__name__, beta), WRONG[rule][0])
    assert (error.op, error.order) == (rule.__name__, 1)
    assert f"the first op whose rule is wrong is {rule.__name__}" in str(error)


@pytest.mark.parametrize(
    "rule", [rule for rule in WRONG if WRONG[rule][1] is not None], ids=lambda f: f.__name__
)
def test_check_grads_passes_a_wrong_rule_at_logits_where_it_happens_to_be_right(rule):
    beta = 0.5 if rule is forgotten_beta else 1.0
    check_grads(softmax_with(rule, rule.__name__, beta), WRONG[rule][1])


def test_check_grads_names_a_softmax_whose_rule_overwrites_the_probabilities():
    def overwriting(g, y, x):
        y[FIVE, LABELS] -= 1
        return g * y

    error = caught(softmax_with(overwriting, "overwriting"), np.sin(np.arange(15.0)).reshape(5, 3), order=1)
    assert "the rule of overwriting writes into y" in str(error)


def test_check_grads_names_a_loss_that_hands_the_logits_gradient_to_the_probabilities():
    error = caught(lambda p: loss_with(logits_gradient)(p, TARGETS), softmax(ROWS))
    assert (error.op, error.order) == ("loss_node", 1)
