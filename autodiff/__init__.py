"""A tiny autograd engine for scalars and tensors, on NumPy.

NumPy is the API: `np.tanh(t)`, `t.sum()`, `a @ b` on a `Tensor` record a graph, and `loss.backward()` fills `.grad`.
Functions of functions: `grad`, `value_and_grad`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`; `gradients`.
Activations and losses: `relu`, `sigmoid`, `softplus`, `gelu`, `silu`, `softmax`, `cross_entropy`, `nll_loss`.
Looking: `draw(loss)` is a picture of the backward pass, `tree(loss)` the same as text, `trace(loss)` as data;
`player(loss)` steps through it in a notebook or a browser.
Understanding: `find_nan(loss)` says where a NaN was born, `detect_anomaly()` raises there; `explain(x, loss)` why a
gradient is what it is, or 0, or None; `kinks(loss)` where it sat on a tie or a corner.
Accuracy: `compare({"one": f, "other": g}, x)` says how right each form of a function is, where it fails, what it costs;
`precision(loss)` names the op where digits were lost first, and how many each node has left.
Surroundings: `no_grad`, `scope` (groups in pictures), `recording` (lines of code), `checkpoint` (less memory).
Ops of your own: `primitive` declares one, `check_grads` proves its rule, `supported()` lists what is there.
Learning, as modules: `nn` (layers), `optim` (what changes their parameters), `data`, `training` (`fit`), `storage`
(`save`, `load`); `plot` (by matplotlib) and `special` (SciPy's functions).

>>> t = Tensor(3.0)
>>> (t * t).backward()
>>> float(t.grad)
6.0
"""

import importlib
import sys
import typing

from .ambient import no_grad, recording, scope
from .losses import cross_entropy, nll_loss
from .messages import StaleGraphError
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
from .primitive import primitive
from .softmax import log_softmax, logsumexp, softmax, softmax_jacobian
from .tensor import Tensor
from .transforms import grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp

if typing.TYPE_CHECKING:
    from .accuracy import precision
    from .anomalies import detect_anomaly, find_nan
    from .comparison import compare
    from .explanation import explain, kinks
    from .listing import supported
    from .recompute import checkpoint
    from .testing import check_grads
    from .visualize import draw, to_graphviz, tree
    from .visualize.watch import player, trace

__all__ = [
    "StaleGraphError",
    "Tensor",
    "avg_pool2d",
    "check_grads",
    "checkpoint",
    "compare",
    "conv2d",
    "cross_entropy",
    "detect_anomaly",
    "draw",
    "explain",
    "find_nan",
    "gelu",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "index_add",
    "index_update",
    "irfft",
    "jacobian",
    "jvp",
    "kinks",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "max_pool2d",
    "nll_loss",
    "no_grad",
    "player",
    "precision",
    "primitive",
    "recording",
    "relu",
    "rfft",
    "scope",
    "sigmoid",
    "silu",
    "softmax",
    "softmax_jacobian",
    "softplus",
    "supported",
    "to_graphviz",
    "trace",
    "tree",
    "value_and_grad",
    "vjp",
]


# Rooms that open when somebody asks for them or for what is in them: all at once would take twice as long and more.
_MODULES = {"data", "nn", "optim", "plot", "special", "storage", "training", "visualize"}
_ROOMS = {
    "check_grads": "testing",
    "checkpoint": "recompute",
    "compare": "comparison",
    "detect_anomaly": "anomalies",
    "draw": "visualize",
    "explain": "explanation",
    "find_nan": "anomalies",
    "kinks": "explanation",
    "player": "visualize.watch",
    "precision": "accuracy",
    "supported": "listing",
    "to_graphviz": "visualize",
    "trace": "visualize.watch",
    "tree": "visualize",
}


def __getattr__(name: str) -> typing.Any:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name in _ROOMS:
        found = getattr(importlib.import_module(f".{_ROOMS[name]}", __name__), name)
        globals()[name] = found
        return found
    hint = f"; NumPy is the API: np.{name}(t)" if callable(vars(sys.modules["numpy"]).get(name)) else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
