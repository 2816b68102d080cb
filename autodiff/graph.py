"""The graph: a node, its age, the topological order, and the one walk that is the backward pass.

A node is younger than everything it was computed from, so sorting by age is a topological sort:
newest first, every node's gradient is complete before it is handed on to its parents.
"""

from collections.abc import Callable, Generator, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from .ambient import Notes
from .broadcasting import unbroadcast
from .selection import adopt, pass_selection

Vjp = Callable[..., Any]


class StaleGraphError(RuntimeError):
    """A tensor's data was replaced after the graph had used it, so the graph's gradients would lie."""


class Operation:
    """What the walk and the pictures know of an op, as `primitive` declares it."""

    __slots__ = ("broadcasts", "function", "name", "selects", "structure")

    def __init__(
        self, name: str, function: Callable[..., Any], broadcasts: bool = False, structure: str | None = None
    ) -> None:
        self.name = name
        self.function = function
        self.broadcasts = broadcasts
        self.structure = structure
        self.selects = structure == "selection"


LEAF = Operation("leaf", lambda x: (x,))


class Node:
    """A value, and how it came about.

    `arguments` are the op's inputs as arrays; `inputs`, in step with them, the Tensors that they came
    from, None for a constant; `vjps` the local backward closures. A leaf has no inputs, and a node
    whose graph was freed has None.
    """

    # Few objects a node: Python's garbage collector looks at every one of them, time and again.
    __slots__ = (
        "__weakref__",
        "age",
        "arguments",
        "inputs",
        "notes",
        "operation",
        "options",
        "value",
        "vjps",
    )

    value: Any
    operation: Operation
    inputs: tuple["Node | None", ...] | None
    arguments: tuple[Any, ...]
    vjps: tuple[Vjp | None, ...]
    options: dict[str, Any]
    age: int
    notes: Notes | None

    @property
    def edges(self) -> list[tuple["Node", Vjp]]:
        """A pair (parent, vjp) for each input that gets a gradient: `x * x` has two."""
        pairs = zip(self.inputs or (), self.vjps, strict=False)
        return [(parent, vjp) for parent, vjp in pairs if parent is not None and vjp is not None]


def describe(node: Node) -> str:
    """A node in words, for error messages."""
    name = f"{node.notes.name!r}, the " if node.notes and node.notes.name else "the "
    return f"{name}{node.operation.name} of shape {node.value.shape}"


def stale(parent: Node, node: Node) -> StaleGraphError:
    """The error that a graph deserves whose leaf got new data."""
    return StaleGraphError(
        f"{describe(parent)}: its data was replaced after {describe(node)} had used it; "
        "run the forward pass again before asking for gradients"
    )


def topological_order(
    roots: Sequence[Node], targets: Sequence[Node] | None = None, since: int = 0
) -> list[Node]:
    """Every node that a gradient from `roots` reaches, oldest first.

    With `targets`, only the nodes on a path from a root to a target: nothing older than the
    oldest target can be on one. Paths end at nodes older than `since`.
    """
    oldest = min((target.age for target in targets), default=0) if targets is not None else 0
    found = set(roots)
    stack = list(found)
    while stack:
        node = stack.pop()
        inputs = node.inputs
        if inputs is None:
            raise RuntimeError(
                f"{describe(node)}: its graph was freed by backward(free_graph=True); "
                "run the forward pass again, or leave free_graph out"
            )
        if node.age < since:
            continue
        for parent in inputs:
            if parent is None:
                continue
            if parent.age > node.age:
                raise stale(parent, node)
            if parent.age >= oldest and parent not in found:
                found.add(parent)
                stack.append(parent)
    order = sorted(found, key=attrgetter("age"))
    if targets is None:
        return order
    leading = set(targets)
    for node in order:
        if (
            node not in leading
            and node.age >= since
            and any(parent in leading for parent in node.inputs or ())
        ):
            leading.add(node)
    return [node for node in order if node in leading]


def seed_for(root: Node, seed: Any, what: str = "a seed") -> Any:
    """The gradient that a walk from `root` starts with: `seed`, or 1 for a scalar."""
    value = root.value
    if seed is None:
        if value.size != 1:
            raise ValueError(
                f"{describe(root)} is no scalar, so it has no one gradient; reduce it (.sum(), .mean()), "
                "hand backward() a seed of its shape, or use vjp or jacobian"
            )
        return np.ones_like(value)
    if isinstance(seed, Node):
        array = seed.value
    else:
        array = seed = np.asarray(seed)  # not copied: no rule writes into what it is handed
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{what} is made of real numbers, not of {array.dtype}")
    if array.shape != value.shape:
        if value.size == 1 and array.size == 1:
            return seed_for(root, seed.reshape(value.shape), what)
        raise ValueError(f"{what} of shape {array.shape} does not fit {describe(root)}")
    return seed if array.dtype == value.dtype else seed.astype(value.dtype)


def fit(contribution: Any, parent: Node, node: Node) -> Any:
    """A vjp's result with its parent's shape and dtype, or an error that names the op."""
    value = parent.value
    if not isinstance(contribution, Node):
        contribution = np.asarray(contribution)
    if contribution.shape != value.shape and node.operation.broadcasts:
        contribution = unbroadcast(contribution, value.shape)
    if contribution.shape != value.shape:
        raise ValueError(
            f"{node.operation.name}: its vjp returned shape {contribution.shape} for an input of shape "
            f"{value.shape}; a vjp returns the gradient in its input's shape"
        )
    if contribution.dtype != value.dtype:
        if contribution.dtype.kind not in "fiub":
            raise TypeError(
                f"{node.operation.name}: its vjp returned {contribution.dtype}; gradients are real numbers"
            )
        contribution = contribution.astype(value.dtype)
    return contribution


def apply_hooks(node: Node, notes: Notes, gradient: Any) -> Any:
    """`gradient` after the node's hooks, each of which may return a replacement."""
    for hook in tuple(notes.hooks.values()):
        if isinstance(gradient, np.ndarray):
            gradient = gradient.view()
            gradient.flags.writeable = False
        replacement = hook(gradient)
        if replacement is not None:
            gradient = seed_for(node, replacement, "a hook's replacement")
    return gradient


def backpropagate(
    roots: Sequence[Node],
    seeds: Sequence[Any],
    targets: Sequence[Node] | None = None,
    *,
    since: int = 0,
    create_graph: bool = False,
    free_graph: bool = False,
) -> Generator[tuple[Node, Any], None, None]:
    """The backward pass: yields `(node, gradient)` as each node's gradient is complete.

    Contributions are summed in this walk's own dict; nothing is written into the graph. The
    rules get arrays, or with `create_graph` Tensors, and then the gradients have a graph too.
    With `targets` only what leads to them is computed, and paths end at nodes older than `since`.
    """
    order = topological_order(roots, targets, since)
    wanted = None if targets is None else set(order)
    gradients: dict[Node, Any] = {}
    # Elements that a selection left out, for the few gradients that passed one (selection.py).
    unselected: dict[Node, Any] = {}
    for root, seed in zip(roots, seeds, strict=True):
        seed = seed_for(root, seed)
        gradients[root] = gradients[root] + seed if root in gradients else seed
    del roots, seeds
    hooked = False
    while order:
        node = order.pop()
        gradient = gradients.pop(node, None)
        if gradient is None:  # a root that leads to none of the targets
            continue
        notes = node.notes
        if notes is not None and notes.hooks:
            gradient = apply_hooks(node, notes, gradient)
            hooked = True
            if node in unselected:  # what a hook made of a zero counts
                unselected[node] = unselected[node] & (getattr(gradient, "value", gradient) == 0)
        yield node, gradient
        inputs = node.inputs
        if not inputs or node.age < since:
            continue
        if hooked:  # a hook may have updated a leaf that this node has used
            for parent in inputs:
                if parent is not None and parent.age > node.age:
                    raise stale(parent, node)
        value: Any = node.value
        arguments = node.arguments
        if create_graph:
            value = node
            arguments = tuple(
                [x if parent is None else parent for x, parent in zip(arguments, inputs, strict=True)]
            )
        mask = unselected.pop(node, None) if unselected else None
        selects = mask is not None or node.operation.selects
        left_out = None
        vjps: Any = node.vjps
        arity = len(inputs)
        if arity == 1:
            (a,) = arguments
        elif arity == 2:
            a, b = arguments
        place = -1  # counted by hand, and calls without a star: on scalars enumerate costs as much as the op
        try:
            for parent in inputs:
                place += 1
                if parent is None or (wanted is not None and parent not in wanted):
                    continue
                if selects:
                    contribution, left_out = pass_selection(place, gradient, mask, node, value, arguments)
                elif arity == 2:
                    contribution = vjps[place](gradient, value, a, b)
                elif arity == 1:
                    contribution = vjps[place](gradient, value, a)
                else:
                    contribution = vjps[place](gradient, value, *arguments)
                # Two NumPy scalars of one type need no look at shape and dtype.
                kind, data = type(contribution), parent.value
                if kind is not type(data) or (
                    kind is np.ndarray
                    and (contribution.shape != data.shape or contribution.dtype != data.dtype)
                ):
                    contribution = fit(contribution, parent, node)
                if parent in gradients:
                    gradients[parent] = gradients[parent] + contribution
                    if unselected:
                        adopt(unselected, parent, left_out, False)
                else:
                    gradients[parent] = contribution
                    if left_out is not None:
                        adopt(unselected, parent, left_out, True)
        except Exception as error:
            error.add_note(f"in the backward pass of {describe(node)}")
            raise
        if free_graph:
            node.inputs = None
            node.arguments = node.vjps = ()
            del inputs, arguments, value
            del vjps
            a = b = parent = contribution = None
        node = gradient = None  # type: ignore[assignment]  # the walk must not keep what it has passed
