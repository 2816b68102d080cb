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
"""

from typing import Any

import numpy as np

from .broadcasting import unbroadcast


def pass_selection(place: int, g: Any, mask: Any, node: Any, y: Any, arguments: Any) -> tuple[Any, Any]:
    """What a node contributes to its input number `place`, and the mask with it (None: nothing left out)."""
    vjp = node.vjps[place]
    structure = node.operation.structure
    if structure == "elementwise" and mask is not None:
        with np.errstate(all="ignore"):
            return np.where(mask, 0, vjp(g, y, *arguments)), mask
    contribution = vjp(g, y, *arguments)
    travels = structure == "layout" and mask is not None
    if not node.inputs[place].inputs or not (travels or structure == "selection"):  # a leaf hands no mask on
        return contribution, None
    selected = np.ones(node.value.shape) if mask is None else (~mask).astype(np.float64)
    left_out = vjp(selected, node.value, *node.arguments) == 0
    return contribution, left_out if left_out.any() else None


def adopt(masks: dict[Any, Any], parent: Any, left_out: Any, first: bool) -> None:
    """Keep for `parent` what all contributions so far have left out."""
    if left_out is None:
        masks.pop(parent, None)
        return
    shape = parent.value.shape
    if left_out.shape != shape:
        left_out = unbroadcast((~left_out).astype(np.float64), shape) == 0
    if first:
        masks[parent] = left_out
    elif parent in masks:
        masks[parent] = masks[parent] & left_out
