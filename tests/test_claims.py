"""Every formula and code fragment of five public texts on the derivative of softmax, right or wrong.

Texts 0 and 1 are one blog post, as a page and as its source: the linear layer, and softmax with beta by
the quotient rule. Text 2 asks for the Jacobian of three softmax units, with answers. Text 3 is a post on a
network of 4, 10 and 3 units. Text 4, on softmax and cross-entropy as separate nodes, is in
test_claims_of_nodes.py, as are the wrong rules of all five before `check_grads`.

A table holds formulas, or lines of a derivation, that all must give what its test names. A wrong formula's
tests say what it computes instead and where it is right all the same. In the names g is the gradient that
arrives at the probabilities y, and t are the targets.
"""

from fractions import Fraction

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, check_grads, primitive

from .claims import (
    BESIDE,
    HALVED,
    JACOBIAN,
    LOGITS,
    MATRIX_B,
    THIRDS,
    G,
    P,
    T,
    claims,
    close,
    differs,
    elements,
    pulled,
    softmax,
    softmax_with,
)
from .oracles import partials
from .wrong_rules import caught

pytestmark = pytest.mark.usefixtures("fresh_registry")
every_form = pytest.mark.parametrize("form", ["naive", "composed", "fused"])


# -- texts 0 and 1: the linear layer y = Wx + b, W in R^(m x n) -----------------------------------------

W, X = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]), np.array([1.0, -2.0, 0.5])
B, DY = np.array([0.25, -1.0]), np.array([3.0, 4.0])  # DY is dL/dy


def layer_loss(W, x, b):
    return np.sum(DY * (W @ x + b))


def by_square_W():
    """dL/dW where m = n, and x is B."""
    return ad.grad(lambda W: np.sum(DY * (W @ B)))(np.eye(2))


BY_W = {
    "the outer product of dL/dy and x": np.outer(DY, X),
    "in numbers": [[3.0, -6.0, 1.5], [4.0, -8.0, 2.0]],
    "dL/dy contracted with dy/dW of m x m x n": np.einsum("i,ikl->kl", DY, np.eye(2)[:, :, None] * X),
    "as differences have it": partials(layer_loss, [W, X, B])[0],
}


@claims(BY_W)
def test_dL_dW_is(claim):
    close(ad.grad(layer_loss)(W, X, B), claim)
    close(DY @ ad.jacobian(lambda W: W @ X + B)(W).reshape(2, 6), np.ravel(claim))


def test_dL_dy_times_x_read_otherwise_is_the_truths_trace_its_transpose_or_its_diagonal():
    truth = ad.grad(lambda W: np.sum(DY * (W @ B)))(np.eye(2))  # m = n, and B is x
    close(DY @ B, np.trace(truth))
    close(B[:, None] @ DY[None], truth.T)
    close(DY * B, np.diag(truth))


def test_dL_db_is_dL_dy_times_1_an_identity():
    close(ad.jacobian(lambda b: W @ X + b)(B), np.eye(2))
    close(ad.grad(layer_loss, argnums=2)(W, X, B), DY @ np.eye(2))


def test_dL_db_is_dL_dy_times_ones_only_over_the_rows_of_a_batch():
    rows, g = np.array([X, X + 1]), np.array([DY, DY - 2])
    close(ad.grad(lambda b: np.sum(g * (rows @ W.T + b)))(B), np.ones(2) @ g)


def test_x_has_n_elements_and_b_and_y_have_m():  # the text has x and y in R^2, then x and b in R^n
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

every_beta = pytest.mark.parametrize("beta", [-1.0, 0.0, 0.5, 1.0, 2.0])


def exponentials(x, beta):
    """exp(beta x), its sum, and their ratio, the probabilities."""
    e = np.exp(beta * x)
    return e, e.sum(), e / e.sum()


def jacobian_with(beta, x=HALVED, form="fused"):
    return ad.jacobian(lambda x: ad.softmax(x, beta=beta, form=form))(x)


# Lines of the derivation of dy_j/dx_i. `b` is beta, e_j and e_i are exponentials, s is their sum, and `inner`
# is the exponential that the quotient rule subtracts: exp(beta x_i), which four lines write as exp(x_i). The
# page lost the dx_i of its slopes of numerator and denominator; the source has them.
SUBTRACTING = {
    "over one denominator": lambda b, e_j, inner, s: (b * e_j * s - e_j * b * inner) / s**2,
    "split": lambda b, e_j, inner, s: b * e_j * s / s**2 - e_j * b * inner / s**2,
    "expanded": lambda b, e_j, inner, s: b * e_j * s / (s * s) - e_j * b * inner / (s * s),
    "reduced": lambda b, e_j, inner, s: b * e_j / s - e_j * b * inner / (s * s),
}
BY_NAMES = {
    "beta y_j - y_j beta y_i": lambda b, e_j, e_i, s: b * (e_j / s) - (e_j / s) * b * (e_i / s),
    "beta y_j (1 - y_i)": lambda b, e_j, e_i, s: b * (e_j / s) * (1 - e_i / s),
    "beta y_i (1 - y_i)": lambda b, e_j, e_i, s: b * (e_i / s) * (1 - e_i / s),
}
UNEQUAL = {
    "0 minus, over the square of h, which is g": lambda b, e_j, e_i, s: (0 - e_j * b * e_i) / s**2,
    "expanded": lambda b, e_j, e_i, s: -b * e_j * e_i / (s * s),
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
def test_the_numerator_has_a_slope_by_its_own_x_j_alone_and_the_denominator_by_each_x_i(beta):
    e = np.exp(beta * HALVED)
    close(ad.jacobian(lambda x: np.exp(beta * x))(HALVED), np.diag(beta * e))
    close(ad.grad(lambda x: np.sum(np.exp(beta * x)))(HALVED), beta * e)


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
    cases = beta * elements((3, 3), lambda j, i: y[i] * (1 - y[i]) if i == j else -y[j] * y[i])
    close(jacobian_with(beta, form=form), cases)
    close(ad.softmax_jacobian(HALVED, beta=beta), cases)
    close([partials(lambda x, j=j: softmax(beta * x)[j], [HALVED])[0] for j in range(3)], cases, rtol=1e-7)


@every_beta
@claims(SUBTRACTING)
def test_exp_of_x_i_without_beta_is_right_only_for_beta_0_or_1_or_x_i_0(claim, beta):
    e, s, _ = exponentials(HALVED, beta)
    right = np.isclose(claim(beta, e, np.exp(HALVED), s), np.diag(jacobian_with(beta)))
    assert right.tolist() == [beta in (0, 1) or x == 0 for x in HALVED]


@claims(SUBTRACTING)
def test_exp_of_x_i_without_beta_may_turn_the_sign_of_a_slope(claim):
    close(claim(0.5, np.array([1, 2, 3]), np.array([1, 4, 9]), 6), np.array([5, 4, -9]) / 72)
    close(np.diag(jacobian_with(0.5)), np.array([5, 8, 9]) / 72)


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


def test_betas_in_the_place_of_partials_leave_the_ratio_of_y_and_x_a_derivative_only_by_accident():
    ratio = lambda x: (0.5 * softmax(0.5 * x))[:, None] / (0.5 * x)
    x = np.array([1.0, 2.0, 3.0])
    close(ratio(x), softmax(0.5 * x)[:, None] / x)
    assert not np.isclose(ratio(x), jacobian_with(0.5, x)).any()
    x = np.array([4.0, 4.0])  # here beta x_i (1 - y_i) = 1
    assert np.isclose(ratio(x), jacobian_with(0.5, x)).tolist() == [[True, False], [False, True]]


def test_beta_is_no_weight_but_one_temperature_with_one_slope():
    _, _, y = exponentials(HALVED, 0.5)
    by_beta = ad.jacobian(lambda beta: np.exp(beta * HALVED) / np.sum(np.exp(beta * HALVED)))(0.5)
    close(by_beta, y * (HALVED - y @ HALVED))
    with pytest.raises(TypeError, match="beta is a number"):
        ad.softmax(HALVED, beta=Tensor(0.5))


@pytest.mark.parametrize(("betas", "as_one"), [([0.5, 1.0, 2.0], False), ([0.5, 0.5, 0.5], True)])
def test_a_weight_for_each_class_is_no_single_beta_unless_all_are_equal(betas, as_one):
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

MATRIX_A = np.diag(P * (1 - P))
ROW = (P - T)[None]  # dL/dy of half the squared error, 1 x n

THE_JACOBIAN = {
    "y_i times delta minus y_j": P[:, None] * (np.eye(3) - P),
    "the sum of matrix_a, its diagonal, and matrix_b, the rest": MATRIX_A + MATRIX_B,
    "slopes of y_i by z_j at i, j": [partials(lambda z, i=i: softmax(z)[i], [LOGITS])[0] for i in range(3)],
}
THE_GRADIENT = {
    "the row dL/dy times the matrix": G @ JACOBIAN,
    "a sum over i for each z_j": [sum(G[i] * JACOBIAN[i, j] for i in range(3)) for j in range(3)],
    "the matrix times a column, by symmetry": JACOBIAN @ G,
    "the individual slopes weighed by g, for text 4's comment": sum(G[i] * JACOBIAN[i] for i in range(3)),
    "y (g - sum of g y), of the inputs' size as text 4 wants it": P * (G - G @ P),
}
ZERO = {
    "the sums of the rows of matrix_c": (MATRIX_A + MATRIX_B).sum(axis=1),
    "y1 (1 - y) with the sum of y": P[0] * (1 - P.sum()),
    "the individual slopes summed plainly, for text 4's comment": sum(JACOBIAN),
    "the sums of the columns with an asterisk for the product": (ROW * JACOBIAN).sum(axis=0),
}
SQUARED_ERROR = {
    "1 x n times n x n": ROW @ JACOBIAN,
    "in numbers": [np.array([-19, 4, 15]) / 108],
    "the sums of the rows with an asterisk for the product, by symmetry": [(ROW * JACOBIAN).sum(axis=1)],
}
CROSS_ENTROPY = {
    "-t / y times the matrix": -T / P @ JACOBIAN,
    "y - t": P - T,
    "in numbers": np.array([-5, 2, 3]) / 6,
}


@claims(THE_JACOBIAN)
def test_the_jacobian_is(claim):
    close(JACOBIAN, claim, rtol=1e-8)
    close(ad.softmax_jacobian(LOGITS), claim, rtol=1e-8)
    close([ad.grad(lambda z, i=i: ad.softmax(z)[i])(LOGITS) for i in range(3)], claim, rtol=1e-8)


@claims(THE_GRADIENT)
def test_the_gradient_of_a_loss_is(claim):
    close(pulled(ad.softmax, LOGITS, G), claim)


@claims(ZERO)
def test_zero_is(claim):
    close(claim, np.zeros_like(claim))


@claims(SQUARED_ERROR)
def test_the_gradient_of_half_the_squared_error_is(claim):
    close(ad.grad(lambda z: 0.5 * np.sum((ad.softmax(z) - T) ** 2))(LOGITS[None]), claim)


@claims(CROSS_ENTROPY)
def test_the_gradient_of_cross_entropy_is(claim):
    close(ad.grad(lambda z: ad.cross_entropy(z, T))(LOGITS), claim)


def test_cross_entropy_of_targets_of_another_sum_has_the_gradient_y_times_the_sum_minus_t():
    t = np.array([1.0, 1.0, 0.0])
    close(ad.grad(lambda z: -np.sum(t * np.log(ad.softmax(z))))(LOGITS), 2 * P - t)


def test_the_jacobian_and_the_sums_of_its_rows_in_exact_fractions():
    y1, y2, y3 = y = [Fraction(k, 6) for k in (1, 2, 3)]
    exact = [[y[i] * ((i == j) - y[j]) for j in range(3)] for i in range(3)]
    assert exact == [[Fraction(n, 36) for n in row] for row in ([5, -2, -3], [-2, 8, -6], [-3, -6, 9])]
    assert y1 * (1 - y1) - y1 * y2 - y1 * y3 == 0
    assert -y1 * y2 + y2 * (1 - y2) - y2 * y3 == 0
    assert -y1 * y3 - y2 * y3 + y3 * (1 - y3) == 0


def test_y_times_delta_minus_y_without_indices_has_minus_y_j_squared_beside_the_diagonal():
    found = P * (np.eye(3) - P)
    close(found, np.where(BESIDE, -P * P, JACOBIAN))
    assert np.isclose(found, JACOBIAN).tolist() == (~BESIDE).tolist()
    close(THIRDS * (np.eye(3) - THIRDS), ad.softmax_jacobian(np.zeros(3)))  # where all y are equal


def test_y1_times_1_minus_the_whole_y_is_three_numbers_and_fits_no_matrix():
    cell = P[0] * (1 - P)
    assert np.isclose(cell, JACOBIAN[0, 0]).tolist() == [True, False, False]  # the first is the one meant
    with pytest.raises(ValueError, match="inhomogeneous"):
        np.array([[cell, 0, 0], [0, 0, 0], [0, 0, 0]])


def test_the_sums_of_the_rows_are_the_slope_along_a_uniform_shift_and_the_gradient_of_the_sum_of_y():
    close(ad.jvp(ad.softmax, (LOGITS,), (np.ones(3),))[1], JACOBIAN.sum(axis=1))
    close(pulled(ad.softmax, LOGITS, np.ones(3)), JACOBIAN.sum(axis=0))
    close(ad.grad(lambda z: ad.softmax(z).sum())(LOGITS), JACOBIAN.sum(axis=0))
    assert differs(pulled(ad.softmax, LOGITS, G), JACOBIAN.sum(axis=1))  # for a g that is not uniform


def test_only_a_number_has_a_gradient():
    with pytest.raises(ValueError, match="no single gradient"):
        ad.grad(ad.softmax)(LOGITS)


def test_the_side_of_dL_dy_matters_where_a_jacobian_is_not_symmetric_as_log_softmaxs():
    J = ad.jacobian(ad.log_softmax)(LOGITS)
    close(pulled(ad.log_softmax, LOGITS, G), G @ J)
    close(ad.jvp(ad.log_softmax, (LOGITS,), (G,))[1], J @ G)
    assert differs(G @ J, J @ G)


# -- text 3: the network of 4, 10 and 3 units, five examples ------------------------------------------------

# The inputs and the weights by the post's names, and what the forward pass makes of them.
X5 = np.array([[5, 3, 1, 0], [7, 3, 5, 1], [6, 3, 6, 3], [5, 2, 4, 1], [5, 4, 2, 0]]) / 4.0
W1, B1 = np.sin(np.arange(40.0)).reshape(4, 10), np.cos(np.arange(10.0))
W2, B2 = np.cos(np.arange(30.0)).reshape(10, 3), np.array([0.5, -0.25, 0.0])
Z1 = X5 @ W1 + B1
O1 = np.tanh(Z1)
S = O1 @ W2 + B2
U = np.exp(S)
O2 = U / U.sum(axis=1, keepdims=True)
LABELS = np.array([0, 2, 1, 1, 0])
HOT = np.eye(3)[LABELS]
FIVE = np.arange(5)


def losses(S):
    """The five losses, by the scores."""
    return ad.cross_entropy(S, LABELS, reduction="none")


def toy_loss(W2):
    return losses(O1 @ W2 + B2).sum()


def fragment(probabilities):
    """The post's vectorised gradient by W2."""
    errors = probabilities  # no copy
    errors[FIVE, LABELS] -= 1
    return O1.T @ errors / -5


def test_each_score_is_a_weighted_sum_and_a_bias_and_all_are_a_matrix_product():
    close(elements((5, 10), lambda i, j: sum(X5[i, p] * W1[p, j] for p in range(4)) + B1[j]), Z1)
    close(elements((5, 10), lambda i, j: np.tanh(Z1[i, j])), O1)
    close(elements((5, 3), lambda i, k: sum(O1[i, p] * W2[p, k] for p in range(10)) + B2[k]), S)


def test_exp_of_the_scores_over_the_sum_is_softmax():
    close(elements((5, 3), lambda i, k: np.exp(S[i, k]) / sum(U[i, p] for p in range(3))), ad.softmax(S))


def test_the_loss_of_an_example_is_minus_the_log_of_its_labels_probability():
    close(elements((5,), lambda i: -np.log(O2[i, LABELS[i]])), losses(S))


def test_a_sum_over_i_from_0_to_5_has_six_terms_for_five_examples():
    L = losses(S)
    with pytest.raises(IndexError, match="out of bounds"):  # counted from 0 there is no example 5
        sum(L[i] for i in range(6))
    twice = sum(L[i - 1] for i in range(6))  # counted from 1, example 0 is NumPy's last
    close(twice, L.sum() + L[-1])


def test_eq_1_1_the_loss_by_the_labels_probability_is_minus_1_over_it():
    p = O2[FIVE, LABELS]
    close(ad.grad(lambda p: -np.sum(np.log(p)))(p), -1 / p)


def test_eq_1_1_is_a_large_negative_number_at_a_small_probability_but_the_scores_gradient_is_not():
    scores = np.array([-13.8, 0.0])
    p = softmax(scores)[0]
    by_p = ad.grad(lambda p: -np.log(p))(p)
    assert by_p < -9e5
    assert np.log(p) - np.log(p + 1e-9) == pytest.approx(1e-9 * by_p, rel=1e-3)  # a large decline
    close(by_p * p * (1 - p), p - 1)  # eq. 1.2.1 takes it back
    close(ad.grad(lambda S: ad.cross_entropy(S, 0))(scores), [p - 1, 1 - p])


# The slope of the label's probability by the score k, from the row's U, its O2, and the label y.
EQ_1_2_1 = {
    "U over its sum minus its square over the sum's": lambda u, o, y, k: (
        u[k] / u.sum() - u[k] ** 2 / u.sum() ** 2
    ),
    "O2 (1 - O2)": lambda u, o, y, k: o[k] * (1 - o[k]),
}
EQ_1_2_2 = {
    "U times -1 over the square of the sum times U": lambda u, o, y, k: u[y] * -1 / u.sum() ** 2 * u[k],
    "-O2 O2": lambda u, o, y, k: -o[y] * o[k],
}


def by_labels(line):
    return elements((5, 3), lambda i, k: line(U[i], O2[i], LABELS[i], k))


@claims(EQ_1_2_1)
def test_eq_1_2_1_at_the_label(claim):
    close(by_labels(claim)[FIVE, LABELS], ad.softmax_jacobian(S)[FIVE, LABELS, LABELS])


@claims(EQ_1_2_2)
def test_eq_1_2_2_at_the_others(claim):
    close(by_labels(claim)[HOT == 0], ad.softmax_jacobian(S)[FIVE, LABELS][HOT == 0])


def test_eq_1_2_2_as_printed_with_a_sum_of_squares_is_too_large_by_1_over_the_sum_of_O2_squared():
    printed = by_labels(lambda u, o, y, k: u[y] * -1 / (u**2).sum() * u[k])
    truth = ad.softmax_jacobian(S)[FIVE, LABELS]
    close((printed / truth)[HOT == 0], np.repeat(1 / (O2**2).sum(axis=1), 2))


BY_SCORES = {
    "eq. 1.3, O2 - 1 at the label, else O2": elements((5, 3), lambda i, k: O2[i, k] - (k == LABELS[i])),
    "as differences have it": partials(lambda S: -np.sum(np.log(softmax(S)[FIVE, LABELS])), [S])[0],
}
SCORES_BY_W2 = elements((5, 3, 10, 3), lambda i, k, m, n: O1[i, m] if k == n else 0.0)  # expression 2
ERRORS = O2 - HOT
BY_W2 = {
    "the gradient equation, a sum over k": np.einsum("ik,ikmn->mn", ERRORS, SCORES_BY_W2),
    "its one term, k = n": sum(O1[i][:, None] * ERRORS[i] for i in range(5)),
    "by cases, O2 - 1 or O2 times O1": elements(
        (10, 3), lambda m, n: sum((O2[i, n] - 1 if LABELS[i] == n else O2[i, n]) * O1[i, m] for i in FIVE)
    ),
    "-5 times the fragment": -5 * fragment(O2.copy()),
}


@claims(BY_SCORES)
def test_the_loss_by_the_scores_is(claim):
    close(ad.grad(lambda S: losses(S).sum())(S), claim, rtol=1e-7)


def test_eq_1_the_loss_depends_on_the_scores_through_the_labels_probability_alone():
    chained = (-1 / O2[FIVE, LABELS])[:, None] * ad.softmax_jacobian(S)[FIVE, LABELS]
    close(chained, ad.grad(lambda S: losses(S).sum())(S))


def test_expression_2_is_O1_in_its_own_column_else_0():
    close(ad.jacobian(lambda W2: O1 @ W2 + B2)(W2), SCORES_BY_W2)


@claims(BY_W2)
def test_the_loss_by_W2_is(claim):
    weights = Tensor(W2)
    toy_loss(weights).backward()
    close(weights.grad, claim)
    close(ad.jacobian(lambda W2: losses(O1 @ W2 + B2))(W2).sum(axis=0), claim)  # the sum of the five dL_i/dW2


def test_the_loss_by_b2_announced_and_not_derived_is_the_sum_of_the_errors():
    close(ad.grad(lambda b2: losses(O1 @ W2 + b2).sum())(B2), ERRORS.sum(axis=0))


@pytest.mark.parametrize(("u", "factor"), [([1, 2, 3], 18 / 7), ([1, 1, 1], 3), ([1e-9, 1, 0], 1 + 2e-9)])
def test_a_sum_of_squares_for_the_square_of_the_sum_errs_by_1_to_3_for_three_units(u, factor):
    u, p = np.array(u), np.array(u) / sum(u)
    close(sum(u) ** 2 / sum(u**2), factor)
    close(1 / sum(p**2), factor)


def test_the_fragment_is_minus_the_gradient_of_the_mean_so_a_step_against_it_climbs():
    loss = lambda W2: ad.cross_entropy(O1 @ W2 + B2, LABELS)
    step = fragment(O2.copy())
    close(step, -ad.grad(loss)(W2))
    assert loss(W2 - 0.1 * step) > loss(W2) > loss(W2 + 0.1 * step)


def test_the_fragment_makes_no_copy_so_the_probabilities_are_gone_and_a_second_run_subtracts_again():
    overwritten = O2.copy()
    fragment(overwritten)
    close(overwritten, O2 - HOT)
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.log(overwritten[FIVE, LABELS])).all()  # a loss computed afterwards
    fragment(overwritten)
    close(overwritten, O2 - 2 * HOT)


def test_the_engine_refuses_to_overwrite_probabilities():
    tracked = ad.softmax(Tensor(S))
    with pytest.raises(TypeError, match=r"ad\.index_add"):
        tracked[FIVE, LABELS] -= 1
    with pytest.raises(ValueError, match="read-only"):
        tracked.data[FIVE, LABELS] -= 1


def test_check_grads_names_a_softmax_whose_rule_overwrites_the_probabilities():
    def overwriting(g, y, x):
        y[FIVE, LABELS] -= 1
        return g * y

    error = caught(softmax_with(overwriting, "overwriting"), S, order=1)
    assert "the rule of overwriting writes into y" in str(error)


def test_check_grads_names_a_loss_with_the_fragment_for_its_rule_and_shows_the_factor():
    @primitive()
    def loss_node(W2, /):
        return toy_loss(W2), lambda g, y, W2: g * (O1.T @ (ad.softmax(O1 @ W2 + B2) - HOT)) / -5

    error = caught(loss_node, W2)
    assert (error.op, error.order) == ("loss_node", 1)
    assert error.from_rules / error.numeric == pytest.approx(-0.2)
