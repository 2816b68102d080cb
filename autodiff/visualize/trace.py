"""A graph and its backward pass as pure data: what the pictures, and whoever else looks, read.

Nodes are numbered in topological order, so that two runs of one program give the same ids. An op's
constant inputs are nodes of their own. Nothing here writes into the graph, nor into any `.grad`.
"""

import inspect
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np

from ..ambient import Scope
from ..graph import backpropagate, topological_order
from ..node import Node
from ..tensor import Tensor

# IPython keeps results under these names, beside the ones that people give.
AUTOMATIC = re.compile(r"_+\d*|_i+\d*|__\w+__")


@dataclass(frozen=True, eq=False)
class TraceNode:
    """One value of the graph.

    `id`: "n3" for the third node in topological order, "n3c1" for the constant that is its input 1.
    `kind`: "parameter" (a leaf), "constant", "interior" or "root" (where the backward pass starts).
    `parents`: the ids of the op's inputs, in the op's order. `order`: the node's place, from 1, in
    the backward pass. `source`: a code object and an instruction's offset in it (lines.py tells
    the line). `number`: whether a constant was a plain number in the code.
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
class Trace:
    """A graph as data: `nodes`, oldest first, the root last; `note` says why gradients are missing."""

    nodes: tuple[TraceNode, ...]
    note: str | None = None

    @property
    def root(self) -> TraceNode:
        """The node that the backward pass starts from."""
        return self.nodes[-1]


def trace(root: Any, seed: Any = None, *, names: Any = None, caller: str = "trace") -> Trace:
    """The graph behind `root`, with the gradients of one backward pass.

    `seed`: the gradient to start with; a root that is no scalar and has none gives values alone.
    `names`: a dict from names to Tensors and arrays, or `locals()`; what else it holds is ignored.
    Hooks run as in `.backward()`. Raises TypeError where root is no Tensor, ValueError for a seed that does not
    fit, and the walk's own errors for a stale or a freed graph.

    >>> x = Tensor(3.0, name="x")
    >>> [(node.id, node.name, node.op, float(node.gradient)) for node in trace(x * x).nodes]
    [('n1', 'x', 'leaf', 6.0), ('n2', None, 'multiply', 1.0)]
    """
    if not isinstance(root, Tensor):
        raise TypeError(
            f"{caller}: takes the Tensor that a computation ends with, not {type(root).__name__}; "
            "ops on arrays alone, and all ops inside no_grad, return arrays, which have no graph"
        )
    order = topological_order([root])
    gradients: dict[Node, tuple[int, Any]] = {}
    note = None
    if seed is None and root.size != 1:
        note = f"values only: shape {root.shape} is no scalar, so gradients need {caller}(..., seed=array)"
    else:
        with np.errstate(all="ignore"):  # what overflows is in the picture
            for node, gradient in backpropagate([root], [seed]):
                value = gradient.value if isinstance(gradient, Node) else gradient
                gradients[node] = len(gradients) + 1, snapshot(value)
    called = Names(names, caller)
    ids = {node: f"n{number}" for number, node in enumerate(order, 1)}
    nodes: list[TraceNode] = []
    for node in order:
        notes = node.notes
        scope = notes.scope if notes else None
        parents = []
        for place, (parent, argument) in enumerate(zip(node.inputs or (), node.arguments, strict=True)):
            if parent is None:
                constant = TraceNode(
                    id=f"{ids[node]}c{place}",
                    name=called.of(argument),
                    op="constant",
                    kind="constant",
                    data=snapshot(argument),
                    scope=scope,
                    number=np.ndim(argument) == 0,
                )
                nodes.append(constant)
                parents.append(constant.id)
            else:
                parents.append(ids[parent])
        place_in_pass, gradient = gradients.get(node, (None, None))
        nodes.append(
            TraceNode(
                id=ids[node],
                name=called.of(node),
                op=node.operation.name,
                kind="parameter" if not node.inputs else "root" if node is root else "interior",
                data=snapshot(node.value),
                gradient=gradient,
                order=place_in_pass,
                parents=tuple(parents),
                inputs=input_names(node),
                options=tuple((option, shorten(choice)) for option, choice in node.options.items()),
                scope=scope,
                source=notes.source if notes else None,
            )
        )
    return Trace(tuple(nodes), note)


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


def input_names(node: Node) -> tuple[str, ...]:
    """What the op's declaration calls its inputs."""
    parameters = list(inspect.signature(node.operation.function).parameters.values())
    count = len(node.inputs or ())
    if parameters and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL:
        return tuple(f"{parameters[0].name}[{place}]" for place in range(count))
    return tuple(parameter.name for parameter in parameters[:count])


def snapshot(value: Any) -> Any:
    """A read-only copy, so that later updates in place do not change what was seen."""
    array = np.array(value)
    array.flags.writeable = False
    return array


def shorten(choice: Any) -> str:
    """An option's value in a few characters."""
    if isinstance(choice, np.ndarray):
        return f"array of shape {choice.shape}"
    return reprlib.repr(choice)
