"""SciPy's special functions. Loaded when SciPy's own module is there and one of them is handed a Tensor."""

from . import bessel as bessel
from . import errors as errors
from . import logarithms as logarithms
from .gammas import multigammaln, polygamma

__all__ = ["multigammaln", "polygamma"]
