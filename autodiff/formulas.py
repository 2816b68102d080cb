"""The rule of an op for one of its inputs, as a reader with school calculus follows it: a formula and words.

The formula of most ops is the source text of their vjp, `g * b`, found by the place of its code in the file. Where
the source speaks of shapes rather than of calculus, and for the words, there is a table.
"""

import ast
import linecache
from collections.abc import Callable
from functools import lru_cache
from types import FunctionType
from typing import Any

import numpy as np

from .node import Node

# op: (formula, words) for each input, the last for all further ones; None: the vjp's own source.
SAME = "the gradient passes unchanged"
MOVED = "the same numbers, moved back to the places they came from"
RULES: dict[str, tuple[tuple[str | None, str], ...]] = {
    "add": (("g", SAME),),
    "subtract": (("g", SAME), ("-g", "what is subtracted receives the gradient with a minus sign")),
    "multiply": ((None, "a factor receives the gradient times the other factor"),),
    "divide": (
        (None, "the numerator receives the gradient divided by the denominator"),
        (None, "the slope of y = a / b by b is -a / b**2, which is -y / b"),
    ),
    "negative": (("-g", "the sign turns round"),),
    "positive": (("g", SAME),),
    "power": (
        ("g * b * a ** (b - 1)", "the power rule: the slope of a**b by a is b * a**(b - 1)"),
        ("g * y * log(a)", "the slope of y = a**b by b is y * log(a)"),
    ),
    "square": (("g * 2 * x", "the slope of x**2 is 2 * x"),),
    "sqrt": (("g / (2 * y)", "the slope of y = sqrt(x) is 1 / (2 * y)"),),
    "abs": ((None, "the slope is the sign of x: 1, -1, and 0 at 0"),),
    "exp": ((None, "the slope of y = exp(x) is y itself"),),
    "log": ((None, "the slope of log(x) is 1 / x"),),
    "sin": ((None, "the slope of sin(x) is cos(x)"),),
    "cos": ((None, "the slope of cos(x) is -sin(x)"),),
    "tanh": ((None, "the slope of y = tanh(x) is 1 - y**2"),),
    "relu": (("g where x > 0, else 0", "the slope is 1 where x > 0, and 0 elsewhere"),),
    "sigmoid": (("g * y * (1 - y)", "the slope of y = sigmoid(x) is y * (1 - y)"),),
    "maximum": (
        (
            "g where a > b, else 0",
            "the larger of the two receives the gradient, half each where they are equal",
        ),
        (
            "g where b > a, else 0",
            "the larger of the two receives the gradient, half each where they are equal",
        ),
    ),
    "minimum": (
        (
            "g where a < b, else 0",
            "the smaller of the two receives the gradient, half each where they are equal",
        ),
        (
            "g where b < a, else 0",
            "the smaller of the two receives the gradient, half each where they are equal",
        ),
    ),
    "clip": (
        ("g where low <= x <= high, else 0", "the slope is 1 inside the bounds, and 0 where x was clipped"),
        ("g where x < low, else 0", "the lower bound receives the gradient of what it clipped"),
        ("g where x > high, else 0", "the upper bound receives the gradient of what it clipped"),
    ),
    "where": (
        (None, "a condition has no slope"),
        ("g where the condition holds, else 0", "the branch that was taken receives the gradient"),
        ("g where the condition fails, else 0", "the branch that was taken receives the gradient"),
    ),
    "astype": (("g", "the same numbers in the input's dtype"),),
    "sum": (("g", "each element receives the gradient of the sum that it is in"),),
    "mean": (("g / n", "each of n elements receives an n-th of the gradient of their mean"),),
    "max": (
        ("g at the largest, else 0", "the largest element receives the gradient; the tied share it evenly"),
    ),
    "min": (
        ("g at the smallest, else 0", "the smallest element receives the gradient; the tied share it evenly"),
    ),
    "prod": (("g * y / x", "each element receives the gradient times the product of the others"),),
    "var": (("g * 2 * (x - mean(x)) / n", "the slope of the mean squared distance from the mean"),),
    "std": (("g * (x - mean(x)) / (n * y)", "the slope of the root of the variance; 0 where all are equal"),),
    "matmul": (
        ("g @ b.T", "row by column: the gradient is summed over the columns of b, weighted by them"),
        ("a.T @ g", "row by column: the gradient is summed over the rows of a, weighted by them"),
    ),
    "einsum": (("the einsum of g and the others", "g takes the place of the result, the input that of g"),),
    "softmax": (
        (
            "y * (g - sum(g * y))",
            "each probability times how far its gradient lies above their weighted mean",
        ),
    ),
    "log_softmax": (
        ("g - softmax(x) * sum(g)", "the gradient, less each class's probability times their sum"),
    ),
    "logsumexp": (("g * softmax(x)", "each element receives the gradient times its softmax"),),
    "cross_entropy": (
        (
            "(softmax(x) - target) * g / n",
            "probability minus target (1 at the right class), for the mean of n rows",
        ),
    ),
    "soft_cross_entropy": (
        ("(softmax(x) - target) * g / n", "probability minus target probability, for the mean of n rows"),
    ),
    "getitem": (("g at the elements taken, else 0", "the elements that were taken receive the gradient"),),
    "take_along_axis": (
        ("g at the elements taken, else 0", "the elements that were taken receive the gradient"),
    ),
    "broadcast_to": (("sum of g over the copies", "what was repeated receives the sum over its copies"),),
    "concatenate": (("this input's part of g", MOVED),),
    "reshape": (("g, reshaped", MOVED),),
    "transpose": (("g, transposed back", MOVED),),
    "swapaxes": (("g, swapped back", MOVED),),
    "squeeze": (("g, reshaped", MOVED),),
    "expand_dims": (("g, reshaped", MOVED),),
    "gather_inputs": (("this input's part of g", "the gradient that the checkpoint's second run found"),),
    "recompute": (("a second run's gradient", "a checkpoint runs its function again to find the gradient"),),
}


def formula(node: Node, place: int) -> str:
    """The rule of `node` for its input number `place`; "" where there is no source to read."""
    rules = RULES.get(node.operation.name)
    known = None if rules is None else rules[min(place, len(rules) - 1)][0]
    text = known or source_text(node.vjps[place])
    return f"sum of {text}" if text and repeated(node, place) else text


def repeated(node: Node, place: int) -> bool:
    """Whether broadcasting repeated this input, whose gradient is a sum over the copies then."""
    return (
        node.operation.broadcasts
        and np.shape(node.arguments[place]) != node.value.shape
        and elementwise(node)
    )


def elementwise(node: Node) -> bool:
    """Whether each element of the result is made of one element of each input."""
    return node.operation.structure in ("elementwise", "selection")


def words(node: Node, place: int) -> str:
    """The same in a sentence."""
    rules = RULES.get(node.operation.name)
    copies = f", summed over the copies that made it {node.value.shape}" if repeated(node, place) else ""
    if rules is not None:
        return rules[min(place, len(rules) - 1)][1] + copies
    summary = (node.operation.function.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    return (
        f"the gradient times the slope of {node.operation.name}"
        + (f": {summary}" if summary else "")
        + copies
    )


def source_text(vjp: Callable[..., Any] | None) -> str:
    """What a vjp returns, in the words of its own source.

    >>> source_text(None)
    ''
    """
    code = getattr(vjp, "__code__", None)
    if not isinstance(vjp, FunctionType) or code is None:
        return ""
    spots = [(line, column) for line, _, column, _ in code.co_positions() if line and column]
    found = ""
    for function in functions_in(code.co_filename, "".join(linecache.getlines(code.co_filename))):
        body = function.body
        if isinstance(body, list):
            returns = [part for part in body if not isinstance(part, ast.Expr)]
            if function.lineno != code.co_firstlineno or len(returns) != 1:
                continue
            body = getattr(returns[0], "value", None)  # type: ignore[assignment]
        if body is None or not spots or not within(body, spots):  # type: ignore[arg-type]
            continue
        found = ast.unparse(body)  # type: ignore[arg-type]  # the innermost, which comes last
    return found.replace("np.", "")


@lru_cache(maxsize=64)
def functions_in(file: str, text: str) -> list[ast.Lambda | ast.FunctionDef]:
    """The functions of a file of source text, the outer ones first."""
    try:
        return [part for part in ast.walk(ast.parse(text)) if isinstance(part, ast.Lambda | ast.FunctionDef)]
    except (SyntaxError, ValueError):  # a cell with magic words
        return []


def within(body: ast.expr, spots: list[tuple[int, int]]) -> bool:
    """Whether all instructions of a function come from this expression."""
    start, end = (body.lineno, body.col_offset), (body.end_lineno or 0, body.end_col_offset or 0)
    return all(start <= spot <= end for spot in spots)
