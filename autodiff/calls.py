"""One call of a function with fresh leaves in place of its arguments: what all transforms stand on.

Arrays in give arrays out. But where an argument is a Tensor, or the function uses one that was there
before, an outer derivative is listening: then the walk makes a graph of its own, and Tensors come out.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import index
from typing import Any

import numpy as np

from .ambient import is_recording, next_age, recording_graph, unwatched
from .graph import backpropagate
from .ops import positive
from .tensor import Tensor
from .trees import StructureError, leaves_of, map_leaves


def fresh(x: Any) -> Tensor:
    """A leaf in place of an array; in place of a Tensor a node of its own that stays tied to it."""
    tied: Tensor = positive(x) if isinstance(x, Tensor) else Tensor(x)
    return tied


def older_inputs(nodes: Sequence[Any], since: int) -> Iterator[Tensor]:
    """The Tensors older than `since` that those among `nodes` are, or were computed from directly."""
    stack = [node for node in nodes if isinstance(node, Tensor)]
    seen = set(stack)
    while stack:
        node = stack.pop()
        if node.age < since:
            yield node
            continue
        for parent in node.parents:
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)


def own(x: Any) -> Any:
    """A Tensor as it is, an array as a copy that the caller may write to."""
    return x if isinstance(x, Tensor) else np.array(x)[()]


def is_real(x: Any) -> bool:
    """Whether x is a Tensor, a real number or an array of them."""
    return isinstance(x, Tensor) or np.asarray(x).dtype.kind in "fiub"


def pull(
    roots: Sequence[Any], seeds: Sequence[Any], targets: Sequence[Tensor], create_graph: bool, since: int = 0
) -> list[Any]:
    """The gradients at `targets`, zeros where no root depends on one."""
    if not create_graph:
        seeds = [seed.value if isinstance(seed, Tensor) else seed for seed in seeds]
    tracked = [place for place, root in enumerate(roots) if isinstance(root, Tensor)]
    ends, starts = [roots[place] for place in tracked], [seeds[place] for place in tracked]
    wanted = set(targets)
    walk = backpropagate(ends, starts, targets, since=since, create_graph=create_graph)
    found = {node: gradient for node, gradient in walk if node in wanted}
    return [own(found[target]) if target in found else np.zeros_like(target.value) for target in targets]


def check_function(f: Any, usage: str) -> None:
    """Raise unless f, the first argument of a transform that is called as `usage`, is a function."""
    if not callable(f):
        raise TypeError(
            f"{usage.partition('(')[0]}: takes the function itself, as {usage}, not a {type(f).__name__}"
        )


class Call:
    """One call of `f`, for the transform `name`, with fresh leaves for the arguments `argnums`, and what came out."""

    def __init__(
        self,
        name: str,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        options: dict[str, Any],
        argnums: Sequence[int],
    ) -> None:
        self.name = name
        self.listened_to = is_recording()
        self.since = next_age()
        with recording_graph():
            handed = list(args)
            for place in argnums:
                handed[place] = map_leaves(fresh, args[place])
            self.inputs = [handed[place] for place in argnums]
            self.leaves = leaves_of(self.inputs)
            self.result = f(*handed, **options)
        self.outputs = leaves_of(self.result)
        for output in self.outputs:
            if not is_real(output):
                raise TypeError(
                    f"{name}: the function returned {type(output).__name__} {output!r:.40}; return real numbers, "
                    "or hand other things out beside them, through value_and_grad(has_aux=True)"
                )
        self.listening = self.is_listened_to(self.outputs)

    def is_listened_to(self, outputs: Sequence[Any]) -> bool:
        """Whether an outer derivative waits for any of `outputs`."""
        return self.listened_to and next(older_inputs(outputs, self.since), None) is not None

    def values(self) -> list[Any]:
        """The outputs as arrays."""
        return [x.value if isinstance(x, Tensor) else np.asarray(x, dtype_of(x)) for x in self.outputs]

    def released(self, tree: Any) -> Any:
        """What the caller gets of `tree`: Tensors where somebody is listening, else arrays."""
        if self.is_listened_to(leaves_of(tree)):
            return tree
        return map_leaves(lambda x: own(x.value) if isinstance(x, Tensor) else x, tree)

    def like_inputs(self, gradients: Sequence[Any]) -> list[Any]:
        """`gradients`, one for each leaf, in the structure of the inputs."""
        remaining = iter(gradients)
        made: list[Any] = map_leaves(lambda leaf: next(remaining), self.inputs)
        return made

    def backward(self, seeds: Sequence[Any], create_graph: bool = False) -> list[Any]:
        """The gradients at the inputs' leaves, of the outputs with `seeds`."""
        create_graph = is_recording() and (create_graph or self.listening)
        with recording_graph():
            return pull(self.outputs, seeds, self.leaves, create_graph, self.since)

    def forward(self, tangents: Iterator[Sequence[Any]], listening: bool = False) -> list[list[Any]]:
        """For each of several tangents at the inputs' leaves, the derivatives of the outputs.

        The gradient at the leaves is linear in the gradient u of the outputs, and the vjp of that
        linear function is the jvp. So no op needs a rule of its own for it.
        """
        create_graph = self.listening or (listening and is_recording())
        with recording_graph():
            since = next_age()
            u = [Tensor(np.ones_like(value)) for value in self.values()]
            # Only the shape of this linear function matters, not its value at u, which may overflow.
            with np.errstate(all="ignore"), unwatched():
                linear = pull(self.outputs, u, self.leaves, True, self.since)
            return [pull(linear, tangent, u, create_graph, since) for tangent in tangents]


def dtype_of(constant: Any) -> Any:
    """The dtype of derivatives of an output that is no Tensor."""
    dtype = np.asarray(constant).dtype
    return dtype if dtype.kind == "f" else np.float64


def fitting(name: str, what: str, tree: Any, other: Any) -> list[Any]:
    """The leaves of `other`, which has the structure and the shapes of `tree`, or an error."""
    leaves: list[Any] = []

    def fit(x: Any, leaf: Any) -> None:
        if leaf is None or not is_real(leaf):
            raise TypeError(
                f"{name}: {what} is made of real numbers, zeros where there is none, not of {leaf!r:.40}"
            )
        if np.shape(leaf) != np.shape(x):
            raise ValueError(
                f"{name}: {what} of shape {np.shape(leaf)} does not fit one of shape {np.shape(x)}"
            )
        leaves.append(leaf)

    try:
        map_leaves(fit, tree, other)
    except StructureError as error:
        raise ValueError(f"{name}: {what} does not fit: {error}") from None
    return leaves


def places(name: str, argnums: int | Sequence[int], args: tuple[Any, ...]) -> tuple[int, ...]:
    """`argnums` as a tuple of places from 0 on."""
    try:
        several = (index(argnums),) if is_one(argnums) else tuple(map(index, argnums))  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name}: argnums is the place of an argument, or several, not {argnums!r}") from None
    for place in several:
        if not -len(args) <= place < len(args):
            raise ValueError(
                f"{name}: there is no argument {place} among the {len(args)} that the function was handed by place; "
                "arguments handed by name are not differentiated"
            )
    found = tuple(place % len(args) for place in several)
    if len(set(found)) < len(found):
        raise ValueError(f"{name}: argnums {argnums!r} names an argument twice")
    return found


def chosen(parts: list[Any], argnums: int | Sequence[int]) -> Any:
    """One argument's part for one number, a tuple of parts for several."""
    return parts[0] if is_one(argnums) else tuple(parts)


def is_one(argnums: Any) -> bool:
    """Whether `argnums` is a number, not several."""
    return hasattr(argnums, "__index__") and np.ndim(argnums) == 0
