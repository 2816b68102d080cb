"""Softmax thrice, and its family: one formula each, composed of primitives or as one node.

"naive" and "composed" are written out here; "fused" is one op of ops/fused.py, which tells the reason
why the fused gradient keeps digits that the composed one loses.
"""

from math import isfinite
from typing import Any

import numpy as np

from .ambient import scope
from .ops.axes import as_tuple, value_of
from .ops.fused import _log_softmax, _logsumexp, _softmax, masked
from .reading import constant
from .tensor import Tensor

FORMS = ("naive", "composed", "fused")


# -- reading arguments -------------------------------------------------------------------------------


def floating(x: Any, name: str) -> Any:
    """`x` as a Tensor or as an array of floating-point numbers."""
    if isinstance(x, Tensor):
        return x
    array = np.asarray(constant(x, name))
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def check_choice(name: str, option: str, choice: Any, allowed: tuple[str, ...]) -> None:
    """Refuse an option that is none of those allowed."""
    if type(choice) is not str or choice not in allowed:
        raise ValueError(f"{name}: {option} is one of {', '.join(map(repr, allowed))}, not {choice!r}")


def read_number(name: str, option: str, number: Any) -> float:
    """An option that is a real number, as a float: so it leaves the dtype of float32 logits alone."""
    if type(number) is float:
        return number
    if not isinstance(number, int | float | np.integer | np.floating):
        hint = "; it has no derivative" if isinstance(number, Tensor) else ""
        raise TypeError(f"{name}: {option} is a number, not {number!r}{hint}")
    return float(number)


def read_axis(name: str, axis: Any, ndim: int) -> Any:
    """-1 for the last axis, else a tuple of axes; None means all of them."""
    if axis == -1 and ndim and isinstance(axis, int):
        return -1
    if not ndim and axis is not None:
        raise ValueError(f"{name}: a number has no axis to compare its elements along; reshape it to (1,)")
    try:
        axes = as_tuple(axis, ndim)
    except (ValueError, TypeError) as error:
        raise (ValueError if isinstance(error, ValueError) else TypeError)(
            f"{name}: axis is a number, a tuple of numbers or None, within {ndim} axes, not {axis!r}: {error}"
        ) from None
    return -1 if ndim and axes == (ndim - 1,) else axes


def read_arguments(
    name: str, x: Any, axis: Any, beta: Any, where: Any, form: str
) -> tuple[Any, Any, float, Any]:
    """Checked `(x, axis, beta, where)`, the mask in x's shape."""
    check_choice(name, "form", form, FORMS)
    beta = read_number(name, "beta", beta)
    if not isfinite(beta):
        raise ValueError(f"{name}: beta is a finite number, not {beta}")
    x = floating(x, name)
    if where is not None:
        where = np.asarray(value_of(where))
        if where.dtype != np.bool_:
            raise TypeError(f"{name}: where= is made of True and False, not of {where.dtype}")
        try:
            where = np.broadcast_to(where, x.shape)
        except ValueError:
            raise ValueError(
                f"{name}: where= of shape {where.shape} does not broadcast to the logits' {x.shape}"
            ) from None
    return x, read_axis(name, axis, len(x.shape)), beta, where


# -- the textbook's formula, by primitives ---------------------------------------------------------


def exponents(x: Any, axis: Any, beta: float, where: Any, form: str) -> Any:
    """What the textbook's formula exponentiates; composed: after a shift by a constant, the largest."""
    z = x if beta == 1 else beta * x
    if where is not None:
        z = np.where(where, z, -np.inf)
    if form == "naive":
        return z
    peak = np.max(value_of(z), axis=axis, keepdims=True, initial=-np.inf)
    return z - (peak if where is None else np.where(np.any(where, axis=axis, keepdims=True), peak, 0))


def total_of(e: Any, axis: Any, where: Any) -> Any:
    """The textbook's denominator; 1 for a wholly masked row, and for one of nothing."""
    total = np.sum(e, axis=axis, keepdims=True)
    if not e.size:
        return total + 1
    return total if where is None else np.where(np.any(where, axis=axis, keepdims=True), total, 1)


# -- the public functions ----------------------------------------------------------------------------


def softmax(x: Any, axis: Any = -1, *, beta: float = 1.0, where: Any = None, form: str = "fused") -> Any:
    """exp(beta * x) divided by its sum along `axis`: positive numbers that sum to 1.

    `x`: an array or Tensor of any shape (classes on `axis`, an integer, a tuple or None for all);
    the result has its shape and dtype. `beta`: the inverse temperature, in units of 1 / x.
    `where`: a mask that broadcasts to x; where it is False the probability is 0 and no gradient
    flows, and a wholly masked row is 0. A row of nothing but -inf is NaN, as in SciPy.

    `form`: "naive" is the textbook formula, overflow and all; "composed" subtracts the largest
    logit first, which changes nothing, since exp(x - c) / sum(exp(x - c)) has exp(-c) above and
    below; "fused" is one node with the analytic Jacobian beta * (diag(y) - y yT), keeps the digits of
    its gradient where one probability is close to 1, and gives a row that reaches infinity its limit.

    Raises ValueError for an unknown form, an axis out of range, a beta that is not finite and a
    mask that does not fit, TypeError for what is not real numbers and for a mask that is not bool.

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    >>> softmax([1.0, 2.0], beta=0.0, form="composed").tolist()
    [0.5, 0.5]
    >>> softmax([3.0, 3.0, float("nan")], where=[True, True, False]).tolist()
    [0.5, 0.5, 0.0]
    """
    x, axis, beta, where = read_arguments("softmax", x, axis, beta, where, form)
    if form == "fused":
        return _softmax(x, axis=axis, beta=beta, where=where)
    with scope("softmax"):
        e = np.exp(exponents(x, axis, beta, where, form))
        return masked(e / total_of(e, axis, where), where, 0)


def log_softmax(x: Any, axis: Any = -1, *, beta: float = 1.0, where: Any = None, form: str = "fused") -> Any:
    """The logarithm of `softmax`, which stays finite where the probability would round to 0.

    Shapes, options and errors as `softmax`; -inf where masked. "naive" is log(softmax), "composed" the
    shifted logits minus the log of their exponentials' sum, "fused" one node that is exact in
    every digit also at a probability close to 1.

    >>> log_softmax([40.0, 0.0]).tolist()
    [-4.248354255291589e-18, -40.0]
    """
    x, axis, beta, where = read_arguments("log_softmax", x, axis, beta, where, form)
    if form == "fused":
        return _log_softmax(x, axis=axis, beta=beta, where=where)
    with scope("log_softmax"):
        z = exponents(x, axis, beta, where, form)
        e = np.exp(z)
        total = total_of(e, axis, where)
        if form == "composed":
            return masked(z - np.log(total), where, -np.inf)
        return masked(np.log(masked(e / total, where, 1)), where, -np.inf)


def logsumexp(x: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    """log(sum(b * exp(x))) over `axis` without overflow, with SciPy's signature; its gradient is softmax.

    `x`: an array or Tensor; `axis`: an integer, a tuple, or None for all elements. `b`: constant
    factors, of any sign, that broadcast with x; where their sum is negative the result is NaN. Of
    nothing and of -inf throughout it is -inf, with gradient 0; infinite elements share the gradient.

    Raises ValueError for an axis out of range and factors that do not broadcast.

    >>> float(logsumexp([1000.0, 1000.0]))
    1000.6931471805599
    """
    x = floating(x, "logsumexp")
    if isinstance(b, Tensor):
        raise TypeError("logsumexp: the option b= has no derivative; add np.log(b) to x instead")
    if b is not None:
        b = np.asarray(constant(b, "logsumexp"), x.dtype)
        try:
            shape = np.broadcast_shapes(b.shape, x.shape)
        except ValueError:
            raise ValueError(
                f"logsumexp: b of shape {b.shape} does not broadcast with x of shape {x.shape}"
            ) from None
        b = np.broadcast_to(b, shape)
        x = x if x.shape == shape else np.broadcast_to(x, shape)
    axis = axis if axis is None else read_axis("logsumexp", axis, len(x.shape))
    return _logsumexp(x, axis=axis, b=b, keepdims=keepdims)


def softmax_jacobian(x: Any, *, beta: float = 1.0) -> Any:
    """The matrix of dy_i / dx_j = beta * (y_i * (i == j) - y_i * y_j) of y = softmax(x, beta=beta).

    `x`: logits on the last axis, an array or Tensor of shape (..., n); the result has shape (..., n, n)
    and is differentiable. It comes of y_i = exp(beta x_i) / sum_j exp(beta x_j) by the quotient rule.
    Every row sums to 0, so the diagonal is the sum of the others, which keeps its digits at
    y_i close to 1. Errors as `softmax`.

    >>> softmax_jacobian([0.0, 0.0]).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    y = softmax(x, beta=beta)
    eye = np.eye(y.shape[-1], dtype=y.dtype)
    products = np.expand_dims(y, -1) * np.expand_dims(y, -2) * (1 - eye)
    jacobian = eye * np.sum(products, axis=-1, keepdims=True) - products
    return jacobian if beta == 1 else float(beta) * jacobian
