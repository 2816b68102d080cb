"""What the reader calls things: tensors, constants, and the inputs of an op."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..node import Node
from ..tensor import Tensor

# IPython keeps results under these names, beside the ones that people give.
AUTOMATIC = re.compile(r"_+\d*|_i+\d*|__\w+__")


class Names:
    """What the reader calls things: each Tensor's own name, or the one that `names=` has for it.

    A name from `names=` wins, unless the Tensor's own is in there too: after `for p in parameters:`
    a `locals()` has the last of them twice.
    """

    def __init__(self, names: Any, caller: str) -> None:
        if names is not None and not isinstance(names, Mapping):
            raise TypeError(f"{caller}: names= is a dict from names to Tensors, not {type(names).__name__}")
        self.given: dict[int, list[str]] = {}
        for name, thing in (names or {}).items():
            if isinstance(thing, Tensor | np.ndarray) and not AUTOMATIC.fullmatch(str(name)):
                self.given.setdefault(id(thing), []).append(str(name))

    def of(self, thing: Any) -> str | None:
        """The name of a node, or of an array that an op took as a constant."""
        own = thing.notes.name if isinstance(thing, Node) and thing.notes else None
        given = self.given.get(id(thing), [])
        return own if own in given or not given else given[0]
