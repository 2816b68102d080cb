"""From the origins that a search found to rows: the mechanism, the path from there, and the way out."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..lines import find_line
from ..node import Node
from . import mechanisms, remedies
from .births import Edge, Origin, Search
from .rows import Anomalies, Anomaly
from .wiring import not_finite

STEPS = 12  # of a path are shown; the middle of a longer one is left out


class Teller:
    """Tells the origins that a search found as rows."""

    def __init__(self, search: Search, root: Node) -> None:
        self.search = search
        self.root = root
        self.consumers: dict[Node, list[tuple[Node, int]]] = {}
        for node in search.order:
            for place, parent in enumerate(node.inputs or ()):
                if parent is not None:
                    self.consumers.setdefault(parent, []).append((node, place))
        self.leaf_names: dict[Node, str] = {}
        for node in search.order:
            if not node.inputs:
                named = node.notes.name if node.notes else None
                self.leaf_names[node] = (
                    named or f"leaf {len(self.leaf_names) + 1} of shape {np.shape(node.value)}"
                )

    def row(self, origin: Origin) -> Anomaly:
        """One origin with its first element's mechanism and path."""
        node, edge = origin.node, origin.edge
        index = tuple(map(int, np.argwhere(origin.mask)[0]))
        value, reason, following = self.of(origin, index)
        path, end = self.path(origin, index)
        spoiled = self.spoiled(origin, end)
        if origin.kind == "backward" and edge is not None:
            advice = remedies.for_slope(reason.mechanism, node, self.downstream(node))
        elif origin.kind == "forward":
            advice = remedies.for_value(reason.mechanism, node, following)
        else:
            advice = remedies.ELSEWHERE[origin.kind]
        if any(step.endswith("0 * inf") for step in path[1:]):
            advice += "; and np.where(mask, x, 0) instead of mask * x"
        notes = node.notes
        line = find_line(notes.source) if notes is not None else None
        return Anomaly(
            phase=origin.kind,
            op=node.operation.name,
            name=notes.name if notes is not None else None,
            shape=np.shape(origin.mask),
            place=origin.place,
            index=index,
            count=int(origin.mask.sum()),
            value=float(value),
            mechanism=reason.mechanism,
            numbers=reason.numbers,
            line=None if line is None else f"{line.place}: {line.text}" if line.text else line.place,
            path=shortened(path),
            poisons=spoiled,
            advice=advice,
        )

    def of(self, origin: Origin, index: Any) -> tuple[Any, mechanisms.Reason, list[str]]:
        """What the element became, why, and the ops that follow."""
        node, search = origin.node, self.search
        if origin.kind == "forward":
            names = [other.operation.name for other in self.downstream(node)]
            return node.value[index], mechanisms.why_value(node, index, search.wiring), names
        if origin.kind == "backward" and origin.edge is not None:
            reason = mechanisms.why_part(origin.edge, index, search.arrived[node], search.wiring)
            return origin.edge.part[index], reason, []
        if origin.kind == "input":
            x = node.value if origin.place is None else node.arguments[origin.place]
            what = (
                "this leaf's data" if origin.place is None else f"the constant that is input {origin.place}"
            )
            return np.asarray(x)[index], mechanisms.Reason(f"it was there already, in {what}", {}), []
        if origin.kind == "seed":
            reason = mechanisms.Reason("the gradient to start with holds it", {})
            return np.asarray(search.seeds[node])[index], reason, []
        total = search.summed(node)[2]
        terms = {f"contribution {i}": edge.part[index] for i, edge in enumerate(search.received[node], 1)}
        if origin.kind == "sum":
            infinite = any(np.isinf(x) for x in terms.values())
            words = (
                "inf - inf in the sum of its contributions"
                if infinite
                else "overflow of the sum of its contributions"
            )
            return np.asarray(total)[index], mechanisms.Reason(words, terms), []
        numbers = {"before the hook": np.asarray(total)[index]}
        return np.asarray(search.arrived[node])[index], mechanisms.Reason("the hook returned it", numbers), []

    def downstream(self, node: Node) -> list[Node]:
        """The nodes from one to the root, along the first consumers."""
        found: list[Node] = []
        while node is not self.root and node in self.consumers and len(found) < 1000:
            node = self.consumers[node][0][0]
            found.append(node)
        return found

    # -- paths ---------------------------------------------------------------------------------------

    def path(self, origin: Origin, index: Any) -> tuple[list[str], Edge | None]:
        """The steps from an origin on, and the first edge of the backward pass among them."""
        node, search = origin.node, self.search
        if origin.kind == "backward" and origin.edge is not None:
            return self.path_back(origin.edge, index), origin.edge
        if origin.kind in ("sum", "hook", "seed"):
            return self.path_on_back(node, index), None
        steps = []
        if origin.kind == "input" and origin.place is not None:
            steps = [
                f"constant{place_of(index)} = {float(np.asarray(node.arguments[origin.place])[index]):g}"
            ]
            mask = search.wiring.touched(node, origin.place, only_at(node.arguments[origin.place], index))
            mask = mask & search.values.get(node, False)
            if not mask.any():
                return steps, None
            index = tuple(np.argwhere(mask)[0])
        before = None
        while True:
            steps.append(self.step(node, index, before))
            before = node.value[index]
            following = self.next(node, index)
            if following is None:
                break
            node, index = following
        edge = None if node is self.root else self.used_backward(node)
        if edge is not None:
            place = tuple(np.argwhere(search.parts[id(edge)])[0])
            steps += self.path_back(edge, place)
        return steps, edge

    def step(self, node: Node, index: Any, before: Any) -> str:
        value = node.value[index]
        why = ""
        if before is not None and np.isnan(value) and not np.isnan(before):
            why = f"   {mechanisms.why_value(node, index, self.search.wiring).mechanism}"
        return f"{self.label(node)}{place_of(index)} = {float(value):g}{why}"

    def label(self, node: Node) -> str:
        if not node.inputs:
            return self.leaf_names.get(node, node.operation.name)
        named = node.notes.name if node.notes else None
        return f"{named}: {node.operation.name}" if named else node.operation.name

    def next(self, node: Node, index: Any) -> tuple[Node, Any] | None:
        """A consumer's marked element that was made of this one."""
        search = self.search
        for consumer, place in self.consumers.get(node, ()):
            marks = search.leading if consumer in search.leading else search.values
            if consumer in marks:
                mask = search.wiring.touched(consumer, place, only_at(node.value, index)) & marks[consumer]
                if mask.any():
                    return consumer, tuple(np.argwhere(mask)[0])
        return None

    def used_backward(self, node: Node) -> Edge | None:
        """An edge of the backward pass at which the node's bad value did harm."""
        search = self.search
        for user in (node, *(consumer for consumer, _ in self.consumers.get(node, ()))):
            for edge in search.sent[user]:
                if id(edge) in search.by_value and search.by_value[id(edge)].any():
                    return edge
        return None

    def path_back(self, edge: Edge, index: Any) -> list[str]:
        steps = [
            f"backward of {self.label(edge.node)}: {float(edge.part[index]):g} to {self.label(edge.parent)}{place_of(index)}"
        ]
        return steps + self.path_on_back(edge.parent, index)

    def path_on_back(self, node: Node, index: Any) -> list[str]:
        """The steps that a bad gradient takes from a node to a leaf."""
        steps, search = [], self.search
        while node.inputs:
            for edge in search.sent[node]:
                marked = search.parts.get(id(edge))
                if marked is None:
                    continue
                mask = marked & search.wiring.reached(node, edge.place, only_at(node.value, index))
                if mask.any():
                    node, index = edge.parent, tuple(np.argwhere(mask)[0])
                    break
            else:
                break
            steps.append(
                f"gradient of {self.label(node)}{place_of(index)} = {float(search.arrived[node][index]):g}"
            )
        return steps

    def spoiled(self, origin: Origin, edge: Edge | None) -> dict[str, int]:
        """The leaves that a bad gradient gets to, each with how many of its elements are bad."""
        search = self.search
        if origin.kind in ("sum", "hook", "seed"):
            start = origin.node
        elif edge is not None:
            start = edge.parent
        else:
            return {}
        found, stack = {start}, [start]
        while stack:
            for edge in search.sent[stack.pop()]:
                if id(edge) in search.parts and edge.parent not in found:
                    found.add(edge.parent)
                    stack.append(edge.parent)
        return {
            name: int(search.gradients[leaf].sum())
            for leaf, name in self.leaf_names.items()
            if leaf in found and leaf in search.gradients
        }


def only_at(x: Any, index: Any) -> Any:
    return mechanisms.only(np.shape(x), index)


def place_of(index: Sequence[Any]) -> str:
    return f"[{', '.join(str(int(i)) for i in index)}]" if index else ""


def shortened(path: list[str]) -> tuple[str, ...]:
    if len(path) <= STEPS:
        return tuple(path)
    half = STEPS // 2
    return (*path[:half], f"... {len(path) - 2 * half} more ...", *path[-half:])


def told(
    search: Search, root: Node, values: dict[Node, Any], gradients: dict[Node, Any], note: str | None = None
) -> Anomalies:
    """The report on what makes these elements of values and gradients bad."""
    origins = search.run(values, gradients)
    teller = Teller(search, root)
    rows = [teller.row(origin) for origin in origins]
    bad_leaves = {
        name: int(gradients[leaf].sum())
        for leaf, name in teller.leaf_names.items()
        if leaf in gradients and gradients[leaf].any()
    }
    harmless = sum(bool(not_finite(node.value).any()) for node in search.order if node not in search.values)
    return Anomalies(rows, not any(mask.any() for mask in values.values()), bad_leaves, harmless, note)
