"""What the caller hands in, read and checked: a leaf's data and name, the constants among an op's inputs."""

from typing import Any

import numpy as np

from .node import Node

PLAIN = frozenset({float, int})
REAL = frozenset("?bBhHiIlLqQefdg")


def plain_array(data: Any, name: str, copy: bool | None = None) -> Any:
    """`data` as an array that is no subclass, for an op called `name`; with `copy` one of its own."""
    if isinstance(data, np.ndarray) and hasattr(data, "mask"):
        raise TypeError(
            f"{name}: a masked array's mask would be lost; use m.filled(0), or np.where with m.mask"
        )
    try:
        return np.array(data, copy=copy, order="C")
    except ValueError as error:
        raise ValueError(f"{name}: {error} Rows of one length make an array.") from None


def holds_tensors(data: Any) -> bool:
    """Whether there is a Tensor in nested lists and tuples."""
    return isinstance(data, Node) or (isinstance(data, list | tuple) and any(map(holds_tensors, data)))


def checked_name(name: Any) -> str:
    """`name`, which is text."""
    if isinstance(name, str):
        return str(name)
    what = f"not {name!r:.40}"
    if isinstance(name, np.dtype) or (isinstance(name, type) and issubclass(name, np.generic | float | int)):
        what = "not a dtype; give the data that dtype: np.array(..., dtype)"
    raise TypeError(f"Tensor: name is text, {what}")


def leaf_array(data: Any, dtype: Any = None, what: str = "Tensor: the data") -> Any:
    """A copy of `data`, called `what`, as real floating-point numbers: an array, or a NumPy scalar if 0-d."""
    if isinstance(data, Node):
        raise TypeError(
            f"{what} is a Tensor already; use it as it is, or t.data to start a new graph from its value"
        )
    if data is None:
        raise TypeError(f"{what} is None; a Tensor holds real numbers")
    try:
        array = plain_array(data, what.partition(":")[0], copy=True)
    except TypeError:
        if holds_tensors(data):
            raise TypeError(f"{what} holds Tensors; join them with np.stack([t, u])") from None
        raise
    if array.dtype.kind not in "fiu":
        hint = {
            "b": "; cast it first, as in mask.astype(float)",
            "c": "; only real numbers have derivatives here: take z.real and z.imag apart",
            "O": "; a list of Tensors becomes one through np.stack or np.concatenate",
        }.get(array.dtype.kind, "")
        raise TypeError(f"{what} is {array.dtype}, not real numbers{hint}")
    if dtype is None:
        dtype = array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)
        if not dtype.isnative:  # whatever is computed from it is native
            dtype = dtype.newbyteorder("=")
    return array.astype(dtype, copy=False)[()]


def constant(x: Any, name: str) -> Any:
    """An input that is no Tensor, as `name` can compute with it: a number or a real array."""
    if type(x) is np.ndarray or isinstance(x, np.generic):
        array = x
    elif type(x) in PLAIN:
        return x
    else:
        array = plain_array(x, name)
    if array.dtype.char not in REAL:
        kind = "None" if x is None else array.dtype
        raise TypeError(f"{name}: takes Tensors and real numbers, not {kind}")
    return array
