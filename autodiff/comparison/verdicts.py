"""What was found out about a form that was compared, and a sentence on it."""

from dataclasses import dataclass, field
from math import isnan, sqrt
from typing import Any, NamedTuple

import numpy as np


class Error(NamedTuple):
    """Errors in units in the last place, of all elements."""

    largest: float
    median: float


@dataclass(frozen=True)
class Row:
    """What was found out about one form.

    `values`, `gradients`: what it returns and the gradients by all arrays in the arguments. Differences are the
    largest, in any element, to the last form. Errors are in units in the last place; `curve` has for
    each factor of the sweep the worst relative errors of value and gradient. Each of `failures` is the
    factor from which on (for those whose name ends in "below": below which) it happens, None if
    nowhere; `overflow` is the op that overflows, `raised` the exception's class. `formula`: how far its exact value and its exact gradient are from the others', None if unknown.
    `worst_value`, `worst_gradient`: the worst element and its truth, where it has lost half its digits here.
    """

    name: str
    values: list[Any]
    gradients: list[Any]
    value_difference: float
    gradient_difference: float
    value_error: Error | None
    gradient_error: Error | None
    second_difference: float | None
    second_error: float | None
    formula: tuple[float, float] | None
    curve: dict[float, tuple[float, float]]
    failures: dict[str, float | None]
    overflow: str | None
    raised: str | None
    nodes: int
    bytes: int
    forward: float
    backward: float
    worst_value: tuple[str, str] | None
    worst_gradient: tuple[str, str] | None
    lints: tuple[Any, ...] = ()
    verdict: str = field(default="", compare=False)


def number(x: float | None) -> str:
    """An error or a difference, in two digits."""
    return "" if x is None else "NaN" if isnan(x) else f"{x:.1e}" if x not in (0, 1) else f"{x:.0f}"


def factor(x: float | None) -> str:
    """The factor from which on something happens."""
    return "never" if x is None else f"{x:.4g}"


def verdict(row: Row, rows: list[Row], dtype: Any, known: bool, sweep: tuple[float, float] | None) -> str:
    """One sentence on one of the forms `rows`; `known`: whether there was a truth to measure it against."""
    eps = float(np.finfo(dtype).eps)
    said = []
    # The form that the truth was made of.
    truth = next((other.name for other in rows[::-1] if other.formula == (0, 0)), "another")
    if not row.nodes:
        said.append("returns no Tensor that depends on its arguments: its gradient is 0")
    if row.formula is not None and isnan(row.formula[0]):
        said.append(
            f"is another function than {truth}: in exact arithmetic too it is no number here, where {truth} is one"
        )
    elif row.formula is not None and not row.formula[0] < 1000 * eps:
        said.append(
            f"is another function than {truth}: in exact arithmetic its value is {number(row.formula[0])} off"
        )
    elif row.nodes and row.formula is not None and not row.formula[1] < 1000 * eps:
        said.append(
            f"has another gradient by itself, {number(row.formula[1])} off in exact arithmetic: it sits on a tie or a "
            "corner, or holds something constant"
        )
    overflow, nan = row.failures.get("overflow"), row.failures.get("nan")
    if overflow:
        there = ", and gives NaN or infinity there" if nan == overflow else ""
        said.append(f"overflows in {row.overflow} from {factor(overflow)} times these arguments on{there}")
    raised = row.failures.get("raised")
    if raised:
        said.append(f"raises {row.raised} from {factor(raised)} times these arguments on")
    if nan and nan not in (overflow, raised):
        said.append(f"gives NaN or infinity from {factor(nan)} times these arguments on")
    for what, found in (("value", row.worst_value), ("gradient", row.worst_gradient)):
        if found is not None:
            # Of two functions, or at a corner, nobody knows which is right.
            count = 1 if what == "value" else 2
            same = row.formula is None or all(far < 1000 * eps for far in row.formula[:count])
            word = "and should be" if same else f"where {truth} has"
            said.append(f"has an element of its {what} that is {found[0]} {word} {found[1]}")
            continue
        for place, word in ((f"{what} half", "from"), (f"{what} half below", "below")):
            if (at := row.failures.get(place)) and at != row.failures["nan"]:
                alike = [other.failures[place] for other in rows]
                as_all = ", as all do" if all(x and 0.5 < x / at < 2 for x in alike) else ""
                said.append(
                    f"has lost half the digits of its {what} {word} {factor(at)} times these arguments{as_all}"
                )
    if row.second_error is not None and not row.second_error < sqrt(eps):
        said.append(f"has a second derivative with a relative error of {number(row.second_error)}")
    if row.second_difference is None:
        said.append("has no second derivative")
    if not said and any(np.isnan(x).any() for x in (*row.values, *row.gradients)):
        said.append("gives NaN at these arguments, as it must")
    if not said and known:
        said.append(
            f"keeps at least half its digits from {sweep[0]:g} to {sweep[1]:g} times these arguments"
            if sweep
            else "keeps at least half its digits here"
        )
    elif not said:
        said.append("gives numbers, which nothing here can check")
    first, named, rest = "; ".join(said).partition("times these arguments")
    return f"{row.name} {first}{named}{rest.replace('times these arguments', 'times them')}."
