"""A rule worked out: its formula with the numbers of one element in it, `1 * cos(2)`."""

import ast
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..formulas import elementwise, formula
from ..node import Node
from ..ops.axes import reduced_size
from ..softmax import softmax
from ..visualize.values import number

MOST_TERMS = 4


def with_numbers(node: Node, place: int, arrived: Any, index: tuple[int, ...], given: Any) -> str:
    """The rule of `node` for the element `index` of its input number `place`, worked out; "" where it is too long.

    Also "" where the few digits shown do not give what the rule has `given`: 1 - y ** 2 at a y that rounds to 1.
    """
    parent = (node.inputs or ())[place]
    if parent is None:
        return ""
    if node.operation.name in WORKED:
        return WORKED[node.operation.name](node, place, arrived, index)
    if not elementwise(node) or parent.value.shape != node.value.shape:
        return ""
    try:
        tree = ast.parse(formula(node, place), mode="eval").body
    except SyntaxError:
        return ""
    names = list(inspect.signature(node.operation.function).parameters)
    values = dict(zip(names, node.arguments, strict=False)) | {"g": arrived, "y": node.value}
    here = {}
    for part in ast.walk(tree):
        if not isinstance(part, PLAIN):
            return ""
        if isinstance(part, ast.Name):
            if part.id in values:
                here[part.id] = np.broadcast_to(values[part.id], node.value.shape)[index]
            elif part.id != "sigmoid" and not hasattr(np, part.id):
                return ""
    text = ast.unparse(Filled(here).visit(tree))
    return text if gives(text, given) else ""


def gives(text: str, part: Any) -> bool:
    """Whether a formula with numbers in it gives `part`, as nearly as its rounded numbers allow.

    >>> gives("1 * cos(2)", -0.41615), gives("1 * (1 - 1 ** 2)", 5.5e-87)
    (True, False)
    """
    names = {**vars(np), "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "__builtins__": {}}
    with np.errstate(all="ignore"):
        try:
            found = eval(compile(text, "<formula>", "eval"), names)
        except (ArithmeticError, NameError, TypeError):
            return True
    same = not np.isfinite(part) or abs(found - part) <= 0.02 * abs(part)
    return bool(same or not np.isfinite(found))


PLAIN = (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.Call, ast.operator, ast.unaryop, ast.Load)


class Filled(ast.NodeTransformer):
    """Numbers in the place of names."""

    def __init__(self, numbers: dict[str, Any]) -> None:
        self.numbers = numbers

    def visit_Name(self, name: ast.Name) -> ast.Name:
        """A name that stands for a number becomes it."""
        return ast.Name(id=factor(self.numbers[name.id])) if name.id in self.numbers else name


def factor(x: Any) -> str:
    """A number in a product: in parentheses if it is negative.

    >>> factor(-2.0)
    '(-2)'
    """
    text = number(x)
    return f"({text})" if text.startswith("-") else text


def matmul(node: Node, place: int, arrived: Any, index: tuple[int, ...]) -> str:
    """A row of g by a row of b, or a column of a by one of g."""
    a, b = node.arguments
    if np.ndim(a) != 2 or np.ndim(b) != 2:
        return ""
    i, j = index
    left, right = (a[:, i], arrived[:, j]) if place else (arrived[i], b[j])
    largest = np.argsort(-np.abs(left * right), kind="stable")[:MOST_TERMS]
    terms = [f"{factor(left[k])} * {factor(right[k])}" for k in sorted(largest)]
    more = [f"… {len(left) - MOST_TERMS} smaller"] if len(left) > MOST_TERMS else []
    return " + ".join([*terms, *more])


def mean(node: Node, place: int, arrived: Any, index: tuple[int, ...]) -> str:
    """g / n, where one mean is taken."""
    if np.size(arrived) != 1:
        return ""
    return f"{factor(np.reshape(arrived, ()))} / {reduced_size(node.arguments[0], node.options.get('axis'))}"


def cross_entropy(node: Node, place: int, arrived: Any, index: tuple[int, ...]) -> str:
    """Probability minus target, over the number of rows."""
    options, x = node.options, node.arguments[0]
    targets, scale, axis = options["targets"], options["scale"], options["axis"]
    if type(scale) is not float or np.size(arrived) != 1 or not x.ndim:
        return ""
    spot = list(index)
    number_of_class = spot.pop(axis)
    hit = int(np.asarray(targets)[tuple(spot)] == number_of_class)
    share = factor(softmax(x, axis)[index])
    rows = "" if scale == 1 else f" / {number(1 / scale)}"
    return f"({share} - {hit}) * {factor(np.reshape(arrived, ()))}{rows}"


def softmax_rule(node: Node, place: int, arrived: Any, index: tuple[int, ...]) -> str:
    """A probability times how far its gradient is above their weighted mean."""
    options, y = node.options, node.value
    if options["where"] is not None:
        return ""
    mean = np.broadcast_to(np.sum(arrived * y, axis=options["axis"], keepdims=True), y.shape)[index]
    beta = "" if options["beta"] == 1 else f"{factor(options['beta'])} * "
    return f"{beta}{factor(y[index])} * ({factor(arrived[index])} - {factor(mean)})"


def log_softmax_rule(node: Node, place: int, arrived: Any, index: tuple[int, ...]) -> str:
    """The gradient, less a probability times the sum of all."""
    options, y = node.options, np.exp(node.value)
    if options["where"] is not None:
        return ""
    total = np.broadcast_to(np.sum(arrived, axis=options["axis"], keepdims=True), y.shape)[index]
    share = f"{factor(arrived[index])} - {factor(y[index])} * {factor(total)}"
    return share if options["beta"] == 1 else f"{factor(options['beta'])} * ({share})"


WORKED: dict[str, Callable[..., str]] = {
    "matmul": matmul,
    "mean": mean,
    "cross_entropy": cross_entropy,
    "softmax": softmax_rule,
    "log_softmax": log_softmax_rule,
}
