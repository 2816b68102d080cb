"""What to write instead: advice for a mechanism, in the light of the ops before and after it."""

from collections.abc import Sequence

import numpy as np

from ..node import Node

LIMITS = "exp overflows above 709.78 in float64, 88.72 in float32 and 11.09 in float16"
SHIFT = "subtract the largest first, z = x - np.max(x.data, axis=-1, keepdims=True)"
GUARD = (
    "with ok = x.data > 0, np.where(ok, {0}(np.where(ok, x, 1)), 0): the inner where keeps bad numbers away"
)
CHECKPOINT = "it was born inside a checkpoint: compute within ad.detect_anomaly(), which looks into it"
POWERS = frozenset({"exp", "exp2", "expm1", "sinh", "cosh"})
# What rounds to 0 before a logarithm, each with the function that does not.
KEEPS_DIGITS = {
    "softmax": "ad.log_softmax(x) for log(softmax(x))",
    "sigmoid": "ad.log_sigmoid(x) for log(sigmoid(x))",
    "relu": "ad.softplus(x) for relu(x) before a logarithm",
}
# Of what no op of the graph made.
ELSEWHERE = {
    "input": "look at where it is filled; np.isnan(data).any() finds it, and np.nan_to_num or a mask leaves it out",
    "sum": "scale the loss down, or compute in a wider dtype",
    "hook": "let the hook return finite numbers, as np.nan_to_num(g) does",
    "seed": "hand backward() a finite seed",
}


def parents_of(node: Node) -> list[Node]:
    return [parent for parent in node.inputs or () if parent is not None]


def is_made_by(node: Node, *names: str) -> bool:
    """Whether the node's first tracked inputs were made by ops of these names, one behind the other."""
    for name in names:
        parents = [parent for parent in parents_of(node) if parent.operation.name == name]
        if not parents:
            return False
        node = parents[0]
    return True


def in_order(names: Sequence[str], *wanted: str) -> bool:
    """Whether `wanted` come among `names` in this order.

    >>> in_order(["sum", "divide", "log"], "sum", "log")
    True
    """
    rest = iter(names)
    return all(name in rest for name in wanted)


def for_value(mechanism: str, node: Node, following: Sequence[str]) -> str:
    """Advice for an op's value that became bad; `following` are the ops from there to the loss."""
    name = node.operation.name
    if name == "recompute":
        return CHECKPOINT
    if mechanism.startswith("overflow of a cast"):
        return "keep the wider dtype, scale the numbers down first, or np.clip them to the narrow one's range"
    if mechanism.startswith("overflow in") and name in POWERS:
        return for_exponential(following)
    if mechanism.startswith("overflow"):
        if name in ("square", "multiply", "power") and in_order(following, "sqrt"):
            return "np.hypot(a, b) or np.linalg.norm(x) for the root of a sum of squares: they do not square first"
        return "scale the numbers down first, work with their logarithms, or in a wider dtype: x.astype(np.float64)"
    if mechanism == "log of 0":
        return for_log_of_0(node)
    if mechanism.startswith("log of a negative number"):
        return f"make it positive, as ad.softplus(x) and np.exp(x) are, or guard it: {GUARD.format('np.log')}"
    if "square root" in mechanism:
        rounded = "; a variance is np.var(x), because mean(x * x) - mean(x)**2 may round below 0"
        return f"np.sqrt(np.maximum(x, 0)), or guard it: {GUARD.format('np.sqrt')}{rounded * is_made_by(node, 'subtract')}"
    if "power" in mechanism:
        return "an integer as the exponent, np.abs(x)**p, or np.where(x > 0, x, 1)**p inside a where"
    if mechanism.startswith(("arcs", "arcc", "arct")):
        return "clip the argument into the domain first: np.clip(x, -1, 1), for arccosh np.maximum(x, 1)"
    if "singular" in mechanism:
        return "add a little to the diagonal, a + eps * np.eye(n), or use np.linalg.pinv or np.linalg.lstsq"
    if "row of nothing" in mechanism:
        return "hand the mask instead of -inf: ad.softmax(x, where=mask) gives a wholly masked row zeros"
    return for_infinities(mechanism)


def for_exponential(following: Sequence[str]) -> str:
    """Advice where an exponential overflowed."""
    if following[:2] == ["add", "log"]:
        return "np.logaddexp(a, b) for log(exp(a) + exp(b)), ad.softplus(x) for log(1 + exp(x))"
    if following[:1] == ["log1p"]:
        return "ad.softplus(x) for log1p(exp(x))"
    if following[:2] == ["sum", "log"]:
        return "ad.logsumexp(x) for log(sum(exp(x)))"
    if in_order(following[:4], "sum", "divide") or following[:1] == ["divide"]:
        return f"ad.softmax(x) (and ad.log_softmax(x) for its logarithm), or {SHIFT}; {LIMITS}"
    if in_order(following[:3], "add", "divide"):
        return "ad.sigmoid(x) for 1 / (1 + exp(-x)); np.tanh(x) for quotients of exp(x) and exp(-x)"
    return f"{SHIFT}, or stay with logarithms; {LIMITS}"


def unmoved(node: Node) -> Node:
    """The node that made the numbers of this one, before an index or a reshape."""
    while node.operation.structure in ("selection", "layout") and node.operation.name not in ("sum", "mean"):
        parents = parents_of(node)
        if len(parents) != 1:
            break
        node = parents[0]
    return node


def for_log_of_0(node: Node) -> str:
    """Advice where a logarithm met 0."""
    for parent in map(unmoved, parents_of(node)):
        scope = parent.notes.scope if parent.notes else None
        made = scope.name if scope is not None and scope.name in KEEPS_DIGITS else parent.operation.name
        if made in KEEPS_DIGITS:
            return KEEPS_DIGITS[made]
        if made == "divide" and is_made_by(parent, "exp"):
            return KEEPS_DIGITS["softmax"]
        if made == "exp" or (made == "sum" and is_made_by(parent, "exp")):
            return "ad.logsumexp(x) for log(sum(exp(x)))"
        if made == "subtract" and (parent.inputs or (0,))[0] is None and np.all(parent.arguments[0] == 1):
            if is_made_by(parent, "sigmoid"):
                return "ad.log_sigmoid(-x) for log(1 - sigmoid(x))"
            return (
                "log(1 - p) from what p was made of, as ad.log_sigmoid(-x) for p = sigmoid(x) and ad.log_softmax for "
                "softmax, or np.log(1 - p + eps): here p is 1 to the last digit"
            )
    return f"np.log(x + eps), or guard it: {GUARD.format('np.log')}"


def for_infinities(mechanism: str) -> str:
    """Advice where a division by 0 or an infinity made it."""
    if mechanism.startswith(("0 / 0: mean", "0 / 0: var", "0 / 0: std")) or "of no elements" in mechanism:
        return "leave empty selections out: np.where(count > 0, total / np.maximum(count, 1), 0)"
    if mechanism in ("0 / 0", "x / 0") or " by 0" in mechanism or "negative power" in mechanism:
        return "divide by np.where(d == 0, 1, d) inside a where that drops those elements, or by d + eps"
    if mechanism.startswith("inf / inf"):
        return "keep both finite: divide by the largest first, or subtract logarithms"
    if mechanism.startswith("0 * inf"):
        return (
            "np.where(mask, x, 0) for mask * x: 0 times an infinity is NaN, what is not selected counts as 0"
        )
    if "inf - inf" in mechanism or "infinity" in mechanism:
        return "keep infinities out of arithmetic: select with np.where, or ad.softmax(..., where=mask)"
    return "look at these numbers: the op has no value there"


def for_slope(mechanism: str, node: Node, following: Sequence[Node]) -> str:
    """Advice for a rule's result that became bad; `following` are the nodes from there to the loss."""
    name = node.operation.name
    advice = "scale the loss or the numbers down, or compute in a wider dtype: x.astype(np.float64)"
    if name == "recompute":
        advice = CHECKPOINT
    elif mechanism.startswith("overflow of a cast"):
        advice = "scale the loss down by a constant, and the gradients up again in a wider dtype"
    elif name == "sqrt" or (name == "power" and "infinite" in mechanism):
        advice = f"np.sqrt(x + eps), or guard it: {GUARD.format('np.sqrt')}; np.linalg.norm and np.hypot are flat at 0"
    elif "exponent" in mechanism:
        advice = "hand the exponent over as a constant, y.data, or keep the base positive"
    elif name.startswith(("arcs", "arcc", "arct")):
        advice = "clip the argument into the open domain: np.clip(x, -1 + eps, 1 - eps)"
    elif "infinite" in mechanism or "0 * inf" in mechanism:
        advice = f"guard it: {GUARD.format('np.' + name)}"
    selection = next((place for place, other in enumerate(following) if other.operation.selects), None)
    mixers = [other for other in following[: selection or 0] if other.operation.structure is None]
    if mixers:
        return (
            f"{advice}. The {following[selection or 0].operation.name} after it cannot help: "
            f"{mixers[0].operation.name} in between mixes elements, and beyond it what was not selected is a plain 0"
        )
    return advice
