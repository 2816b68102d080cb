"""Elementary functions of Decimals, to any number of digits.

Python's own exp and ln of a Decimal take a millisecond at 350 digits; these, on the fixed-point integers of
Python, a fifth of it. What they lack, trigonometric and special functions, mpmath has.
"""

import math
from contextlib import AbstractContextManager
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, getcontext, localcontext
from functools import lru_cache
from typing import Any

ZERO, HALF, ONE, TWO = Decimal(0), Decimal("0.5"), Decimal(1), Decimal(2)
NAN, INFINITY = Decimal("NaN"), Decimal("Infinity")
GUARD = 10  # digits beyond those asked for, in the functions below
BEYOND = 17  # exp of a number with more digits before its point is 0 or infinite here


def digits(precision: int) -> AbstractContextManager[Any]:
    """A block in which numbers have `precision` digits, and overflow to infinity or NaN instead of raising."""
    return localcontext(Context(prec=precision, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[]))


@lru_cache(maxsize=32)
def arctanh_of_one_over(n: int, bits: int) -> int:
    """arctanh(1 / n) times 2**bits, by its series."""
    power = (1 << bits) // n
    total, k = power, 1
    while power:
        power //= n * n
        k += 2
        total += power // k
    return total


def ln2(bits: int) -> int:
    """log(2) times 2**bits."""
    return 2 * arctanh_of_one_over(3, bits)


def exp_of(x: Decimal) -> Decimal:
    """e to the power x: x less a multiple of log(2) is halved until the series is short.

    >>> with digits(30):
    ...     print(exp_of(Decimal(1)))
    2.71828182845904523536028747135
    """
    if not x.is_finite() or x.adjusted() > BEYOND:
        return x if x.is_nan() or (x > 0 and x.is_infinite()) else INFINITY if x > 0 else ZERO
    precision = getcontext().prec
    if x.adjusted() < -precision:
        return ONE + x
    halvings = math.isqrt(precision)
    bits = int(3.33 * (precision + GUARD)) + 2 * halvings + 4 * max(0, x.adjusted() + 1)
    with digits(precision + GUARD + int(0.302 * bits) + max(0, x.adjusted())):
        fixed = int(x * (1 << bits))
    twos, rest = divmod(fixed, ln2(bits))
    rest >>= halvings
    term = total = 1 << bits
    n = 0
    while term:
        n += 1
        term = (term * rest >> bits) // n
        total += term
    for _ in range(halvings):
        total = total * total >> bits
    return Decimal(total) * TWO ** (twos - bits)


def log_of(x: Decimal) -> Decimal:
    """The natural logarithm, by Halley's iteration, each step of which triples the digits.

    >>> with digits(30):
    ...     print(log_of(Decimal(10)))
    2.30258509299404568401799145468
    """
    if not (x.is_finite() and x > 0):
        return -INFINITY if x == 0 else x if x > 0 else NAN
    place = x.adjusted()
    precision = getcontext().prec - min(0, (x - 1).adjusted())  # near 1 the logarithm is small
    with digits(precision + GUARD):
        mantissa = x.scaleb(-place)  # from 1 to 10
        y, known = Decimal(math.log(float(mantissa))), 15
        while known < precision + GUARD:
            known *= 3
            with digits(min(known, precision + GUARD) + GUARD):
                e = exp_of(y)
                y += 2 * (mantissa - e) / (mantissa + e)
        bits = int(3.33 * (precision + GUARD)) + 64
        tens = Decimal(3 * ln2(bits) + 2 * arctanh_of_one_over(9, bits)) * TWO**-bits
        total = y + place * tens
    return +total


def log1p_of(x: Decimal) -> Decimal:
    """log(1 + x), of a small x to as many digits as of a large one."""
    precision = getcontext().prec
    if x.is_finite() and x.adjusted() < -precision:
        return x
    with digits(precision + (max(0, -x.adjusted()) if x.is_finite() else 0)):
        y = log_of(1 + x)
    return +y


def expm1_of(x: Decimal) -> Decimal:
    """exp(x) - 1, of a small x to as many digits as of a large one."""
    precision = getcontext().prec
    if x.is_finite() and x.adjusted() < -precision:
        return x
    with digits(precision + (max(0, -x.adjusted()) if x.is_finite() else 0)):
        y = exp_of(x) - 1
    return +y


def by_mpmath(name: str, place: int | None, *inputs: Decimal) -> Decimal:
    """mpmath's function `name`, or with `place` its derivative by that input."""
    import mpmath

    with mpmath.workdps(getcontext().prec + GUARD):
        function = getattr(mpmath, name)
        numbers = [mpmath.mpf(str(x)) for x in inputs]
        if place is None:
            found = function(*numbers)
        else:
            found = mpmath.diff(function, tuple(numbers), tuple(int(k == place) for k in range(len(numbers))))
        return +Decimal(mpmath.nstr(found, getcontext().prec + GUARD, min_fixed=0, max_fixed=0))
