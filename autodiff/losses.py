"""Losses of classification: the cross-entropy of logits, and of log-probabilities."""

from math import prod
from typing import Any, NamedTuple

import numpy as np

from .ambient import scope
from .primitive import constant, primitive
from .softmax import (
    FORMS,
    check_choice,
    log_normalized,
    log_softmax,
    probabilities,
    read_arguments,
    shifted,
    spread,
    value_of,
)
from .tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


class Targets(NamedTuple):
    """What a loss sums: `scale` times the classes' `indices`, or `dense` factors for every class."""

    indices: Any
    scale: Any
    dense: Any


def read_targets(
    name: str,
    x: Any,
    targets: Any,
    axis: int,
    weight: Any,
    ignore_index: int,
    smoothing: float,
    reduction: str,
) -> Targets:
    """Checked targets, with weights, ignored rows, smoothing and the mean's divisor worked in."""
    if isinstance(targets, Tensor):
        raise TypeError(f"{name}: targets have no derivative; hand an array, as targets.data")
    classes = x.shape[axis]
    batch = x.shape[:axis] + x.shape[axis + 1 :]
    targets = np.asarray(targets)
    along = [i for i in range(len(x.shape)) if i != axis]
    if weight is not None:
        weight = np.asarray(constant(weight, name), x.dtype)
        if weight.shape != (classes,):
            raise ValueError(f"{name}: weight has shape {weight.shape}, but there are {classes} classes")
    flat = smoothing / classes if weight is None else np.expand_dims(weight * (smoothing / classes), along)
    if targets.dtype.kind == "f":
        if targets.shape != x.shape:
            raise ValueError(
                f"{name}: target probabilities of shape {targets.shape} do not fit logits of shape {x.shape}; "
                "class numbers are integers"
            )
        factors = 1 if weight is None else np.expand_dims(weight, along)
        dense = targets.astype(x.dtype) * (1 - smoothing) * factors + flat
        return Targets(None, None, dense / max(prod(batch), 1) if reduction == "mean" else dense)
    if targets.dtype.kind not in "iu":
        raise TypeError(
            f"{name}: targets are class numbers (integers) or probabilities (floats), not {targets.dtype}"
        )
    if targets.shape != batch:
        raise ValueError(
            f"{name}: targets of shape {targets.shape} do not fit logits of shape {x.shape}, "
            f"whose axis {axis} holds the classes; expected shape {batch}"
        )
    kept: Any = None
    # One comparison finds numbers on both sides of the range: as unsigned, the negative ones are huge.
    if targets.size and targets.astype(np.intp, copy=False).view(np.uintp).max() >= classes:
        kept = targets != ignore_index
        wrong = kept & ((targets < 0) | (targets >= classes))
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise ValueError(
                f"{name}: the target {targets[wrong][0]} at {place} is none of the classes 0 to {classes - 1}, "
                f"nor ignore_index={ignore_index}"
            )
        targets = np.where(kept, targets, 0)
    weights = None if weight is None else weight[targets]
    if kept is not None:
        weights = kept.astype(x.dtype) if weights is None else weights * kept
    divisor = 1.0
    if reduction == "mean":
        divisor = float(targets.size if weights is None else np.sum(weights)) or 1.0
    scale = 1 / divisor if weights is None else weights / x.dtype.type(divisor)
    if not smoothing:
        return Targets(targets, scale, None)
    rows = 1 if kept is None else np.expand_dims(kept, axis)
    dense = np.broadcast_to(rows * flat / divisor, x.shape).astype(x.dtype)
    places = np.expand_dims(targets, axis)
    hit = np.take_along_axis(dense, places, axis) + (1 - smoothing) * np.expand_dims(
        np.broadcast_to(scale, targets.shape), axis
    )
    np.put_along_axis(dense, places, hit, axis)
    return Targets(None, None, dense)


def total_of(terms: Any, reduction: str) -> Any:
    """The terms of a loss as they are, or their sum (the mean's divisor is in their factors)."""
    return terms if reduction == "none" else np.sum(terms)


def weigh(log_probabilities: Any, targets: Targets, axis: int, reduction: str) -> Any:
    """The loss by primitives: minus the targets' share of the log-probabilities."""
    if targets.dense is None:
        picked = np.take_along_axis(log_probabilities, np.expand_dims(targets.indices, axis), axis)
        terms = np.squeeze(picked, axis)
        if not isinstance(targets.scale, float):
            terms = np.where(targets.scale == 0, 0, terms)
        return total_of(-terms * targets.scale, reduction)
    terms = np.where(targets.dense == 0, 0, log_probabilities) * targets.dense
    return -np.sum(terms, axis=axis if reduction == "none" else None)


@primitive()
def _cross_entropy(x, /, targets, scale, axis, reduction):  # type: ignore[no-untyped-def]
    rows, t = np.arange(targets.size), targets.reshape(-1)
    z = np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])
    scales = scale if isinstance(scale, float) else scale.reshape(-1)
    k = z.argmax(axis=1) if z.size else t
    peak = z[rows, k]
    z = z - peak[:, None] if np.isfinite(peak).all() else shifted(z, 1)
    # e is the probabilities times 1 + rest, but 0 at the likeliest class, of which rest is all the others.
    e = np.exp(z)
    e[rows, k] = 0
    rest = e.sum(axis=1)
    terms = (np.log1p(rest) - z[rows, t]) * scales
    if not isinstance(scale, float):
        terms = np.where(scales == 0, x.dtype.type(0), terms)
    del z

    def pull(g, y, x):  # type: ignore[no-untyped-def]
        if isinstance(x, Tensor) or isinstance(g, Tensor):
            hot = np.zeros(np.shape(x), x.dtype)
            places = np.expand_dims(targets, axis)
            np.put_along_axis(hot, places, np.expand_dims(np.broadcast_to(scale, targets.shape), axis), axis)
            g = np.expand_dims(g, axis) if reduction == "none" else g
            y = probabilities(value_of(x), axis)
            return spread(-hot * g, x, y, axis=axis, beta=1.0, where=None)
        share = np.broadcast_to(g.reshape(-1) * scales, rest.shape)
        factor = share / (1 + rest)
        hit = t == k
        pulled = e * factor[:, None]
        pulled[rows, k] = np.where(hit, -rest, 1) * factor
        pulled[rows, t] -= np.where(hit, 0, share)
        return np.moveaxis(pulled.reshape((*targets.shape, x.shape[axis])), -1, axis)

    if reduction == "none":
        return terms.reshape(targets.shape), pull
    return terms.sum(), pull


@primitive()
def _soft_cross_entropy(x, /, dense, axis, reduction):  # type: ignore[no-untyped-def]
    def pull(g, y, x):  # type: ignore[no-untyped-def]
        g = np.expand_dims(g, axis) if reduction == "none" else g
        return spread(-dense * g, x, probabilities(value_of(x), axis), axis=axis, beta=1.0, where=None)

    terms = np.where(dense == 0, 0, log_normalized(shifted(x, axis), axis)) * dense
    return -np.sum(terms, axis=axis if reduction == "none" else None), pull


def read_loss(name: str, x: Any, axis: Any, reduction: str) -> tuple[Any, int]:
    """Checked `(x, axis)` of a loss."""
    check_choice(name, "reduction", reduction, REDUCTIONS)
    if not isinstance(axis, int | np.integer):
        raise TypeError(f"{name}: the classes are on one axis, an integer, not {axis!r}")
    x, axis, _, _ = read_arguments(name, x, axis, 1.0, None, "fused")
    return x, axis % len(x.shape)


def cross_entropy(
    logits: Any,
    targets: Any,
    axis: int = -1,
    *,
    weight: Any = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
    form: str = "fused",
) -> Any:
    """Minus the log of the probability that softmax(logits) gives to the targets, with PyTorch's options.

    `logits`: an array or Tensor with the classes on `axis`. `targets`: class numbers, integers in the logits' shape
    without that axis, or probabilities, floats in the logits' shape. `weight`: a factor for each
    class. `ignore_index`: a class number whose rows do not count. `label_smoothing`: the part of
    every target, 0 to 1, that is spread over all classes. `reduction`: "mean" (by class numbers: over the weights of the
    rows that count; 0 if none does), "sum" or "none". `form` as in `log_softmax`; "fused" is one
    node whose gradient, the probabilities minus the targets, is exact where they nearly cancel.
    Raises ValueError for class numbers out of range and shapes that do not fit, TypeError for
    targets that are neither integers nor floats.

    >>> round(float(cross_entropy([[2.0, 0.0], [0.0, 0.0]], [0, 1])), 6)
    0.410038
    """
    check_choice("cross_entropy", "form", form, FORMS)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing is between 0 and 1, not {label_smoothing}")
    x, axis = read_loss("cross_entropy", logits, axis, reduction)
    read = read_targets("cross_entropy", x, targets, axis, weight, ignore_index, label_smoothing, reduction)
    if form != "fused":
        with scope("cross_entropy"):
            return weigh(log_softmax(x, axis, form=form), read, axis, reduction)
    if read.dense is None:
        return _cross_entropy(x, targets=read.indices, scale=read.scale, axis=axis, reduction=reduction)
    return _soft_cross_entropy(x, dense=read.dense, axis=axis, reduction=reduction)


def nll_loss(
    log_probabilities: Any,
    targets: Any,
    axis: int = -1,
    *,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """Minus the log-probability of the targets: `cross_entropy` of what log_softmax returned.

    Shapes, options and errors as `cross_entropy`.

    >>> float(nll_loss(log_softmax([[0.0, 0.0]]), [1])) == float(np.log(2))
    True
    """
    x, axis = read_loss("nll_loss", log_probabilities, axis, reduction)
    read = read_targets("nll_loss", x, targets, axis, weight, ignore_index, 0.0, reduction)
    return weigh(x, read, axis, reduction)
