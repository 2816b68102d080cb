"""What is differentiable, as data."""

from operator import itemgetter
from typing import Any

from .losses import cross_entropy, nll_loss
from .ops import (
    avg_pool2d,
    conv2d,
    gelu,
    index_add,
    index_update,
    irfft,
    log_sigmoid,
    max_pool2d,
    relu,
    rfft,
    sigmoid,
    silu,
    softplus,
)
from .primitive import is_ours, registry
from .softmax import log_softmax, logsumexp, softmax, softmax_jacobian
from .tensor import Tensor, implementations, numpy_name

# What NumPy has no function for.
BEYOND_NUMPY = (
    *(relu, sigmoid, softplus, gelu, silu, log_sigmoid),
    *(softmax, log_softmax, logsumexp, softmax_jacobian, cross_entropy, nll_loss),
    *(conv2d, max_pool2d, avg_pool2d, index_update, index_add, rfft, irfft),
)


def supported() -> list[dict[str, Any]]:
    """What is differentiable: a row for each function, with its name, NumPy's functions for it and its summary.

    >>> [row["numpy"] for row in supported() if row["op"] in ("exp", "stack")]
    [['np.exp'], ['np.stack']]
    """
    spelled: dict[Any, list[str]] = {}
    for numpy_function, function in implementations.items():
        if getattr(function, "differentiable", True):
            function = implementations.get(getattr(numpy_function, "__self__", function), function)
            spelled.setdefault(function, []).append(numpy_name(numpy_function))
    on_tensors = vars(Tensor).values()
    declared = [op for op in registry.values() if not is_ours(op) or op in on_tensors]
    rows = [
        {
            "op": function.__name__.lstrip("_"),
            "numpy": spelled.get(function, []),
            "summary": (function.__doc__ or "").partition("\n")[0],
        }
        for function in {*spelled, *BEYOND_NUMPY, *declared}
    ]
    return sorted(rows, key=itemgetter("op"))
