"""One check of a function's derivatives against differences of its values, order by order."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from .ambient import recording
from .calls import Call
from .differences import DOUBTFUL, Line, Slope, direction, numbers_in, weights
from .graph import backpropagate, topological_order
from .lines import where_made
from .node import Node
from .tensor import Tensor
from .transforms import jvp, vjp
from .trees import leaves_of, map_leaves

WRONG = "is wrong"
KINK = "meets a kink, where f has no derivative; move the input"
NOT_FINITE = "cannot be checked, because f's value is not finite here; move the input"
UNSETTLED = "cannot be checked, because differences do not settle (f jumps here, or is not finite on both sides of it)"


class GradientError(AssertionError):
    """Rules and numbers differ. Its attributes are what the message says.

    `input`: the path of the input, as `args[0]["w"]`; `order`; `mode`: "rev", "fwd" or, at higher order, as in
    "fwd over rev"; `direction`, or None where the numbers are the slope itself, of a number by a number;
    `from_rules`, `numeric`: the two numbers; `op`: the name of the first op whose rule is wrong, or None;
    `kink`: whether f has no derivative there at all.
    """

    def __init__(self, fact: str, **facts: Any) -> None:
        super().__init__(fact)
        self.input: str = facts.get("input", "")
        self.order: int = facts.get("order", 1)
        self.mode: str = facts.get("mode", "rev")
        self.direction: Any = facts.get("direction")
        self.from_rules: float | None = facts.get("from_rules")
        self.numeric: float | None = facts.get("numeric")
        self.kink: bool = facts.get("kink", False)
        self.op: str | None = None
        self.blame = ""

    def __str__(self) -> str:
        lines = [f"check_grads: {self.args[0]}"]
        if self.direction is not None:
            along = np.array2string(np.asarray(self.direction), separator=", ", threshold=12, edgeitems=4)
            lines.append(f"in the random direction {' '.join(along.split())}")
        return "\n  ".join([*lines, self.blame] if self.blame else lines)


class Settings(NamedTuple):
    """What holds for all orders of one check."""

    modes: tuple[str, ...]
    rtol: float | None
    atol: float | None
    random: "np.random.Generator"


def check(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    paths: Sequence[str],
    order: int,
    settings: Settings,
    lower: tuple[str, ...] = (),
    precision: float = 0.0,
    size: float = 0.0,
) -> None:
    """One order of `check_grads` and those above it.

    `lower`: the modes that made f out of the caller's function, the last one first. `precision` and `size`:
    the coarsest precision and the largest numbers on the way here.
    """
    leaves = leaves_of(args)
    y, pullback = vjp(f, *args)
    y = map_leaves(numbers_in, y)
    u = map_leaves(lambda output: weights(output, settings.random), y)
    us = leaves_of(u)
    evaluate = f
    nodes: list[Node] = []
    if not lower:
        call = recorded(f, args)
        nodes = nodes_of(call)
        precision = float(max(np.finfo(x.dtype).eps for x in [*leaves, *(node.value for node in nodes)]))
        repeats(leaves_of(y), call.outputs)
        size = magnitude(call, us)
        # Called with Tensors, as the caller does: their methods are f's too. A derivative takes arrays.
        evaluate = lambda *xs: vjp(f, *xs)[0]
    size = max(size, *(float(np.abs(w * value).sum()) for w, value in zip(us, leaves_of(y), strict=True)), 0)
    rtol = precision**0.5 if settings.rtol is None else settings.rtol
    atol = 32 * precision * size if settings.atol is None else settings.atol
    gradients = leaves_of(pullback(u)) if "rev" in settings.modes else []
    for node in nodes:
        leaves_arrays_alone(node, settings.random)
    for place, (path, leaf) in enumerate(zip(paths, leaves, strict=True)):
        v = direction(leaf, settings.random)
        line = Line(evaluate, args, place, v, us, size)
        numbers = line.slope(rtol / 10)
        if not lower and numbers.error > rtol * abs(numbers.value) / 10:
            numbers = line.refined(numbers, f)
        for mode in settings.modes:
            if mode == "rev":
                terms = [v * numbers_in(gradients[place])]
            else:
                pushed = leaves_of(jvp(f, args, along(args, place, v))[1])
                terms = [w * numbers_in(dy) for w, dy in zip(us, pushed, strict=True)]
            rules = float(sum(term.sum(dtype=line.dtype) for term in terms))
            share = float(sum(np.abs(term).sum(dtype=line.dtype) for term in terms))
            what = compare(rules, share, numbers, line, rtol, atol)
            if what is not None:
                if what != WRONG and not lower and not all(np.isfinite(x).all() for x in leaves_of(y)):
                    what = NOT_FINITE
                # Of a number by a number, the slope itself is shown. It is checked with random factors all the
                # same: a rule that forgets its g would look right with g = 1.
                shown = lower == () and leaf.shape == () and len(us) == 1 and us[0].shape == ()
                factor = float(v) * float(us[0]) if shown else 1.0
                over = " over ".join((mode, *lower))
                raise GradientError(
                    f"the derivative by {path} at order {len(lower) + 1} ({over}) {what}: {rules / factor:.10g} "
                    f"from the rules, {numbers.value / factor:.10g} from differences (error about "
                    f"{numbers.error / abs(factor):.1g})",
                    input=path,
                    order=len(lower) + 1,
                    mode=over,
                    direction=None if shown else v,
                    from_rules=rules / factor,
                    numeric=numbers.value / factor,
                    kink=what != WRONG,
                )
    if order > 1:
        for mode in settings.modes:
            higher = derivative(f, mode, args, u, settings.random)
            check(higher, args, paths, order - 1, settings, (mode, *lower), precision, size)


def compare(rules: float, share: float, numbers: Slope, line: Line, rtol: float, atol: float) -> str | None:
    """What is wrong, or None, where `numbers` say what `rules` is."""
    share = max(share if np.isfinite(share) else 0.0, abs(numbers.value))
    negligible = max(atol, 1e-6 * (line.size + numbers.secant))
    settled = np.isfinite(numbers.error) and numbers.error <= max(rtol, DOUBTFUL) * share + negligible

    def agree(found: Slope) -> bool:
        return bool(abs(rules - found.value) <= atol + rtol * share + min(found.error, numbers.error))

    if settled and (agree(numbers) or agree(line.slope(patient=True))):
        return None
    return KINK if line.has_kink(numbers.value) else WRONG if settled else UNSETTLED


def along(args: tuple[Any, ...], place: int, v: Any) -> Any:
    """The tangents of a step along v at the input number `place`."""
    counter = count()
    return map_leaves(lambda x: v if next(counter) == place else np.zeros_like(x), args)


def repeats(first: Sequence[Any], second: Sequence[Any]) -> None:
    """Raise unless two calls gave the same values."""
    for x, y in zip(first, map(numbers_in, second), strict=True):
        if not np.array_equal(x, y, equal_nan=True):
            raise GradientError(
                "f returns other values at a second call with the same arguments; make its random numbers "
                "outside and hand them in"
            )


def magnitude(call: Call, us: Sequence[Any]) -> float:
    """How large the numbers are that the result is made of, where it may be their small difference.

    Rounding a node's value y by a share changes the result by that share of sum(|g y|), g its gradient.
    """
    pairs = [(x, u) for x, u in zip(call.outputs, us, strict=True) if isinstance(x, Tensor)]
    size = 0.0
    if pairs:
        with np.errstate(all="ignore"):
            for node, g in backpropagate(*zip(*pairs, strict=True), since=call.since):
                here = float(np.abs(g * node.value).sum())
                size = max(size, here) if np.isfinite(here) else size
    return size


def derivative(
    f: Callable[..., Any], mode: str, args: tuple[Any, ...], u: Any, random: "np.random.Generator"
) -> Callable[..., Any]:
    """f's first derivative as a function: its gradient, weighed with u, or that along a random direction."""
    if mode == "rev":
        return lambda *xs: vjp(f, *xs)[1](u)
    v = map_leaves(lambda x: direction(x, random), args)
    return lambda *xs: jvp(f, xs, v)[1]


def recorded(f: Callable[..., Any], args: tuple[Any, ...]) -> Call:
    """A call of f, whose nodes know the lines that made them."""
    with recording():
        return Call("check_grads", f, args, {}, range(len(args)))


def nodes_of(call: Call) -> list[Node]:
    """What the call computed, oldest first."""
    roots = [output for output in call.outputs if isinstance(output, Tensor)]
    return [
        node for node in topological_order(roots, since=call.since) if node.inputs and node.age > call.since
    ]


def leaves_arrays_alone(node: Node, random: "np.random.Generator") -> None:
    """Raise if a rule writes into the gradient that it is handed, or into its inputs."""
    g = weights(node.value, random)
    handed = [g, node.value, *node.arguments]
    before = [np.array(x) for x in handed]
    for _, rule in node.edges:
        rule(*handed)
        for what, x, copy in zip(
            ("g", "y", *["an input"] * len(node.arguments)), handed, before, strict=True
        ):
            if np.asarray(x).tobytes() != copy.tobytes():
                error = GradientError(f"the rule of {node.operation.name} writes into {what}")
                error.op = node.operation.name
                error.blame = f"these arrays are everybody's: return a new one{where_made(node.notes)}"
                raise error
