"""A tiny autograd engine for scalars and tensors, on NumPy."""

from .ambient import no_grad, recording, scope
from .listing import supported
from .losses import cross_entropy, nll_loss
from .messages import StaleGraphError
from .ops import gelu, log_sigmoid, relu, sigmoid, silu, softplus
from .primitive import primitive
from .recompute import checkpoint
from .softmax import log_softmax, logsumexp, softmax, softmax_jacobian
from .tensor import Tensor
from .testing import check_grads
from .transforms import grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .visualize import draw, to_graphviz, tree

__all__ = [
    "StaleGraphError",
    "Tensor",
    "check_grads",
    "checkpoint",
    "cross_entropy",
    "draw",
    "gelu",
    "grad",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "nll_loss",
    "no_grad",
    "primitive",
    "recording",
    "relu",
    "scope",
    "sigmoid",
    "silu",
    "softmax",
    "softmax_jacobian",
    "softplus",
    "supported",
    "to_graphviz",
    "tree",
    "value_and_grad",
    "vjp",
]
