"""Values as they were, and data that can be compared although it holds arrays."""

from dataclasses import fields
from typing import Any

import numpy as np


def snapshot(value: Any) -> Any:
    """A read-only copy, so that later updates in place do not change what was seen."""
    array = np.array(value)
    array.flags.writeable = False
    return array


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal: arrays in dtype, shape and every element, NaN included.

    >>> same((1, np.array([np.nan])), (1, np.array([np.nan])))
    True
    """
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        if type(a) is not type(b) or a.dtype != b.dtype or a.shape != b.shape:
            return False
        return bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


class Data:
    """A dataclass that equals another of equal fields, those with `compare=False` left out."""

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(
            same(getattr(self, field.name), getattr(other, field.name))
            for field in fields(self)  # type: ignore[arg-type]
            if field.compare
        )

    __hash__ = None  # type: ignore[assignment]
