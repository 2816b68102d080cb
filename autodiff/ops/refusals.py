"""What is refused because it would lose a gradient, each with its way out."""

from contextlib import contextmanager

import numpy as np

from ..primitive import implements
from ..tensor import Tensor, numpy_name


def refuse(function, way_out):
    """Let a NumPy function that is handed a Tensor say why not, and what to write instead."""
    name = numpy_name(function)

    def refused(*args, **options):
        raise TypeError(f"{name}: {way_out}")

    refused.__doc__ = f"Refused: {way_out}."
    refused.differentiable = False  # type: ignore[attr-defined]
    implements(function)(refused)
    if hasattr(np.ndarray, function.__name__):
        setattr(Tensor, function.__name__, refused)


def no_out(name, out):
    """Raise if `out`, an array to write into, was handed over by place."""
    if out is not None:
        raise TypeError(
            f"{name}: out= would lose the gradient; assign the result instead, or leave the graph with t.data"
        )


def no_tensor(name, what, argument):
    """Raise if an argument that has no derivative, say an index, is a Tensor."""
    if isinstance(argument, Tensor):
        raise TypeError(f"{name}: {what} has no derivative; hand it an array, as t.data")


@contextmanager
def errors_of(name):
    """Lead what NumPy raises in the block by the name of the function that the caller used."""
    try:
        yield
    except (ValueError, IndexError) as error:
        text = str(error)
        raise type(error)(text if text.startswith(f"{name}: ") else f"{name}: {text}") from None


def place_of(name, axis, ndim):
    """The number of an axis, from 0 on; an error led by `name` if there is none such."""
    with errors_of(name):
        return np.lib.array_utils.normalize_axis_index(axis, ndim)


def _absent(name, way_out):
    def refuse(self):
        raise AttributeError(f"a Tensor has no {name}; {way_out}")

    return property(refuse)


# What ndarrays have besides, their memory's affairs above all.
for _name in (
    *(
        "base",
        "byteswap",
        "ctypes",
        "device",
        "dump",
        "dumps",
        "fill",
        "flags",
        "flat",
        "getfield",
        "itemsize",
    ),
    *("nbytes", "resize", "setfield", "setflags", "strides", "to_device", "tobytes", "tofile", "view"),
):
    _instead = {
        "fill": "use np.full_like(t, value), or ",
        "flat": "use np.ravel(t), or ",
        "resize": "use np.resize(t, shape), or ",
        "view": "use t.reshape(shape) or t.astype(dtype), or ",
    }.get(_name, "")
    setattr(Tensor, _name, _absent(_name, f"{_instead}leave the graph with t.data.{_name}"))
