"""Gradients kept from being too large."""

import math
from typing import Any

import numpy as np

from .. import Tensor
from .arguments import leaves, working


def clip_grad_norm(parameters: Any, max_norm: float) -> float:
    """Shrink all gradients together to a joint 2-norm of at most `max_norm`; returns the norm before.

    `parameters`: as an optimizer takes them; those without a gradient count as 0. With `max_norm=math.inf` it
    only measures. The norm does not overflow where the gradients do not. Raises FloatingPointError, and
    changes nothing, where a gradient holds NaN or an infinity, which no factor would mend.

    >>> w = Tensor([0.0, 0.0], name="w")
    >>> w.grad = [3.0, 4.0]
    >>> clip_grad_norm(w, 1.0)
    5.0
    >>> w.grad.round(6).tolist()
    [0.6, 0.8]
    """
    if not max_norm > 0:
        raise ValueError(f"clip_grad_norm: max_norm is {max_norm}; it must be above 0")
    with_gradient = _with_gradient(parameters, "clip_grad_norm")
    gradients = [np.ravel(working(p.grad, least=np.float64)) for p in with_gradient.values()]
    unit: Any = 1.0
    squares: Any = sum(np.vdot(g, g) for g in gradients)
    if not 1e-280 < squares < math.inf:  # squares that vanished or overflowed do not in another unit
        _check_finite(with_gradient)
        unit = max((np.max(np.abs(g), initial=0) for g in gradients), default=0) or 1.0
        squares = sum(np.vdot(g / unit, g / unit) for g in gradients)
    relative = math.sqrt(squares)
    if unit * relative > max_norm:
        for p in with_gradient.values():
            p.grad *= max_norm / unit / relative
    return float(unit * relative)


def clip_grad_value(parameters: Any, clip_value: float) -> None:
    """Clip each element of the gradients to -clip_value .. clip_value.

    `parameters`: as an optimizer takes them. An infinity is clipped like any other number; NaN raises
    FloatingPointError, and nothing changes.

    >>> w = Tensor([0.0, 0.0], name="w")
    >>> w.grad = [0.5, -7.0]
    >>> clip_grad_value(w, 1.0)
    >>> w.grad.tolist()
    [0.5, -1.0]
    """
    if not clip_value > 0:
        raise ValueError(f"clip_grad_value: clip_value is {clip_value}; it must be above 0")
    with_gradient = _with_gradient(parameters, "clip_grad_value")
    for name, p in with_gradient.items():
        if np.isnan(p.grad).any():
            raise FloatingPointError(f"clip_grad_value: the gradient of {name!r} holds NaN")
    for p in with_gradient.values():
        p.grad = np.clip(p.grad, -clip_value, clip_value)


def _check_finite(with_gradient: dict[str, Tensor]) -> None:
    """Raise FloatingPointError for a gradient that holds NaN or an infinity."""
    for name, p in with_gradient.items():
        bad = p.size - int(np.sum(np.isfinite(p.grad)))
        if bad:
            raise FloatingPointError(
                f"clip_grad_norm: {bad} of the {p.size} elements of the gradient of {name!r} "
                "are NaN or infinite"
            )


def _with_gradient(parameters: Any, what: str) -> dict[str, Tensor]:
    """Those of the leaves that have a gradient."""
    return {name: p for name, p in leaves(parameters, what).items() if p.grad is not None}
