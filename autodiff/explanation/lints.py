"""Lints: formulas in a graph that lose digits, overflow, or apply a softmax twice, found by their pattern.

A pattern is looked for from its last op backwards, through what only moves elements about. Some need the values as
well: a subtraction is nothing to warn of unless it lost its digits.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..lines import where_made
from ..node import Node
from .patterns import (
    MOVES,
    constant_one,
    exp_over_total,
    is_softmax,
    logits_of,
    made_by,
    mean_of,
    operand,
    shifted,
    softmax_input,
    square_of,
    through,
    total_of_exp,
)
from .unreached import all_nodes

LOSSES = frozenset({"cross_entropy", "soft_cross_entropy", "log_softmax", "softmax"})


class Lint(NamedTuple):
    """A finding: what it is called, the op where the pattern ends, the reason, the way out, and the line, if recorded."""

    title: str
    node: Node
    why: str
    instead: str
    where: str = ""


def lints(root: Node) -> list[Lint]:
    """The lints of the graph behind `root`, oldest first; none for a graph that was freed.

    >>> from autodiff import Tensor
    >>> [lint.title for lint in lints(np.log(1 + Tensor(1e-12)))]
    ['log(1 + x)']
    """
    found = []
    nodes = all_nodes(root)
    consumers: dict[Node, set[str]] = {}
    for node in nodes:
        for parent in node.inputs or ():
            if parent is not None:
                consumers.setdefault(parent, set()).add(node.operation.name)
    with np.errstate(all="ignore"):
        for node in nodes:
            if not node.value.size:
                continue
            rule = RULES.get(node.operation.name)
            said = [*(rule(node) if rule is not None else ()), *promoted(node)]
            # What a pattern explains is not said twice.
            said += [] if said else cancelled(node, consumers.get(node, set()))
            found += [Lint(title, node, why, instead, where_made(node.notes)) for title, why, instead in said]
    return found


Finding = tuple[str, str, str]


ON_PROBABILITIES = "cross-entropy on probabilities"


def softmax_twice(node: Node) -> Iterator[Finding]:
    """softmax(softmax(x)), and probabilities handed to a loss of logits."""
    name = node.operation.name.replace("soft_cross", "cross")
    if name in ("softmax", "divide"):
        if is_softmax(logits_of(softmax_input(node))):
            yield (
                "softmax twice",
                "a softmax of probabilities is nearly uniform, whatever the logits were",
                "leave one of the two out",
            )
    elif is_softmax(logits_of(operand(node))):
        why = f"{name} applies a softmax itself, and its input went through one already"
        yield ON_PROBABILITIES, why, "hand it the logits"
    elif name == "cross_entropy" and holds_probabilities(node):
        yield (
            ON_PROBABILITIES,
            f"the rows handed to {name} are not negative and sum to 1, as probabilities do; it takes logits",
            "hand it what went into the softmax, or use nll_loss(np.log(p), targets)",
        )


def holds_probabilities(node: Node) -> bool:
    """Whether all rows handed to a loss look like probabilities."""
    x, axis = np.asarray(node.arguments[0], np.float64), node.options.get("axis", -1)
    sums = x.sum(axis=axis)
    near = 1e-5 if node.arguments[0].dtype.itemsize < 8 else 1e-9
    return bool(np.all(x >= 0) and np.any((x > 0) & (x < 1)) and np.all(np.abs(sums - 1) < near))


def divisions(node: Node) -> Iterator[Finding]:
    """softmax written out: twice, or without a shift."""
    yield from softmax_twice(node)
    exp = exp_over_total(node)
    if exp is not None and not shifted(exp):
        largest = float(np.max(total_of_exp(operand(node, 1)).value, initial=0))  # type: ignore[union-attr]
        yield (
            "exp without a shift",
            f"exp overflows for logits above {log_max(node)}; the largest exponential here is {largest:.3g}",
            "use ad.softmax(x), or subtract the row's maximum first",
        )


def log_max(node: Node) -> str:
    """From where on exp overflows in a node's dtype."""
    return f"{float(np.log(np.finfo(node.value.dtype).max)):.0f} in {node.value.dtype}"


def logarithms(node: Node) -> Iterator[Finding]:
    """log of a softmax, of a sigmoid, of a sum of exponentials, of 1 + x."""
    source = operand(node)
    one_more = constant_one(source) if made_by(source, "add") else None  # type: ignore[arg-type]
    behind = through(source, MOVES | {"add"})
    if is_softmax(behind):
        yield (
            "log(softmax)",
            "a probability that rounds to 0 has the logarithm -inf, and one near 1 has lost its digits",
            "use ad.log_softmax(x), or ad.cross_entropy(x, targets)",
        )
    elif made_by(behind, "sigmoid"):
        yield (
            "log(sigmoid)",
            "a sigmoid that rounds to 0 has the logarithm -inf",
            "use ad.log_sigmoid(x)",
        )
    elif made_by(source, "subtract") and made_by(operand(source, 1), "sigmoid"):  # type: ignore[arg-type]
        yield (
            "log(sigmoid)",
            "1 - sigmoid(x) rounds to 0 for large x",
            "use ad.log_sigmoid(-x), which is its logarithm",
        )
    elif (exp := total_of_exp(source)) is not None and is_softmax(logits_of(operand(exp))):
        yield (
            ON_PROBABILITIES,
            "log_softmax is taken of what went through a softmax already",
            "hand it the logits",
        )
    elif exp is not None and not shifted(exp):
        yield (
            "exp without a shift",
            f"exp overflows for inputs above {log_max(node)}, though the logarithm of the sum is small",
            "use ad.logsumexp(x, axis)",
        )
    elif one_more is not None and small(one_more.value):
        yield ("log(1 + x)", "1 + x has rounded most digits of a small x away", "use np.log1p(x)")


def small(x: Any) -> bool:
    """Whether an element, not 0, loses half of its digits beside 1."""
    return bool(np.any((x != 0) & (np.abs(x) < np.sqrt(np.finfo(x.dtype).eps))))


def exp_minus_one(node: Node) -> Iterator[Finding]:
    """exp(x) - 1 for a small x."""
    minus = constant_one(node, -1.0 if node.operation.name == "add" else 1.0)
    first = (node.inputs or (None,))[0] is not None or node.operation.name == "add"
    source = operand(minus) if first and minus is not None and made_by(minus, "exp") else None
    if source is not None and small(source.value):
        yield ("exp(x) - 1", "exp(x) has rounded most digits of a small x away", "use np.expm1(x)")
    yield from variance(node)


def variance(node: Node) -> Iterator[Finding]:
    """E[x**2] - E[x]**2."""
    if node.operation.name != "subtract":
        return
    squared = square_of(mean_of(operand(node)))
    if squared is not None and mean_of(square_of(operand(node, 1))) is squared:
        yield (
            "E[x**2] - E[x]**2",
            "two large numbers are subtracted where the mean is large beside the spread; it can come out negative",
            "use np.var(x)",
        )


def roots(node: Node) -> Iterator[Finding]:
    """sqrt of a sum of squares at 0."""
    summed = operand(node)
    adds = made_by(summed, "sum", "mean", "add")
    places = range(len(summed.inputs or ())) if adds and summed is not None else ()
    squares = any(square_of(operand(summed, place)) is not None for place in places)  # type: ignore[arg-type]
    if squares and np.any(node.value <= np.sqrt(np.finfo(node.value.dtype).tiny)):
        yield (
            "sqrt(sum(x**2)) at 0",
            "the slope of the root is infinite there, and infinity times 0 is NaN",
            "use np.linalg.norm(x) or np.hypot(a, b), whose gradient at 0 is 0, or add a small number in the root",
        )


def spreads(node: Node) -> Iterator[Finding]:
    """std and norm where they are 0."""
    if np.any(node.value == 0):
        name = node.operation.name.removeprefix("vector_")
        what = "equal elements" if name == "std" else "a vector of zeros"
        yield (
            f"{name} at 0",
            f"the {name} of {what} is 0, with the gradient 0; what is divided by it is NaN",
            "add a small number before dividing by it",
        )


def cancelled(node: Node, consumers: set[str]) -> Iterator[Finding]:
    """A sum or difference that lost three of four digits of what was computed before."""
    if node.operation.name not in ("add", "subtract") or consumers == {
        "exp"
    }:  # a shift loses nothing that exp needs
        return
    if all(parent is None or not parent.inputs for parent in node.inputs or ()):
        return  # of numbers that were given, not rounded, a difference is exact
    a, b = (np.abs(np.asarray(x, node.value.dtype)) for x in node.arguments)
    y, eps = np.abs(node.value), np.finfo(node.value.dtype).eps
    lost = (y != 0) & (y < eps**0.75 * np.maximum(a, b))
    if 2 * int(lost.sum()) > int((y != 0).sum()):
        ratio = np.max((np.maximum(a, b) / y)[lost])
        yield (
            "cancellation",
            f"{node.operation.name} left a result {float(ratio):.1g} times smaller than its inputs, and {node.value.dtype} "
            f"has {-int(np.log10(eps))} digits, so at most {max(0, int(-np.log10(float(eps) * float(ratio))))} are left",
            "subtract earlier, or compute in float64" if eps > 1e-10 else "rearrange the formula",
        )


def promoted(node: Node) -> Iterator[Finding]:
    """A NumPy constant of a wider dtype that turns the graph after it to that dtype."""
    inputs = node.inputs or ()
    tracked = [parent.value.dtype for parent in inputs if parent is not None]
    if len(tracked) == len(inputs) or not tracked or node.operation.name == "astype":
        return
    dtype = node.value.dtype
    wide = [np.asarray(x) for parent, x in zip(inputs, node.arguments, strict=True) if parent is None]
    if dtype.itemsize > max(d.itemsize for d in tracked) and any(x.dtype == dtype for x in wide):
        narrow = max(tracked, key=lambda d: d.itemsize)
        constant = next(x for x in wide if x.dtype == dtype)
        what = "number" if constant.ndim == 0 else f"array of shape {constant.shape}"
        yield (
            "promotion",
            f"a {dtype} {what} in {node.operation.name} turns {narrow} into {dtype} from here on",
            f"use a Python number, float(c), or c.astype(np.{narrow})",
        )


RULES: dict[str, Any] = {
    **dict.fromkeys(LOSSES, softmax_twice),
    "divide": divisions,
    "log": logarithms,
    "subtract": exp_minus_one,
    "add": exp_minus_one,
    "sqrt": roots,
    "std": spreads,
    "vector_norm": spreads,
}
