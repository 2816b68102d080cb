"""From a bad result back to where its infinities and NaN were born, element by element.

First the bad elements are marked, from the result back to what made them bad. Then every marked element that
no earlier one accounts for is a birth. An infinity that came in with the data, or that a mask put there, is
no birth: only what goes wrong with it is.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..node import Node
from .wiring import Wiring, bad, not_finite


class Edge(NamedTuple):
    """What the input number `place` of `node` received from it in the backward pass."""

    node: Node
    place: int
    parent: Node
    part: Any


class Origin(NamedTuple):
    """Where bad elements come from: those of `mask`.

    `kind`: "forward" (an op's value), "backward" (what the rule for an op's input `place` returned),
    "input" (a leaf's data, or the constant `place` of the node), "sum" (of a node's contributions), "hook", "seed".
    """

    kind: str
    node: Node
    place: int | None
    mask: Any
    edge: Edge | None = None


class Search:
    """The bad elements of a graph, oldest node first in `order`, and of a backward pass over it.

    `arrived`: each node's gradient, newest first. `edges`: what was passed on. `seeds`: by root.
    """

    def __init__(
        self,
        order: list[Node],
        arrived: dict[Node, Any] | None = None,
        edges: Iterable[Edge] = (),
        seeds: dict[Node, Any] | None = None,
    ) -> None:
        self.order = order
        self.arrived = arrived or {}
        self.seeds = seeds or {}
        self.received: dict[Node, list[Edge]] = defaultdict(list)
        self.sent: dict[Node, list[Edge]] = defaultdict(list)
        for edge in edges:
            self.received[edge.parent].append(edge)
            self.sent[edge.node].append(edge)
        self.wiring = Wiring()
        self.values: dict[Node, Any] = {}  # marked elements of values
        self.leading: dict[Node, Any] = {}  # ... those that lead to the result
        self.gradients: dict[Node, Any] = {}  # ... of gradients
        self.parts: dict[int, Any] = {}  # ... of what edges passed on, by the edge's id
        self.by_gradient: dict[int, Any] = {}  # those of them that come of a bad gradient
        self.by_value: dict[int, Any] = {}  # ... of a bad value in the graph
        self.constants: dict[tuple[Node, int], Any] = {}
        self.explained: dict[Any, Any] = {}
        self.origins: list[Origin] = []
        self.allowed: list[Origin] = []  # infinities that came in, or that a mask put there

    def run(self, values: dict[Node, Any], gradients: dict[Node, Any]) -> list[Origin]:
        """The origins of the bad elements that `values` and `gradients` mark, in the order of their birth."""
        for node, mask in values.items():
            self.mark(self.values, node, mask)
        for node, mask in gradients.items():
            self.mark(self.gradients, node, mask)
        self.trace_values()
        self.leading = dict(self.values)
        for node in reversed(self.arrived):
            if node in self.gradients:
                self.trace_gradient(node)
        if any(mask.any() for mask in self.by_value.values()):
            self.trace_values()
        for node in self.order:
            if node in self.values:
                self.explain_value(node)
        for node in values.keys() & self.values.keys():
            left = self.values[node] & ~self.explained[node]
            if left.any() and np.size(node.value) == 1:
                self.origins += self.allowed or [Origin("forward", node, None, left)]
        for node in self.arrived:
            if node in self.gradients:
                self.explain_gradient(node)
        if not self.origins and any(mask.any() for mask in gradients.values()):
            edges = [edge for node in self.arrived for edge in self.sent[node]]
            for edge in [edge for edge in edges if not_finite(edge.part).any()][:1]:
                self.found("backward", edge.node, edge.place, not_finite(edge.part), edge)
        return self.origins

    @staticmethod
    def mark(marks: dict[Any, Any], key: Any, mask: Any) -> None:
        if mask.any():
            marks[key] = marks[key] | mask if key in marks else mask

    # -- values ------------------------------------------------------------------------------------

    def causes(self, node: Node) -> tuple[Any, Any, Any]:
        """The node's marked elements: made of a NaN, else of an infinity, else born here."""
        marked = self.values[node]
        of_nan, of_inf = np.zeros_like(marked), np.zeros_like(marked)
        for place, argument in enumerate(node.arguments):
            nan, inf = bad(argument)
            of_nan |= self.wiring.touched(node, place, nan)
            of_inf |= self.wiring.touched(node, place, inf)
        return marked & of_nan, marked & of_inf & ~of_nan, marked & ~of_inf & ~of_nan

    def trace_values(self) -> None:
        """Mark what the marked elements of values are made of."""
        for node in reversed(self.order):
            if node in self.values:
                self.trace_operands(node, self.values[node])

    def trace_operands(self, node: Node, marked: Any) -> None:
        for place, (parent, argument) in enumerate(zip(node.inputs or (), node.arguments, strict=True)):
            wrong = not_finite(argument)
            if wrong.any():
                mask = self.wiring.reached(node, place, marked) & wrong
                if parent is None:
                    self.mark(self.constants, (node, place), mask)
                else:
                    self.mark(self.values, parent, mask)

    def explain_value(self, node: Node) -> None:
        marked = self.values[node]
        nan, inf = bad(node.value)
        if not node.inputs:
            self.explained[node] = marked & nan
            self.found("input", node, None, marked & nan)
            self.allow("input", node, None, marked & inf)
            return
        _, of_inf, born = self.causes(node)
        explained = self.explained_operands(node) & marked
        deliberate = born & inf & (node.options.get("where") is not None)
        self.allow("forward", node, None, deliberate)
        born &= ~deliberate
        gone_wrong = of_inf & nan & ~explained  # of infinities that came in
        for place in range(len(node.arguments)):
            mask = self.constants.get((node, place))
            if mask is not None:
                constant_nan, constant_inf = bad(node.arguments[place])
                self.found("input", node, place, mask & constant_nan)
                self.allow("input", node, place, mask & constant_inf)
                explained |= marked & self.wiring.touched(node, place, mask & constant_nan)
        self.found("forward", node, None, born | gone_wrong)
        self.explained[node] = explained | born | gone_wrong

    def explained_operands(self, node: Node) -> Any:
        """Which elements of the node depend on a bad one that is accounted for."""
        mask = np.zeros(np.shape(node.value), bool)
        for place, parent in enumerate(node.inputs or ()):
            if parent in self.explained:
                mask |= self.wiring.touched(node, place, self.explained[parent])
        return mask

    def found(self, kind: str, node: Node, place: int | None, mask: Any, edge: Edge | None = None) -> None:
        if mask.any():
            self.origins.append(Origin(kind, node, place, mask, edge))

    def allow(self, kind: str, node: Node, place: int | None, mask: Any) -> None:
        if mask.any():
            self.allowed.append(Origin(kind, node, place, mask))

    # -- gradients -----------------------------------------------------------------------------------

    def summed(self, node: Node) -> tuple[Any, Any, Any]:
        """Where a term of the node's gradient is NaN, where one is infinite; and the sum before any hook."""
        terms = [self.seeds[node]] if node in self.seeds else []
        terms += [edge.part for edge in self.received[node]]
        nan = inf = np.zeros(np.shape(node.value), bool)
        with np.errstate(all="ignore"):
            total = sum(terms[1:], terms[0])
        for term in terms:
            nan, inf = nan | bad(term)[0], inf | bad(term)[1]
        return nan, inf, total

    def trace_gradient(self, node: Node) -> None:
        marked = self.gradients[node]
        marked = marked & not_finite(self.summed(node)[2])  # the rest is a hook's
        for edge in self.received[node]:
            mask = marked & not_finite(edge.part)
            if mask.any():
                self.parts[id(edge)] = mask
                self.trace_part(edge, mask)

    def trace_part(self, edge: Edge, marked: Any) -> None:
        node, place = edge.node, edge.place
        nan, inf = bad(self.arrived[node])
        wiring = self.wiring
        of_nan = marked & wiring.reached(node, place, nan)
        outputs = not_finite(node.value)
        for other, argument in enumerate(node.arguments):
            outputs = outputs | wiring.touched(node, other, not_finite(argument))
        of_value = marked & ~of_nan & wiring.reached(node, place, outputs)
        of_inf = marked & ~of_nan & ~of_value & wiring.reached(node, place, inf)
        self.by_gradient[id(edge)] = of_nan | of_inf
        self.by_value[id(edge)] = of_value
        self.mark(self.gradients, node, wiring.touched(node, place, of_nan) & nan)
        self.mark(self.gradients, node, wiring.touched(node, place, of_inf) & inf)
        if of_value.any():
            outputs = wiring.touched(node, place, of_value)
            self.mark(self.values, node, outputs & not_finite(node.value))
            self.trace_operands(node, outputs)

    def explain_gradient(self, node: Node) -> None:
        marked, wiring = self.gradients[node], self.wiring
        any_nan, any_inf, total = self.summed(node)
        explained = marked & ~not_finite(total)
        self.found("hook", node, None, explained)
        if node in self.seeds:
            given = marked & not_finite(self.seeds[node])
            self.found("seed", node, None, given)
            explained = explained | given
        overflowed = marked & not_finite(total) & ~any_nan & (~any_inf | np.isnan(total))
        for edge in self.received[node]:
            mask = self.parts.get(id(edge))
            if mask is None:
                continue
            known = self.by_gradient[id(edge)] & wiring.reached(
                edge.node, edge.place, self.explained.get(("gradient", edge.node), np.zeros((), bool))
            )
            outputs = self.explained_operands(edge.node) | self.explained.get(edge.node, False)
            for place in range(len(edge.node.arguments)):
                constant = self.constants.get((edge.node, place))
                if constant is not None:
                    nan = constant & bad(edge.node.arguments[place])[0]
                    if not any(
                        o.kind == "input" and (o.node, o.place) == (edge.node, place) for o in self.origins
                    ):
                        self.found("input", edge.node, place, nan)
                    outputs = outputs | wiring.touched(edge.node, place, nan)
            known = known | (self.by_value[id(edge)] & wiring.reached(edge.node, edge.place, outputs))
            infinite_still = self.by_gradient[id(edge)] & ~np.isnan(edge.part)
            born = mask & ~known & ~infinite_still
            self.found("backward", edge.node, edge.place, born, edge)
            explained = explained | (marked & (known | born))
        overflowed = overflowed & ~explained
        self.found("sum", node, None, overflowed)
        self.explained["gradient", node] = explained | overflowed
