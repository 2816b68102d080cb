"""What a loss of classification is told: class numbers or probabilities, weights, smoothing, rows to ignore."""

from typing import Any

import numpy as np

from .ops.fused import from_rows
from .reading import constant
from .tensor import Tensor

CLASS_NUMBERS, UNSIGNED = np.dtype(np.intp), np.dtype(np.uintp)


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
        hint = "; one-hot rows are probabilities: hand floats" if targets.shape == shape else ""
        raise ValueError(
            f"{name}: targets of shape {targets.shape} do not fit logits of shape {shape}, "
            f"whose axis {axis} holds the classes; expected shape {batch}{hint}"
        )
    if targets.size and not classes:
        raise ValueError(f"{name}: logits of shape {shape} have no classes on axis {axis}")
    indices = targets.astype(np.intp, copy=False)
    # One comparison finds numbers on both sides of the range: as unsigned, the negative ones are huge.
    outside = targets.size and largest(indices.view(UNSIGNED)) >= classes
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


def largest(numbers: Any) -> Any:
    """The largest element of an array that is not empty, in a third of the time of its maximum."""
    return numbers.item(numbers.argmax())


def read_targets(
    name: str,
    x: Any,
    targets: Any,
    axis: int,
    weight: Any,
    ignore_index: int,
    smoothing: float,
    reduction: str,
) -> tuple[Any, Any, Any]:
    """Checked `(indices, scale, dense)`, with weights, ignored rows, smoothing and the mean's divisor worked in.

    A loss sums `scale` times the classes' `indices`, or, where these are None, `dense` factors for every class.
    """
    shape = x.shape
    if isinstance(targets, Tensor):
        raise TypeError(f"{name}: targets have no derivative; hand an array, as targets.data")
    try:
        targets = np.asarray(targets)
    except ValueError:
        raise ValueError(f"{name}: the rows of the targets have different lengths") from None
    classes = shape[axis]
    if weight is not None:
        weight = read_weight(name, weight, x.dtype, classes)
    if targets.dtype.kind == "f" and (targets.size or len(targets.shape) == len(shape)):
        if targets.shape != shape:
            batch = shape[:axis] + shape[axis:][1:]
            hint = ", as targets.astype(int)" if targets.shape == batch else ""
            raise ValueError(
                f"{name}: target probabilities of shape {targets.shape} do not fit logits of shape {shape}; "
                f"class numbers are integers{hint}"
            )
        dense = targets.astype(x.dtype)
        if smoothing:
            dense = dense * (1 - smoothing) + smoothing / max(classes, 1)
        if weight is not None:
            dense = dense * weight.reshape([-1 if n == axis % len(shape) else 1 for n in range(len(shape))])
        return None, None, dense / (dense.size // classes or 1) if reduction == "mean" else dense

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
        return indices, scale, None
    # A part of every target goes to all classes.
    spread_out = np.full((targets.size, classes), smoothing / classes / divisor, x.dtype)
    if weight is not None:
        spread_out *= weight
    if kept is not None:
        spread_out *= kept.reshape(-1, 1)
    spread_out[np.arange(targets.size), indices.reshape(-1)] += (1 - smoothing) * np.reshape(scale, -1)
    return None, None, from_rows(spread_out, shape, axis)
