"""Arrays as a script prints them: numbers in words, tints in letters, and lines about what is too large for either."""

from typing import Any

import numpy as np

from .label import WIDEST
from .values import MOST_CELLS, number, oddities, statistics


def grid_of(array: Any) -> dict[str, Any]:
    """An array's words: the width of a line and the numbers, or for a large one lines about it."""
    told: dict[str, Any] = {}
    if not array.size:
        told["l"] = [f"empty, {array.shape}"]
    elif array.size > MOST_CELLS:
        told["l"] = [f"{array.shape} {array.dtype}", ", ".join(statistics(array))]
    else:
        told = written(array if array.ndim else array.reshape(1), 3 if array.ndim else 4)
    if array.ndim > 2 and "c" in told:
        told["s"] = str(array.shape)
    if odd := oddities(array):
        told["o"] = odd
    return told


def written(array: Any, digits: int = 3) -> dict[str, Any]:
    """A grid of numbers."""
    return {"w": min(array.shape[-1], WIDEST), "c": " ".join(number(x, digits) for x in array.ravel())}


def tinted(matrix: Any) -> dict[str, Any]:
    """A grid of tints alone: a letter for each number, "a" to "i" above zero, "A" to "I" below, "." for zero."""
    finite = np.isfinite(matrix)
    largest = float(np.abs(matrix[finite]).max()) if finite.any() else 0.0
    letters = [
        "!"
        if not known
        else "."
        if not x
        else ("abcdefghi" if x > 0 else "ABCDEFGHI")[int(8.99 * abs(x) / largest)]
        for x, known in zip(matrix.ravel(), finite.ravel(), strict=True)
    ]
    told = {"w": matrix.shape[1], "h": "".join(letters), "s": f"{matrix.shape[0]} x {matrix.shape[1]}"}
    return told | ({"o": odd} if (odd := oddities(matrix)) else {})
