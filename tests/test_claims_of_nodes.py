"""The claims of the fifth text: softmax and cross-entropy as one node or as two, with their backward rules.

It doubts a rule that is right, uses an identity matrix of the batch's size, hands the logits' gradient to the
probabilities, and in the end keeps the Jacobian's diagonal alone. The tests say what each computes instead,
where it is right all the same, and that `check_grads` names it; the last section holds the wrong softmax
rules of all five texts. g is the gradient that arrives at the probabilities y or p, and t are the targets.
"""

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

ROWS = np.array([[0.3, -1.2, 2.0], [1.5, 0.25, -0.5], [-0.75, 1.0, 0.0]])  # the logits of a batch
TARGETS = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])

# -- text 4: softmax and cross-entropy in one node --------------------------------------------------------


def mean_loss(p, t):
    """The text's cross-entropy of probabilities, averaged over the rows."""
    return np.mean(-np.sum(t * np.log(p), axis=1))


BY_LOGITS = partials(lambda x: mean_loss(softmax(x), TARGETS), [ROWS])[0]


def fused_rule(g, y, x, t):
    return g * (ad.softmax(x) - t) / len(t)


def fused_with(*rules):
    def fused(x, t, /):
        return mean_loss(softmax(x), t), *rules

    return primitive()(fused)


def test_the_shifted_softmax_is_softmax_at_any_size_of_logits_and_the_formula_as_long_as_exp_is_finite():
    close(softmax(ROWS + 1e4), ad.softmax(ROWS), rtol=1e-8)
    close(
        [[np.exp(xi) / sum(np.exp(xj) for xj in x) for xi in x] for x in ROWS], ad.softmax(ROWS, form="naive")
    )


def test_one_nodes_value_is_the_mean_cross_entropy():
    close(mean_loss(softmax(ROWS), TARGETS), ad.cross_entropy(ROWS, TARGETS))


def test_one_nodes_rule_is_the_whole_gradient_with_the_softmaxs_derivative_in_it():
    found = fused_rule(1.0, None, ROWS, TARGETS)
    close(found, BY_LOGITS, rtol=1e-8)
    close(found, ad.grad(lambda x: ad.cross_entropy(x, TARGETS))(ROWS))
    close(found, np.einsum("bi,bij->bj", -TARGETS / softmax(ROWS) / 3, ad.softmax_jacobian(ROWS)))


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


LEARNED = {  # what two nodes hand to the logits, for each rule of the softmax and of the loss
    "right rules: p - t": (true_rule, true_loss_rule, np.array([-5, 2, 3]) / 6),
    "p - t through an identity: right by two wrong rules": (
        identity,
        logits_gradient,
        np.array([-5, 2, 3]) / 6,
    ),
    "p - t through a true softmax": (true_rule, logits_gradient, np.array([-19, 4, 15]) / 108),
    "the diagonal alone: right at the target, 0 elsewhere": (diagonal, true_loss_rule, [-5 / 6, 0, 0]),
    "p - t through the diagonal alone": (diagonal, logits_gradient, np.array([-25, 16, 27]) / 216),
}


@claims(LEARNED)
def test_two_nodes_in_numbers(claim):
    rule, loss_rule, expected = claim
    close(ad.grad(nodes(rule, loss_rule, T[None]))(LOGITS[None]), [expected])


@pytest.mark.parametrize(("rule", "loss_rule"), [(true_rule, true_loss_rule), (identity, logits_gradient)])
def test_two_nodes_with_two_right_or_two_wrong_rules_are_as_right_as_one_node(rule, loss_rule):
    close(ad.grad(nodes(rule, loss_rule))(ROWS), BY_LOGITS, rtol=1e-8)


def test_the_loss_by_the_probabilities_is_minus_t_over_p_and_by_the_targets_minus_log_p_over_the_batch():
    by_p, by_t = ad.grad(mean_loss, argnums=(0, 1))(softmax(ROWS), TARGETS)
    close(by_p, -TARGETS / softmax(ROWS) / 3)
    close(by_t, -np.log(softmax(ROWS)) / 3)


def test_p_minus_t_through_a_true_softmax_is_the_gradient_of_half_the_squared_error():
    half_squared_error = lambda x: 0.5 * np.sum((ad.softmax(x) - TARGETS) ** 2) / 3
    close(ad.grad(nodes(true_rule, logits_gradient))(ROWS), ad.grad(half_squared_error)(ROWS))


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


def test_batch_identity_of_three_rows_takes_the_row_for_a_class_and_of_one_row_is_the_diagonal_alone():
    y = softmax(ROWS)
    close(batch_identity(1.0, y, ROWS), np.where(BESIDE, -(y**2), y * (1 - y)))
    close(batch_identity(G, P[None], None)[0], diagonal(G, P))


def test_the_diagonal_alone_errs_by_y_times_the_others_g_y_so_it_is_right_everywhere_only_for_g_0():
    close(diagonal(G, P) - pulled(ad.softmax, LOGITS, G), P * (G @ P - G * P))
    close(np.linalg.det(MATRIX_B), -2 * P.prod() ** 2)  # it leaves out matrix_b, which maps no other g to 0


def test_the_diagonal_alone_is_the_rule_of_sigmoids_and_after_p_minus_t_their_squared_error():
    logits = np.log(P / (1 - P))  # at which sigmoids give P
    close(diagonal(G, P), pulled(ad.sigmoid, logits, G))
    close(diagonal(P - T, P), ad.grad(lambda s: 0.5 * np.sum((ad.sigmoid(s) - T) ** 2))(logits))


def test_the_diagonal_alone_of_two_classes_is_half_the_truth_for_a_g_of_sum_0():
    x, g = np.array([0.7, -0.4]), np.array([3.0, -3.0])
    close(2 * diagonal(g, softmax(x)), pulled(ad.softmax, x, g))


def test_the_diagonal_alone_does_not_sum_to_0_over_the_classes_as_the_truth_does():
    close(pulled(ad.softmax, LOGITS, G).sum(), 0)
    close(diagonal(G, P).sum(), (10 - 8 + 4.5) / 36)


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
    return elements((3, 3), lambda i, j: x[i] * (1 - x[j]) if i == j else -x[i] * x[j])


def test_the_cases_are_the_jacobian_by_the_probabilities_and_not_by_the_logits():
    close(by_cases(P), JACOBIAN)
    close(softmax(ROWS)[:, :, None] * (np.eye(3) - softmax(ROWS)[:, None]), ad.softmax_jacobian(ROWS))
    assert differs(by_cases(LOGITS), JACOBIAN)


def test_the_cases_by_the_logits_are_right_where_these_are_their_own_softmax_and_change_with_a_shift():
    close(by_cases(THIRDS), ad.softmax_jacobian(THIRDS))
    close(ad.softmax_jacobian(THIRDS + 1), ad.softmax_jacobian(THIRDS))
    assert differs(by_cases(THIRDS + 1), by_cases(THIRDS))


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


WRONG = {  # the rule, its beta, logits, and logits at which it is right by accident (or None)
    forgotten_beta: (0.5, HALVED, np.zeros(3)),
    summed_rows: (1.0, LOGITS, np.ones(1)),
    without_indices: (1.0, LOGITS, np.zeros(3)),
    sum_of_squares: (1.0, LOGITS, np.ones(1)),
    identity: (1.0, LOGITS, None),
    batch_identity: (1.0, ROWS, np.ones((1, 1))),
    diagonal: (1.0, ROWS, np.ones((4, 1))),
    inputs_for_outputs: (1.0, LOGITS, THIRDS),
}


@pytest.mark.parametrize("rule", WRONG, ids=lambda rule: rule.__name__)
def test_check_grads_names_the_softmax_with_a_wrong_rule_but_where_it_is_right_by_accident(rule):
    beta, logits, accident = WRONG[rule]
    op = softmax_with(rule, rule.__name__, beta)
    error = caught(op, logits)
    assert (error.op, error.order) == (rule.__name__, 1)
    assert f"the first op whose rule is wrong is {rule.__name__}" in str(error)
    if accident is not None:
        check_grads(op, accident)


def test_check_grads_names_a_loss_that_hands_the_logits_gradient_to_the_probabilities():
    error = caught(lambda p: loss_with(logits_gradient)(p, TARGETS), softmax(ROWS))
    assert (error.op, error.order) == ("loss_node", 1)
