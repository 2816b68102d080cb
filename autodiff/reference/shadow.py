"""A recorded graph run again with more digits: a second graph beside it, in NumPy's longdouble.

Nothing of the user's code runs again: each node's op does, and returns fresh backward closures with its
value. The gradients are those of the ops' own rules, so a formula that loses digits loses fewer of them
here, and a wrong one is wrong here too.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..graph import backpropagate
from ..node import Node, Recipe
from ..tensor import Tensor, record

WIDE = np.longdouble


def widened(x: Any) -> Any:
    """Floating-point arrays as longdouble; Python's numbers, integers and masks as they are."""
    if isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f":
        return np.asarray(x).astype(WIDE)[()]
    return x


def narrowed(x: Any) -> Any:
    """Longdouble as float64."""
    if isinstance(x, np.ndarray | np.generic) and x.dtype == WIDE:
        return np.asarray(x).astype(np.float64)[()]
    return x


def carried(vjp: Callable[..., Any] | None) -> Any:
    """A vjp of an op that has no longdouble form, for arrays that are."""
    return vjp and (lambda g, y, *inputs: vjp(*map(narrowed, (g, y, *inputs))))


def run_op(node: Node, arguments: Sequence[Any]) -> tuple[Any, tuple[Any, ...], bool]:
    """A node's op on longdouble arguments: its value, its fresh vjps, and whether it ran in float64 after all."""
    function = node.operation.function
    options = {name: WIDE if name == "dtype" else choice for name, choice in node.options.items()}
    with np.errstate(all="ignore"):
        try:
            y, *vjps = function(*arguments, **options)
            if y.dtype == WIDE:
                return y, tuple(vjps), False
        except (TypeError, ValueError):  # what NumPy and SciPy say of a dtype that they do not have
            pass
        y, *vjps = function(*map(narrowed, arguments), **node.options)
        return np.asarray(y).astype(WIDE)[()], tuple(map(carried, vjps)), True


class Shadow:
    """The longdouble graph beside the one of `order`, oldest first, from its leaves on.

    `tensors`: the node beside each node. `narrow`: those whose ops ran in float64 after all.
    """

    def __init__(self, order: Sequence[Node]) -> None:
        self.tensors: dict[Node, Tensor] = {}
        self.narrow: set[Node] = set()
        for node in order:
            inputs = node.inputs or ()
            if not inputs:
                self.tensors[node] = Tensor(widened(node.value))
            else:
                parents = tuple([None if parent is None else self.tensors[parent] for parent in inputs])
                arguments = tuple(
                    [
                        widened(argument) if parent is None else parent.value
                        for parent, argument in zip(parents, node.arguments, strict=True)
                    ]
                )
                y, vjps, narrow = run_op(node, arguments)
                if narrow:
                    self.narrow.add(node)
                recipe = Recipe(node.operation, vjps, node.options, parents[2:])
                self.tensors[node] = record(y, recipe, parents, arguments, None)
            self.tensors[node].notes = node.notes  # hooks change gradients here as they do there

    def gradients(self, roots: Sequence[Node], seeds: Sequence[Any]) -> dict[Node, Any]:
        """The gradient of every node, in longdouble, as one backward pass from `roots` finds them."""
        beside = {tensor: node for node, tensor in self.tensors.items()}
        with np.errstate(all="ignore"):
            walk = backpropagate([self.tensors[root] for root in roots], [widened(seed) for seed in seeds])
            return {beside[tensor]: gradient for tensor, gradient in walk}  # type: ignore[index]
