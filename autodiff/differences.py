"""Derivatives from values alone: extrapolated central differences, and the complex step."""

import warnings
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from .trees import leaves_of, map_leaves

# Steps 2**-5, 2**-7, ... 2**-31: short enough for a kink nearby, long enough to rise above rounding.
STEPS = tuple(2.0**-k for k in range(5, 32, 2))
KINK_STEP = 2.0**-19


class Slope(NamedTuple):
    """A derivative, an estimate of its error, and whether the two sides disagree, as at a kink."""

    value: float
    error: float
    kinked: bool


def slope(phi: Callable[[float], Any], precision: float, goal: float = 0.0) -> Slope:
    """The derivative at 0 of the sum of `phi`, an array-valued function of one number.

    Central differences with shorter and shorter steps, extrapolated to step 0 by Richardson's rule
    (Romberg's table); of all entries that counts which differs least from its neighbours, rounding
    included. `precision` is that of phi's values. The steps end where the error falls below
    `goal` times the derivative.

    >>> found = slope(lambda t: np.array([np.exp(2 * t)]), 2.0**-52)
    >>> bool(abs(found.value - 2) < 1e-12 and found.error < 1e-10 and not found.kinked)
    True
    """
    middle = phi(0.0)
    size = float(np.abs(middle).sum())
    value, error = np.nan, np.inf
    jumps: list[float] = []
    above: list[float] = []
    with np.errstate(all="ignore"):
        for step in STEPS:
            right, left = phi(step), phi(-step)
            row = [((right - left) / (2 * step)).sum()]
            rounding = 4 * precision * (size + abs(row[0])) / step
            for j, coarser in enumerate(above):
                row.append(row[-1] + (row[-1] - coarser) / (16 ** (j + 1) - 1))
                doubt = max(abs(row[-1] - row[-2]), abs(row[-1] - coarser)) + rounding
                if doubt < error:
                    value, error = float(row[-1]), float(doubt)
            above = row
            if abs(error) <= goal * abs(value):
                break
            if step <= KINK_STEP:
                jumps.append(float(np.abs(((right - middle) - (middle - left)).sum()) / step))
    return Slope(value, error, is_kink(jumps, value))


def is_kink(jumps: Sequence[float], value: float) -> bool:
    """Whether one-sided slopes keep their distance as the step shrinks: a smooth function's falls fourfold."""
    if len(jumps) < 2:
        return False
    return jumps[0] > 1e-3 * abs(value) and 0.5 < jumps[1] / jumps[0] < 2


def complex_step(
    f: Callable[..., Any], args: tuple[Any, ...], place: int, v: Any, weights: Sequence[Any]
) -> float | None:
    """The derivative along v at the input number `place`, as Im f(x + i h v) / h, where f takes complex arrays.

    It has no difference, so no rounding, but holds for analytic f alone: check it. None where f
    refuses, or returns other values than at x.
    """
    step = 2.0**-70

    def total(width: float) -> Any:
        counter = count()
        moved = map_leaves(lambda x: x + 1j * width * v if next(counter) == place else x, args)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error")  # a cast that drops the imaginary part warns
            outputs = leaves_of(f(*moved))
        return sum((w * np.asarray(y)).sum() for w, y in zip(weights, outputs, strict=True))

    try:
        moved, still = complex(total(step)), complex(total(0.0))
    except Exception:
        return None  # not a function of complex arrays, whatever it says
    if not np.isclose(moved.real, still.real, rtol=1e-12, atol=0.0):
        return None
    return moved.imag / step
