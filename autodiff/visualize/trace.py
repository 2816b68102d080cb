"""A graph and its backward pass as pure data: what the pictures, and whoever else looks, read.

Nodes are numbered in topological order, so that two runs of one program give the same ids. An op's
constant inputs are nodes of their own. Nothing here writes into the graph, nor into any `.grad`; all values are
copies, and the graph itself is not kept.
"""

import reprlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any

import numpy as np

from ..ambient import Scope
from ..broadcasting import unbroadcast
from ..graph import backpropagate, topological_order
from ..node import Node, Operation, input_names
from ..tensor import Tensor
from .names import Names
from .snapshots import Data, same, snapshot


@dataclass(frozen=True, eq=False)
class TraceNode(Data):
    """One value of the graph.

    `id`: "n3" for the third node in topological order, "n3c1" for the constant that is its input 1.
    `kind`: "parameter" (a leaf), "constant", "interior" or "root" (where the backward pass starts).
    `parents`: the ids of the op's inputs, in the op's order; `inputs`: what the op's declaration calls them.
    `order`: the node's place, from 1, in the backward pass. `scope`: numbered from 1 within the trace. `source`: a
    code object and an instruction's offset in it (lines.py tells the line). `number`: whether a constant was a
    plain number in the code.
    """

    id: str
    name: str | None
    op: str
    kind: str
    data: Any
    gradient: Any = None
    order: int | None = None
    parents: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    scope: Scope | None = None
    source: tuple[CodeType, int] | None = None
    number: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        shape: tuple[int, ...] = self.data.shape
        return shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype."""
        dtype: np.dtype[Any] = self.data.dtype
        return dtype


@dataclass(frozen=True, eq=False)
class Contribution(Data):
    """What passes along one edge: from a step's node to its input number `place`, the node `parent`.

    `id`: "e3-0" for input 0 of the node "n3". `returned`: what the op's rule returned, in the op's broadcast shape;
    `contribution`: the same in the parent's shape and dtype, summed over the axes along which it was repeated.
    `before`, `after`: the parent's running sum (`before` is None at the first contribution). `got` of `needed`
    contributions are in, this one included.
    """

    id: str
    parent: str
    place: int
    returned: Any
    contribution: Any
    before: Any
    after: Any
    got: int
    needed: int


@dataclass(frozen=True, eq=False)
class Step(Data):
    """One node's turn in the backward pass: its gradient is complete and passes on along its edges.

    `node`: its id. `order`: from 1. `arriving`: the gradient, after the node's hooks; `summed`: the
    sum of its contributions, before them (for the root, the seed). `unselected`: True where a selection such as `where` left
    the element out, so that nothing passes there whatever the slope; None where nothing was left out.
    `edges`: the contributions; a parameter has none.
    """

    node: str
    order: int
    arriving: Any
    summed: Any
    unselected: Any = None
    edges: tuple[Contribution, ...] = ()


@dataclass(frozen=True, eq=False)
class Rule:
    """What can pull a gradient through a node after its graph is gone."""

    operation: Operation
    vjps: tuple[Callable[..., Any] | None, ...]
    value: Any
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def pull(self, place: int, gradient: Any) -> Any:
        """What the op's rule returns for its input number `place`."""
        vjp: Any = self.vjps[place]
        with np.errstate(all="ignore"):
            return np.asarray(vjp(gradient, self.value, *self.arguments))


@dataclass(frozen=True, eq=False, repr=False)
class Trace(Data):
    """A graph and its backward pass as data.

    `nodes`: oldest first, the root last. `steps`: in the order of the backward pass. `note` says why gradients are
    missing. Two traces of one computation are equal.
    """

    nodes: tuple[TraceNode, ...]
    steps: tuple[Step, ...] = ()
    note: str | None = None
    rules: dict[str, Rule] = field(default_factory=dict, repr=False, compare=False)

    def __repr__(self) -> str:
        counts = [
            f"{len(found)} {word if len(found) != 1 else word[:-1]}"
            for found, word in ((self.nodes, "nodes"), (self.steps, "steps"))
        ]
        return f"<Trace of {' and '.join(counts)}; they are in .nodes and .steps>"

    @property
    def root(self) -> TraceNode:
        """The node that the backward pass starts from."""
        return self.nodes[-1]

    def __getitem__(self, key: str) -> TraceNode:
        """The node of an id, or else of a name (the youngest that is called so)."""
        if key not in self._index:
            raise KeyError(f"no node of this trace has the id or the name {key!r}")
        return self._index[key]

    @cached_property
    def _index(self) -> dict[str | None, TraceNode]:
        by_name = {node.name: node for node in self.nodes}
        return by_name | {node.id: node for node in self.nodes}

    def pull(self, node: str | TraceNode, arg: int | str, gradient: Any) -> Any:
        """What the node would contribute to its input `arg` if `gradient` arrived at it."""
        node, place = self._edge(node, arg)
        parent = self[node.parents[place]]
        pulled = self.rules[node.id].pull(place, gradient)
        if pulled.shape != parent.shape:
            with np.errstate(all="ignore"):
                pulled = unbroadcast(pulled, parent.shape)
        return pulled.astype(parent.dtype, copy=False)

    def jacobian(self, node: str | TraceNode, arg: int | str = 0) -> Any:
        """The derivative of a node by its input `arg`, a number or the declaration's name for it.

        Its shape is that of the node, then that of the input; the op's own rule is called once for each
        element of the node, or once for all where each element passes on by itself. Raises KeyError for an
        unknown node, ValueError for an input that gets no gradient.

        >>> x = Tensor([1.0, 2.0], name="x")
        >>> observe(np.sum(x * x), "trace").jacobian("n2", 0).tolist()
        [[1.0, 0.0], [0.0, 2.0]]
        """
        node, place = self._edge(node, arg)
        parent, rule = self[node.parents[place]], self.rules[node.id]
        rows = np.zeros((node.data.size, *parent.shape), parent.dtype)
        if (
            rule.operation.structure == "elementwise"
        ):  # a cotangent of 0 would give NaN where a slope is infinite
            home = np.broadcast_to(np.arange(parent.data.size).reshape(parent.shape), node.shape)
            slopes = np.broadcast_to(rule.pull(place, np.ones(node.shape, node.dtype)[()]), node.shape)
            rows.reshape(len(rows), -1)[np.arange(len(rows)), home.ravel()] = slopes.ravel()
            return rows.reshape(node.shape + parent.shape)
        for element in range(len(rows)):
            unit = np.zeros(node.shape, node.dtype)
            unit.flat[element] = 1
            rows[element] = self.pull(node, place, unit[()])
        return rows.reshape(node.shape + parent.shape)

    def _edge(self, node: str | TraceNode, arg: int | str) -> tuple[TraceNode, int]:
        if not isinstance(node, TraceNode):
            node = self[node]
        place = node.inputs.index(arg) if isinstance(arg, str) and arg in node.inputs else arg
        if not isinstance(place, int) or not 0 <= place < len(node.parents):
            inputs = ", ".join(node.inputs) or "none"
            raise ValueError(
                f"{node.name or node.op} ({node.id}) has no input {arg!r}; its inputs are: {inputs}"
            )
        if self[node.parents[place]].kind == "constant":
            raise ValueError(
                f"input {arg!r} of {node.name or node.op} ({node.id}) is a constant: no gradient passes"
            )
        return node, place


def observe(root: Any, caller: str, seed: Any = None, names: Any = None) -> Trace:
    """What `ad.trace` returns; `caller` is the function that messages speak of."""
    if not isinstance(root, Tensor):
        raise TypeError(
            f"{caller}: takes the Tensor that a computation ends with, not {type(root).__name__}; "
            "ops on arrays alone, and all ops inside no_grad, return arrays, which have no graph"
        )
    order = topological_order([root])
    ids = {node: f"n{number}" for number, node in enumerate(order, 1)}
    called, scopes = Names(names, caller), Scopes()
    values: dict[Node, Any] = {node: snapshot(node.value) for node in order}
    note = None
    steps: list[Step] = []
    if seed is None and root.size != 1:
        note = f"values only: shape {root.shape} is no scalar, so gradients need {caller}(..., seed=array)"
    else:
        steps = watch_walk(root, seed, order, ids)
    turns = {step.node: step for step in steps}
    nodes: list[TraceNode] = []
    rules: dict[str, Rule] = {}
    for node in order:
        id, notes = ids[node], node.notes
        scope = scopes.of(notes.scope if notes else None)
        parents: list[str] = []
        arguments: list[Any] = []
        for place, (parent, argument) in enumerate(zip(node.inputs or (), node.arguments, strict=True)):
            if parent is None:
                constant = TraceNode(
                    id=f"{id}c{place}",
                    name=called.of(argument),
                    op="constant",
                    kind="constant",
                    data=snapshot(argument),
                    scope=scope,
                    number=np.ndim(argument) == 0,
                )
                nodes.append(constant)
            parents.append(constant.id if parent is None else ids[parent])
            kept = constant.data if parent is None else values[parent]
            arguments.append(kept if isinstance(argument, np.ndarray) else argument)
        turn = turns.get(id)
        nodes.append(
            TraceNode(
                id=id,
                name=called.of(node),
                op=node.operation.name,
                kind="parameter" if not node.inputs else "root" if node is root else "interior",
                data=values[node],
                gradient=turn.arriving if turn else None,
                order=turn.order if turn else None,
                parents=tuple(parents),
                inputs=input_names(node),
                options=tuple((option, shorten(choice)) for option, choice in node.options.items()),
                scope=scope,
                source=notes.source if notes else None,
            )
        )
        kept = values[node] if isinstance(node.value, np.ndarray) else node.value
        rules[id] = Rule(node.operation, node.vjps, kept, tuple(arguments), node.options)
    return Trace(tuple(nodes), tuple(steps), note, rules)


def watch_walk(root: Node, seed: Any, order: list[Node], ids: dict[Node, str]) -> list[Step]:
    """The steps of the one walk from `root`, as it goes."""
    needed = Counter(parent for node in order for parent in node.inputs or () if parent is not None)
    got: Counter[Node] = Counter()
    sums: dict[Node, Any] = {}
    edges: list[Contribution] = []
    steps: list[Step] = []
    masks: list[Any] = [None]
    arriving: Any = None

    def watch(node: Node, place: int, mask: Any, returned: Any, contribution: Any) -> None:
        parent: Any = (node.inputs or ())[place]
        before = sums.get(parent)
        kept = arriving if same(contribution, arriving) else snapshot(contribution)
        after = kept if before is None else snapshot(before + kept)
        sums[parent] = after
        got[parent] += 1
        masks[0] = mask
        edges.append(
            Contribution(
                id=f"e{ids[node][1:]}-{place}",
                parent=ids[parent],
                place=place,
                returned=kept if np.shape(returned) == kept.shape else snapshot(returned),
                contribution=kept,
                before=before,
                after=after,
                got=got[parent],
                needed=needed[parent],
            )
        )

    def close() -> None:  # the walk hands out a node before its contributions
        if steps:
            last = steps[-1]
            mask = None if masks[0] is None or not np.any(masks[0]) else snapshot(masks[0])
            steps[-1] = Step(last.node, last.order, last.arriving, last.summed, mask, tuple(edges))
            edges.clear()
            masks[0] = None

    with np.errstate(all="ignore"):  # what overflows is in the picture
        for node, gradient in backpropagate([root], [seed], watch=watch):
            close()
            array = np.asarray(gradient.value if isinstance(gradient, Node) else gradient)
            summed = sums.pop(node, None)
            arriving = summed if same(summed, array) else snapshot(array)
            steps.append(Step(ids[node], len(steps) + 1, arriving, arriving if summed is None else summed))
    close()
    return steps


class Scopes:
    """The scopes of one trace, numbered as they are met, so that two runs of one program have the same."""

    def __init__(self) -> None:
        self.known: dict[int, Scope] = {}

    def of(self, scope: Scope | None) -> Scope | None:
        """A scope with its number within the trace, and so those around it."""
        around = []
        while scope is not None:
            around.append(scope)
            scope = scope.parent
        for outer in reversed(around):
            if outer.serial not in self.known:
                self.known[outer.serial] = Scope(outer.name, len(self.known) + 1, scope)
            scope = self.known[outer.serial]
        return scope


def shorten(choice: Any) -> str:
    """An option's value in a few characters."""
    if isinstance(choice, np.ndarray):
        return f"array of shape {choice.shape}"
    return reprlib.repr(choice)
