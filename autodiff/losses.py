"""Losses of classification: the cross-entropy of logits, and of log-probabilities."""

from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from .ambient import scope
from .ops.fused import _softmax, as_rows, from_rows, likeliest, log_softmax_rows, shifted, spread, value_of
from .primitive import constant, primitive
from .softmax import FORMS, check_choice, floating, log_softmax, read_axis, read_number
from .tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


# -- reading arguments -------------------------------------------------------------------------------


class Targets(NamedTuple):
    """What a loss sums: `scale` times the classes' `indices`, or `dense` factors for every class."""

    indices: Any
    scale: Any
    dense: Any


def read_loss(name: str, x: Any, axis: Any, reduction: Any, ignore_index: Any) -> tuple[Any, int]:
    """Checked `(x, axis)` of a loss."""
    check_choice(name, "reduction", reduction, REDUCTIONS)
    x = floating(x, name)
    if not isinstance(axis, int | np.integer):
        raise TypeError(f"{name}: the classes are on one axis, an integer, not {axis!r}")
    if not isinstance(ignore_index, int | np.integer):
        raise TypeError(f"{name}: ignore_index is a class number, an integer, not {ignore_index!r}")
    axis = read_axis(name, axis, len(x.shape))
    return x, axis if axis == -1 else axis[0]


def read_weight(name: str, weight: Any, dtype: Any, classes: int) -> Any:
    """A checked factor for each class."""
    if isinstance(weight, Tensor):
        raise TypeError(f"{name}: weight has no derivative; hand an array, as weight.data")
    weight = np.asarray(constant(weight, name), dtype)
    if weight.shape != (classes,):
        raise ValueError(f"{name}: weight has shape {weight.shape}, but there are {classes} classes")
    if not (weight >= 0).all() or not np.isfinite(weight).all():
        raise ValueError(f"{name}: the weights of classes are finite and not negative, unlike {weight}")
    return weight


def read_indices(name: str, targets: Any, shape: Any, axis: int, ignore_index: int) -> tuple[Any, Any]:
    """Checked `(indices, kept)`: class numbers, 0 where they do not count, and where they do (None: everywhere)."""
    classes = shape[axis]
    batch = shape[:-1] if axis == -1 else shape[:axis] + shape[axis + 1 :]
    if targets.dtype.kind not in "iu" and (targets.size or targets.dtype.kind != "f"):
        raise TypeError(
            f"{name}: targets are class numbers (integers) or probabilities (floats), not {targets.dtype}"
        )
    if targets.shape != batch:
        raise ValueError(
            f"{name}: targets of shape {targets.shape} do not fit logits of shape {shape}, "
            f"whose axis {axis} holds the classes; expected shape {batch}"
        )
    if targets.size and not classes:
        raise ValueError(f"{name}: logits of shape {shape} have no classes on axis {axis}")
    indices = targets.astype(np.intp, copy=False)
    # One comparison finds numbers on both sides of the range: as unsigned, the negative ones are huge.
    outside = targets.size and indices.view(np.uintp).max() >= classes
    if not outside and not 0 <= ignore_index < classes:
        return indices, None
    kept = targets != ignore_index
    wrong = kept & ((targets < 0) | (targets >= classes))
    if wrong.any():
        where = f" at {[int(i) for i in np.argwhere(wrong)[0]]}" if batch else ""
        raise ValueError(
            f"{name}: the target {targets[wrong][0]}{where} is none of the classes 0 to {classes - 1}, "
            f"nor ignore_index={ignore_index}"
        )
    return np.where(kept, indices, 0), kept


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
    try:
        targets = np.asarray(targets)
    except ValueError:
        raise ValueError(f"{name}: the rows of the targets have different lengths") from None
    shape, classes = x.shape, x.shape[axis]
    if weight is not None:
        weight = read_weight(name, weight, x.dtype, classes)
    if targets.dtype.kind == "f" and (targets.size or len(targets.shape) == len(shape)):
        if targets.shape != shape:
            raise ValueError(
                f"{name}: target probabilities of shape {targets.shape} do not fit logits of shape {shape}; "
                "class numbers are integers"
            )
        dense = targets.astype(x.dtype)
        if smoothing:
            dense = dense * (1 - smoothing) + smoothing / max(classes, 1)
        if weight is not None:
            dense = dense * weight.reshape([-1 if n == axis % len(shape) else 1 for n in range(len(shape))])
        return Targets(None, None, dense / (dense.size // classes or 1) if reduction == "mean" else dense)

    indices, kept = read_indices(name, targets, shape, axis, ignore_index)
    scale: Any = 1.0
    if weight is not None:
        scale = weight[indices]
    if kept is not None:
        scale = np.where(kept, scale, 0).astype(x.dtype)
    divisor = 1.0
    if reduction == "mean":  # in float64: a sum of ones in float16 ends at 2048
        divisor = float(targets.size if type(scale) is float else scale.sum(dtype=np.float64)) or 1.0
        scale = scale / divisor
    if not smoothing:
        return Targets(indices, scale, None)
    # A part of every target goes to all classes.
    spread_out = np.full((targets.size, classes), smoothing / classes / divisor, x.dtype)
    if weight is not None:
        spread_out *= weight
    if kept is not None:
        spread_out *= kept.reshape(-1, 1)
    spread_out[np.arange(targets.size), indices.reshape(-1)] += (1 - smoothing) * np.reshape(scale, -1)
    return Targets(None, None, from_rows(spread_out, shape, axis))


# -- the loss by primitives --------------------------------------------------------------------------


def weigh(log_probabilities: Any, targets: Targets, axis: int, reduction: str) -> Any:
    """Minus the targets' share of the log-probabilities, by primitives."""
    if targets.dense is not None:
        terms = np.where(targets.dense == 0, 0, log_probabilities) * targets.dense
        return -np.sum(terms, axis=axis if reduction == "none" else None)
    picked = np.take_along_axis(log_probabilities, np.expand_dims(targets.indices, axis), axis)
    terms = np.squeeze(picked, axis)
    if type(targets.scale) is not float:
        terms = np.where(targets.scale == 0, 0, terms)
    terms = terms * -targets.scale
    return terms if reduction == "none" else np.sum(terms)


# -- the loss as one node ------------------------------------------------------------------------------


@primitive()
def _cross_entropy(x, /, targets, scale, axis, reduction):  # type: ignore[no-untyped-def]
    """-scale * log_softmax(x) at the targets, for class numbers.

    With e = exp(x - the row's largest) and `others` the sum of e without the target's, which leaves
    1 - p its digits, the loss is log1p(others + (e_t - 1)) - z_t, and e_t is 1 where the target is likeliest.
    """
    rows = as_rows(x, axis)
    shape, classes = rows.shape, rows.shape[-1]
    peak = np.maximum.reduce(rows, axis=-1, keepdims=True)
    z = rows.reshape(-1)
    # The usual case, without a warning to fear: no element is infinite, nor its square.
    z = (rows - peak if isfinite(z.dot(z)) else shifted(rows, peak)).reshape(-1)
    hit = np.arange(0, z.size, classes) + targets.reshape(-1)
    e = np.exp(z)
    e_t = e[hit]
    e[hit] = 0
    e = e.reshape(-1, classes)
    others = np.add.reduce(e, axis=1)
    terms = np.log1p(others + (e_t - 1)) - z[hit]
    uniform = type(scale) is float
    if not uniform:
        scale = scale.reshape(-1)
        terms = np.where(scale == 0, 0, terms)

    def pull(g, y, x):  # type: ignore[no-untyped-def]
        if isinstance(x, Tensor):
            return dense_pull(g, x)
        share = (g if reduction != "none" else g.reshape(-1)) * scale / (others + e_t)
        pulled = e * share[:, None]
        pulled.reshape(-1)[hit] = -others * share
        if not uniform:
            pulled[scale == 0] = 0
        return (
            pulled
            if x.shape == pulled.shape and axis == -1
            else from_rows(pulled.reshape(shape), x.shape, axis)
        )

    def dense_pull(g: Any, x: Any) -> Any:
        hot = np.zeros(e.size, e.dtype)
        hot[hit] = scale
        counts = None
        if not uniform:
            counts = from_rows(np.broadcast_to((scale != 0).reshape(*shape[:-1], 1), shape), x.shape, axis)
        return soft_pull(g, x, from_rows(hot.reshape(shape), x.shape, axis), axis, reduction, counts)

    if reduction == "none":
        return (terms * scale).reshape(shape[:-1]), pull
    return weighted_sum(terms, scale), pull


def weighted_sum(terms: Any, scale: Any) -> Any:
    """sum(scale * terms), of float16 in float32: there neither the sum nor 1 / rows leaves the range."""
    wide = terms.astype(np.float32) if terms.dtype == np.float16 else terms
    total = np.add.reduce(wide) * scale if type(scale) is float else np.add.reduce(wide * scale)
    return total.astype(terms.dtype, copy=False)


def soft_pull(g: Any, x: Any, dense: Any, axis: int, reduction: str, where: Any = None) -> Any:
    """The gradient, probabilities minus targets, that factors `dense` for every class give to x."""
    g = np.expand_dims(g, axis) if reduction == "none" else g
    y = _softmax(value_of(x), axis=axis, beta=1.0, where=where)
    return spread(-dense * g, x, y, axis=axis, beta=1.0, where=where)


@primitive()
def _soft_cross_entropy(x, /, dense, axis, reduction):  # type: ignore[no-untyped-def]
    """-sum(dense * log_softmax(x)), for factors of every class."""
    rows = as_rows(x, axis)
    logs = from_rows(log_softmax_rows(rows, likeliest(rows)), x.shape, axis)
    terms = np.where(dense == 0, 0, logs) * dense
    total = -np.sum(terms, axis=axis if reduction == "none" else None)
    return total, lambda g, y, x: soft_pull(g, x, dense, axis, reduction)


# -- the public functions ----------------------------------------------------------------------------


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

    `logits`: an array or Tensor with the classes on `axis`, an integer (PyTorch's is 1; here the last).
    `targets`: class numbers, integers in the logits' shape without that axis, or probabilities,
    floats in the logits' shape. `weight`: a factor for each class. `ignore_index`: a class number
    whose rows do not count, whatever their logits. `label_smoothing`: the part of every target, 0 to
    1, that is spread over all classes. `reduction`: "mean" (of probabilities: over the rows; of class
    numbers: over the weights of the rows that count; 0 if none does), "sum" or "none", which gives a
    loss in nats for each row. `form` as in `log_softmax`; "fused" is one node whose gradient,
    probabilities minus targets, takes 1 - p as the sum of the other classes' probabilities.

    Raises ValueError for class numbers out of range, shapes and lengths that do not fit, negative
    weights and unknown options, TypeError for targets that are neither integers nor floats.

    >>> round(float(cross_entropy([[2.0, 0.0], [0.0, 0.0]], [0, 1])), 6)
    0.410038
    """
    check_choice("cross_entropy", "form", form, FORMS)
    smoothing = read_number("cross_entropy", "label_smoothing", label_smoothing)
    if not 0 <= smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing is between 0 and 1, not {label_smoothing}")
    x, axis = read_loss("cross_entropy", logits, axis, reduction, ignore_index)
    read = read_targets("cross_entropy", x, targets, axis, weight, ignore_index, smoothing, reduction)
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
    x, axis = read_loss("nll_loss", log_probabilities, axis, reduction, ignore_index)
    read = read_targets("nll_loss", x, targets, axis, weight, ignore_index, 0.0, reduction)
    return weigh(x, read, axis, reduction)
