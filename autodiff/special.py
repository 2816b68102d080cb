"""SciPy's special functions that are no ufuncs, for Tensors; signatures as SciPy's.

The others need no wrapper: `scipy.special.erf(t)` works as it stands. To be imported on request: needs SciPy.

>>> from autodiff import Tensor, special
>>> special.softmax(Tensor([[0.0, 0.0]]), axis=1).tolist()
[[0.5, 0.5]]
"""

from typing import Any

try:
    import scipy.special  # noqa: F401  # SciPy's own module, without which nothing here is of use
except ImportError as error:
    raise ImportError(
        "autodiff.special needs SciPy: pip install scipy, or tiny-autodiff[special]; "
        "ad.softmax, ad.log_softmax and ad.logsumexp do without"
    ) from error

from .ops.special import multigammaln, polygamma
from .softmax import log_softmax as _log_softmax
from .softmax import logsumexp
from .softmax import softmax as _softmax

__all__ = ["log_softmax", "logsumexp", "multigammaln", "polygamma", "softmax"]


def softmax(x: Any, axis: Any = None) -> Any:
    """exp(x) / sum(exp(x)) over `axis`; all of them by default, where ad.softmax takes the last."""
    return _softmax(x, axis=axis)


def log_softmax(x: Any, axis: Any = None) -> Any:
    """The logarithm of softmax over `axis`; all of them by default, where ad.log_softmax takes the last."""
    return _log_softmax(x, axis=axis)
