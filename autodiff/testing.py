"""Checking rules against numbers: `check_grads`, to any order, in both modes, and who is to blame.

A derivative along a random direction v, weighed with random numbers u at the outputs, is one number,
which differences of f's values give as well. The second order is the same check of the first
derivative as a function, and so on. Where the numbers differ, each op of the graph goes through the
same check alone, oldest first, at the values it had: the first that fails is to blame.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .calls import check_function
from .checks import GradientError, Settings, check, derivative, nodes_of, recorded
from .differences import weights
from .lines import where_made
from .node import Node
from .recompute import gather_inputs, recompute
from .tensor import Tensor
from .trees import map_leaves, paths_of
from .wrappers import general

MODES = ("rev", "fwd")
# A checkpoint's two nodes have no value of their own making.
STAND_INS = (gather_inputs.operation, recompute.operation)  # type: ignore[attr-defined]


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
    root of the coarsest precision in the graph; `atol`: by default 32 units in the last place of the
    numbers that f's value is the sum of. `seed` chooses the directions.

    A wrong rule may be right at a special point, as where all numbers are equal, and passes there: hand ordinary
    numbers. The error names the input, the order, the mode, the direction, both numbers and the first op
    whose rule is wrong. A kink, as relu's at 0, is called so. What f raises passes through.

    >>> check_grads(lambda x, p: np.exp(x) * p["w"], np.array([0.5, 2.0]), {"w": 3.0})
    """
    check_function(f, "check_grads(f, x)")
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


def alone(node: Node) -> tuple[Callable[..., Any], tuple[Any, ...], list[str]]:
    """A node's op as a function of its tracked inputs, with these and their names."""
    places = [i for i, parent in enumerate(node.inputs or ()) if parent is not None]
    apply = general(node.operation, None, list(node.options))

    def op(*xs: Any) -> Any:
        inputs = list(node.arguments)
        for place, x in zip(places, xs, strict=True):
            inputs[place] = x
        return apply(*inputs, **node.options)

    return op, tuple(node.arguments[i] for i in places), [f"input {i}" for i in places]


def faults(f: Callable[..., Any], args: tuple[Any, ...], order: int, settings: Settings) -> Iterator[Any]:
    """For each node whose op fails the check alone: (node, error), oldest first."""
    for node in nodes_of(recorded(f, args)):
        if node.operation in STAND_INS:
            continue
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
    if found is None and error.numeric is None:  # f gives other values each time, though no op does
        return
    if found is None:
        error.blame = (
            "each op's rule is right alone: does f leave the graph (t.data, t.detach()), treat Tensors and "
            "arrays differently, or hide the op inside a checkpoint?"
        )
        return
    node, fault = found
    error.op = node.operation.name
    if fault.blame:
        error.blame = f"{fault.args[0]}; {fault.blame}"
        return
    shapes = ", ".join(str(np.shape(x)) for x in node.arguments)
    if fault.numeric is None:
        error.blame = f"the op that does so is {error.op}, inputs of shape {shapes}{where_made(node.notes)}"
        return
    facts = f"{error.op}, by its {fault.input}, inputs of shape {shapes}{where_made(node.notes)}"
    if not np.isfinite(node.value).all():
        error.blame = f"the first op whose value is not finite here is {facts}"
    elif fault.kink:
        error.blame = f"the first op with a kink or a jump here, rather than a wrong rule, is {facts}"
    else:
        numbers = f"{fault.from_rules:.10g} from the rule, {fault.numeric:.10g} from differences"
        error.blame = f"the first op whose rule is wrong is {facts}: {numbers}"
        if fault.order > 1:
            error.blame += (
                f"; it is right at order {fault.order - 1} and wrong at order {fault.order}, as a rule that "
                "closes over an input, or leaves the graph, instead of using what it is handed"
            )
