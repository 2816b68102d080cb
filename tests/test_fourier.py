"""Fourier's transforms as pairs of real arrays: equal to NumPy's complex ones, inverse and adjoint to each other."""

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor

NORMS = [None, "backward", "ortho", "forward"]
LENGTHS = [1, 2, 3, 4, 5, 8]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("n", [None, 1, 2, 3, 4, 7])
@pytest.mark.parametrize("axis", [0, -1])
def test_both_transforms_are_numpys(norm, length, n, axis, rng):
    shape = (length, 2) if axis == 0 else (2, length)
    x = rng.normal(size=shape)
    for handed in (x, Tensor(x)):
        real, imag = ad.rfft(handed, n, axis, norm)
        expected = np.fft.rfft(x, n, axis, norm)
        np.testing.assert_allclose(getattr(real, "value", real), expected.real, atol=1e-14)
        np.testing.assert_allclose(getattr(imag, "value", imag), expected.imag, atol=1e-14)
    z = x + 1j * rng.normal(size=shape)
    if length == 1 and n is None:
        return
    expected = np.fft.irfft(z, n, axis, norm)
    np.testing.assert_allclose(ad.irfft((z.real, z.imag), n, axis, norm), expected, atol=1e-14)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", LENGTHS)
def test_there_and_back_the_gradient_is_unchanged(norm, n, rng):
    x, weights = rng.normal(size=(2, 3, n))
    round_trip = lambda x: (weights * ad.irfft(ad.rfft(x, norm=norm), n, norm=norm)).sum()
    np.testing.assert_allclose(ad.grad(round_trip)(x), weights, atol=1e-14)


@pytest.mark.parametrize("n", LENGTHS)
def test_the_energy_is_that_of_the_spectrum(n, rng):
    x = rng.normal(size=n)

    def energy(x):
        real, imag = ad.rfft(x, norm="ortho")
        power = real**2 + imag**2
        ends = power[0] + (power[-1] if n % 2 == 0 else 0.0)
        return 2 * power.sum() - ends

    np.testing.assert_allclose(energy(x), (x * x).sum())
    np.testing.assert_allclose(ad.grad(energy)(x), 2 * x, atol=1e-14)
    np.testing.assert_allclose(ad.hessian(energy)(x), 2 * np.eye(n), atol=1e-14)


@pytest.mark.parametrize("name", ["fft", "rfft", "irfft", "fft2", "rfftn", "hfft"])
def test_a_complex_transform_is_refused_with_the_way_out(name):
    with pytest.raises(TypeError, match=rf"np\.fft\.{name}: .*ad\.rfft.*t\.data"):
        getattr(np.fft, name)(Tensor(np.ones((2, 3))))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ad.rfft(x, 0), "rfft: .*not 0"),
        (lambda x: ad.irfft((x, x), 0), "irfft: .*not 0"),
        (lambda x: ad.irfft((x[:1], x[:1])), "irfft: .*not 0"),
        (lambda x: ad.irfft((x, x, x)), "irfft: .*not 3"),
        (lambda x: ad.rfft(x, norm="unitary"), "norm is one of 'backward'"),
    ],
)
def test_what_is_no_signal_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(Tensor(np.ones(3)))


def test_a_shift_may_go_twice_along_an_axis_and_needs_one():
    x = np.arange(10.0).reshape(2, 5)
    for shift in (np.fft.fftshift, np.fft.ifftshift):
        np.testing.assert_array_equal(shift(Tensor(x), (1, -1, 0)).data, shift(x, (1, -1, 0)), strict=True)
        with pytest.raises(ValueError, match="fftshift: a single number has no axis"):
            shift(Tensor(1.0))
        with pytest.raises(ValueError, match="fftshift: axis 2 is out of bounds"):
            shift(Tensor(x), 2)
