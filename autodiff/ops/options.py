"""What NumPy's reductions take beside an axis: dtype=, where=, keepdims=, initial= and out=."""

from typing import Any

import numpy as np

from ..tensor import Tensor
from .elementwise import astype, where
from .refusals import no_out, no_tensor


def prepared(name: str, a: Any, dtype: Any = None, out: Any = None, mask: Any = True, fill: Any = 0) -> Any:
    """`a` as the reduction `name` takes it: in `dtype`, with `fill` where `mask`, the option where=, does not hold."""
    no_out(name, out)
    if dtype is not None:
        a = cast(name, a, dtype)
    return a if mask is True else where(fitted(name, mask, a), a, fill)


def cast(name: str, a: Any, dtype: Any) -> Any:
    """`a` in a floating `dtype`; TypeError for any other, which would have no derivative."""
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise TypeError(
            f"{name}: a result of {dtype} has no derivative; take a floating dtype, or leave the graph with t.data"
        )
    return a if a.dtype == dtype else astype(a, dtype)


def as_array(x: Any) -> Any:
    """A Tensor as it is, anything else as an array."""
    return x if isinstance(x, Tensor) else np.asarray(x)


def fitted(name: str, mask: Any, a: Any) -> Any:
    """`mask` as booleans that broadcast to the shape of `a`, or an error."""
    no_tensor(name, "where=", mask)
    mask = np.asarray(mask)
    if mask.dtype != bool:
        raise TypeError(f"{name}: where= is made of booleans, not of {mask.dtype}")
    try:
        fits = np.broadcast_shapes(mask.shape, np.shape(a)) == np.shape(a)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name}: where= of shape {mask.shape} does not broadcast to shape {np.shape(a)}")
    return mask


def given(**options: Any) -> dict[str, Any]:
    """Those of `options` that were not left at None, False or NumPy's sign for nothing."""
    return {
        name: option
        for name, option in options.items()
        if option is not None and option is not False and option is not np._NoValue
    }


def degrees(name: str, ddof: Any, correction: Any) -> Any:
    """`ddof`, which NumPy lets one call `correction` as well."""
    if correction is np._NoValue:
        return ddof
    if ddof != 0:
        raise ValueError(f"{name}: ddof and correction are two names of one option; give one of them")
    return correction
