"""What optimizers, schedules and clipping are handed, checked."""

import math
from numbers import Real
from typing import Any

import numpy as np

from .. import Tensor
from ..parameters import named_parameters


def leaves(parameters: Any, what: str) -> dict[str, Tensor]:
    """The Tensors of a nested dict or list, or the one Tensor, by name, each once; `what` asks for them."""
    named = named_parameters([parameters] if isinstance(parameters, Tensor) else parameters)
    names: dict[Tensor, str] = {}
    for name, p in named.items():
        if not isinstance(p, Tensor):
            where = f" at {name!r}" if name else ""
            raise TypeError(
                f"{what}: takes Tensors, not {type(p).__name__}{where}; hand it model.parameters(), "
                "a dict or list of Tensors, or one Tensor"
            )
        if p.op != "leaf":
            raise TypeError(
                f"{what}: {name!r} was computed, by {p.op}; only leaves, as Tensor(array), are parameters"
            )
        names.setdefault(p, name)
    if not names:
        raise ValueError(f"{what}: there are no parameters")
    return {name: p for p, name in names.items()}


def number(value: Any, what: str, below: float = math.inf) -> float:
    """`value` as a Python float, if it is a number from 0 to `below`."""
    if not isinstance(value, Real):
        raise TypeError(f"{what} is a number, not {type(value).__name__}")
    if not 0 <= float(value) < below:
        upper = "finite" if below == math.inf else f"below {below:g}"
        raise ValueError(f"{what} is {value}; it must be 0 or more, and {upper}")
    return float(value)


def count(value: int, what: str) -> int:
    """`value`, if it is a whole number of 1 or more."""
    if not isinstance(value, Real) or value % 1 or value < 1:  # NaN % 1 is NaN, and so is infinity's
        raise ValueError(f"{what} is {value!r}; it must be a whole number, 1 or more")
    return int(value)


def working(array: Any, least: Any = np.float32) -> Any:
    """`array` in the dtype that is computed in: its own, or `least` if that is wider.

    Steps of float16 take float32, since in float16 the square of a gradient below 2e-4 is 0, and so is Adam's
    eps.
    """
    return np.asarray(array, np.result_type(array, least))
