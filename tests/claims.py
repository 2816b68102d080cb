"""What the tests of the five texts' claims share: three softmax units in exact fractions, and shorthands."""

import numpy as np
import pytest

import autodiff as ad

from .wrong_rules import declare

# Three units whose exponentials are 1, 2 and 3: their probabilities are sixths, their Jacobian 36ths.
LOGITS = np.log([1.0, 2.0, 3.0])
HALVED = 2 * LOGITS  # with beta = 1/2 the exponentials are 1, 2 and 3
P = np.array([1, 2, 3]) / 6
JACOBIAN = np.array([[5, -2, -3], [-2, 8, -6], [-3, -6, 9]]) / 36
BESIDE = ~np.eye(3, dtype=bool)  # unequal indices
THIRDS = np.full(3, 1 / 3)
MATRIX_B = np.where(BESIDE, -np.outer(P, P), 0)  # text 2's name for -y_i y_j with zeros on the diagonal
G = np.array([2.0, -1.0, 0.5])  # dL/dy
T = np.array([1.0, 0.0, 0.0])  # the target is class 0


def close(found, expected, rtol=1e-10):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-14)


def elements(shape, element):
    """The array whose elements are `element(*index)`."""
    return np.array([element(*index) for index in np.ndindex(shape)]).reshape(shape)


def differs(found, expected):
    return not np.allclose(found, expected, rtol=1e-6, atol=1e-12)


def claims(table):
    """Hands each row of the table to the test, under the row's name."""
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

    return declare(rule, name, lambda x: softmax(beta * x))
