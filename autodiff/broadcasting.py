"""Undoing NumPy's broadcasting."""

from typing import Any

from .sums import total


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum `g` over the axes along which an input of `shape` was repeated.

    Broadcasting copies; the adjoint of a copy is a sum. `g` may be an array or a Tensor.

    >>> import numpy as np
    >>> unbroadcast(np.ones((2, 3)), (3,)).tolist()
    [2.0, 2.0, 2.0]
    >>> unbroadcast(np.ones((2, 3)), (2, 1)).tolist()
    [[3.0], [3.0]]
    """
    added = len(g.shape) - len(shape)
    if added < 0:
        return g
    repeated = [added + i for i, n in enumerate(shape) if n == 1 and g.shape[added + i] != 1]
    axes = (*range(added), *repeated)
    if axes:
        g = total(g, axes if len(axes) > 1 else axes[0])
    return g.reshape(shape) if repeated else g
