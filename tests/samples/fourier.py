"""Samples of the Fourier transforms: the two ops, and the public functions by both of their parts."""

import numpy as np

import autodiff as ad

from .base import apart, sample

for n in [4, 5]:
    sample("spectrum", apart(2, n))
    sample("signal", apart(2, 2, n // 2 + 1), n=n)
sample("spectrum", apart(1))
sample("signal", apart(2, 1), n=1)


def joined(x, **options):
    return np.stack(ad.rfft(x, **options))


sample("ad.rfft", apart(2, 4), call=joined, norm="ortho")
sample("ad.rfft", apart(3, 2), call=joined, axis=0, n=4, norm="forward")
sample("ad.rfft", apart(5), call=joined, n=3)
signal = lambda real, imag, **options: ad.irfft((real, imag), **options)
sample("ad.irfft", apart(2, 3), apart(2, 3, seed=1), call=signal, norm="ortho")
sample("ad.irfft", apart(3, 2), apart(3, 2, seed=1), call=signal, axis=0, n=3, norm="forward")
sample("ad.irfft", apart(2), apart(2, seed=1), call=signal, n=5)
for op in ["np.fft.fftshift", "np.fft.ifftshift"]:
    sample(op, apart(2, 3))
    sample(op, apart(2, 3), axes=-1)
