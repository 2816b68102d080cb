"""Functions of exact numbers, by the names of NumPy's and SciPy's, each with its slope."""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .decimals import HALF, NAN, ONE, ZERO, by_mpmath, exp_of, expm1_of, log1p_of, log_of
from .exact import Number, made, number


def exp(x: Number) -> Number:
    y = exp_of(x.value)
    return made(y, (x,), (y,))


def log(x: Number) -> Number:
    return made(log_of(x.value), (x,), (ONE / x.value,))


def log1p(x: Number) -> Number:
    return made(log1p_of(x.value), (x,), (ONE / (1 + x.value),))


def expm1(x: Number) -> Number:
    return made(expm1_of(x.value), (x,), (exp_of(x.value),))


def sqrt(x: Number) -> Number:
    y = x.value.sqrt() if x.value >= 0 else NAN
    return made(y, (x,), (HALF / y,))


def cbrt(x: Number) -> Number:
    third: Number = abs(x) ** (number(1) / 3)
    return third if x.value >= 0 else -third


def sigmoid(x: Number) -> Number:
    """1 / (1 + exp(-x)), and its slope, without infinities."""
    e = exp_of(-abs(x.value))
    return made((ONE if x.value >= 0 else e) / (1 + e), (x,), (e / ((1 + e) * (1 + e)),))


def softplus(x: Number) -> Number:
    y = max(x.value, ZERO) + log1p_of(exp_of(-abs(x.value)))
    return made(y, (x,), (sigmoid(x).value,))


def tanh(x: Number) -> Number:
    m = expm1_of(-2 * abs(x.value))
    y = -m / (m + 2)
    return made(y if x.value >= 0 else -y, (x,), (4 * (m + 1) / ((m + 2) * (m + 2)),))


def maximum(a: Any, b: Any) -> Number:
    return extreme([number(a), number(b)], max)


def minimum(a: Any, b: Any) -> Number:
    return extreme([number(a), number(b)], min)


def extreme(elements: list[Number], choose: Callable[[list[Decimal]], Decimal]) -> Number:
    """The largest or the smallest of several, whose ties share the slope, as they do everywhere here."""
    values = [element.value for element in elements]
    best = NAN if any(value.is_nan() for value in values) else choose(values)
    tied = tuple(element for element in elements if element.value == best)
    return made(best, tied, (ONE / len(tied),) * len(tied)) if tied else Number(best)


def clip(x: Any, low: Any, high: Any) -> Number:
    x, low, high = number(x), number(low), number(high)
    return high if max(x, low) > high else low if x < low else x  # type: ignore[no-any-return]


def sign(x: Number) -> Number:
    return Number(ONE if x.value > 0 else -ONE if x.value < 0 else x.value)


def relu(x: Number) -> Number:
    return x if x.value > 0 else Number(ZERO)


def from_mpmath(name: str) -> Callable[..., Number]:
    """A function of Numbers that mpmath computes."""

    def function(*inputs: Any) -> Number:
        parents = tuple([number(x) for x in inputs])
        values = [x.value for x in parents]
        slopes = [ZERO if x.parents is None else by_mpmath(name, k, *values) for k, x in enumerate(parents)]
        return made(by_mpmath(name, None, *values), parents, tuple(slopes))

    return function


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": exp,
    "log": log,
    "log1p": log1p,
    "expm1": expm1,
    "sqrt": sqrt,
    "cbrt": cbrt,
    "tanh": tanh,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1 / x,
    "exp2": lambda x: exp(x * log(number(2))),
    "log2": lambda x: log(x) / log(number(2)),
    "log10": lambda x: log(x) / log(number(10)),
    "sinh": lambda x: (expm1(x) - expm1(-x)) / 2,
    "cosh": lambda x: (exp(x) + exp(-x)) / 2,
    "arctanh": lambda x: (log1p(x) - log1p(-x)) / 2,
    "logaddexp": lambda a, b: maximum(a, b) + softplus(-abs(number(a) - number(b))),
    "hypot": lambda a, b: sqrt(a * a + b * b),
    "maximum": maximum,
    "minimum": minimum,
    "fmax": maximum,
    "fmin": minimum,
    "clip": clip,
    "sign": sign,
    "relu": relu,
    "sigmoid": sigmoid,
    "expit": sigmoid,
    "softplus": softplus,
    "log_sigmoid": lambda x: -softplus(-x),
    "log_expit": lambda x: -softplus(-x),
    "silu": lambda x: x * sigmoid(x),
    "gelu_tanh": lambda x: x * sigmoid(math.sqrt(8 / math.pi) * (x + 0.044715 * x * x * x)),
    "gelu_erf": lambda x: x * FUNCTIONS["ndtr"](x),
    "logaddexp2": lambda a, b: (
        FUNCTIONS["logaddexp"](a * log(number(2)), b * log(number(2))) / log(number(2))
    ),
    "copysign": lambda a, b: abs(a) if b.value.is_signed() == 0 else -abs(a),
    "logit": lambda x: log(x) - log1p(-x),
    "isfinite": lambda x: x.value.is_finite(),
    "isnan": lambda x: x.value.is_nan(),
    "isinf": lambda x: x.value.is_infinite(),
}
MPMATH = {
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctan2": "atan2",
    "sinc": "sincpi",
    "erf": "erf",
    "erfc": "erfc",
    "gammaln": "loggamma",
    "digamma": "digamma",
    "ndtr": "ncdf",
    "normal_cdf": "ncdf",
    "degrees": "degrees",
    "radians": "radians",
    "j0": "j0",
    "j1": "j1",
}
FUNCTIONS.update({name: from_mpmath(theirs) for name, theirs in MPMATH.items()})

for _name, _function in FUNCTIONS.items():  # NumPy calls them of elements in arrays that are no longer ours
    setattr(Number, _name, _function)
del _name, _function
