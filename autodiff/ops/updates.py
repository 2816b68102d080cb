"""Writing into an array, as a function: the new array is returned, the old one stays as it is."""

import numpy as np

from ..primitive import primitive
from ..tensor import Tensor
from .elementwise import add, astype
from .indexing import _scatter, is_distinct, owned
from .refusals import errors_of, refuse
from .shaping import broadcast_to, reshape


def _prepared(x, index, v, name):
    """`x` and `v` in one floating-point dtype, that of x if it has one, `v` in the shape of x[index], and `index`."""
    x = x if isinstance(x, Tensor) else np.asarray(x)
    v = v if isinstance(v, Tensor) else np.asarray(v)
    index = owned(index, name)
    dtype = x.dtype if x.dtype.kind == "f" else np.result_type(x.dtype, v.dtype)
    x, v = (a if a.dtype == dtype else _cast(a, dtype) for a in (x, v))
    with errors_of(name):
        shape = np.broadcast_to(np.False_, x.shape)[index].shape
    extra = v.ndim - len(shape)
    if extra > 0 and v.shape[:extra] == (1,) * extra:  # as an assignment allows
        v = reshape(v, v.shape[extra:])
    if v.shape != shape:
        try:
            v = broadcast_to(v, shape)
        except ValueError:
            raise ValueError(
                f"{name}: values of shape {v.shape} do not fit x[index] of shape {shape}; reshape them"
            ) from None
    return x, v, index


def _cast(a, dtype):
    return astype(a, dtype) if isinstance(a, Tensor) else a.astype(dtype)


@primitive(structure="selection")
def _index_update(x, v, /, index):
    y = np.array(x)
    y[index] = v
    won = None if is_distinct(index) else _winners(np.shape(x), index)
    return (
        y[()],
        lambda g, y, x, v: _index_update(g, np.zeros(v.shape, g.dtype), index),
        lambda g, y, x, v: g[index] if won is None else np.where(won, g[index], 0),
    )


def _winners(shape, index):
    """Which values stay where `index` names places several times: of each place the one that was written last."""
    last = np.empty(shape, np.intp)
    numbers = np.arange(last[index].size).reshape(last[index].shape)
    last[index] = numbers
    return last[index] == numbers


def index_update(x, index, v):
    """`x` with `v` at `x[index]`: what `x[index] = v` is for arrays, as a function.

    `index`: all that NumPy takes: numbers, slices, lists, masks. `v` broadcasts to the shape of x[index].
    What is replaced gets no gradient; where a list names an element twice, the last value wins
    and only it gets one. The result has x's dtype. Raises IndexError for an index out of range.

    >>> index_update(Tensor([1.0, 2.0, 3.0]), [0, 2], 0.0)
    Tensor([0., 2., 0.], op=index_update)
    """
    x, v, index = _prepared(x, index, v, "index_update")
    return _index_update(x, v, index)


def index_add(x, index, v):
    """`x` with `v` added at `x[index]`; where a list names an element twice, both values are added.

    That is np.add.at as a function. `index`, `v` and the dtype as in `index_update`.

    >>> index_add(np.zeros(3), [0, 0, 2], Tensor([1.0, 2.0, 4.0])).tolist()
    [3.0, 0.0, 4.0]
    """
    x, v, index = _prepared(x, index, v, "index_add")
    return add(x, _scatter(v, index, x.shape))


for function, way_out in {
    np.put: "ad.index_update(np.ravel(x), indices, v).reshape(x.shape)",
    np.place: "ad.index_update(x, mask, v)",
    np.putmask: "np.where(mask, v, x)",
    np.copyto: "the source itself, or np.where(mask, source, x)",
    np.put_along_axis: "ad.index_update(x, index, v), with np.ogrid's lists in the index",
    np.fill_diagonal: "ad.index_update(x, np.diag_indices(len(x)), v)",
}.items():
    refuse(
        function, f"writing in place would lose the gradient; use {way_out}, or leave the graph with t.data"
    )
