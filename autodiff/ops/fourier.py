"""Fourier's transform of real signals, its result as a pair of real arrays, for the engine is real.

NumPy's own rfft of a Tensor would be complex, and is refused by name. The transform's adjoint is its
inverse but for weights: of the frequencies in a real signal's spectrum, all but the first, and of an even
length the last, stand for two.
"""

import numpy as np

from ..primitive import implements, primitive
from ..tensor import Tensor
from .axes import as_tuple
from .refusals import place_of, refuse

NORMS = ("backward", "ortho", "forward")


def weights(n, dtype):
    """For how many frequencies of a signal of length `n` each of its real spectrum stands."""
    bins = n // 2 + 1
    counts = np.full(bins, 2, dtype)
    counts[0] = 1
    if n % 2 == 0:
        counts[-1] = 1
    return counts


@primitive()
def _spectrum(x, /):
    # Along the last axis; real parts and imaginary parts in a first axis.
    n = x.shape[-1]
    z = np.fft.rfft(x)
    return (
        np.stack([z.real, z.imag]).astype(x.dtype, copy=False),
        lambda g, y, x: _signal(g / weights(n, g.dtype), n) * n,
    )


@primitive()
def _signal(z, /, n):
    x = np.fft.irfft(z[0] + 1j * z[1], n)
    return x.astype(z.dtype, copy=False), lambda g, y, z: _spectrum(g) * (weights(n, g.dtype) / n)


def scale(norm, n, inverse, dtype):
    """The factor that `norm` asks for, of the transform or of its inverse."""
    if norm not in (None, *NORMS):
        raise ValueError(f"rfft: norm is one of {', '.join(map(repr, NORMS))}, not {norm!r}")
    power = {"ortho": 0.5, "forward": 1}.get(norm, 0)
    return dtype.type(n) ** dtype.type(power if inverse else -power)


def fitted(x, n, axis):
    """`x` cut, or filled up with zeros, to the length `n` along `axis`, which becomes the last."""
    x = np.moveaxis(x, axis, -1)
    length = x.shape[-1]
    if length < n:
        return np.concatenate([x, np.zeros((*x.shape[:-1], n - length), x.dtype)], axis=-1)
    return x if length == n else x[..., :n]


def rfft(x, n=None, axis=-1, norm=None):
    """`(real, imag)`: the discrete Fourier transform of a real signal, up to half the sampling frequency.

    As np.fft.rfft, in two real arrays of length n // 2 + 1 along `axis`: `n` cuts the signal or fills it up
    with zeros; `norm` is "backward" (None), "ortho" or "forward". Tensors in give Tensors out, at every order.

    >>> real, imag = rfft(np.array([1.0, 2.0, 0.0, 0.0]))
    >>> real.tolist(), imag.tolist()
    ([3.0, 1.0, -1.0], [0.0, -2.0, 0.0])
    """
    x = floating(x)
    (axis,) = as_tuple(axis, len(x.shape))
    n = checked("rfft", x.shape[axis] if n is None else n)
    both = _spectrum(fitted(x, n, axis))
    factor = scale(norm, n, inverse=False, dtype=both.dtype)
    both = both if factor == 1 else both * factor
    return np.moveaxis(both[0], -1, axis), np.moveaxis(both[1], -1, axis)


def irfft(z, n=None, axis=-1, norm=None):
    """The real signal of length `n` whose transform is the pair `z` = (real, imag): rfft's inverse.

    As np.fft.irfft: n is 2 * (m - 1) for m frequencies unless it is given, as an odd length must be. The
    imaginary part of the first frequency, and of the last for an even n, has no effect.

    >>> irfft(rfft(np.array([1.0, 2.0, 4.0])), n=3).tolist()
    [1.0, 2.0, 4.0]
    """
    if len(z) != 2:
        raise ValueError(f"irfft: takes a pair (real, imag), not {len(z)} arrays")
    both = np.stack([floating(part) for part in z])
    (axis,) = as_tuple(axis, len(both.shape) - 1)
    n = checked("irfft", 2 * (both.shape[axis + 1] - 1) if n is None else n)
    x = _signal(fitted(both, n // 2 + 1, axis + 1), n)
    factor = scale(norm, n, inverse=True, dtype=x.dtype)
    return np.moveaxis(x if factor == 1 else x * factor, -1, axis)


def floating(x):
    """A Tensor, or an array of floating-point numbers."""
    if isinstance(x, Tensor):
        return x
    x = np.asarray(x)
    return x.astype(np.float64) if x.dtype.kind in "biu" else x


def checked(name, n):
    """The length `n` of a signal."""
    if n < 1:
        raise ValueError(f"{name}: a signal has at least one element, not {n}")
    return n


def _axes(name, axes, ndim):
    """`axes` from 0 on, of which one may be named twice; None means all."""
    if not ndim:
        raise ValueError(f"{name}: a single number has no axis to shift along")
    axes = range(ndim) if axes is None else np.atleast_1d(axes).tolist()
    return tuple([place_of(name, axis, ndim) for axis in axes])


@implements(np.fft.fftshift)
def fftshift(x, axes=None):
    """The spectrum with frequency 0 in its middle."""
    axes = _axes("fftshift", axes, len(x.shape))
    return np.roll(x, [x.shape[axis] // 2 for axis in axes], axes)


@implements(np.fft.ifftshift)
def ifftshift(x, axes=None):
    """The spectrum with frequency 0 first again: fftshift undone."""
    axes = _axes("ifftshift", axes, len(x.shape))
    return np.roll(x, [-(x.shape[axis] // 2) for axis in axes], axes)


for _name in (
    *("fft", "ifft", "fft2", "ifft2", "fftn", "ifftn", "rfft", "irfft"),
    *("rfft2", "irfft2", "rfftn", "irfftn", "hfft", "ihfft"),
):
    refuse(
        getattr(np.fft, _name),
        "complex numbers have no derivatives here; ad.rfft(x) gives (real, imag) of a real signal, "
        "ad.irfft((real, imag), n) the signal, or leave the graph with t.data",
    )
