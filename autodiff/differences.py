"""Derivatives from values alone: extrapolated central differences, and the complex step."""

import warnings
from collections.abc import Callable, Sequence
from itertools import count, pairwise
from typing import Any, NamedTuple

import numpy as np

from .tensor import Tensor
from .trees import leaves_of, map_leaves

# Steps 2**-5, 2**-7, ... 2**-31: short enough for a kink nearby, long enough to rise above rounding.
STEPS = tuple(2.0**-k for k in range(5, 32, 2))
# A kink farther away than the first of these does not disturb the shorter steps above.
KINK_STEPS = tuple(2.0**-k for k in range(13, 24, 2))
# A share of the derivative below which errors may be noise; a kink beside the point makes larger ones.
NOISE_MATTERS = 1e-5
# Beyond this share of a derivative, the differences themselves are in doubt.
DOUBTFUL = 1e-3


class Slope(NamedTuple):
    """A derivative, an estimate of its error, and how steep the longest step's secant is."""

    value: float
    error: float
    secant: float


def slope(phi: Callable[[float], Any], rounding: float, goal: float = 0.0, patient: bool = False) -> Slope:
    """The derivative at 0 of the sum of `phi`, an array-valued function of one number.

    Central differences with shorter and shorter steps, extrapolated to step 0 by Richardson's rule
    (Romberg's table); of all entries that counts which differs least from its neighbours, rounding
    included. `rounding` is the least error of phi's values. The steps end where the error falls below
    `goal` times the derivative, or grows again; if `patient` they go on, because only the
    shortest may stay clear of a kink beside the point.

    >>> found = slope(lambda t: np.array([np.exp(2 * t)]), 2.0**-52)
    >>> bool(abs(found.value - 2) < 1e-12 and found.error < 1e-10)
    True
    """
    value, error, secant = np.nan, np.inf, 0.0
    above: list[float] = []
    with np.errstate(all="ignore"):
        for step in STEPS:
            change = phi(step) - phi(-step)
            row = [change.sum() / (2 * step)]
            secant = secant or float(np.abs(change).sum() / step)
            least = np.inf
            for j, coarser in enumerate(above):
                row.append(row[-1] + (row[-1] - coarser) / (16 ** (j + 1) - 1))
                doubt = max(abs(row[-1] - row[-2]), abs(row[-1] - coarser)) + 4 * rounding / step
                least = min(least, doubt)
                if doubt < error:
                    value, error = float(row[-1]), float(doubt)
            above = row
            # Noise, once it sets in, doubles with every step, and entries come to agree by chance.
            grows = error <= NOISE_MATTERS * abs(value) and least > 2 * error
            if error <= goal * abs(value) or (grows and not patient):
                break
    return Slope(value, error, secant if np.isfinite(secant) else 0.0)


def is_kink(phi: Callable[[float], Any], value: float, rounding: float) -> bool:
    """Whether phi's slopes on both sides of 0 stay apart as the step shrinks, as a smooth function's do not.

    >>> is_kink(lambda t: np.array([np.abs(t)]), 0.0, 0.0), is_kink(lambda t: np.array([t * t]), 0.0, 0.0)
    (True, False)
    """
    middle = phi(0.0)
    with np.errstate(all="ignore"):
        apart = [
            float(abs((phi(step) - 2 * middle + phi(-step)).sum() / step)) - 100 * rounding / step
            for step in KINK_STEPS
        ]
    return any(closer > DOUBTFUL * abs(value) and closer > wider / 2 > 0 for wider, closer in pairwise(apart))


class Line:
    """f's outputs times the weights `us` along a line: `line(t)` at the input number `place` plus t * v.

    It computes in float64, or in longdouble where an input is. `size`: how large the numbers are that f's
    outputs are the sum of.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        place: int,
        v: Any,
        us: Sequence[Any],
        size: float,
    ) -> None:
        self.f, self.place, self.v, self.us, self.size = f, place, v, us, size
        self.args = map_leaves(lambda x: x.astype(np.promote_types(x.dtype, np.float64)), args)
        self.precision = float(np.finfo(leaves_of(self.args)[place].dtype).eps)
        self.dtype = np.result_type(np.float64, *leaves_of(self.args))

    def __call__(self, t: complex, f: Callable[..., Any] | None = None) -> Any:
        counter = count()
        moved = map_leaves(lambda x: x + t * self.v if next(counter) == self.place else x, self.args)
        with np.errstate(all="ignore"):
            outputs = leaves_of((f or self.f)(*moved))
            parts = [np.ravel(u * numbers_in(y)) for u, y in zip(self.us, outputs, strict=True)]
        return np.concatenate([np.zeros(1), *parts])

    def slope(self, goal: float = 0.0, patient: bool = False) -> Slope:
        """The derivative at 0, to the relative precision `goal` if that is to be had."""
        return slope(self, self.precision * self.size, goal, patient)

    def has_kink(self, value: float) -> bool:
        """Whether there is no derivative at 0, where differences gave `value`."""
        return is_kink(self, value, self.precision * self.size)

    def refined(self, rough: Slope, f: Callable[..., Any]) -> Slope:
        """The complex step's number instead of `rough`, where the differences back it.

        A function of complex numbers that is not analytic (abs) gives a wrong one without a word. So
        the distance between the two numbers says how far off either may be.
        """
        exact = self.complex_step(f)
        if exact is None or not abs(exact - rough.value) <= rough.error <= DOUBTFUL * abs(exact):
            return rough
        return rough._replace(
            value=exact, error=2 * abs(exact - rough.value) + 8 * self.precision * abs(exact)
        )

    def complex_step(self, f: Callable[..., Any]) -> float | None:
        """The derivative at 0 as Im line(i h) / h: no difference, so no rounding.

        None where f refuses complex arrays, or returns other values than at real ones.
        """
        step = 2.0**-70
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # a cast that drops the imaginary part warns
                moved, still = self(1j * step, f).sum(), self(0.0, f).sum()
        except Exception:  # whatever f says: it is no function of complex arrays
            return None
        backed = np.isclose(moved.real, still.real, rtol=1e-12, atol=0.0)
        return float(moved.imag / step) if backed else None


def numbers_in(x: Any) -> Any:
    """The numbers in an output: an array."""
    return x.value if isinstance(x, Tensor) else np.asarray(x, None if hasattr(x, "dtype") else float)


def signs(shape: tuple[int, ...], random: "np.random.Generator") -> Any:
    """Numbers between 1/2 and 3/2 in size, of either sign, which float16 can hold exactly."""
    return random.choice([-1.0, 1.0], shape) * random.integers(8, 25, shape) / 16


def weights(output: Any, random: "np.random.Generator") -> Any:
    """Random numbers like an output."""
    dtype = output.dtype if output.dtype.kind == "f" else np.float64
    return signs(output.shape, random).astype(dtype)[()]


def direction(x: Any, random: "np.random.Generator") -> Any:
    """A random direction for x, longer where x is large."""
    size = np.abs(x)
    length = np.exp2(np.floor(np.log2(np.where(np.isfinite(size) & (size > 1), size, 1))))
    return (signs(x.shape, random) * np.minimum(length, np.finfo(x.dtype).max / 4)).astype(x.dtype)[()]
