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
from .rules import PASSING, RULES, SLOPES, WITH_BETA


def formula(node: Node, place: int) -> str:
    """The rule of `node` for its input number `place`; "" where there is no source to read."""
    name = node.operation.name
    if name in SLOPES:
        text = times(SLOPES[name][place])
    elif scaled(node):
        text = WITH_BETA[name]
    else:
        rules = RULES.get(name)
        known = None if rules is None else rules[min(place, len(rules) - 1)][0]
        text = known or source_text(node.vjps[place])
    return f"sum of {text}" if text and repeated(node, place) else text


def times(slope: str) -> str:
    """g times a slope.

    >>> times("1 / x"), times("-sin(x)"), times("1 + y ** 2"), times("-1")
    ('g / x', '-g * sin(x)', 'g * (1 + y ** 2)', '-g')
    """
    sign, slope = ("-", slope[1:]) if slope.startswith("-") else ("", slope)
    if slope.startswith("1 / "):
        return f"{sign}g / {slope[4:]}"
    tree = ast.parse(slope, mode="eval").body
    is_sum = isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add | ast.Sub)
    return f"{sign}g" if slope == "1" else f"{sign}g * ({slope})" if is_sum else f"{sign}g * {slope}"


def scaled(node: Node) -> bool:
    """Whether this is a softmax at another inverse temperature than 1."""
    return node.operation.name in WITH_BETA and node.options["beta"] != 1


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
    name = node.operation.name
    copies = f", summed over the copies that made it {node.value.shape}" if repeated(node, place) else ""
    rules = RULES.get(name)
    if rules is not None:
        return rules[min(place, len(rules) - 1)][1] + copies + (", times beta" if scaled(node) else "")
    if name in SLOPES:
        slope, several = SLOPES[name][place], len(SLOPES[name]) > 1
        call = f"{name}(a, b)" if several else f"{name}(x)"
        result = f"y = {call}" if "y" in slope else call
        return f"the slope of {result}{' by ' + 'ab'[place] if several else ''} is {slope}{copies}"
    if node.operation.structure in PASSING:
        return PASSING[node.operation.structure] + copies
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
