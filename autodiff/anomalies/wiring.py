"""Which elements of an op's inputs an element of its result depends on: the element-by-element graph.

Elementwise ops are wired by broadcasting, and what moves or selects elements by its own vjp. Of any other op
of this package its function is asked, at harmless random numbers: what changes when an input does? An op that
somebody else declared is not run again; each of its results counts as made of all its inputs.
"""

from typing import Any

import numpy as np

from ..node import Node
from ..primitive import is_ours

# checkpoint's: the rule of the one runs the caller's function, the other's value is of no use.
OPAQUE = frozenset({"recompute", "gather_inputs"})


def bad(x: Any) -> tuple[Any, Any]:
    """Where an array is NaN, and where it is infinite."""
    x = np.asarray(x)
    return np.isnan(x), np.isinf(x)


def not_finite(x: Any) -> Any:
    """Where an array is either."""
    return ~np.isfinite(np.asarray(x))


def any_down(mask: Any, shape: tuple[int, ...]) -> Any:
    """A mask summed down to the shape that was broadcast to its own: True where any of the copies is."""
    if mask.shape == shape:
        return mask
    extra = mask.ndim - len(shape)
    ones = tuple([extra + i for i, n in enumerate(shape) if n == 1 and mask.shape[extra + i] != 1])
    return np.any(mask, axis=(*range(extra), *ones), keepdims=True).reshape(shape)


class Wiring:
    """The wires of the nodes of one graph; what was asked of a node is remembered."""

    def __init__(self) -> None:
        self.probes: dict[Node, Any] = {}
        self.elementwise: dict[Node, bool] = {}

    def is_elementwise(self, node: Node) -> bool:
        """Whether every element of the node is made of the elements at its own place."""
        if node not in self.elementwise:
            operation, shapes = node.operation, set(map(np.shape, node.arguments))
            known = operation.structure == "elementwise" or (operation.selects and operation.broadcasts)
            try:
                self.elementwise[node] = known and bool(np.broadcast_shapes(*shapes) == np.shape(node.value))
            except ValueError:  # declared so, and not so
                self.elementwise[node] = False
        return self.elementwise[node]

    def chosen(self, node: Node, place: int, mask: Any) -> Any:
        """Those elements of `mask`, in the result's shape, at which a selection took its input `place`."""
        if not node.operation.selects:
            return mask
        vjp = node.vjps[place]
        if vjp is None:
            return np.zeros_like(mask)
        with np.errstate(all="ignore"):
            return mask & (
                np.broadcast_to(vjp(np.ones(mask.shape), node.value, *node.arguments), mask.shape) != 0
            )

    def probe(self, node: Node) -> Any:
        """The arguments, the value and the vjps of the node's op at harmless numbers; None if it cannot be asked."""
        if node not in self.probes:
            operation = node.operation
            self.probes[node] = None
            if is_ours(operation.function) and operation.name not in OPAQUE:
                numbers = np.random.default_rng(0)
                arguments = [
                    numbers.uniform(0.5, 1.5, np.shape(x)) if np.asarray(x).dtype.kind == "f" else x
                    for x in node.arguments
                ]
                try:
                    value, *vjps = operation.function(*arguments, **node.options)
                    self.probes[node] = arguments, value, vjps
                except Exception:
                    self.probes[node] = None  # a matrix that has no root, say
        return self.probes[node]

    def touched(self, node: Node, place: int, mask: Any) -> Any:
        """Which elements of the node depend on the elements of its input `place` that `mask` names."""
        shape = np.shape(node.value)
        if not mask.any():
            return np.zeros(shape, bool)
        if self.is_elementwise(node):
            return self.chosen(node, place, mask if mask.shape == shape else np.broadcast_to(mask, shape))
        probe = self.probe(node)
        if probe is None:
            return np.ones(shape, bool)
        arguments, value, _ = probe
        changed = np.zeros(shape, bool)
        try:
            with np.errstate(all="ignore"):
                for factor in (3.5, 0.1):  # past all others, so that a largest or smallest one changes too
                    handed = list(arguments)
                    handed[place] = np.where(mask, arguments[place] * factor, arguments[place])
                    changed |= node.operation.function(*handed, **node.options)[0] != value
        except Exception:
            return np.ones(shape, bool)
        return changed

    def reached(self, node: Node, place: int, mask: Any) -> Any:
        """Which elements of the input `place` those elements of the node depend on that `mask` names."""
        shape = np.shape(node.arguments[place])
        if not mask.any():
            return np.zeros(shape, bool)
        if self.is_elementwise(node):
            return any_down(self.chosen(node, place, mask), shape)
        vjp, value, arguments = node.vjps[place], node.value, node.arguments
        if node.operation.structure is None:
            probe = self.probe(node)
            if probe is None:
                return np.ones(shape, bool)
            arguments, value, vjps = probe
            vjp = vjps[place]
        if vjp is None:
            return np.ones(shape, bool)
        try:
            with np.errstate(all="ignore"):
                back = np.asarray(vjp(mask.astype(np.float64), value, *arguments)) != 0
        except Exception:
            return np.ones(shape, bool)
        return back if back.shape == shape else any_down(back, shape)
