"""Several forms of one function compared: how right each is, where it breaks, what it costs."""

from .compare import Comparison, compare

__all__ = ["Comparison", "compare"]
