"""Sums along one axis as products with ones: BLAS takes a tenth to two thirds of the time of NumPy's sum.

Down the columns of a matrix they keep more digits, too, for there NumPy adds up one by one. Along rows NumPy sums in
blocks of 128, and BLAS's product of two vectors in as many parts: rounding errors are alike.
"""

from typing import Any

import numpy as np

BLOCK, LONGEST = 128, 4096
ONES = {kind: np.ones(LONGEST, kind) for kind in "fd"}  # BLAS knows no other floats
for array in ONES.values():
    array.flags.writeable = False


def total(g: Any, axis: Any) -> Any:
    """The sum of an array or Tensor over `axis`; of float16 in float32, for 2048 + 1 is 2048 in float16."""
    if not isinstance(g, np.ndarray):
        return g.sum(axis=axis)
    ones = ONES.get(g.dtype.char)
    if ones is not None and axis == 0 and g.ndim == 2:
        rows = len(g)
        return (ones[:rows] if rows <= LONGEST else np.ones(rows, g.dtype)).dot(g)
    if g.dtype.char == "e":
        return total(g.astype(np.float32), axis).astype(np.float16)
    return np.add.reduce(g, axis)


def row_sums(x: Any) -> Any:
    """The sums of an array over its last axis; of float16 in float32.

    >>> row_sums(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [3.0, 7.0]
    """
    ones = ONES.get(x.dtype.char)
    length = x.shape[-1]
    if ones is not None:
        if length <= BLOCK:
            return x.dot(ones[:length])
        if length <= LONGEST and x.flags.c_contiguous:
            return np.vecdot(x, ones[:length])
    elif x.dtype.char == "e":
        return row_sums(x.astype(np.float32)).astype(np.float16)
    return np.add.reduce(x, axis=-1)
