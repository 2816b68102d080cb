"""The operations, a room for each idea."""

import sys

import numpy as np

from ..tensor import finders
from . import choosing as choosing
from . import constants as constants  # registers what returns arrays
from . import counting as counting
from . import decompositions as decompositions
from . import exponentials as exponentials
from . import linalg as linalg
from . import neighbours as neighbours
from . import norms as norms
from . import padding as padding
from . import quantiles as quantiles
from . import repeating as repeating
from . import rounding as rounding
from . import series as series
from . import signals as signals
from . import signs as signs
from . import sorting as sorting
from . import spacing as spacing
from . import spellings as spellings
from . import splitting as splitting
from . import statistics as statistics
from . import triangles as triangles
from . import trigonometry as trigonometry
from . import windows as windows
from .activations import gelu, log_sigmoid, relu, sigmoid, silu, softplus
from .convolution import conv2d
from .einsum import einsum
from .elementwise import (
    abs,
    add,
    astype,
    clip,
    cos,
    divide,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    multiply,
    negative,
    positive,
    power,
    sin,
    sqrt,
    square,
    subtract,
    where,
)
from .fourier import irfft, rfft
from .hyperbolic import tanh
from .indexing import getitem, take_along_axis
from .joining import concatenate, stack
from .pooling import avg_pool2d, max_pool2d
from .products import dot, matmul, outer
from .reductions import max, mean, min, prod, sum
from .shaping import (
    broadcast_to,
    expand_dims,
    ravel,
    reshape,
    squeeze,
    swapaxes,
    transpose,
)
from .spreads import std, var
from .ufuncs import declare_methods
from .updates import index_add, index_update

__all__ = [
    "abs",
    "add",
    "astype",
    "avg_pool2d",
    "broadcast_to",
    "clip",
    "concatenate",
    "conv2d",
    "cos",
    "divide",
    "dot",
    "einsum",
    "exp",
    "expand_dims",
    "expm1",
    "gelu",
    "getitem",
    "index_add",
    "index_update",
    "irfft",
    "log",
    "log1p",
    "log_sigmoid",
    "matmul",
    "max",
    "max_pool2d",
    "maximum",
    "mean",
    "min",
    "minimum",
    "multiply",
    "negative",
    "outer",
    "positive",
    "power",
    "prod",
    "ravel",
    "relu",
    "reshape",
    "rfft",
    "sigmoid",
    "silu",
    "sin",
    "softplus",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "swapaxes",
    "take_along_axis",
    "tanh",
    "transpose",
    "var",
    "where",
]

declare_methods()


def load_special_functions(function: object) -> None:
    """Declare SciPy's special functions when one of them, of a module that somebody has imported, is met."""
    if isinstance(function, np.ufunc) and "scipy.special" in sys.modules:
        from . import special as special


finders.append(load_special_functions)
