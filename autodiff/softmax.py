"""Softmax thrice, and its family: one formula each, composed of primitives or as one node.

Two linear maps carry all the derivatives of the family. With probabilities y,

    centered(v) = v - sum(y * v)        and its adjoint        spread(g) = g - y * sum(g).

Softmax's vjp is `y * centered(g)`, log_softmax's is `spread(g)`. Written like that, both lose every
digit at an element whose probability is close to 1, where they subtract nearly equal numbers.
Centering does not notice a constant added to v, so it first subtracts v's value at the likeliest
element; spreading sums the *other* elements' probabilities there instead of taking 1 - y.
"""

from typing import Any

import numpy as np

from .ambient import scope
from .ops.axes import as_tuple, axes_last, expand
from .primitive import constant, primitive
from .tensor import Tensor

FORMS = ("naive", "composed", "fused")


def value_of(x: Any) -> Any:
    """The array in a Tensor, or the array itself."""
    return x.value if isinstance(x, Tensor) else x


def floating(x: Any, name: str) -> Any:
    """`x` as a Tensor or as an array of floating-point numbers."""
    if isinstance(x, Tensor):
        return x
    array = np.asarray(constant(x, name))
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def check_choice(name: str, option: str, choice: Any, allowed: tuple[str, ...]) -> None:
    """Refuse an option that is none of those allowed."""
    if choice not in allowed:
        raise ValueError(f"{name}: {option} is one of {', '.join(map(repr, allowed))}, not {choice!r}")


def read_arguments(
    name: str, x: Any, axis: Any, beta: Any, where: Any, form: str
) -> tuple[Any, int, Any, Any]:
    """Checked `(x, axis, where, back)`; several axes become a last one, and `back` undoes that."""
    check_choice(name, "form", form, FORMS)
    if isinstance(beta, Tensor):
        raise TypeError(
            f"{name}: beta is a number without a derivative; scale the logits instead: {name}(beta * x)"
        )
    if not np.isfinite(beta):
        raise ValueError(f"{name}: beta is a finite number, not {beta}")
    x = floating(x, name)
    if not x.shape:
        raise ValueError(f"{name}: a number has no axis to compare its elements along; reshape it to (1,)")
    try:
        axes = as_tuple(axis, len(x.shape))
    except ValueError as error:
        raise type(error)(f"{name}: {error}") from None
    if where is not None:
        where = np.asarray(value_of(where))
        if where.dtype != np.bool_:
            raise TypeError(f"{name}: where= is made of True and False, not of {where.dtype}")
        where = np.broadcast_to(where, x.shape)
    if len(axes) == 1:
        return x, axes[0], where, lambda y: y
    x, back = axes_last(x, axes)
    return x, -1, None if where is None else axes_last(where, axes)[0], back


def shifted(x: Any, axis: int, beta: float = 1.0, where: Any = None) -> Any:
    """beta * x minus its largest value along `axis`, in an array of its own; -inf where masked.

    A row that holds +inf is the limit: 0 where it is +inf, -inf elsewhere.
    """
    extreme, worst = (np.max, -np.inf) if beta >= 0 else (np.min, np.inf)
    if where is None:
        peak = extreme(x, axis=axis, keepdims=True, initial=worst)
    else:
        peak = extreme(x, axis=axis, keepdims=True, initial=worst, where=where)
    if where is None and np.isfinite(peak).all():
        z = x - peak
    else:
        with np.errstate(invalid="ignore"):
            z = np.asarray(x - peak)
        z[np.broadcast_to(peak == -worst, z.shape) & (x == -worst)] = 0
    if beta != 1:
        z *= beta
    return z if where is None else np.where(where, z, -np.inf).astype(x.dtype, copy=False)


def probabilities(x: Any, axis: int, beta: float = 1.0, where: Any = None) -> Any:
    """Softmax of an array; a wholly masked row is 0."""
    y = shifted(x, axis, beta, where)
    np.exp(y, out=y)
    total = np.sum(y, axis=axis, keepdims=True)
    if where is not None:
        total[~np.any(where, axis=axis, keepdims=True)] = 1
    y /= total
    return y


def likeliest(y: Any, axis: int) -> Any:
    """Where `y` is largest along `axis`; for an axis of length 0, nowhere."""
    if not y.shape[axis]:
        return np.zeros(y.shape, np.intp)
    return np.argmax(y, axis=axis, keepdims=True)


def centered(v: Any, y: Any, axis: int, where: Any = None) -> Any:
    """v - sum(y * v), for arrays and Tensors, exact in every digit at the likeliest element too."""
    h = v - np.take_along_axis(v, likeliest(y, axis), axis)
    if where is not None:
        h = np.where(where, h, 0)
    return h - np.sum(h * y, axis=axis, keepdims=True)


# -- softmax -------------------------------------------------------------------------------------


@primitive()
def _softmax(x, /, axis, beta, where):  # type: ignore[no-untyped-def]
    def pull(g, y, x):  # type: ignore[no-untyped-def]
        return softmax_pull(g, x, value_of(y), axis=axis, beta=beta, where=where)

    return probabilities(x, axis, beta, where), pull


@primitive()
def softmax_pull(g, x, y, /, axis, beta, where):  # type: ignore[no-untyped-def]
    # y is softmax(x), handed along to spare computing it; its dependence on x is in x's vjp:
    # beta**2 * y * (a * b - sum(y * a * b)), a and b the centered g and v.
    def curvature(v, pulled, g, x, y):  # type: ignore[no-untyped-def]
        y = _softmax(x, axis=axis, beta=beta, where=where) if isinstance(x, Tensor) else y
        both = centered(g, y, axis, where) * centered(v, y, axis, where)
        return (beta * beta) * y * (both - np.sum(y * both, axis=axis, keepdims=True))

    pulled = centered(g, y, axis, where)
    pulled *= y
    if beta != 1:
        pulled *= beta
    return (
        pulled,
        lambda v, pulled, g, x, y: softmax_pull(v, x, y, axis=axis, beta=beta, where=where),
        curvature,
        None,
    )


def softmax(x: Any, axis: Any = -1, *, beta: float = 1.0, where: Any = None, form: str = "fused") -> Any:
    """exp(beta * x) divided by its sum along `axis`: positive numbers that sum to 1.

    `x`: an array or Tensor of any shape (classes on `axis`, an integer, a tuple or None for all);
    the result has its shape. `beta`: the inverse temperature. `where`: a mask that broadcasts to
    x; where it is False the probability is 0 and no gradient flows, and a wholly masked row is 0.
    `form`: "naive" is the textbook formula, overflow and all; "composed" subtracts the largest
    logit first; "fused" is one node with the analytic Jacobian beta * (diag(y) - y yT), and keeps
    the digits of its gradient where one probability is close to 1. Raises ValueError for an
    unknown form, an axis out of range and a beta that is not finite.

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    >>> softmax([1.0, 2.0], beta=0.0, form="composed").tolist()
    [0.5, 0.5]
    """
    x, axis, where, back = read_arguments("softmax", x, axis, beta, where, form)
    if form == "fused":
        return back(_softmax(x, axis=axis, beta=beta, where=where))
    with scope("softmax"):
        e, total = exponentials(x, axis, beta, where, form)
        return back(e / total)


def exponentials(x: Any, axis: int, beta: float, where: Any, form: str) -> tuple[Any, Any]:
    """The textbook's numerator and denominator, by primitives; composed: after a shift by a constant."""
    z = x if beta == 1 else beta * x
    if where is not None:
        z = np.where(where, z, -np.inf)
    if form == "composed":
        z = z - row_maximum(z, axis, where)
    e = np.exp(z)
    total = np.sum(e, axis=axis, keepdims=True)
    if where is not None:
        total = np.where(np.any(where, axis=axis, keepdims=True), total, 1)
    return e, total


def row_maximum(z: Any, axis: int, where: Any) -> Any:
    """The largest element along `axis` as a constant; 0 in a wholly masked row."""
    peak = np.max(value_of(z), axis=axis, keepdims=True, initial=-np.inf)
    return peak if where is None else np.where(np.any(where, axis=axis, keepdims=True), peak, 0)


def softmax_jacobian(x: Any, *, beta: float = 1.0) -> Any:
    """The matrix of dy_i / dx_j = beta * (y_i * (i == j) - y_i * y_j) of y = softmax(x, beta=beta).

    `x`: logits on the last axis, of shape (..., n); the result has shape (..., n, n). Every row
    sums to 0, so the diagonal is the sum of the others, which keeps its digits at y_i close to 1.

    >>> softmax_jacobian([0.0, 0.0]).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    y = softmax(x, beta=beta)
    eye = np.eye(y.shape[-1], dtype=y.dtype)
    products = np.expand_dims(y, -1) * np.expand_dims(y, -2) * (1 - eye)
    jacobian = eye * np.sum(products, axis=-1, keepdims=True) - products
    return jacobian if beta == 1 else beta * jacobian


# -- log_softmax ---------------------------------------------------------------------------------


def log_normalized(z: Any, axis: int) -> Any:
    """`z`, whose largest value along `axis` is 0, minus its logsumexp: log1p of all but one largest."""
    e = np.exp(z)
    np.put_along_axis(e, likeliest(z, axis), 0, axis)
    return z - np.log1p(np.sum(e, axis=axis, keepdims=True))


@primitive()
def _log_softmax(x, /, axis, beta, where):  # type: ignore[no-untyped-def]
    def pull(g, y, x):  # type: ignore[no-untyped-def]
        return spread(g, x, np.exp(value_of(y)), axis=axis, beta=beta, where=where)

    return log_normalized(shifted(x, axis, beta, where), axis), pull


@primitive()
def spread(g, x, y, /, axis, beta, where):  # type: ignore[no-untyped-def]
    # beta * (g - y * sum(g)), y being softmax(x) as in softmax_pull.
    def center(v, pulled, g, x, y):  # type: ignore[no-untyped-def]
        y = _softmax(x, axis=axis, beta=beta, where=where) if isinstance(x, Tensor) else y
        return beta * centered(v, y, axis, where)

    def bend(v, pulled, g, x, y):  # type: ignore[no-untyped-def]
        g = g if where is None else np.where(where, g, 0)
        total = np.sum(g, axis=axis, keepdims=True)
        return -beta * total * softmax_pull(v, x, y, axis=axis, beta=beta, where=where)

    k = likeliest(y, axis)
    g_others = np.array(g) if where is None else np.where(where, g, 0)
    g_k = np.take_along_axis(g_others, k, axis)
    y_others = np.array(y)
    np.put_along_axis(g_others, k, 0, axis)
    np.put_along_axis(y_others, k, 0, axis)
    rest = np.sum(g_others, axis=axis, keepdims=True)
    pulled = g_others - y * (rest + g_k)
    at_k = g_k * np.sum(y_others, axis=axis, keepdims=True) - np.take_along_axis(y, k, axis) * rest
    np.put_along_axis(pulled, k, at_k, axis)
    return beta * pulled, center, bend, None


def log_softmax(x: Any, axis: Any = -1, *, beta: float = 1.0, where: Any = None, form: str = "fused") -> Any:
    """The logarithm of `softmax`, which stays finite where the probability would round to 0 or 1.

    Shapes, options and errors as `softmax`; -inf where masked. "naive" is log(softmax), "composed" the
    shifted logits minus the log of their exponentials' sum, "fused" one node that is exact in
    every digit also at a probability close to 1.

    >>> log_softmax([40.0, 0.0]).tolist()
    [-4.248354255291589e-18, -40.0]
    """
    x, axis, where, back = read_arguments("log_softmax", x, axis, beta, where, form)
    if form == "fused":
        return back(_log_softmax(x, axis=axis, beta=beta, where=where))
    with scope("log_softmax"):
        if form == "naive":
            e, total = exponentials(x, axis, beta, where, form)
            return back(np.log(e / total))
        z = x if beta == 1 else beta * x
        if where is not None:
            z = np.where(where, z, -np.inf)
        z = z - row_maximum(z, axis, where)
        total = np.sum(np.exp(z), axis=axis, keepdims=True)
        if where is not None:
            total = np.where(np.any(where, axis=axis, keepdims=True), total, 1)
        return back(z - np.log(total))


# -- logsumexp -----------------------------------------------------------------------------------


@primitive()
def _logsumexp(x, /, b):  # type: ignore[no-untyped-def]
    peak = np.max(x, axis=-1, keepdims=True, initial=-np.inf)

    def share(g, y, x):  # type: ignore[no-untyped-def]
        g = np.expand_dims(g, -1)
        if b is None:  # -inf has no share, not even in a row of nothing else
            return g * _softmax(x, axis=-1, beta=1.0, where=value_of(x) != -np.inf)
        e = b * np.exp(x - np.where(np.isfinite(peak), peak, 0))
        return g * (e / np.sum(e, axis=-1, keepdims=True))

    if b is None:
        z = shifted(x, -1, where=x != -np.inf)
        e = np.exp(z)
        np.put_along_axis(e, likeliest(z, -1), 0, -1)
        return (peak + np.log1p(np.sum(e, axis=-1, keepdims=True)))[..., 0], share
    e = b * np.exp(x - np.where(np.isfinite(peak), peak, 0))
    with np.errstate(divide="ignore"):
        return (peak + np.log(np.sum(e, axis=-1, keepdims=True)))[..., 0], share


def logsumexp(x: Any, axis: Any = None, b: Any = None, keepdims: bool = False) -> Any:
    """log(sum(b * exp(x))) over `axis` without overflow, with SciPy's signature.

    `x`: an array or Tensor; `axis`: an integer, a tuple, or None for all elements. `b`: constant
    factors that broadcast to x. Of -inf throughout it is -inf, with gradient 0.

    >>> float(logsumexp([1000.0, 1000.0]))
    1000.6931471805599
    """
    x = floating(x, "logsumexp")
    if isinstance(b, Tensor):
        raise TypeError("logsumexp: the option b= has no derivative; add np.log(b) to x instead")
    merged, _ = axes_last(x, axis)
    if b is not None:
        factors = np.broadcast_to(np.asarray(b, x.dtype), x.shape)
        merged = np.where(axes_last(factors, axis)[0] == 0, -np.inf, merged)
        b = axes_last(factors, axis)[0]
    y = _logsumexp(merged, b=b)
    return expand(y, x, as_tuple(axis, len(x.shape)), False) if keepdims else y
