"""Numbers of as many digits as are asked for, each of which remembers how it was computed.

The truth that rounded results are measured against. It shares no rule with the ops that it judges: its own
derivatives are those of a score of functions of one or two numbers (elementary.py), and every sum is
carried out to the last digit.
"""

from collections.abc import Iterable
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar

import numpy as np

from .decimals import INFINITY, NAN, ONE, ZERO, digits, exp_of, log_of

next_age = count().__next__


class Number:
    """A Decimal, what it was computed from, and its slope by each of these; a constant has parents None.

    >>> x = Number(Decimal(3), ())
    >>> y = x * x + 1
    >>> print(y.value, slopes_at([(y, ONE)])[x])
    10 6
    """

    __slots__ = ("age", "parents", "slopes", "value")

    leaks: ClassVar[int] = 0  # how often a number was made a float, which forgets where it came from

    def __init__(
        self,
        value: Decimal,
        parents: "tuple[Number, ...] | None" = None,
        slopes: tuple[Decimal, ...] = (),
    ) -> None:
        self.value = value
        self.parents = parents
        self.slopes = slopes
        self.age = next_age() if parents is not None else 0

    def __add__(self, other: Any) -> "Number":
        b = number(other)
        return made(self.value + b.value, (self, b), (ONE, ONE))

    def __sub__(self, other: Any) -> "Number":
        b = number(other)
        return made(self.value - b.value, (self, b), (ONE, -ONE))

    def __mul__(self, other: Any) -> "Number":
        b = number(other)
        return made(self.value * b.value, (self, b), (b.value, self.value))

    def __truediv__(self, other: Any) -> "Number":
        b = number(other)
        share = ONE / b.value
        y = self.value / b.value
        return made(y, (self, b), (share, -y * share))

    def __pow__(self, other: Any) -> "Number":
        b = number(other)
        a, power = self.value, b.value
        if power == power.to_integral_value() and abs(power) < 2**31:
            n = int(power)
            y, slope = a**n if n else ONE, n * a ** (n - 1) if n not in (0, 1) else Decimal(n)
        else:
            y = exp_of(power * log_of(a)) if a > 0 else ZERO if a == 0 and power > 0 else NAN
            slope = power * y / a if a else power * INFINITY if power < 1 else ZERO
        along = (y * log_of(a) if a else ZERO) if b.parents is not None else ZERO
        return made(y, (self, b), (slope, along))

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: Any) -> "Number":
        return number(other) - self

    def __rtruediv__(self, other: Any) -> "Number":
        return number(other) / self

    def __rpow__(self, other: Any) -> "Number":
        return number(other) ** self

    def __neg__(self) -> "Number":
        return made(-self.value, (self,), (-ONE,))

    def __pos__(self) -> "Number":
        return self

    def conjugate(self) -> "Number":
        """Itself, for NumPy's sake."""
        return self

    def __abs__(self) -> "Number":
        sign = ONE if self.value > 0 else -ONE if self.value < 0 else ZERO
        return made(abs(self.value), (self,), (sign,))

    def __eq__(self, other: object) -> bool:
        return self.value == number(other).value

    def __lt__(self, other: Any) -> bool:
        return self.value < number(other).value

    def __le__(self, other: Any) -> bool:
        return self.value <= number(other).value

    def __gt__(self, other: Any) -> bool:
        return self.value > number(other).value

    def __ge__(self, other: Any) -> bool:
        return self.value >= number(other).value

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return bool(self.value)

    def __float__(self) -> float:
        Number.leaks += self.parents is not None
        return float(self.value)


def decimal(x: Any) -> Decimal:
    """A binary number as a Decimal, without rounding."""
    if isinstance(x, np.longdouble):
        with np.errstate(all="ignore"):
            high = float(x)
            low = float(x - np.longdouble(high)) if np.isfinite(x) else 0.0
        if high + low == x or not np.isfinite(x):
            with digits(2_000):
                return Decimal(high) + Decimal(low)
        over, under = x.as_integer_ratio()  # of numbers beyond float64
        with digits(20_000):
            return Decimal(over) / Decimal(under)
    return Decimal(float(x)) if isinstance(x, float | np.floating) else Decimal(int(x))


def number(x: Any) -> Number:
    """`x` as a Number: a binary one is a constant."""
    return x if isinstance(x, Number) else Number(x if isinstance(x, Decimal) else decimal(x))


def made(value: Decimal, parents: tuple[Number, ...], slopes: tuple[Decimal, ...]) -> Number:
    """What a function of `parents` returns; a constant where all of them are."""
    for parent in parents:
        if parent.parents is not None:
            return Number(value, parents, slopes)
    return Number(value)


def slopes_at(seeds: Iterable[tuple[Number, Decimal]]) -> dict[Number, Decimal]:
    """The gradient, by every number behind `seeds`, of the sum of these numbers times their factors."""
    gradient: dict[Number, Decimal] = {}
    for end, factor in seeds:
        gradient[end] = gradient.get(end, ZERO) + factor
    order, stack = [], list(gradient)
    seen = set(stack)
    while stack:
        here = stack.pop()
        order.append(here)
        for parent in here.parents or ():
            if parent.parents is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    order.sort(key=lambda number: number.age, reverse=True)
    for here in order:
        arriving = gradient.get(here)
        if arriving:  # a zero stays one, whatever the slope: what was not selected has none
            for parent, slope in zip(here.parents or (), here.slopes, strict=True):
                if parent.parents is not None and slope:
                    gradient[parent] = gradient.get(parent, ZERO) + arriving * slope
    return gradient
