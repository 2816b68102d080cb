"""Convolution and pooling mean what PyTorch's functions of these names mean."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, grad, hvp

# The literals of this file were computed once with PyTorch 2.13 (torch.nn.functional, float64).
IMAGE = (np.arange(20.0) * 7 % 11 - 5).reshape(1, 1, 4, 5)


def numbers(*shape, factor, modulus, shift):
    """Small integers in no order."""
    return (np.arange(float(np.prod(shape))) * factor % modulus - shift).reshape(shape)


def seed_of(y):
    return numbers(*y.shape, factor=3, modulus=5, shift=2)


def test_a_convolution_has_pytorchs_values_and_gradients():
    x = Tensor(numbers(1, 2, 3, 3, factor=7, modulus=11, shift=5))
    w = Tensor(numbers(2, 2, 2, 2, factor=5, modulus=7, shift=3))
    b = Tensor([1.0, -2.0])
    y = ad.conv2d(x, w, b, stride=(1, 2), padding=1, dilation=1)
    assert y.tolist() == [
        [[[2, 21], [-22, -24], [2, -10], [10, -12]], [[-11, -19], [14, 11], [10, -2], [-3, -9]]]
    ]
    y.backward(seed=seed_of(y))
    assert x.grad.tolist() == [
        [[[8, -4, 2], [-4, 8, -5], [-1, -5, 8]], [[11, 6, -2], [0, -9, -8], [-1, -9, 11]]]
    ]
    assert w.grad.tolist() == [
        [[[2, 15], [4, 5]], [[5, -26], [1, -11]]],
        [[[4, 5], [1, -35]], [[1, -11], [-8, 14]]],
    ]
    assert b.grad.tolist() == [-2, 0]


def test_groups_dilation_and_the_same_size_are_pytorchs():
    x = Tensor(numbers(1, 4, 2, 4, factor=7, modulus=11, shift=5))
    w = Tensor(numbers(2, 2, 1, 3, factor=5, modulus=7, shift=3))
    y = ad.conv2d(x, w, padding="same", dilation=2, groups=2)
    assert y.tolist() == [[[[-23, 8, 16, -17], [13, -11, 16, 16]], [[16, -39, 1, 14], [-39, 16, 20, -11]]]]
    y.backward(seed=seed_of(y))
    assert x.grad.tolist() == [
        [
            [[-1, -4, -2, 4], [-3, -1, 2, -2]],
            [[-4, -1, -5, 7], [-2, -4, 3, -5]],
            [[-4, -1, 10, -3], [3, -4, -2, 10]],
            [[-4, 0, 10, -2], [2, -4, -3, 10]],
        ]
    ]
    assert w.grad.tolist() == [[[[13, 34, 9]], [[14, 10, -5]]], [[[12, -19, 9]], [[9, -19, 12]]]]


def test_an_even_kernel_pads_the_same_size_more_behind():
    y = ad.conv2d(np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)), padding="same")
    assert y.tolist() == [[[[4, 2], [2, 1]]]]


def test_no_padding_is_called_valid_too():
    kernel = np.arange(4.0).reshape(1, 1, 2, 2)
    np.testing.assert_array_equal(ad.conv2d(IMAGE, kernel, padding="valid"), ad.conv2d(IMAGE, kernel))


def test_the_largest_of_overlapping_windows_is_pytorchs():
    x = Tensor(IMAGE)
    y = ad.max_pool2d(x, 3, 2, 1)
    assert y.tolist() == [[[[4, 5, 5], [4, 4, 5]]]]
    y.backward(seed=np.arange(1.0, 7.0).reshape(y.shape))
    # The 4 of the last row ties with the one above it: there PyTorch picks the first, we share evenly.
    assert x.grad.tolist() == [
        [[[0, 0, 0, 5, 0], [0, 1 + 4 + 2.5, 0, 0, 0], [0, 0, 0, 0, 6], [0, 0, 2.5, 0, 0]]]
    ]


def test_the_average_of_windows_is_pytorchs():
    x = Tensor(IMAGE)
    y = ad.avg_pool2d(x, (2, 3), padding=1)
    np.testing.assert_allclose(y.data, [[[[-1 / 2, 2 / 3], [-5 / 6, 2 / 3], [-1 / 3, 0]]]], atol=1e-15)
    y.backward(seed=np.arange(1.0, 7.0).reshape(y.shape))
    expected = [[1, 1, 2, 2, 2], [3, 3, 4, 4, 4], [3, 3, 4, 4, 4], [5, 5, 6, 6, 6]]
    np.testing.assert_allclose(x.grad[0, 0], np.array(expected) / 6, rtol=1e-15)


def test_padding_need_not_count_in_an_average():
    x = Tensor(IMAGE)
    y = ad.avg_pool2d(x, (2, 3), padding=1, count_include_pad=False)
    np.testing.assert_allclose(y.data, [[[[-3 / 2, 4 / 3], [-5 / 4, 2 / 3], [-1, 0]]]], atol=1e-15)
    y.backward(seed=np.arange(1.0, 7.0).reshape(y.shape))
    outer, inner = [0.5, 0.5, 2 / 3, 2 / 3, 2 / 3], [0.75, 0.75, 2 / 3, 2 / 3, 2 / 3]
    np.testing.assert_allclose(x.grad[0, 0], [outer, inner, inner, [2.5, 2.5, 2, 2, 2]], rtol=1e-15)


def test_tied_elements_share_a_windows_gradient_evenly():
    x = np.array([[[[3.0, 3.0, 1.0, 2.0], [3.0, 0.0, 2.0, 2.0]]]])
    slopes = grad(lambda x: ad.max_pool2d(x, 2).sum())(x)
    np.testing.assert_allclose(slopes, [[[[1 / 3, 1 / 3, 0, 1 / 3], [1 / 3, 0, 1 / 3, 1 / 3]]]], rtol=1e-15)


def test_a_nan_is_the_largest_of_its_window_alone():
    x = np.array([[[[1.0, np.nan, 3.0, 4.0]]]])
    assert np.isnan(ad.max_pool2d(x, (1, 2))).tolist() == [[[[True, False]]]]
    assert grad(lambda x: ad.max_pool2d(x, (1, 2)).sum())(x).tolist() == [[[[0, 1, 0, 1]]]]


@pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning")
def test_what_is_not_the_largest_adds_nothing_whatever_its_slope():
    x = np.array([0.0, 2.0]).reshape(1, 1, 1, 2)
    pooled = lambda x: ad.max_pool2d(np.log(x), (1, 2)).sum()
    assert grad(pooled)(x).ravel().tolist() == [0, 0.5]
    assert hvp(pooled, x, np.ones_like(x)).ravel().tolist() == [0, -0.25]


def test_what_no_window_reaches_gets_no_gradient():
    x = Tensor(np.ones((1, 1, 3, 5)))
    (ad.avg_pool2d(x, 2) + ad.conv2d(x, np.ones((1, 1, 2, 2)), stride=2)).sum().backward()
    assert x.grad[0, 0].tolist() == [[1.25] * 4 + [0], [1.25] * 4 + [0], [0] * 5]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_images_keep_their_dtype(dtype):
    x, w = Tensor(IMAGE.astype(dtype)), Tensor(np.ones((1, 1, 2, 2), dtype))
    y = ad.avg_pool2d(ad.max_pool2d(ad.conv2d(x, w, padding=1), 2, padding=1), 2, count_include_pad=False)
    y.sum().backward()
    assert (y.dtype, x.grad.dtype, w.grad.dtype) == (dtype, dtype, dtype)


def test_many_windows_add_up_exactly_in_half_precision():
    """2048 + 1 is 2048 in float16: overlapping gradients are summed in float32."""
    x = Tensor(np.zeros((1, 1, 1, 2048), np.float16))
    y = ad.conv2d(x, np.ones((1, 1, 1, 1025), np.float16))
    y.backward(seed=np.full((1, 1, 1, 1024), 3, np.float16))
    assert x.grad[0, 0, 0, 1024] == 3072
    pooled = ad.avg_pool2d(x, (1, 1025), 1) * np.float16(1025)
    slope = ad.gradients(pooled, x, seed=np.full((1, 1, 1, 1024), 3, np.float16))
    np.testing.assert_allclose(slope[0, 0, 0, 1024], 3072, rtol=1e-3)


def test_arrays_in_give_an_array_out():
    assert type(ad.conv2d(IMAGE, np.ones((1, 1, 2, 2)))) is np.ndarray
    assert type(ad.max_pool2d(IMAGE, 2)) is type(ad.avg_pool2d(IMAGE, 2)) is np.ndarray


def test_a_batch_of_nothing_stays_one():
    x, w = Tensor(np.zeros((0, 1, 4, 4))), Tensor(np.ones((2, 1, 3, 3)))
    y = ad.max_pool2d(ad.conv2d(x, w), 2)
    assert y.shape == (0, 2, 1, 1)
    y.backward(seed=np.zeros(y.shape))
    assert (x.grad.shape, w.grad.tolist()) == ((0, 1, 4, 4), np.zeros((2, 1, 3, 3)).tolist())


def kernel(*shape):
    return np.ones(shape)


REFUSED = {
    "no batch": (lambda x: ad.conv2d(x[0], kernel(1, 2, 2, 2)), "conv2d: images .*batch x.*expand_dims"),
    "kernels": (lambda x: ad.conv2d(x, kernel(2, 2)), r"conv2d: kernels are .*\(2, 2\)"),
    "channels": (lambda x: ad.conv2d(x, kernel(1, 3, 2, 2)), "conv2d: 2 channels do not fit 1 kernels of 3"),
    "groups": (
        lambda x: ad.conv2d(x, kernel(3, 1, 2, 2), groups=2),
        "conv2d: .*3 kernels .*2 groups.*multiple",
    ),
    "half a group": (lambda x: ad.conv2d(x, kernel(1, 2, 2, 2), groups=1.5), "groups is an integer .*1.5"),
    "bias": (lambda x: ad.conv2d(x, kernel(1, 2, 2, 2), np.ones(2)), r"conv2d: bias .*1 kernels.*\(2,\)"),
    "no step": (lambda x: ad.conv2d(x, kernel(1, 2, 2, 2), stride=0), "conv2d: stride is .*from 1 on.*not 0"),
    "three steps": (lambda x: ad.max_pool2d(x, (1, 2, 3)), r"max_pool2d: kernel_size .*\(1, 2, 3\)"),
    "padding": (
        lambda x: ad.conv2d(x, kernel(1, 2, 2, 2), padding="full"),
        'padding is "same", "valid".*full',
    ),
    "same, strided": (
        lambda x: ad.conv2d(x, kernel(1, 2, 2, 2), padding="same", stride=2),
        'conv2d: padding="same" goes with stride 1',
    ),
    "too large": (
        lambda x: ad.conv2d(x, kernel(1, 2, 5, 5)),
        "conv2d: a window of 5 .*length of 4.*padding=",
    ),
    "too large a pool": (lambda x: ad.avg_pool2d(x, 9), "avg_pool2d: a window of 9 does not fit"),
    "all padding": (
        lambda x: ad.max_pool2d(x, 2, padding=2),
        r"max_pool2d: padding \(2, 2\) is more than half",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_images_that_do_not_fit_are_refused_by_name(case):
    call, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        call(Tensor(np.zeros((1, 2, 4, 4))))
