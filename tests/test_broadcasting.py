"""Undoing NumPy's broadcasting."""

import numpy as np
import pytest

from autodiff import Tensor
from autodiff.broadcasting import unbroadcast

from .oracles import fold

SHAPES = [(), (0,), (1,), (3,), (1, 1), (2, 1), (1, 3), (2, 3), (0, 3), (4, 1, 3), (1, 2, 1), (4, 0, 1)]


def repeated():
    for shape in SHAPES:
        for other in SHAPES:
            try:
                full = np.broadcast_shapes(shape, other)
            except ValueError:
                continue
            yield pytest.param(shape, full, id=f"{shape} in {full}")


@pytest.mark.parametrize(("shape", "full"), list(repeated()))
def test_a_gradient_is_summed_over_the_places_where_its_input_was_repeated(shape, full):
    g = np.arange(np.prod(full), dtype=float).reshape(full)
    np.testing.assert_array_equal(unbroadcast(g, shape), fold(g, shape), strict=True)


@pytest.mark.parametrize(("shape", "full"), list(repeated()))
def test_it_is_the_adjoint_of_broadcast_to(shape, full):
    rng = np.random.default_rng(1)
    x, g = rng.standard_normal(shape), rng.standard_normal(full)
    np.testing.assert_allclose(
        np.sum(np.broadcast_to(x, full) * g), np.sum(x * unbroadcast(g, shape)), atol=1e-12
    )


def test_a_tensor_is_summed_within_its_graph():
    g = Tensor(np.ones((2, 3)))
    total = unbroadcast(g, (3,))
    total.backward(seed=np.array([1.0, 2.0, 3.0]))
    assert g.grad.tolist() == [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]


def test_a_gradient_that_fits_is_handed_back_as_it_is():
    g = np.ones((2, 1))
    assert unbroadcast(g, (2, 1)) is g


def test_half_precision_sums_keep_their_dtype():
    assert unbroadcast(np.ones((4, 3), np.float16), (3,)).dtype == np.float16


def test_half_precision_sums_count_beyond_2048():
    """2048 + 1 is 2048 in float16, and NumPy adds up one by one along all axes but the last."""
    for shape in ((3,), (1, 3)):
        assert unbroadcast(np.ones((5000, 3), np.float16), shape).tolist() == np.full(shape, 5000.0).tolist()
    bias = Tensor(np.zeros(3, np.float16))
    y = np.zeros((5000, 3), np.float16) + bias
    y.backward(seed=np.ones((5000, 3), np.float16))
    assert bias.grad.dtype == np.float16
    assert bias.grad.tolist() == [5000.0] * 3
