"""detect_anomaly: a NaN or an infinity named as it is born."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from ..ambient import unwatched, within
from ..fitting import seed_for
from ..graph import topological_order
from ..messages import StaleGraphError, describe
from ..node import Node
from .births import Edge, Search
from .rows import Anomalies
from .telling import told
from .wiring import bad, not_finite


class AnomalyError(FloatingPointError):
    """A NaN or an infinity was born inside detect_anomaly; `report` is what find_nan would say of it."""

    def __init__(self, report: Anomalies) -> None:
        super().__init__(str(report))
        self.report = report


def value_of(x: Any) -> Any:
    return x.value if isinstance(x, Node) else x


class Watch:
    """Looks at each node that is made, and at each backward pass, inside detect_anomaly."""

    def __init__(self) -> None:
        # By an array's id; whether it is a copy of that very array's numbers is looked at before it is used.
        self.copies: WeakValueDictionary[int, Any] = WeakValueDictionary()

    def made(self, node: Node) -> None:
        """Raise if a NaN was born in the node; else remember what it used and could be written into."""
        nan, _ = bad(node.value)
        if nan.any():
            born = Search([node]).run({node: nan}, {})
            if any(origin.kind == "forward" for origin in born):
                raise AnomalyError(told(Search(topological_order([node])), node, {node: nan}, {}))
        if node.notes is not None:
            node.notes.used = [
                (place, self.copy(argument))
                for place, (parent, argument) in enumerate(
                    zip(node.inputs or (), node.arguments, strict=True)
                )
                if isinstance(argument, np.ndarray) and (parent is None or not parent.inputs)
            ]

    def copy(self, array: Any) -> Any:
        """A copy of an array, one for all ops that used it with the same numbers."""
        known = self.copies.get(id(array))
        if known is None or known.dtype != array.dtype or not np.array_equal(known, array, equal_nan=True):
            known = self.copies[id(array)] = array.copy()
        return known

    def walk(
        self,
        walk: Callable[..., Any],
        roots: Sequence[Node],
        seeds: Sequence[Any],
        targets: Sequence[Node] | None,
        options: dict[str, Any],
    ) -> Iterator[tuple[Node, Any]]:
        """The backward pass, looked at step by step."""
        given: dict[Node, Any] = {}
        waiting: dict[Node, list[Edge]] = defaultdict(list)
        current: dict[Node, Any] = {}

        def watch(node: Any, place: int, mask: Any, returned: Any, part: Any) -> None:
            edge = Edge(node, place, node.inputs[place], np.asarray(value_of(part)))
            if not_finite(edge.part).any():
                ends = [node] if options["free_graph"] else list(roots)  # what was passed is freed then
                search = Search(topological_order(ends), {**current, edge.parent: edge.part}, [edge], given)
                found = told(search, ends[0], {}, {edge.parent: not_finite(edge.part)})
                raise AnomalyError(found.on_its_way(edge.parent))
            waiting[edge.parent].append(edge)

        steps = walk(roots, seeds, targets, watch=watch, **options)
        started = False
        while True:
            # Rules that record a graph of their own also compute what they then leave out.
            with unwatched() if options["create_graph"] else nullcontext():
                step = next(steps, None)
            if step is None:
                return
            if not started:
                started = True
                for root, seed in zip(roots, seeds, strict=True):
                    self.check_root(root)
                    start = np.asarray(value_of(seed_for(root, seed)))
                    given[root] = given[root] + start if root in given else start
            node, gradient = step
            current = {node: np.asarray(value_of(gradient))}
            self.check_gradient(node, current[node], waiting.pop(node, []), given)
            if node.inputs and node.age >= options["since"]:
                self.check_used(node)
            yield step
            del node, gradient, step

    def check_root(self, root: Node) -> None:
        """Raise where a backward pass would start from what is no finite number."""
        if root.notes is not None and root.notes.used is not None and not_finite(root.value).any():
            found = told(Search(topological_order([root])), root, {root: not_finite(root.value)}, {})
            if found:
                raise AnomalyError(found)

    def check_gradient(self, node: Node, gradient: Any, edges: list[Edge], seeds: dict[Node, Any]) -> None:
        """Raise where finite contributions have become a gradient that is not."""
        if not_finite(gradient).any():
            search = Search(topological_order([node]), {node: gradient}, edges, seeds)
            raise AnomalyError(told(search, node, {}, {node: not_finite(gradient)}).on_its_way(node))

    def check_used(self, node: Node) -> None:
        """Raise where an array has other numbers than the op used."""
        if node.notes is None or not node.notes.used:
            return
        for place, copy in node.notes.used:
            now = node.arguments[place]
            if np.array_equal(copy, now, equal_nan=True):
                continue
            index = tuple(map(int, np.argwhere(~((copy == now) | ((copy != copy) & (now != now))))[0]))
            parent = (node.inputs or ())[place]
            what = f"the constant that is its input {place}" if parent is None else describe(parent)
            raise StaleGraphError(
                f"{describe(node)} used {what}, where element {list(index)} was {copy[index]} and now is {now[index]}; "
                "write into an array only after the backward pass, or assign p.data = new and compute anew"
            )


def detect_anomaly() -> Any:
    """A block, or a decorator, that raises where a NaN or an infinity is born, forward or backward.

    A NaN raises right after the op that made it, a loss that is not finite as its backward pass starts,
    and a gradient right after the rule, with what `find_nan` says as the message and as the error's `report`.
    Infinities of which nothing comes, such as masks before a softmax, do not raise; a NaN does even if a `where` would
    drop it later. Inside the block ops remember their lines, and writing into an array between the
    forward and the backward pass raises StaleGraphError: into a leaf's data, or a constant. Ops on arrays alone, and
    inside no_grad, are not seen; what was made outside the block is looked at in the backward pass alone.

    It takes time and copies; outside the block it costs nothing.

    >>> from autodiff import Tensor
    >>> x = Tensor([4.0, -1.0])
    >>> with detect_anomaly(), np.errstate(invalid="ignore"):
    ...     try:
    ...         np.sqrt(x)
    ...     except FloatingPointError as error:
    ...         print(error.report.first.mechanism)
    the square root of a negative number
    """
    return within(lines=True, watch=Watch())
