"""Patterns in a graph: what a node is in calculus, however it was spelled out in ops."""

from typing import Any

import numpy as np

from ..node import Node

# What only moves elements about, or keeps them within bounds.
MOVES = frozenset(
    {
        "reshape",
        "transpose",
        "swapaxes",
        "squeeze",
        "expand_dims",
        "broadcast_to",
        "getitem",
        "take_along_axis",
    }
    | {"ravel", "moveaxis", "take", "positive", "astype", "where", "clip", "maximum", "copy"}
)
SHIFTS = frozenset({"subtract", "negative", "multiply", "minimum", "clip", "where"})


def through(node: Node | None, ops: frozenset[str] = MOVES) -> Node | None:
    """The node behind what only moves elements about or, with other `ops`, behind those."""
    while node is not None and node.operation.name in ops:
        tracked = [parent for parent in node.inputs or () if parent is not None]
        node = tracked[0] if tracked else None
    return node


def operand(node: Node, place: int = 0) -> Node | None:
    """Input number `place`, behind what only moves elements; None for a constant."""
    inputs = node.inputs or ()
    return through(inputs[place]) if place < len(inputs) else None


def made_by(node: Node | None, *names: str) -> bool:
    """Whether one of these ops made the node."""
    return node is not None and node.operation.name in names


def constant_one(node: Node, value: float = 1.0) -> Node | None:
    """The other input of an op whose one input is the constant `value`."""
    for place, parent in enumerate(node.inputs or ()):
        if parent is None and len(node.arguments) == 2 and np.all(np.asarray(node.arguments[place]) == value):
            return operand(node, 1 - place)
    return None


def alike(one: Node | None, other: Node | None, depth: int = 4) -> bool:
    """Whether two nodes are one, or were computed twice in the same way, behind what only moves elements."""
    one, other = through(one), through(other)
    if one is other or one is None or other is None:
        return one is other
    if depth == 0 or one.operation is not other.operation or one.value.shape != other.value.shape:
        return False
    pairs = zip(one.inputs or (), other.inputs or (), one.arguments, other.arguments, strict=False)
    return bool(one.inputs) and all(
        np.array_equal(a, b) if left is right is None else alike(left, right, depth - 1)
        for left, right, a, b in pairs
    )


def exp_over_total(node: Node) -> Node | None:
    """The exp in exp(x) / sum(exp(x)), computed once or twice, of all elements or of some above."""
    exp, below = operand(node), total_of_exp(operand(node, 1))
    if exp is None or below is None or not made_by(exp, "exp"):
        return None
    return exp if exp is below or alike(operand(exp), operand(below)) else None


def total_of_exp(node: Node | None) -> Node | None:
    """The exp that a sum or mean adds up, if it adds up one."""
    node = through(node, MOVES | {"add"}) if node is not None else None
    summed = operand(node) if node is not None and made_by(node, "sum", "mean") else None
    return summed if made_by(summed, "exp") else None


def softmax_input(node: Node | None) -> Node | None:
    """What a softmax, in any form, was computed from: the node handed to its exponential."""
    if node is None:
        return None
    if node.operation.name == "softmax":
        return operand(node)
    if node.operation.name == "divide":
        exp = exp_over_total(node)
        return operand(exp) if exp is not None else None
    return None


def is_softmax(node: Node | None) -> bool:
    """Whether a node holds what a softmax gave, in any form."""
    return node is not None and softmax_input(node) is not None


def logits_of(node: Node | None) -> Node | None:
    """What went into a softmax, before it was shifted by a maximum and scaled by a number."""
    node = through(node)
    while node is not None and node.operation.name in ("subtract", "multiply", "divide"):
        parents = node.inputs or ()
        tracked = [place for place, parent in enumerate(parents) if parent is not None]
        by_number = len(tracked) == 1 and np.size(node.arguments[1 - tracked[0]]) == 1
        shift = node.operation.name == "subtract" and (len(tracked) == 1 or made_by(operand(node, 1), "max"))
        if not (by_number or shift):
            return node
        node = operand(node, tracked[0])
    return node


def square_of(node: Node | None) -> Node | None:
    """x, where a node is x * x, x**2 or np.square(x)."""
    if made_by(node, "square"):
        return operand(node)  # type: ignore[arg-type]
    if made_by(node, "multiply") and node.inputs[0] is node.inputs[1]:  # type: ignore[union-attr, index]
        return operand(node)  # type: ignore[arg-type]
    if made_by(node, "power") and np.all(np.asarray(node.arguments[1]) == 2):  # type: ignore[union-attr]
        return operand(node)  # type: ignore[arg-type]
    return None


def mean_of(node: Node | None) -> Node | None:
    """x, where a node is its mean or its sum over a number."""
    if made_by(node, "divide", "multiply") and made_by(operand(node), "sum"):  # type: ignore[arg-type]
        node = operand(node)  # type: ignore[arg-type]
        return operand(node)  # type: ignore[arg-type]
    return operand(node) if made_by(node, "mean") else None  # type: ignore[arg-type]


def shifted(exp: Any) -> bool:
    """Whether an exponential's input cannot be large: a shift, or a formula that gave nothing above 0."""
    source = exp.inputs[0]
    return source.operation.name in SHIFTS and not np.any(source.value > 0)
