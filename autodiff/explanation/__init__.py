"""Questions to a gradient: why it is what it is, which ties it passed, what had better be written otherwise."""

from .explain import explain
from .kinks import kinks
from .lints import lints

__all__ = ["explain", "kinks", "lints"]
