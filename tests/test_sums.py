"""Sums along one axis as products with ones."""

import math

import numpy as np
import pytest

from autodiff.sums import row_sums, total

KINDS = "efdg"
SHAPES = [
    (0, 3),
    (3, 0),
    (1, 1),
    (5, 3),
    (2, 127),
    (2, 128),
    (2, 129),
    (4096, 2),
    (4097, 2),
    (2, 4096),
    (2, 4097),
]


def positive(shape, kind):
    return np.random.default_rng(0).exponential(size=shape).astype(kind)


def exact(rows, kind):
    return np.array([math.fsum(row) for row in rows.astype(float).tolist()]).astype(kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("order", "CF")
def test_they_are_the_sums_to_a_few_units_of_the_last_place(kind, shape, order):
    x = np.asarray(positive(shape, kind), order=order)
    eps = max(np.finfo(kind).eps, np.finfo(float).eps)
    # Down the columns NumPy itself adds up one by one: its errors grow with the number of rows.
    for sums, truth in ((row_sums(x), exact(x, kind)), (total(x, 0), exact(x.T, kind))):
        assert type(sums) is np.ndarray
        assert sums.dtype == x.dtype
        np.testing.assert_allclose(sums, truth, rtol=64 * eps, strict=True)


@pytest.mark.parametrize("kind", "fd")
def test_long_columns_keep_more_digits_than_numpys_own_sums(kind):
    x = positive((4096, 50), kind)
    truth = exact(x.T, "d")
    errors = [np.abs(sums - truth).max() for sums in (total(x, 0), np.add.reduce(x, 0))]
    assert errors[0] < errors[1]


@pytest.mark.parametrize("kind", KINDS)
def test_one_row_has_a_scalar_for_its_sum(kind):
    for length in (3, 200, 5000):
        assert isinstance(row_sums(np.ones(length, kind)), np.floating)
        assert row_sums(np.ones(length, "d")) == length


@pytest.mark.parametrize("length", [3, 200, 5000])
def test_infinities_and_nans_arrive_in_the_sums_and_nobody_is_warned(length):
    x = np.ones((4, length))
    x[0, 1], x[1, 2], x[2, 0] = np.inf, np.nan, -np.inf
    expected = [np.inf, np.nan, -np.inf, length]
    assert row_sums(x).tolist()[::2] == expected[::2]
    for sums in (row_sums(x), total(x.T.copy(), 0)):
        np.testing.assert_array_equal(sums, expected)


def test_views_of_any_layout_are_summed():
    x = positive((6, 300), "d")
    for view in (x[::-1, ::-2], x[:, 100:], x.T[::3], np.broadcast_to(x[0], (4, 300)), x.reshape(2, 3, 300)):
        np.testing.assert_allclose(row_sums(view), view.sum(axis=-1), rtol=1e-14)
        np.testing.assert_allclose(total(view, 0), view.sum(axis=0), rtol=1e-14)
