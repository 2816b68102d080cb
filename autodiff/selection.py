"""What a selection left out: the mask that a gradient carries after `where`, indexing or a maximum.

`where(x > 0, log(x), 0)` at 0 multiplies a gradient of 0 by log's slope, infinity, and would get
NaN. But that 0 is not a small number: the element was never used. Treating every zero so would be
wrong (`sqrt(x)**2` at 0 is honestly NaN), so the walk carries, beside a gradient and only where
a selection made one, a mask of the elements that were not selected. How an op passes it on is
its `structure`:

- "elementwise": the mask stays as it is, and the result is 0 there whatever the local derivative;
- "layout" and "selection": the op moves, adds up or drops elements, so a mask travels as the
  gradient does: an input's element is left out where the vjp of the selected ones is zero;
- None: the op mixes elements, and the mask is dropped.

Of larger arrays, in a plain walk, the mask is a function that computes it once it is called, which is
seldom: a gradient of 0 stays 0 by itself, unless it meets an infinity or a NaN. In a walk that records
a graph or is watched it is an array.
"""

from functools import cache
from math import isfinite
from typing import Any

import numpy as np

from .broadcasting import unbroadcast

# Arrays from this size on: of smaller ones a mask takes less time than all that asks for it.
LARGER = 64


def pass_selection(
    place: int, g: Any, mask: Any, node: Any, y: Any, arguments: Any, plain: bool
) -> tuple[Any, Any]:
    """What a node contributes to its input number `place`, and the mask with it (None: nothing left out)."""
    vjp, shape = node.vjps[place], node.value.shape
    structure = node.operation.structure
    if structure == "elementwise" and mask is not None:
        with np.errstate(all="ignore"):
            contribution = vjp(g, y, *arguments)
            if callable(mask) and is_finite(contribution):
                return contribution, mask
            left_out = array_of(mask, shape)
            if left_out is not None:
                return np.where(left_out, 0, contribution), left_out
        mask = None
    contribution = vjp(g, y, *arguments)
    selects, travels = structure == "selection", structure == "layout" and mask is not None
    if not node.inputs[place].inputs or not (selects or travels):  # a leaf hands no mask on
        return contribution, None
    inputs = (node.value, *node.arguments)
    if plain and mask is None and node.value.size >= LARGER:
        return contribution, cache(lambda: unless_none(vjp(np.ones(shape), *inputs) == 0))
    # At once where there is a mask already: functions of functions would be a recursion.
    left_out = array_of(mask, shape)
    if left_out is None and not selects:
        return contribution, None
    selected = np.ones(shape) if left_out is None else (~left_out).astype(np.float64)
    return contribution, unless_none(vjp(selected, *inputs) == 0)


def is_finite(contribution: Any) -> bool:
    """Whether a vjp returned real numbers, and no infinity and no NaN among them."""
    is_real = isinstance(contribution, np.ndarray | np.generic) and contribution.dtype.kind == "f"
    return is_real and isfinite(np.add.reduce(contribution, axis=None))


def unless_none(left_out: Any) -> Any:
    """A mask, or None if it leaves nothing out."""
    return left_out if left_out.any() else None


def array_of(mask: Any, shape: tuple[int, ...]) -> Any:
    """The array that a mask is or computes; for an input of `shape` that was repeated, what all its copies leave out."""
    left_out = mask() if callable(mask) else mask
    if left_out is None or left_out.shape == shape:
        return left_out
    return unbroadcast((~left_out).astype(np.float64), shape) == 0


def adopt(masks: dict[Any, Any], parent: Any, left_out: Any, first: bool) -> None:
    """Keep for `parent` what all contributions so far have left out."""
    shape = parent.value.shape
    if first:
        masks[parent] = left_out if callable(left_out) else array_of(left_out, shape)
        return
    before, left_out = masks.pop(parent, None), array_of(left_out, shape)
    if before is not None and left_out is not None:
        before = array_of(before, shape)
        if before is not None:
            masks[parent] = before & left_out
