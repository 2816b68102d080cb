"""A node: its value, the op that made it, its inputs, the op's local backward closures, and its age."""

import inspect
from collections.abc import Callable
from typing import Any

from .ambient import Notes

Vjp = Callable[..., Any]
NO_OPTIONS: dict[str, Any] = {}


class Operation:
    """What the walk and the pictures know of an op, as `primitive` declares it."""

    __slots__ = ("broadcasts", "freed", "function", "name", "selects", "structure")

    def __init__(
        self, name: str, function: Callable[..., Any], broadcasts: bool = False, structure: str | None = None
    ) -> None:
        self.name = name
        self.function = function
        self.broadcasts = broadcasts
        self.structure = structure
        self.selects = structure == "selection"
        self.freed = Recipe(self, None)


class Recipe:
    """What a call of an op leaves for the walk: the op, one vjp for each input, the options.

    `vjps` is () for a leaf and None where the graph was freed; `more` are the inputs after the second.
    Calls without options whose vjps are the same every time share one Recipe. `arity` is the number of
    inputs where the walk needs no more than their arrays: 1 or 2, else 0.
    """

    __slots__ = ("arity", "more", "operation", "options", "vjps")

    def __init__(
        self,
        operation: Operation,
        vjps: tuple[Vjp | None, ...] | None,
        options: dict[str, Any] = NO_OPTIONS,
        more: tuple["Node | None", ...] = (),
    ) -> None:
        self.operation = operation
        self.vjps = vjps
        self.options = options
        self.more = more
        self.arity = 0 if more or operation.selects else len(vjps or ())


class Renewal:
    """When a leaf last got new data: its age then. One for all nodes."""

    # Not an attribute of Node: assigning to a class's makes Python forget what it knows of the class's slots.
    __slots__ = ("age",)

    def __init__(self) -> None:
        self.age = 0


renewal = Renewal()
LEAF = Recipe(Operation("leaf", lambda x: (x,)), ())


class Node:
    """A value, and how it came about.

    `left` and `right` are the op's first two inputs: the Tensor that gets a gradient, None for a constant
    and where there is none. `given` are the inputs as arrays if one is a constant; else their own
    values serve.
    """

    # One object a node, without tuples of inputs and arguments: Python's garbage collector looks at every
    # one of them, time and again. On a network of scalars that takes a fifth off a training step.
    __slots__ = ("__weakref__", "age", "given", "left", "notes", "recipe", "right", "value")

    value: Any
    recipe: Recipe
    left: "Node | None"
    right: "Node | None"
    given: tuple[Any, ...] | None
    age: int
    notes: Notes | None

    @property
    def inputs(self) -> tuple["Node | None", ...] | None:
        """The op's inputs, None for each constant; () for a leaf, None where the graph was freed."""
        recipe = self.recipe
        if recipe.vjps is None:
            return None
        return (self.left, self.right, *recipe.more)[: len(recipe.vjps)]

    @property
    def arguments(self) -> tuple[Any, ...]:
        """The op's inputs as arrays."""
        if self.given is not None:
            return self.given
        return tuple([parent.value for parent in self.inputs or () if parent is not None])

    @property
    def vjps(self) -> tuple[Vjp | None, ...]:
        """The local backward closures, in step with the inputs."""
        return self.recipe.vjps or ()

    @property
    def operation(self) -> Operation:
        """The op that made it."""
        return self.recipe.operation

    @property
    def options(self) -> dict[str, Any]:
        """The options that the op was called with."""
        return self.recipe.options

    @property
    def edges(self) -> list[tuple["Node", Vjp]]:
        """A pair (parent, vjp) for each input that gets a gradient: `x * x` has two."""
        pairs = zip(self.inputs or (), self.vjps, strict=False)
        return [(parent, vjp) for parent, vjp in pairs if parent is not None and vjp is not None]


def input_names(node: Node) -> tuple[str, ...]:
    """What the op's declaration calls its inputs."""
    parameters = list(inspect.signature(node.operation.function).parameters.values())
    count = len(node.inputs or ())
    if parameters and parameters[0].kind is inspect.Parameter.VAR_POSITIONAL:
        return tuple(f"{parameters[0].name}[{place}]" for place in range(count))
    return tuple(parameter.name for parameter in parameters[:count])
