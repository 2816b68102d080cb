"""Ops declared with rules that may be wrong, and how check_grads refuses them."""

import pytest

from autodiff import check_grads, primitive
from autodiff.checks import GradientError


def declare(vjp, name="cube", compute=lambda x: x * x * x):
    """The op x -> x**3, with the rule `vjp`."""

    def op(x, /):
        return compute(x), vjp

    op.__name__ = name
    return primitive()(op)


def caught(f, *args, **options):
    """The error by which check_grads refuses f."""
    with pytest.raises(GradientError) as caught:
        check_grads(f, *args, **options)
    return caught.value
