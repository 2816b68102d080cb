"""What layers ask of what they are handed."""

from typing import Any

import numpy as np

from .. import Tensor


def floating(layer: str, dtype: Any) -> Any:
    """`dtype`, which is one of floating-point numbers."""
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"{layer}: parameters are floating-point numbers, not {np.dtype(dtype)}")
    return dtype


def check_size(layer: str, what: str, size: Any) -> None:
    """Raise unless `size` is an integer from 1 on."""
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"{layer}: {what} is an integer from 1 on, not {size!r}")


def misfit(layer: str, x: Any, weight: Any, expected: str) -> ValueError:
    """The error for an input that does not fit a layer's weight."""
    return ValueError(f"{layer}: x of shape {np.shape(x)} does not fit {titled(weight)}; x is {expected}")


def titled(weight: Any) -> str:
    """A weight in words, with its name in the model if it is a Tensor."""
    name = repr(weight.name) if isinstance(weight, Tensor) and weight.name else "a weight"
    return f"{name} of shape {weight.shape}"


def check_generator(name: str, rng: Any) -> None:
    """Raise unless `rng` is a random generator."""
    if not isinstance(rng, np.random.Generator):
        seed = rng if isinstance(rng, int | np.integer) else 0
        raise TypeError(
            f"{name}: rng is a numpy.random.Generator, not {rng!r:.40}; "
            f"make one, once, by np.random.default_rng({seed}) and hand it to every layer"
        )
