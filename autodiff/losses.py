"""Losses of classification: the cross-entropy of logits, and of log-probabilities."""

from typing import Any

import numpy as np

from .ambient import scope
from .ops.axes import value_of
from .ops.fused import (
    _softmax,
    as_rows,
    from_rows,
    likeliest,
    log_softmax_rows,
    shifted,
    spread,
)
from .ops.scalars import ONE
from .primitive import primitive
from .softmax import FORMS, check_choice, floating, log_softmax, read_axis, read_number
from .sums import row_sums
from .targets import CLASS_NUMBERS, UNSIGNED, largest, read_targets
from .tensor import Tensor

LAST, NO_CLASS, NO_SMOOTHING, MEAN, FUSED = -1, -100, 0.0, "mean", "fused"
REDUCTIONS = (MEAN, "sum", "none")
INTEGERS = (int, np.integer)


def read_loss(name: str, x: Any, axis: Any, reduction: Any, ignore_index: Any) -> tuple[Any, int]:
    """Checked `(x, axis)` of a loss."""
    check_choice(name, "reduction", reduction, REDUCTIONS)
    x = floating(x, name)
    if not isinstance(axis, INTEGERS):
        raise TypeError(f"{name}: the classes are on one axis, an integer, not {axis!r}")
    if not isinstance(ignore_index, INTEGERS):
        raise TypeError(f"{name}: ignore_index is a class number, an integer, not {ignore_index!r}")
    axis = read_axis(name, axis, len(x.shape))
    return x, axis if axis == -1 else axis[0]


# -- the loss by primitives --------------------------------------------------------------------------


def weigh(log_probabilities: Any, indices: Any, scale: Any, dense: Any, axis: int, reduction: str) -> Any:
    """Minus the targets' share of the log-probabilities, by primitives."""
    if dense is not None:
        terms = np.where(dense == 0, 0, log_probabilities) * dense
        return -np.sum(terms, axis=axis if reduction == "none" else None)
    picked = np.take_along_axis(log_probabilities, np.expand_dims(indices, axis), axis)
    terms = np.squeeze(picked, axis)
    if type(scale) is not float:
        terms = np.where(scale == 0, 0, terms)
    terms = terms * -scale
    return terms if reduction == "none" else np.sum(terms)


# -- the loss as one node ------------------------------------------------------------------------------


@primitive()
def _cross_entropy(x, /, targets, scale, axis, reduction):  # type: ignore[no-untyped-def]
    """-scale * log_softmax(x) at the targets, for class numbers.

    With z = x - the row's largest and e = exp(z), the loss is log(1 + excess) - z_t, where `excess` is the sum of e
    with e_t - 1 in the target's place: where the loss is small, that is 0, and all digits are the others'. Over
    1 + excess, the loss's `slope` is e, and at the target minus the sum of the others.
    """
    rows = as_rows(x, axis)
    shape, classes = rows.shape, rows.shape[-1]
    if len(shape) != 2:
        rows = rows.reshape(-1, classes)
    hit = np.arange(0, rows.size, classes)
    peak = rows.ravel()[hit + rows.argmax(axis=1)]  # in half the time of a maximum
    z = shifted(rows, peak[:, None]).ravel()
    hit += targets.ravel()
    z_t = z[hit]
    e = np.exp(z)
    short = np.expm1(z_t)
    e[hit] = short
    slope = e.reshape(-1, classes)
    excess = row_sums(slope)
    e[hit] = short - excess
    terms = np.log1p(excess) - z_t
    uniform = type(scale) is float
    if not uniform:
        scale = scale.reshape(-1)
        terms = np.where(scale == 0, 0, terms)

    def pull(g, y, x):  # type: ignore[no-untyped-def]
        if isinstance(x, Tensor):
            return dense_pull(g, x, hit, scale, shape, axis, reduction)
        share = (g if reduction != "none" else g.reshape(-1)) * scale / (excess + ONE.get(excess.dtype, 1))
        pulled = slope * share[:, None]
        if not uniform:
            pulled[scale == 0] = 0
        return from_rows(pulled, x.shape, axis)

    if reduction == "none":
        return (terms * scale).reshape(shape[:-1]), pull
    return weighted_sum(terms, scale), pull


def weighted_sum(terms: Any, scale: Any) -> Any:
    """sum(scale * terms), of float16 in float32: there neither the sum nor 1 / rows leaves the range."""
    if terms.dtype.char == "e":
        return weighted_sum(terms.astype(np.float32), scale).astype(np.float16)
    return row_sums(terms) * scale if type(scale) is float else row_sums(terms * scale)


def dense_pull(g: Any, x: Any, hit: Any, scale: Any, shape: Any, axis: int, reduction: str) -> Any:
    """The gradient by `soft_pull` that the factors `scale` at the places `hit` give to x, of `shape` by rows."""
    hot = np.zeros(shape, x.dtype)
    hot.ravel()[hit] = scale
    counts = None
    if type(scale) is not float:
        counts = from_rows(np.broadcast_to((scale != 0).reshape(*shape[:-1], 1), shape), x.shape, axis)
    return soft_pull(g, x, from_rows(hot, x.shape, axis), axis, reduction, counts)


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
    counts = np.any(dense, axis=axis, keepdims=True)
    where = None if counts.all() else np.broadcast_to(counts, x.shape)
    return total, lambda g, y, x: soft_pull(g, x, dense, axis, reduction, where)


# -- the public functions ----------------------------------------------------------------------------


def cross_entropy(
    logits: Any,
    targets: Any,
    axis: int = LAST,
    *,
    weight: Any = None,
    ignore_index: int = NO_CLASS,
    label_smoothing: float = NO_SMOOTHING,
    reduction: str = MEAN,
    form: str = FUSED,
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
    # What training loops hand over, in half the time that reading everything takes: defaults are these very objects.
    if (
        type(logits) is Tensor
        and type(targets) is np.ndarray
        and targets.dtype is CLASS_NUMBERS
        and axis is LAST
        and weight is None
        and ignore_index is NO_CLASS
        and label_smoothing is NO_SMOOTHING
        and reduction is MEAN
        and form is FUSED
    ):
        shape = logits.value.shape
        if (
            shape
            and targets.shape == shape[:-1]
            and targets.size
            and largest(targets.view(UNSIGNED)) < shape[-1]
        ):
            scale = 1 / targets.size
            options = {"targets": targets, "scale": scale, "axis": axis, "reduction": reduction}
            return _cross_entropy.call(logits, options)  # type: ignore[attr-defined]
    check_choice("cross_entropy", "form", form, FORMS)
    smoothing = label_smoothing
    if smoothing != 0.0 or type(smoothing) is not float:
        smoothing = read_number("cross_entropy", "label_smoothing", label_smoothing)
        if not 0 <= smoothing <= 1:
            raise ValueError(f"cross_entropy: label_smoothing is between 0 and 1, not {label_smoothing}")
    x, axis = read_loss("cross_entropy", logits, axis, reduction, ignore_index)
    indices, scale, dense = read_targets(
        "cross_entropy", x, targets, axis, weight, ignore_index, smoothing, reduction
    )
    if form != "fused":
        with scope("cross_entropy"):
            return weigh(log_softmax(x, axis, form=form), indices, scale, dense, axis, reduction)
    if dense is None:
        return _cross_entropy(x, targets=indices, scale=scale, axis=axis, reduction=reduction)
    return _soft_cross_entropy(x, dense=dense, axis=axis, reduction=reduction)


def nll_loss(
    log_probabilities: Any,
    targets: Any,
    axis: int = LAST,
    *,
    weight: Any = None,
    ignore_index: int = NO_CLASS,
    reduction: str = MEAN,
) -> Any:
    """Minus the log-probability of the targets: `cross_entropy` of what log_softmax returned.

    Shapes, options and errors as `cross_entropy`.

    >>> float(nll_loss(log_softmax([[0.0, 0.0]]), [1])) == float(np.log(2))
    True
    """
    x, axis = read_loss("nll_loss", log_probabilities, axis, reduction, ignore_index)
    read = read_targets("nll_loss", x, targets, axis, weight, ignore_index, 0.0, reduction)
    return weigh(x, *read, axis, reduction)
