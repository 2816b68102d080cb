"""Checking rules against numbers: `check_grads`, to any order, in both modes, and who is to blame.

A derivative along a random direction v, weighed with random numbers u at the outputs, is one number,
which differences of f's values give as well. The second order is the same check of the first
derivative as a function, and so on. Where the numbers differ, each op of the graph goes through the
same check alone, oldest first, at the values it had: the first that fails is to blame.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from .ambient import recording
from .differences import Slope, complex_step, slope
from .graph import Node, topological_order
from .primitive import _general
from .tensor import Tensor
from .transforms import Call, jvp, vjp
from .trees import leaves_of, map_leaves, paths_of

MODES = ("rev", "fwd")
# Beyond this share of a derivative, the differences themselves are in doubt.
DOUBTFUL = 1e-3


class GradientError(AssertionError):
    """Rules and numbers differ. Its attributes are what the message says.

    `input`: the path of the input, as `args[0]["w"]`; `order`; `mode`: "rev", "fwd" or, at higher order, as in
    "fwd over rev"; `direction`; `from_rules` and `numeric`: the two numbers; `op`: the name of the first op
    whose rule is wrong, or None; `kink`: whether f has no derivative there at all.
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
            lines.append(f"along {' '.join(along.split())}")
        return "\n  ".join([*lines, self.blame] if self.blame else lines)


class Settings(NamedTuple):
    """What holds for all orders of one check."""

    modes: tuple[str, ...]
    rtol: float | None
    atol: float | None
    random: np.random.Generator


def check_grads(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    modes: str | Sequence[str] = MODES,
    rtol: float | None = None,
    atol: float | None = None,
    seed: int = 0,
) -> None:
    """Raise `GradientError`, an AssertionError, unless f's derivatives at `args` agree with numbers.

    `args`: numbers and arrays, also in nested lists, tuples and dicts; f is checked by all of them, and
    may return any of these. `order`: up to which order. `modes`: "rev" (vjp), "fwd" (jvp) or both, at every
    order. The numbers come from extrapolated central differences in float64 (in longdouble where an
    input is), with their own estimate of their error, refined by a complex step where f takes complex
    arrays. `rtol` is a share of the terms that a derivative is the sum of: by default the square
    root of the coarsest precision in the graph; `atol`: by default 32 units in the last place of f's
    value. `seed` chooses the directions.

    The error names the input, the order, the mode, the direction, both numbers and the first op
    whose rule is wrong. A kink, as relu's at 0, is called so. What f raises passes through.

    >>> check_grads(lambda x, p: np.exp(x) * p["w"], np.array([0.5, 2.0]), {"w": 3.0})
    """
    chosen = (modes,) if isinstance(modes, str) else tuple(modes)
    if not chosen or any(mode not in MODES for mode in chosen):
        raise ValueError(f'check_grads: modes are "rev", "fwd" or both, not {modes!r}')
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"check_grads: order is a number from 1 on, not {order!r}")
    point = map_leaves(lambda x: Tensor(x.value if isinstance(x, Tensor) else x).value, args)
    paths = paths_of(point, "args")
    if not paths:
        raise ValueError("check_grads: there is nothing to differentiate by; hand f's arguments in after f")
    settings = Settings(chosen, rtol, atol, np.random.default_rng(seed))
    try:
        check(f, point, paths, order, settings)
    except GradientError as error:
        if not error.blame:
            blame(error, f, point, settings)
        raise


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

    `lower`: the modes that made f out of the caller's function, the last one first. `precision` and `size`: the
    coarsest precision and the largest values on the way here.
    """
    leaves = leaves_of(args)
    y, pullback = vjp(f, *args)
    y = map_leaves(data_of, y)
    u = map_leaves(lambda output: weights(output, settings.random), y)
    us = leaves_of(u)
    if not lower:
        precision = max(np.finfo(x.dtype).eps for x in [*leaves, *(node.value for node in made_by(f, args))])
    size = max(size, sum(float(np.abs(w * value).sum()) for w, value in zip(us, leaves_of(y), strict=True)))
    rtol = precision**0.5 if settings.rtol is None else settings.rtol
    atol = 32 * precision * size if settings.atol is None else settings.atol
    # What is called with Tensors is called so here too, their methods included; a derivative takes arrays.
    evaluate = f if lower else lambda *xs: vjp(f, *xs)[0]
    gradients = leaves_of(pullback(u)) if "rev" in settings.modes else []
    for place, (path, leaf) in enumerate(zip(paths, leaves, strict=True)):
        v = direction(leaf, settings.random)
        phi = Line(evaluate, args, place, v, us)
        for mode in settings.modes:
            if mode == "rev":
                terms = [v * data_of(gradients[place])]
            else:
                counter = count()
                tangents = map_leaves(
                    lambda x, now=counter, here=place, v=v: v if next(now) == here else np.zeros_like(x), args
                )
                pushed = leaves_of(jvp(f, args, tangents)[1])
                terms = [w * data_of(dy) for w, dy in zip(us, pushed, strict=True)]
            rules = float(sum(term.sum(dtype=phi.dtype) for term in terms))
            share = float(sum(np.abs(term).sum(dtype=phi.dtype) for term in terms))
            fault = compare(rules, share, phi, rtol, atol, None if lower else f)
            if fault is None:
                continue
            what, numbers = fault
            over = " over ".join((mode, *lower))
            raise GradientError(
                f"the derivative by {path} at order {len(lower) + 1} ({over}) {what}: {rules:.10g} from "
                f"the rules, {numbers.value:.10g} from differences (error about {numbers.error:.1g})",
                input=path,
                order=len(lower) + 1,
                mode=over,
                direction=v,
                from_rules=rules,
                numeric=numbers.value,
                kink=what != "is wrong",
            )
    if not lower:
        for node in made_by(f, args):
            leaves_arrays_alone(node, settings.random)
    if order > 1:
        for mode in settings.modes:
            higher = derivative(f, mode, args, u, settings.random)
            check(higher, args, paths, order - 1, settings, (mode, *lower), precision, size)


def compare(
    rules: float, share: float, phi: "Line", rtol: float, atol: float, f: Callable[..., Any] | None
) -> tuple[str, Slope] | None:
    """What is wrong, with the numbers that say so, or None."""
    numbers = phi.slope(rtol / 10)
    if numbers.error > rtol * abs(numbers.value) / 10 and f is not None:
        numbers = refine(numbers, phi, f)
    share = max(share, abs(numbers.value))
    doubtful = not numbers.error <= max(rtol, DOUBTFUL) * share + max(atol, 1e-6 * phi.size)
    if not doubtful and abs(rules - numbers.value) <= atol + rtol * share + numbers.error:
        return None
    numbers = phi.slope(0.0)
    if numbers.kinked:
        return "meets a kink, where f has no derivative, rather than a wrong rule; move the input", numbers
    if doubtful:
        return (
            "cannot be checked, because differences do not settle (f jumps here, is not finite on both "
            "sides, or is not the same at each call)",
            numbers,
        )
    return "is wrong", numbers


def refine(numbers: Slope, phi: "Line", f: Callable[..., Any]) -> Slope:
    """The complex step's number instead, where differences back it."""
    exact = complex_step(f, phi.args, phi.place, phi.v, phi.us)
    if exact is None or not abs(exact - numbers.value) <= numbers.error <= DOUBTFUL * abs(exact):
        return numbers
    # A function that is not analytic (abs of a complex number) gives a wrong one without a word. The
    # distance between the two says how far off either may be.
    rounding = 8 * phi.precision * abs(exact)
    return numbers._replace(value=exact, error=2 * abs(exact - numbers.value) + rounding)


class Line:
    """f's outputs times the weights along a line: `phi(t)` at the input number `place` plus t * v."""

    def __init__(
        self, f: Callable[..., Any], args: tuple[Any, ...], place: int, v: Any, us: Sequence[Any]
    ) -> None:
        self.f, self.place, self.v, self.us = f, place, v, us
        self.args = map_leaves(lambda x: x.astype(np.promote_types(x.dtype, np.float64)), args)
        self.dtype = np.result_type(np.float64, *leaves_of(self.args), *us)
        self.precision = float(np.finfo(leaves_of(self.args)[place].dtype).eps)
        self.size = float(np.abs(self(0.0)).sum())

    def __call__(self, t: float) -> Any:
        counter = count()
        moved = map_leaves(lambda x: x + t * self.v if next(counter) == self.place else x, self.args)
        with np.errstate(all="ignore"):
            outputs = leaves_of(self.f(*moved))
            parts = [np.ravel(u * data_of(y)) for u, y in zip(self.us, outputs, strict=True)]
        return np.concatenate([np.zeros(1), *parts])

    def slope(self, goal: float) -> Slope:
        """The derivative at 0, to the relative precision `goal` if that is to be had."""
        return slope(self, self.precision, goal)


def data_of(x: Any) -> Any:
    """The real numbers in an output: an array."""
    return x.value if isinstance(x, Tensor) else np.asarray(x, None if hasattr(x, "dtype") else float)


def signs(shape: tuple[int, ...], random: np.random.Generator) -> Any:
    """Numbers between 1/2 and 3/2 in size, of either sign, which float16 can hold exactly."""
    return random.choice([-1.0, 1.0], shape) * random.integers(8, 25, shape) / 16


def weights(output: Any, random: np.random.Generator) -> Any:
    """Random numbers like an output."""
    dtype = output.dtype if output.dtype.kind == "f" else np.float64
    return signs(output.shape, random).astype(dtype)[()]


def direction(x: Any, random: np.random.Generator) -> Any:
    """A random direction for x, longer where x is large."""
    size = np.abs(x, dtype=x.dtype)
    length = np.exp2(np.floor(np.log2(np.where(np.isfinite(size) & (size > 1), size, 1))))
    return (signs(x.shape, random) * np.minimum(length, np.finfo(x.dtype).max / 4)).astype(x.dtype)[()]


def derivative(
    f: Callable[..., Any], mode: str, args: tuple[Any, ...], u: Any, random: np.random.Generator
) -> Callable[..., Any]:
    """f's first derivative as a function: its gradient, weighed with u, or that along a random direction."""
    if mode == "rev":
        return lambda *xs: vjp(f, *xs)[1](u)
    v = map_leaves(lambda x: direction(x, random), args)
    return lambda *xs: jvp(f, xs, v)[1]


# -- who is to blame -------------------------------------------------------------------------------


def made_by(f: Callable[..., Any], args: tuple[Any, ...]) -> list[Node]:
    """The nodes that a call of f records, oldest first."""
    with recording():
        call = Call(f, args, {}, range(len(args)))
    roots = [output for output in call.outputs if isinstance(output, Tensor)]
    return [
        node for node in topological_order(roots, since=call.since) if node.inputs and node.age > call.since
    ]


def alone(node: Node) -> tuple[Callable[..., Any], tuple[Any, ...], list[str]]:
    """A node's op as a function of its tracked inputs, with these and their names."""
    places = [i for i, parent in enumerate(node.inputs or ()) if parent is not None]
    apply = _general(node.operation, None, list(node.options))

    def op(*xs: Any) -> Any:
        inputs = list(node.arguments)
        for place, x in zip(places, xs, strict=True):
            inputs[place] = x
        return apply(*inputs, **node.options)

    return op, tuple(node.arguments[i] for i in places), [f"input {i}" for i in places]


def leaves_arrays_alone(node: Node, random: np.random.Generator) -> None:
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
                error.blame = f"these arrays are everybody's: return a new one{where_made(node)}"
                raise error


def where_made(node: Node) -> str:
    """The line that called the op, where it is known."""
    if node.notes is None or node.notes.source is None:
        return ""
    code, instruction = node.notes.source
    line = list(code.co_positions())[instruction // 2][0]
    return f" ({code.co_filename}:{line})"


def faults(f: Callable[..., Any], args: tuple[Any, ...], order: int, settings: Settings) -> Iterator[Any]:
    """For each node whose op fails the check alone: (node, error), oldest first."""
    for node in made_by(f, args):
        op, values, names = alone(node)
        try:
            check(op, values, names, order, settings)
        except GradientError as error:
            yield node, error


def first_fault(f: Callable[..., Any], args: tuple[Any, ...], order: int, settings: Settings) -> Any:
    """The first node whose rule is wrong, else the first at a kink, with its error; or None."""
    first_kink = None
    for node, error in faults(f, args, order, settings):
        if error.kink:
            first_kink = first_kink or (node, error)
            continue
        if error.order > 1:  # its rule is right, but perhaps an op that the rule uses is wrong
            op, values, _ = alone(node)
            u = weights(node.value, settings.random)
            inner = first_fault(
                derivative(op, "rev", values, u, settings.random), values, error.order - 1, settings
            )
            if inner is not None and not inner[1].kink:
                return inner
        return node, error
    return first_kink


def blame(error: GradientError, f: Callable[..., Any], args: tuple[Any, ...], settings: Settings) -> None:
    """Add to `error` what the ops say one by one."""
    found = first_fault(f, args, error.order, settings)
    if found is None:
        error.blame = (
            "each op's rule is right alone: does f leave the graph (t.data, t.detach()), "
            "or treat Tensors and arrays differently?"
        )
        return
    node, fault = found
    error.op = node.operation.name
    if fault.blame:
        error.blame = f"{fault.args[0]}; {fault.blame}"
        return
    shapes = ", ".join(str(np.shape(x)) for x in node.arguments)
    facts = f"{error.op}, by its {fault.input}, inputs of shape {shapes}{where_made(node)}"
    if fault.kink:
        error.blame = f"the first op with a kink, or a jump, is {facts}"
    else:
        numbers = f"{fault.from_rules:.10g} from the rule, {fault.numeric:.10g} from differences"
        error.blame = f"the first op whose rule is wrong is {facts}: {numbers}"
        if fault.order > 1:
            error.blame += (
                f"; it is right at order {fault.order - 1} and wrong at order {fault.order}, as a rule that "
                "closes over an input, or leaves the graph, instead of using what it is handed"
            )
