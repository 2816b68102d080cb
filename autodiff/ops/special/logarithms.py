"""Logistic functions and entropies: products with a logarithm, 0 where 0 times infinity would stand."""

import numpy as np
from scipy import special

from ...primitive import primitive
from ..activations import _bell


@primitive(special.expit)
def expit(x, /):
    """1 / (1 + exp(-x))."""
    return special.expit(x), lambda g, y, x: g * _bell(x)


@primitive(special.log_expit)
def log_expit(x, /):
    """The logarithm of expit."""
    return special.log_expit(x), lambda g, y, x: g * special.expit(-x)


@primitive(special.logit)
def logit(x, /):
    """log(x / (1 - x)); its slope at 0 and 1 is infinite."""
    return special.logit(x), lambda g, y, x: g / x / (1 - x)


def _over(x, y):
    # x / y, and 0 for 0 / 0.
    none = (x == 0) & (y == 0)
    return np.where(none, 0, x / np.where(none, 1, y))


@primitive(special.xlogy)
def xlogy(x, y, /):
    """x * log(y), and 0 where x is 0; there it is flat in y."""
    return special.xlogy(x, y), lambda g, z, x, y: g * np.log(y), lambda g, z, x, y: g * _over(x, y)


@primitive(special.xlog1py)
def xlog1py(x, y, /):
    """x * log(1 + y), and 0 where x is 0; there it is flat in y."""
    return (
        special.xlog1py(x, y),
        lambda g, z, x, y: g * np.log1p(y),
        lambda g, z, x, y: g * _over(x, 1 + y),
    )


@primitive(special.entr)
def entr(x, /):
    """-x * log(x), and 0 at 0; its slope there is infinite."""
    return special.entr(x), lambda g, y, x: -g * (np.log(x) + 1)


@primitive(special.rel_entr)
def rel_entr(x, y, /):
    """x * log(x / y), and 0 where x is 0; there it is flat in y."""
    return (
        special.rel_entr(x, y),
        lambda g, z, x, y: g * (_log_ratio(x, y) + 1),
        lambda g, z, x, y: -g * _over(x, y),
    )


@primitive(special.kl_div)
def kl_div(x, y, /):
    """x * log(x / y) - x + y, and y where x is 0; there its slope by y is 1."""

    return (
        special.kl_div(x, y),
        lambda g, z, x, y: g * _log_ratio(x, y),
        lambda g, z, x, y: g * _one_minus_ratio(x, y),
    )


@primitive(broadcasts=True, structure="elementwise")
def _one_minus_ratio(x, y, /):
    """1 - x / y, exact near x = y, and 1 for 0 / 0."""
    none = (x == 0) & (y == 0)
    return (
        np.where(none, 1, (y - x) / np.where(none, 1, y)),
        lambda g, z, x, y: -g / y,
        lambda g, z, x, y: g * _over(_over(x, y), y),
    )


@primitive(broadcasts=True, structure="elementwise")
def _log_ratio(x, y, /):
    """log(x / y), exact near x = y, where x / y overflows too, and 0 for 0 / 0."""
    with np.errstate(all="ignore"):
        ratio, gap = x / y, (x - y) / y
        apart = np.where((ratio > 0) & (ratio < np.inf), np.log(ratio), np.log(x) - np.log(y))
        value = np.where(np.abs(gap) < 0.5, np.log1p(gap), apart)
        value = np.where((x == 0) & (y == 0), 0, value)
    return value, lambda g, z, x, y: g / x, lambda g, z, x, y: -g / y
