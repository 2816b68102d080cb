"""How weights begin: `f(shape, rng, dtype=float)` returns an array.

For as many inputs as outputs, signals and gradients keep their size through a layer if its weights have the
variance 1 / fan-in; Glorot takes the average of fan-in and fan-out, He doubles it for ReLUs, which let half pass.
"""

from collections.abc import Callable
from math import prod, sqrt
from typing import Any

import numpy as np

from .. import Tensor
from .checks import check_generator, floating

Initialiser = Callable[..., Any]


def zeros(shape: tuple[int, ...], rng: Any = None, dtype: Any = float) -> Any:
    """Zeros.

    >>> zeros((2, 3)).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    return np.zeros(shape, dtype)


def normal(shape: tuple[int, ...], rng: Any, dtype: Any = float, *, std: float = 1.0) -> Any:
    """Normally distributed numbers with mean 0 and standard deviation `std`: `partial(normal, std=0.02)` sets it.

    >>> normal((1000,), np.random.default_rng(0), std=0.02).std().round(3)
    np.float64(0.02)
    """
    check_generator("normal", rng)
    return (std * rng.standard_normal(shape)).astype(dtype)


def glorot_uniform(shape: tuple[int, ...], rng: Any, dtype: Any = float) -> Any:
    """Uniform between -a and a, where a = sqrt(6 / (fan-in + fan-out)): Glorot and Bengio 2010, formula 16."""
    check_generator("glorot_uniform", rng)
    return uniform(sqrt(6 / sum(fans("glorot_uniform", shape))), shape, rng, dtype)


def glorot_normal(shape: tuple[int, ...], rng: Any, dtype: Any = float) -> Any:
    """Normal with variance 2 / (fan-in + fan-out): Glorot and Bengio 2010, formula 12."""
    check_generator("glorot_normal", rng)
    return normal(shape, rng, dtype, std=sqrt(2 / sum(fans("glorot_normal", shape))))


def he_uniform(shape: tuple[int, ...], rng: Any, dtype: Any = float) -> Any:
    """Uniform between -a and a, where a = sqrt(6 / fan-in), so that the variance is he_normal's.

    >>> weight = he_uniform((6, 1000), np.random.default_rng(0))
    >>> bool(0.99 < abs(weight).max() < 1)
    True
    """
    check_generator("he_uniform", rng)
    return uniform(sqrt(6 / fans("he_uniform", shape)[0]), shape, rng, dtype)


def he_normal(shape: tuple[int, ...], rng: Any, dtype: Any = float) -> Any:
    """Normal with variance 2 / fan-in: He, Zhang, Ren and Sun 2015, formula 10."""
    check_generator("he_normal", rng)
    return normal(shape, rng, dtype, std=sqrt(2 / fans("he_normal", shape)[0]))


def uniform(bound: float, shape: tuple[int, ...], rng: Any, dtype: Any) -> Any:
    """Numbers from -bound to bound, evenly distributed."""
    return rng.uniform(-bound, bound, shape).astype(dtype)


def fans(name: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """Fan-in and fan-out: how many inputs an output is the sum of, and how many outputs an input goes into.

    A matrix is (in, out); kernels are out x in x height x width, and each output sums a window.
    """
    if len(shape) == 2 and all(shape):
        return shape[0], shape[1]
    if len(shape) == 4 and all(shape):
        window = prod(shape[2:])
        return shape[1] * window, shape[0] * window
    raise ValueError(
        f"{name}: weights are (in, out) or out x in x height x width, not of shape {shape}; "
        "for others choose the spread yourself: partial(normal, std=...)"
    )


def parameter(layer: str, shape: tuple[int, ...], init: Initialiser, rng: Any, dtype: Any) -> Tensor:
    """A new leaf of `shape`, as `init` begins it."""
    check_generator(layer, rng)
    array = np.asarray(init(shape, rng, floating(layer, dtype)), dtype)
    if array.shape != shape:
        raise ValueError(
            f"{layer}: init returned shape {array.shape}, not {shape}; an initialiser is f(shape, rng, dtype) -> array"
        )
    return Tensor(array)
